"""A rate-based rule of a web ACL: who sent too much within a window is blocked for a while.

As AWS WAF has them (developer guide, rate-based rule statements, read 2026-11): the requests of the
trailing window are counted now and then, so that a rule acts some seconds late both ways, and what
it blocks counts as well: a client that goes on as before stays blocked.
"""

from __future__ import annotations

import math
from collections import deque


class RateRule:
    """Blocks while, at the last check, more than `limit` requests came in `window_s` before it.

    Checks are at multiples of `check_s`. The window is rounded up to whole intervals between them,
    so memory is bounded whatever comes.
    """

    __slots__ = ("_check_s", "_counts", "_current", "_limit", "_number", "is_blocking")

    def __init__(self, limit: int, window_s: float, check_s: float) -> None:
        self._limit = limit
        self._check_s = check_s
        self._counts: deque[int] = deque(maxlen=max(1, math.ceil(window_s / check_s)))
        self._number: int | None = None
        self._current = 0
        self.is_blocking = False

    def blocks(self, now_s: float) -> bool:
        """Counts a request, and says whether it is blocked."""
        number = int(now_s / self._check_s)
        if self._number is None:
            self._number = number
        if number > self._number:
            self._check(number - self._number)
            self._number = number
        self._current += 1
        return self.is_blocking

    def _check(self, intervals: int) -> None:
        self._counts.append(self._current)
        # Intervals without any request, of which more than the window holds change nothing.
        quiet = min(intervals - 1, self._counts.maxlen or 0)
        self._counts.extend([0] * quiet)
        self._current = 0
        self.is_blocking = sum(self._counts) > self._limit
