"""Makes what keeps a throttle in the way that an enforcement says."""

from __future__ import annotations

from sandbox.gateway.limits.adaptive import AdaptiveLimiter
from sandbox.gateway.limits.enforcement import Enforcement
from sandbox.gateway.limits.levels import LimitKey
from sandbox.gateway.limits.limiters import (
    DelayedLimiter,
    ExactLimiter,
    Limiter,
    ShardedLimiter,
)
from sandbox.gateway.limits.others import SharedWithOthers
from sandbox.gateway.limits.window import WindowLimiter
from sandbox.gateway.snapshot import Limit


def new_limiter(key: LimitKey, limit: Limit, enforcement: Enforcement) -> Limiter:
    """A full limiter that is kept as `enforcement` says."""
    limiter = _kept(limit, enforcement)
    if enforcement.adaptive is not None:
        interval_s = enforcement.adaptive_ms / 1000
        limiter = AdaptiveLimiter(limiter, limit, enforcement.adaptive, interval_s)
    if enforcement.has_background(key.level):
        limiter = SharedWithOthers(limiter, limit, enforcement)
    return limiter


def _kept(limit: Limit, enforcement: Enforcement) -> Limiter:
    if enforcement.window_ms is not None:
        return WindowLimiter(limit, enforcement.window_ms / 1000)
    if enforcement.shards == 1:
        return ExactLimiter(limit)
    if enforcement.sync_ms is None:
        return ShardedLimiter(limit, enforcement.shards, enforcement.uneven)
    return DelayedLimiter(
        limit,
        enforcement.shards,
        enforcement.sync_ms / 1000,
        forgiven=enforcement.debt == "forgiven",
    )
