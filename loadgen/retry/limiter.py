"""The client-side rate limiter of the adaptive mode: a cubic rate behind a token bucket.

As botocore 1.44.5 has it (botocore/retries/adaptive.py, throttling.py, bucket.py), without its
clock: times are given, in seconds. The rate grows as CUBIC does (RFC 9438) with C = 0.4 and
beta = 0.7: W(t) = C (t - K)^3 + W_max, K = ((1 - beta) W_max / C)^(1/3).
"""

from __future__ import annotations

import math
from typing import Final

_CUBIC_SCALE: Final = 0.4
_CUBIC_BETA: Final = 0.7
_SMOOTHING: Final = 0.8  # weight of the last slot in the measured rate
_SLOT_S: Final = 0.5
_FASTEST: Final = 2.0  # times the measured rate
_LEAST_RPS: Final = 0.5


class CubicRate:
    """How fast to send, by when a throttle came last."""

    __slots__ = ("_last_fail_s", "_most_rps", "_zero_s")

    def __init__(self, now_s: float) -> None:
        self._most_rps = 0.0
        self._zero_s = 0.0
        self._last_fail_s = now_s

    def succeeded(self, now_s: float) -> float:
        """The rate after an answer that is no throttle."""
        since_s = now_s - self._last_fail_s
        return _CUBIC_SCALE * (since_s - self._zero_s) ** 3 + self._most_rps

    def throttled(self, now_s: float, rate_rps: float) -> float:
        """The rate after a throttle, which came at `rate_rps`."""
        self._most_rps = rate_rps
        self._zero_s = (rate_rps * (1 - _CUBIC_BETA) / _CUBIC_SCALE) ** (1 / 3.0)
        self._last_fail_s = now_s
        return rate_rps * _CUBIC_BETA


class RateMeter:
    """The rate of answers, smoothed over slots of half a second."""

    __slots__ = ("_count", "_rate_rps", "_slot_s")

    def __init__(self, now_s: float) -> None:
        self._count = 0
        self._rate_rps = 0.0
        self._slot_s = float(math.floor(now_s))

    def record(self, now_s: float) -> float:
        """Counts one answer and gives the rate."""
        slot_s = math.floor(now_s / _SLOT_S) * _SLOT_S
        self._count += 1
        if slot_s > self._slot_s:
            last_rps = self._count / (slot_s - self._slot_s)
            self._rate_rps = last_rps * _SMOOTHING + self._rate_rps * (1 - _SMOOTHING)
            self._count = 0
            self._slot_s = slot_s
        return self._rate_rps


class SendBucket:
    """Tokens to send with; empty at first, and never filled beyond one second's worth."""

    __slots__ = ("_capacity", "_level", "_seen_s", "rate_rps")

    def __init__(self, now_s: float, rate_rps: float = 1.0) -> None:
        self._level = 0.0
        self._seen_s = now_s
        self.rate_rps = max(rate_rps, _LEAST_RPS)
        self._capacity = max(rate_rps, 1.0)

    def set_rate(self, now_s: float, rate_rps: float) -> None:
        """Fills at `rate_rps` from now on."""
        self._fill(now_s)
        self.rate_rps = max(rate_rps, _LEAST_RPS)
        self._capacity = max(rate_rps, 1.0)
        self._level = min(self._level, self._capacity)

    def take(self, now_s: float) -> float:
        """Takes a token and gives 0; or takes none and gives how long to wait for one, in s."""
        self._fill(now_s)
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / self.rate_rps

    def _fill(self, now_s: float) -> None:
        filled = self._level + (now_s - self._seen_s) * self.rate_rps
        self._level = min(self._capacity, filled)
        self._seen_s = now_s


class RateLimiter:
    """Holds a client back once it has been throttled."""

    __slots__ = ("_cubic", "_meter", "bucket", "is_on")

    def __init__(self, now_s: float) -> None:
        self._cubic = CubicRate(now_s)
        self._meter = RateMeter(now_s)
        self.bucket = SendBucket(now_s)
        self.is_on = False

    def take(self, now_s: float) -> float:
        """0 when a request may go now; else how long to wait before it asks again, in s."""
        return self.bucket.take(now_s) if self.is_on else 0.0

    def answered(self, now_s: float, *, is_throttle: bool) -> None:
        """An answer came; what is no throttle, also a broken connection, lets the rate grow."""
        measured_rps = self._meter.record(now_s)
        if is_throttle:
            at_rps = min(measured_rps, self.bucket.rate_rps) if self.is_on else measured_rps
            rate_rps = self._cubic.throttled(now_s, at_rps)
            self.is_on = True
        else:
            rate_rps = self._cubic.succeeded(now_s)
        self.bucket.set_rate(now_s, min(rate_rps, _FASTEST * measured_rps))
