"""Requests of others, which use a throttle beside those that come to the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sandbox.gateway.limits.enforcement import Enforcement
from sandbox.gateway.limits.limiters import Limiter
from sandbox.gateway.snapshot import Limit

# After a rest, at most so many requests of others are played one by one; those before them only
# count as a flow.
_PLAYED_REQUESTS = 500


class SharedWithOthers:
    """A limiter that traffic of others uses too.

    The others' requests are played when one of ours comes: at their own times, at nodes chosen at
    random, and refused like ours where there is no token.
    """

    __slots__ = ("_inner", "_limit", "_next_s", "_rate_rps", "_rng", "_shards", "_steady", "spend")

    def __init__(self, inner: Limiter, limit: Limit, enforcement: Enforcement) -> None:
        self._inner = inner
        self._limit = limit
        self.spend: Callable[[], None] = inner.spend
        self._rate_rps = enforcement.background_rps
        self._steady = enforcement.background == "steady"
        self._shards = enforcement.shards
        self._rng = Random(enforcement.seed)
        self._next_s: float | None = None

    def ready(self, now_s: float, node: int) -> bool:
        self._play(now_s)
        return self._inner.ready(now_s, node)

    def resize(self, limit: Limit, now_s: float | None) -> None:
        self._limit = limit
        self._inner.resize(limit, now_s)

    def tokens(self, now_s: float) -> float:
        self._play(now_s)
        return self._inner.tokens(now_s)

    def keep(self, share: float, now_s: float) -> None:
        self._inner.keep(share, now_s)

    def _play(self, now_s: float) -> None:
        at_s = now_s + self._gap_s() if self._next_s is None else self._next_s
        latest_s = now_s - _PLAYED_REQUESTS / self._rate_rps
        if at_s < latest_s:
            self._flow(at_s, latest_s)
            at_s = latest_s
        while at_s <= now_s:
            if self._inner.ready(at_s, int(self._rng.random() * self._shards)):
                self._inner.spend()
            at_s += self._gap_s()
        self._next_s = at_s

    def _flow(self, from_s: float, until_s: float) -> None:
        """Lets a time pass in which tokens come and are taken evenly."""
        net_rps = self._limit.rate_rps - self._rate_rps
        left = max(0.0, self._inner.tokens(from_s) + net_rps * (until_s - from_s))
        refilled = self._inner.tokens(until_s)
        if left < refilled:
            self._inner.keep(left / refilled, until_s)

    def _gap_s(self) -> float:
        if self._steady:
            return 1.0 / self._rate_rps
        return self._rng.expovariate(self._rate_rps)
