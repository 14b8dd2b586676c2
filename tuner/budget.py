"""The limits that a user sets on a run, and whether one more call would go over one; pure.

What a call will cost and take is expected from the last one at its size. A new size begins with a
cold call, so the first calls at other sizes say the most that it should cost: more memory takes no
longer, and less memory takes longer by no more than its share. So nothing is known of the very
first call, and a call that turns out dearer than expected may go over by its difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tuner.sample import Sample

LimitName = Literal["max_invocations", "max_usd", "max_seconds"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard stops; None where there is none."""

    max_invocations: int | None = None
    max_usd: float | None = None
    max_seconds: float | None = None


@dataclass(slots=True)
class Ledger:
    """What the calls of a run have cost and taken, those in flight at what is expected of them.

    `price_usd` gives the cost of a call from its size in MB and its billed time in ms, `longest_ms`
    is the function's timeout.
    """

    price_usd: Callable[[int, float], float]
    longest_ms: float = math.inf
    calls: int = 0
    usd: float = 0.0
    _first_usd: dict[int, float] = field(default_factory=dict)
    _last_usd: dict[int, float] = field(default_factory=dict)
    _first_s: dict[int, float] = field(default_factory=dict)
    _last_s: dict[int, float] = field(default_factory=dict)
    _reserved_usd: dict[int, float] = field(default_factory=dict)

    def start(self, memory_mb: int) -> None:
        """A call at a size begins; never two at one size at once."""
        self.calls += 1
        self._reserved_usd[memory_mb] = self.expected_usd(memory_mb)

    def end(self, memory_mb: int, sample: Sample | None) -> None:
        """The call is over; without a sample it was never sent."""
        expected_usd = self._reserved_usd.pop(memory_mb, 0.0)
        if sample is None:
            self.calls -= 1
            return
        if sample.billed_ms is not None:
            usd = self.price_usd(memory_mb, sample.billed_ms)
        else:
            # It may have run, and then it is billed: for about as long as it was waited for.
            waited_ms = min(sample.wall_ms or 0.0, self.longest_ms)
            usd = max(expected_usd, self.price_usd(memory_mb, waited_ms))
        self.usd += usd
        self._first_usd.setdefault(memory_mb, usd)
        self._last_usd[memory_mb] = usd
        if sample.wall_ms is not None:
            self._first_s.setdefault(memory_mb, sample.wall_ms / 1000)
            self._last_s[memory_mb] = sample.wall_ms / 1000

    @property
    def committed_usd(self) -> float:
        """What is spent, with what the calls in flight are expected to cost."""
        return self.usd + sum(self._reserved_usd.values())

    def expected_usd(self, memory_mb: int) -> float:
        """What one more call at a size will cost about; 0 before the first answer."""
        if memory_mb in self._last_usd:
            return self._last_usd[memory_mb]
        known = self._first_usd.items()
        return min((usd * max(1.0, memory_mb / size) for size, usd in known), default=0.0)

    def expected_s(self, memory_mb: int) -> float:
        """How long one more call at a size will take about; 0 before the first answer."""
        if memory_mb in self._last_s:
            return self._last_s[memory_mb]
        known = self._first_s.items()
        return min((seconds * max(1.0, size / memory_mb) for size, seconds in known), default=0.0)


def broken_limit(
    limits: Limits, ledger: Ledger, memory_mb: int, elapsed_s: float
) -> LimitName | None:
    """The limit that one more call at a size would go over; None when it may start."""
    expected_usd = ledger.committed_usd + ledger.expected_usd(memory_mb)
    expected_s = elapsed_s + ledger.expected_s(memory_mb)
    if limits.max_invocations is not None and ledger.calls + 1 > limits.max_invocations:
        return "max_invocations"
    if limits.max_usd is not None and expected_usd > limits.max_usd:
        return "max_usd"
    if limits.max_seconds is not None and expected_s > limits.max_seconds:
        return "max_seconds"
    return None
