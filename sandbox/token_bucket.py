"""A token bucket that is refilled when it is looked at."""

from __future__ import annotations


class TokenBucket:
    """Lets `rate_per_s` requests a second pass, and up to `burst` at once.

    Time is given by the caller and must not run backwards; a bucket starts full.
    """

    __slots__ = ("_burst", "_rate_per_s", "_seen_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._seen_s = now_s

    def take(self, now_s: float) -> bool:
        """Takes one token, or says that there is none."""
        refilled = self._tokens + (now_s - self._seen_s) * self._rate_per_s
        self._seen_s = now_s
        self._tokens = min(refilled, self._burst)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
