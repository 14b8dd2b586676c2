"""Limits that are kept without a bucket, to simulate what an API admits; see `models`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from loadgen.bucket.models import Limit
from loadgen.bucket.observation import Bools, Floats, Ints


@dataclass(slots=True)
class FixedWindow:
    """At most `limit` requests in each window; windows begin at `offset_s` and its multiples."""

    limit: int
    window_s: float
    offset_s: float = 0.0
    _window: int | None = field(default=None, init=False)
    _count: int = field(default=0, init=False)

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests are among the first of their window."""
        windows = np.floor((at_s - self.offset_s) / self.window_s).astype(np.int64)
        admitted = [False] * len(at_s)
        for i, window in enumerate(windows.tolist()):
            if self._window is None or window > self._window:
                self._window, self._count = window, 0
            if self._count < self.limit:
                self._count += 1
                admitted[i] = True
        return np.array(admitted, np.bool_)


@dataclass(slots=True)
class Concurrency:
    """At most `limit` requests under way; each holds a place for its service time."""

    limit: int
    _ends: list[float] = field(default_factory=list, init=False)

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests find a free place; without service times each takes 0.1 s."""
        lengths = np.full(len(at_s), 0.1) if service_s is None else service_s
        admitted = [False] * len(at_s)
        ends = self._ends
        for i, (at, length) in enumerate(zip(at_s.tolist(), lengths.tolist(), strict=True)):
            while ends and ends[0] <= at:
                heappop(ends)
            if len(ends) < self.limit:
                heappush(ends, at + length)
                admitted[i] = True
        return np.array(admitted, np.bool_)


@dataclass(slots=True)
class Quota:
    """At most `limit` requests altogether, behind another limit if there is one."""

    limit: int
    inner: Limit | None = None
    _used: int = field(default=0, init=False)

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests pass the inner limit and are among the first."""
        if self.inner is None:
            passed = np.ones(len(at_s), np.bool_)
        else:
            passed = self.inner.admit(at_s, connection, service_s)
        admitted = passed & (np.cumsum(passed) <= self.limit - self._used)
        self._used += int(admitted.sum())
        return np.asarray(admitted, np.bool_)


@dataclass(slots=True)
class Block:
    """A WAF rate rule: refuses everything while a trailing window has more than `limit` requests.

    It counts refused requests too and looks every `check_s`, so that it sets in late and ends late
    (AWS WAF developer guide 2026: windows of 60 to 600 s, estimated about every 10 s).
    """

    limit: int
    window_s: float = 60.0
    check_s: float = 10.0
    _recent: deque[float] = field(default_factory=deque, init=False)
    _next_s: float | None = field(default=None, init=False)
    _blocked: bool = field(default=False, init=False)

    def admit(
        self, at_s: Floats, connection: Ints | None = None, service_s: Floats | None = None
    ) -> Bools:
        """Which requests arrive while nothing is blocked."""
        admitted = [False] * len(at_s)
        recent = self._recent
        for i, at in enumerate(at_s.tolist()):
            if self._next_s is None:
                self._next_s = at + self.check_s
            while at >= self._next_s:
                self._blocked = self._counted(self._next_s) > self.limit
                self._next_s += self.check_s
            recent.append(at)
            admitted[i] = not self._blocked
        return np.array(admitted, np.bool_)

    def _counted(self, now_s: float) -> int:
        while self._recent and self._recent[0] < now_s - self.window_s:
            self._recent.popleft()
        return len(self._recent)
