"""Pools of Lambda while requests come: places, the rate at which calls may begin, and growth."""

from __future__ import annotations

from heapq import heappop, heappush

from loadgen.preflight.chain import GROWTH_PER_10_S, REQUESTS_PER_CONCURRENCY

# Sums of many small times lose some digits.
EPSILON = 1e-6
_GROWTH_RPS = GROWTH_PER_10_S / 10


class Room:
    """The places of a pool, and the rate at which it takes requests."""

    __slots__ = ("_ends", "_level", "_limit", "_rate", "_seen")

    def __init__(self, limit: int, beside: int = 0) -> None:
        self._limit = limit
        self._ends: list[float] = []
        self._rate = self._level = request_rps(limit + beside)
        self._seen = 0.0

    def enter(
        self,
        now_s: float,
        runs_s: float,
        function: Growth | None,
        *,
        counts: bool,
        is_rated: bool,
    ) -> int:
        """0, or which limit refuses: 1 the places, 2 the rate, 3 the growth of `function`."""
        ends = self._ends
        if counts:
            while ends and ends[0] <= now_s:
                heappop(ends)
            if len(ends) >= self._limit:
                return 1
        if is_rated:
            self._level = min(self._rate, self._level + (now_s - self._seen) * self._rate)
            self._seen = now_s
            if self._level < 1.0 - EPSILON:
                return 2
            self._level -= 1.0
        if function is not None and not function.enter(now_s, runs_s):
            return 3
        if counts:
            heappush(ends, now_s + runs_s)
        return 0


class OwnPlaces:
    """Provisioned places that a function has besides those that it shares."""

    __slots__ = ("_ends", "_places")

    def __init__(self, places: int) -> None:
        self._places = places
        self._ends: list[float] = []

    def take(self, now_s: float, runs_s: float) -> bool:
        """Takes a place, if one is free."""
        ends = self._ends
        while ends and ends[0] <= now_s:
            heappop(ends)
        if len(ends) >= self._places:
            return False
        heappush(ends, now_s + runs_s)
        return True


class Growth:
    """The environments of a function: those that are there, and how fast more may come."""

    __slots__ = ("_ends", "_level", "_seen", "_there")

    def __init__(self, warm: int) -> None:
        self._there = warm
        self._ends: list[float] = []
        self._level, self._seen = float(GROWTH_PER_10_S), 0.0

    def enter(self, now_s: float, runs_s: float) -> bool:
        """Whether there is an environment for a request, or may be."""
        ends = self._ends
        while ends and ends[0] <= now_s:
            heappop(ends)
        if len(ends) >= self._there:
            self._level = min(
                float(GROWTH_PER_10_S), self._level + (now_s - self._seen) * _GROWTH_RPS
            )
            self._seen = now_s
            if self._level < 1.0:
                return False
            self._level -= 1.0
            self._there += 1
        heappush(ends, now_s + runs_s)
        return True


def request_rps(limit: int) -> float:
    """The rate at which a pool of so many places takes requests."""
    return float(REQUESTS_PER_CONCURRENCY * limit)
