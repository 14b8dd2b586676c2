"""Lists in pages: MaxResults and NextToken."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.apigatewayv2_api.context import shown
from sandbox.apigatewayv2_api.errors import bad_request
from sandbox.apigatewayv2_api.state import Document

# Not in the model, which has MaxResults as a text. The docs of API Gateway (2026) give 25 and 500
# for the lists of REST APIs, and clients of the v2 API see pages of 25 too.
_DEFAULT_RESULTS = 25
_MOST_RESULTS = 500


def page(documents: Sequence[Document], parameters: Mapping[str, Any]) -> Document:
    """One page of a list, with the token for the next one where there is more.

    Raises:
        ApiError: MaxResults is no number from 1 to 500, or NextToken is not one that was given.
    """
    size = _size(parameters.get("MaxResults"))
    start = _start(parameters.get("NextToken"))
    answer: Document = {"Items": [shown(item) for item in documents[start : start + size]]}
    if start + size < len(documents):
        answer["NextToken"] = base64.urlsafe_b64encode(b"from:%d" % (start + size)).decode()
    return answer


def _size(text: str | None) -> int:
    if text is None:
        return _DEFAULT_RESULTS
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_RESULTS):
        raise bad_request(f"Invalid value for maxResults: {text} (1 to {_MOST_RESULTS})")
    return int(text)


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        word, _, number = base64.b64decode(token.encode(), b"-_", validate=True).partition(b":")
        start = int(number)
    except (ValueError, binascii.Error) as error:
        raise bad_request("Invalid value for nextToken") from error
    if word != b"from" or start < 1:
        raise bad_request("Invalid value for nextToken")
    return start
