"""What faults do to one request at the data plane."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.outcome import TIMEOUT_ERROR, Failed
from sandbox.gateway.snapshot import HttpIntegration, Integration, LambdaIntegration, StageKey
from sandbox.http import Misbehaviour


@dataclass(frozen=True, slots=True)
class Disturbance:
    """The faults that one request meets, put together.

    `latency_s` passes before anything else and counts for Latency only, `integration_latency_s`
    within the integration; `blocked` is answered before anybody asks who calls, `failed` in
    the place of the integration, after all limits.
    """

    latency_s: float = 0.0
    integration_latency_s: float = 0.0
    blocked: Failed | None = None
    failed: Failed | None = None
    misbehaviour: Misbehaviour | None = None


class Disturbances(Protocol):
    """Decides which requests are disturbed."""

    def disturbance(self, stage: StageKey, route_key: str, now_s: float) -> Disturbance | None:
        """What a request to a route meets; None for nothing, which is nearly always."""


class Undisturbed:
    """No faults at all."""

    def disturbance(self, stage: StageKey, route_key: str, now_s: float) -> Disturbance | None:
        """Nothing."""
        return None


async def delayed(
    exchange: Exchange, integration: Integration | None, delay_s: float
) -> Failed | None:
    """Waits as a fault wants it; the timeout of an integration counts meanwhile."""
    if not isinstance(integration, LambdaIntegration | HttpIntegration):
        await asyncio.sleep(delay_s)
        return None
    timeout_s = integration.timeout_ms / 1000
    await asyncio.sleep(min(delay_s, timeout_s))
    if delay_s < timeout_s:
        return None
    exchange.integration_ms = float(integration.timeout_ms)
    exchange.integration_error = TIMEOUT_ERROR
    return Failed("INTEGRATION_TIMEOUT")
