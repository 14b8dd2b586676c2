"""Who may call: signatures, tokens, authorizers and resource policies, before anything costs."""

from __future__ import annotations

from typing import Protocol

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.outcome import Failed
from sandbox.gateway.snapshot import Route


class Authorizers(Protocol):
    """Decides on requests, and notes in the exchange who called."""

    async def check(self, exchange: Exchange, route: Route) -> Failed | None:
        """Why a request is refused, or None."""
