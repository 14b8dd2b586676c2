"""The rules of a CorsConfiguration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.errors import bad_request

_METHODS = frozenset({"*", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
# A host may begin with "*." for all names below it.
_ORIGIN = re.compile(r"https?://[^\s/?#]+|(?:capacitor|ionic|app)://[^\s/?#]+")
_HEADER = re.compile(r"\*|[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def check_cors(cors: Mapping[str, Any]) -> None:
    """Checks what browsers would be told.

    Raises:
        ApiError: it has an origin, method or header that is none, or allows credentials to all.
    """
    origins = cors.get("AllowOrigins", [])
    if cors.get("AllowCredentials") and "*" in origins:
        raise bad_request("allowCredentials is not supported when allowOrigins is '*'")
    for origin in origins:
        if origin != "*" and _ORIGIN.fullmatch(origin) is None:
            raise bad_request(
                f"Invalid format for origin: {origin}. Origins begin with http:// or https:// and "
                "have no path"
            )
    for method in cors.get("AllowMethods", []):
        if method.upper() not in _METHODS:
            raise bad_request(f"Invalid format for allowMethods: {method}")
    for name in (*cors.get("AllowHeaders", []), *cors.get("ExposeHeaders", [])):
        if _HEADER.fullmatch(name) is None:
            raise bad_request(f"Invalid format for header: {name}")
