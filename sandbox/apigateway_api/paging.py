"""Lists by pages: `position` and `limit`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sandbox.apigateway_api.context import Output, Parameters
from sandbox.apigateway_api.refusing import bad_request

# "The maximum number of returned results per page. The default value is 25 and the maximum value
# is 500" (API reference of GetRestApis and the other lists).
DEFAULT_LIMIT, MAX_LIMIT = 25, 500


def page(items: Mapping[str, Any], parameters: Parameters) -> Output:
    """One page of `items` in the order of their keys, and the position of the next page.

    A position tells which key was the last: its item may be gone before the next page is asked for.
    """
    keys, position = page_of_keys(items, parameters)
    return {"items": [items[key] for key in keys], "position": position}


def page_of_keys(items: Mapping[str, Any], parameters: Parameters) -> tuple[list[str], str | None]:
    """As `page`, with keys alone."""
    limit = parameters.get("limit", DEFAULT_LIMIT)
    if not 0 < limit <= MAX_LIMIT:
        raise bad_request(f"limit must be between 1 and {MAX_LIMIT}")
    keys = sorted(items)
    if parameters.get("position"):
        last = _read_position(parameters["position"])
        keys = [key for key in keys if key > last]
    return keys[:limit], _position(keys[limit - 1]) if len(keys) > limit else None


def _position(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _read_position(position: str) -> str:
    try:
        return base64.b64decode(position, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise bad_request("Invalid position parameter") from error
