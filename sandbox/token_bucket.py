"""A token bucket that is refilled when it is looked at."""

from __future__ import annotations

# A request that comes exactly when its token is due must not be refused by a rounding error: a
# monotonic clock in days resolves 1e-11 s, which is 1e-7 tokens at 10,000 a second. What is taken
# too early is missing afterwards, so it never adds up.
_ROUNDING = 1e-6


class TokenBucket:
    """Lets `rate_per_s` requests a second pass, and up to `burst` at once.

    Time is given by the caller, from 0 on, and must not run backwards; a bucket starts full. With
    a burst below 1 it refuses everything, with a rate of 0 everything after the first `burst`.
    """

    __slots__ = ("_burst", "_rate_per_s", "_seen_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: float, now_s: float = 0.0) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._seen_s = now_s

    def take(self, now_s: float) -> bool:
        """Takes one token, or says that there is none."""
        if not self.ready(now_s):
            return False
        self._tokens -= 1
        return True

    def ready(self, now_s: float, node: int = 0) -> bool:
        """Whether there is a token to take; takes none.

        `node` is for what several buckets do together (`gateway.limits`); one alone ignores it.
        """
        tokens = self._tokens + (now_s - self._seen_s) * self._rate_per_s
        if tokens > self._burst:
            tokens = self._burst
        self._tokens = tokens
        self._seen_s = now_s
        return tokens >= 1 - _ROUNDING

    def spend(self, tokens: float = 1.0) -> None:
        """Takes tokens whether they are there or not: what is missing is a debt."""
        self._tokens -= tokens

    def tokens(self, now_s: float) -> float:
        """How many tokens there are, less than 0 for a debt."""
        self.ready(now_s)
        return self._tokens

    def resize(self, rate_per_s: float, burst: float, now_s: float) -> None:
        """Changes the limit from now on; tokens stay, as far as the new burst holds them."""
        self.ready(now_s)
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = min(self._tokens, burst)

    def resize_since_seen(self, rate_per_s: float, burst: float) -> None:
        """As `resize`, where nobody knows the time: from the moment of the last look on."""
        self.resize(rate_per_s, burst, self._seen_s)
