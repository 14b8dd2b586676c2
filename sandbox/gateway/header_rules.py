"""Which headers API Gateway drops, renames and adds on the way to an integration and back.

Source: "Amazon API Gateway important notes" (api-gateway-known-issues), developer guide 2023-06.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.gateway.exchange import SOURCE_IP, Exchange
from sandbox.http import Header

# Never reach an integration. Those that the gateway writes anew are among them.
_DROPPED_FROM_REQUESTS = frozenset(
    {
        b"connection",
        b"content-md5",
        b"expect",
        b"max-forwards",
        b"proxy-authenticate",
        b"server",
        b"te",
        b"transfer-encoding",
        b"trailer",
        b"upgrade",
        b"www-authenticate",
        b"x-amzn-trace-id",
        b"x-forwarded-for",
        b"x-forwarded-port",
        b"x-forwarded-proto",
    }
)
# Come back to the client as x-amzn-Remapped-NAME.
_REMAPPED = frozenset(
    {
        b"authorization",
        b"connection",
        b"content-length",
        b"content-md5",
        b"date",
        b"expect",
        b"host",
        b"max-forwards",
        b"proxy-authenticate",
        b"server",
        b"te",
        b"trailer",
        b"upgrade",
        b"user-agent",
        b"www-authenticate",
    }
)
# Written by the connection, or of this hop only: they do not come back at all.
_DROPPED_FROM_RESPONSES = frozenset({b"transfer-encoding", b"keep-alive"})


def request_headers(exchange: Exchange) -> list[tuple[str, str]]:
    """The headers that an integration is given, named as the client did, in order."""
    request = exchange.request
    kept = [
        (written.decode("latin-1"), value.decode("latin-1"))
        for written, (name, value) in zip(request.names, request.headers, strict=True)
        if name not in _DROPPED_FROM_REQUESTS and not _is_signature(name, value)
    ]
    forwarded = request.text_header(b"x-forwarded-for")
    kept.append(("X-Amzn-Trace-Id", exchange.trace_id))
    kept.append(("X-Forwarded-For", f"{forwarded}, {SOURCE_IP}" if forwarded else SOURCE_IP))
    kept.append(("X-Forwarded-Port", port_of(exchange)))
    kept.append(("X-Forwarded-Proto", "http"))
    return kept


def port_of(exchange: Exchange) -> str:
    """The port that the client named in its Host header."""
    host = (exchange.request.host or b"").decode("latin-1")
    _, colon, port = host.rpartition(":")
    return port if colon and port.isdigit() else "80"


def _is_signature(name: bytes, value: bytes) -> bool:
    return name == b"authorization" and value.startswith(b"AWS4-HMAC-SHA256")


def response_headers(headers: Iterable[Header]) -> list[Header]:
    """The headers of an integration's answer as the client sees them."""
    shown: list[Header] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered in _DROPPED_FROM_RESPONSES:
            continue
        if lowered in _REMAPPED:
            shown.append((b"x-amzn-Remapped-" + name.title(), value))
        else:
            shown.append((name, value))
    return shown
