"""HTTP proxy integrations: the request goes on to another server.

Its answer comes back as the server sent it: the gateway does not decode the body.
"""

from __future__ import annotations

import asyncio
import re
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import httpx

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.header_rules import request_headers
from sandbox.gateway.outcome import TIMEOUT_ERROR, Answered, Failed, Outcome
from sandbox.gateway.snapshot import HttpIntegration
from sandbox.http import UnsentBody

_PLACEHOLDER = re.compile(r"\{([^{}+]+)\+?\}")
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
# Set by the client library for the new hop, or of the old one only.
_OF_THE_HOP = frozenset({"host", "content-length", "connection"})
# The body is given on whole; the connection to the client writes the length.
_OF_THE_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

# More than any laptop's load needs; beyond it requests wait for a connection.
_MAX_CONNECTIONS = 1000


class HttpProxy:
    """Sends requests on for the gateway; connections are kept and reused."""

    def __init__(self) -> None:
        self._made: httpx.AsyncClient | None = None

    async def answer(
        self, exchange: Exchange, integration: HttpIntegration, spent_s: float = 0.0
    ) -> Outcome:
        """The other server's answer, or what went wrong; of the timeout `spent_s` are over."""
        request = exchange.request
        method = request.method if integration.method == "ANY" else integration.method
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in request_headers(exchange)
            if name.lower() not in _OF_THE_HOP
        ]
        began_s = time.monotonic()
        try:
            # The library's own timeouts are for each step; a slow answer has any number of them.
            async with asyncio.timeout(integration.timeout_ms / 1000 - spent_s):
                async with self._client.stream(
                    method,
                    _target(exchange, integration),
                    headers=headers,
                    content=request.body or None,
                    timeout=integration.timeout_ms / 1000,
                ) as response:
                    body = b"".join([piece async for piece in response.aiter_raw()])
        except (TimeoutError, httpx.TimeoutException):
            exchange.integration_error = TIMEOUT_ERROR
            return Failed("INTEGRATION_TIMEOUT")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            exchange.integration_error = f"Network error communicating with endpoint: {error}"
            return Failed("INTEGRATION_FAILURE")
        finally:
            exchange.integration_ms = (time.monotonic() - began_s) * 1000
        exchange.integration_status = exchange.function_status = response.status_code
        kept = [pair for pair in response.headers.raw if pair[0].lower() not in _OF_THE_FRAMING]
        if method == "HEAD":
            length = response.headers.get("content-length")
            body = UnsentBody(None if length is None else int(length))
        return Answered(response.status_code, tuple(kept), body)

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            limits = httpx.Limits(max_connections=_MAX_CONNECTIONS)
            # Cookies are those of clients: none is kept for the next one.
            no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            # Proxies and certificates of the environment are for the user's own calls.
            self._made = httpx.AsyncClient(limits=limits, trust_env=False, cookies=no_cookies)
            # What the library says of itself is not what the client sent.
            for name in tuple(self._made.headers):
                del self._made.headers[name]
        return self._made

    async def close(self) -> None:
        """Closes the connections."""
        if self._made is not None:
            await self._made.aclose()


def _target(exchange: Exchange, integration: HttpIntegration) -> str:
    """The URL with parameters and variables filled in, and the client's query behind it.

    Slashes stay those of a path where the parameter of the route is greedy, `{name+}`, however
    the URL writes it.
    """
    path = exchange.route.path if exchange.route else ""

    def parameter(match: re.Match[str]) -> str:
        name = integration.path_parameters.get(match[1], match[1])
        safe = "/" if f"{{{name}+}}" in path else ""
        return quote(exchange.path_parameters.get(name, match[0]), safe=safe)

    def variable(match: re.Match[str]) -> str:
        return exchange.stage.variables.get(match[1], "")

    url = _PLACEHOLDER.sub(parameter, _VARIABLE.sub(variable, integration.url))
    query = exchange.request.query
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"
