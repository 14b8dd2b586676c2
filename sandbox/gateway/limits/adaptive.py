"""A rate that sinks while more comes than it lets through, and recovers after that."""

from __future__ import annotations

from sandbox.gateway.limits.limiters import Limiter
from sandbox.gateway.snapshot import Limit

# An overload is what refuses more than so much of the requests of one interval; and the rate never
# falls below so much of the limit. Both are the sandbox's own: nobody describes such a limiter.
OVERLOAD_SHARE = 0.1
LOWEST_SHARE = 0.2


class AdaptiveLimiter:
    """A limiter whose rate is multiplied by `factor` after each `interval_s` of overload.

    Intervals are those of the clock. After one without overload, also one without any request, the
    rate is divided by `factor`, up to the limit. The burst stays.
    """

    __slots__ = (
        "_asked",
        "_factor",
        "_inner",
        "_interval_s",
        "_limit",
        "_number",
        "_refused",
        "_share",
        "spend",
    )

    def __init__(self, inner: Limiter, limit: Limit, factor: float, interval_s: float) -> None:
        self._inner = inner
        self._limit = limit
        self._factor = factor
        self._interval_s = interval_s
        self._number = 0
        self._asked = 0
        self._refused = 0
        self._share = 1.0
        self.spend = inner.spend

    def ready(self, now_s: float, node: int) -> bool:
        self._adapt(now_s)
        is_ready = self._inner.ready(now_s, node)
        self._asked += 1
        self._refused += not is_ready
        return is_ready

    def resize(self, limit: Limit, now_s: float | None) -> None:
        self._limit = limit
        self._inner.resize(self._reduced(), now_s)

    def tokens(self, now_s: float) -> float:
        self._adapt(now_s)
        return self._inner.tokens(now_s)

    def keep(self, share: float, now_s: float) -> None:
        self._inner.keep(share, now_s)

    def _adapt(self, now_s: float) -> None:
        number = int(now_s / self._interval_s)
        while self._number < number:
            self._number += 1
            if not self._asked and self._share == 1:
                self._number = number
                return
            self._change(self._number * self._interval_s)

    def _change(self, at_s: float) -> None:
        """Ends an interval."""
        is_overloaded = self._refused > OVERLOAD_SHARE * self._asked
        share = self._share * self._factor if is_overloaded else self._share / self._factor
        self._asked = self._refused = 0
        share = min(1.0, max(LOWEST_SHARE, share))
        if share != self._share:
            self._share = share
            self._inner.resize(self._reduced(), at_s)

    def _reduced(self) -> Limit:
        return Limit(self._limit.rate_rps * self._share, self._limit.burst)
