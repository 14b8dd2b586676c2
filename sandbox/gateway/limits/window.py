"""A fixed window: so many requests in each, and the count begins anew with the next one."""

from __future__ import annotations

import math

from sandbox.gateway.snapshot import Limit


class WindowLimiter:
    """Admits rate x window requests in each window, which begin at multiples of its length.

    Where that is no whole number, the windows take turns, so that the rate holds over many. The
    burst only matters where it is below 1: then everything is refused, as by a bucket.
    """

    __slots__ = ("_left", "_limit", "_number", "_window_s")

    def __init__(self, limit: Limit, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._number = -1
        self._left = 0.0

    def ready(self, now_s: float, node: int) -> bool:
        self._turn(now_s)
        return self._left >= 1

    def spend(self) -> None:
        self._left -= 1

    def resize(self, limit: Limit, now_s: float | None) -> None:
        """The window that goes on admits as many more, or fewer, as the new limit differs."""
        if now_s is not None:
            self._turn(now_s)
        before = self._capacity(self._number)
        self._limit = limit
        self._left = max(0.0, self._left + self._capacity(self._number) - before)

    def tokens(self, now_s: float) -> float:
        self._turn(now_s)
        return self._left

    def keep(self, share: float, now_s: float) -> None:
        self._turn(now_s)
        self._left *= share

    def _turn(self, now_s: float) -> None:
        number = int(now_s / self._window_s)
        if number != self._number:
            self._number = number
            self._left = self._capacity(number)

    def _capacity(self, number: int) -> float:
        if self._limit.burst < 1:
            return 0.0
        each = self._limit.rate_rps * self._window_s
        return _whole((number + 1) * each) - _whole(number * each)


def _whole(requests: float) -> int:
    """What is due by a time; what is cut off comes with a later window."""
    return math.floor(round(requests, 6))  # 3 x 0.1 x 10 is 3.0000000000000004, 29 x 0.1 x 10 less
