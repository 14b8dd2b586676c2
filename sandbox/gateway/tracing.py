"""What traces the requests to stages that have tracing."""

from __future__ import annotations

from typing import Protocol

from sandbox.gateway.exchange import Exchange
from sandbox.http import Response


class RequestTracer(Protocol):
    """Records traces (`sandbox.xray`)."""

    def begin_request(self, exchange: Exchange) -> None:
        """A request has come."""

    def end_request(self, exchange: Exchange, response: Response) -> Response:
        """It has been answered; gives what goes out, which names the trace."""
