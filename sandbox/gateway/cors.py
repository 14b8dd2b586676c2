"""CORS of HTTP APIs: preflight requests answered by the gateway, headers on all others.

Source: "Configure CORS for HTTP APIs", developer guide. Once it is configured, what the
integration says of CORS is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.http import Header, Request

_PREFIX = b"access-control-"


class Cors:
    """The CORS configuration of an API."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._origins = [str(origin).lower() for origin in configuration.get("AllowOrigins", ())]
        self._lists = {
            b"access-control-allow-methods": configuration.get("AllowMethods", ()),
            b"access-control-allow-headers": configuration.get("AllowHeaders", ()),
        }
        self._exposed = configuration.get("ExposeHeaders", ())
        self._max_age_s = configuration.get("MaxAge")
        self._credentials = bool(configuration.get("AllowCredentials"))

    def preflight(self, request: Request) -> tuple[Header, ...] | None:
        """The headers of the answer to a preflight request; None where it is none."""
        asks = request.header(b"access-control-request-method")
        if request.method != "OPTIONS" or asks is None or request.header(b"origin") is None:
            return None
        headers = list(self._origin_headers(request))
        if headers:
            headers += [(name, _list(values)) for name, values in self._lists.items() if values]
            if self._max_age_s is not None:
                headers.append((b"access-control-max-age", b"%d" % self._max_age_s))
        return tuple(headers)

    def applied(self, request: Request, headers: tuple[Header, ...]) -> tuple[Header, ...]:
        """The headers of an ordinary answer, with those of CORS as configured."""
        kept = tuple(pair for pair in headers if not pair[0].lower().startswith(_PREFIX))
        own = self._origin_headers(request)
        if own and self._exposed:
            own = (*own, (b"access-control-expose-headers", _list(self._exposed)))
        return (*kept, *own)

    def _origin_headers(self, request: Request) -> tuple[Header, ...]:
        origin = request.text_header(b"origin")
        if origin is None or not self._allows(origin.lower()):
            return ()
        shown = b"*" if "*" in self._origins and not self._credentials else origin.encode("latin-1")
        headers: tuple[Header, ...] = ((b"access-control-allow-origin", shown),)
        if self._credentials:
            headers = (*headers, (b"access-control-allow-credentials", b"true"))
        return headers

    def _allows(self, origin: str) -> bool:
        scheme = origin.partition("://")[0]
        return any(allowed in ("*", origin, f"{scheme}://*") for allowed in self._origins)


def _list(values: Any) -> bytes:
    return ",".join(map(str, values)).encode("latin-1", "replace")
