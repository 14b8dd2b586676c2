"""NextToken: where a list goes on, and for which request."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

# Paging is the same request again; these may differ.
_FREE = frozenset({"NextToken", "MaxDatapoints", "MaxResults"})


def make_token(parameters: Mapping[str, Any], place: list[Any]) -> str:
    """A token that leads to `place`, for requests like this one."""
    document = json.dumps([_digest(parameters), place]).encode()
    return base64.b64encode(document).decode()


def read_token(parameters: Mapping[str, Any]) -> list[Any] | None:
    """The place in the token of a request, None where it has none.

    Raises:
        ValueError: it is no token, or one of another request.
    """
    token = parameters.get("NextToken")
    if token is None:
        return None
    document = json.loads(base64.b64decode(token.encode(), validate=True))
    match document:
        case [str(digest), list(place)]:
            if digest != _digest(parameters):
                raise ValueError("the token of another request")
            return place
    raise ValueError("not a token")


def _digest(parameters: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in parameters.items() if name not in _FREE}
    text = json.dumps(kept, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
