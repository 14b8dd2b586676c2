"""Latencies as HDR histograms: numpy counts that merge exactly.

The layout (`core.hdr`) is that of HdrHistogram for 1 us to 1 hour with 3 significant digits.
Every percentile is within 0.1 % above the measured value, and never above the maximum, which is
kept exactly, as are minimum and sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from core.hdr import (
    HALF_BITS,
    HIGHEST_US,
    Ints,
    decoded,
    encoded,
    highest_us,
    lowest_us,
    slots_of,
)

__all__ = ["Histogram", "combined", "highest_us", "lowest_us", "slots_of"]

_SPARSE_MOST = 512  # more slots than this in use: an array over the octaves in use
_EMPTY: Ints = np.zeros(0, np.int64)
_EMPTY.flags.writeable = False


class Histogram:
    """Counts of latencies in microseconds; thousands of small ones are cheap to hold."""

    __slots__ = ("_base", "_counts", "_dense", "_max_us", "_min_us", "_n", "_slots", "_sum_us")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._slots = _EMPTY  # in use, ascending, while there are few
        self._counts = _EMPTY
        self._dense: Ints | None = None  # later: the counts of the slots from _base on
        self._base = 0
        self._n = 0
        self._sum_us = 0
        self._min_us = 0
        self._max_us = 0

    @classmethod
    def of(cls, values_us: Ints | Sequence[int]) -> Histogram:
        """The histogram of `values_us`."""
        histogram = cls()
        histogram.add(values_us)
        return histogram

    @classmethod
    def merged(cls, histograms: Iterable[Histogram]) -> Histogram:
        """All of `histograms` in one."""
        whole = cls()
        for histogram in histograms:
            whole.merge(histogram)
        return whole

    @classmethod
    def from_slots(
        cls, slots: Ints, counts: Ints, *, min_us: int, max_us: int, sum_us: int
    ) -> Histogram:
        """The histogram with `counts` in `slots`, which ascend and are all different."""
        histogram = cls()
        n = int(counts.sum())
        if n:
            histogram._take(slots, counts)
            histogram._n, histogram._sum_us = n, sum_us
            histogram._min_us, histogram._max_us = min_us, max_us
        return histogram

    # -- what is in it ---------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """The number of values."""
        return self._n

    @property
    def min_us(self) -> int:
        """The smallest value, exactly; 0 of an empty histogram."""
        return self._min_us

    @property
    def max_us(self) -> int:
        """The greatest value, exactly; 0 of an empty histogram."""
        return self._max_us

    @property
    def sum_us(self) -> int:
        """The sum of all values, exactly."""
        return self._sum_us

    @property
    def mean_us(self) -> float:
        """The arithmetic mean, exactly; 0 of an empty histogram."""
        return self._sum_us / self._n if self._n else 0.0

    def slots_and_counts(self) -> tuple[Ints, Ints]:
        """The slots in use, ascending, and their counts."""
        if self._dense is None:
            return self._slots, self._counts
        used = np.flatnonzero(self._dense)
        return used + self._base, self._dense[used]

    def percentile(self, q: float) -> int:
        """The value in us at or below which `q` percent of the values lie; 0 when empty.

        The value at rank ceil(q/100 * n), as HdrHistogram for Java (2.1.11 and later) counts
        ranks: the highest value of its slot, at most the maximum. At most 0.1 % above the
        measured value of that rank, never below it.
        """
        return self.percentiles((q,))[0]

    def percentiles(self, qs: Sequence[float]) -> list[int]:
        """`percentile` of several `qs` (0 to 100) in one pass."""
        if not self._n:
            return [0] * len(qs)
        slots, counts = self.slots_and_counts()
        # 99.9 / 100 * 1000 must not become rank 1000 by the last bit of a float.
        ranks = [min(max(math.ceil(round(q * self._n / 100, 6)), 1), self._n) for q in qs]
        at = np.searchsorted(np.cumsum(counts), ranks)
        return [min(int(value), self._max_us) for value in highest_us(slots[at])]

    def count_at_most(self, us: int) -> int:
        """How many values are at most `us`, to the resolution of the slots."""
        if us < 0:
            return 0
        if us >= self._max_us:
            return self._n
        slots, counts = self.slots_and_counts()
        last = int(slots_of(np.array([min(us, HIGHEST_US)], np.int64))[0])
        return int(counts[: np.searchsorted(slots, last, side="right")].sum())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        mine, theirs = self.slots_and_counts(), other.slots_and_counts()
        same = all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
        return same and self._extent() == other._extent()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Histogram(n={self._n}, min_us={self._min_us}, max_us={self._max_us})"

    def _extent(self) -> tuple[int, int, int, int]:
        return self._n, self._min_us, self._max_us, self._sum_us

    # -- changes ---------------------------------------------------------------------------------

    def add(self, values_us: Ints | Sequence[int]) -> None:
        """Count `values_us`: values above an hour count in its slot, negative ones as 0."""
        values = np.maximum(np.asarray(values_us, np.int64), 0)
        if not values.size:
            return
        slots = slots_of(np.minimum(values, HIGHEST_US))
        slots.sort()
        starts = _starts(slots)
        self._take(slots[starts], np.diff(starts, append=len(slots)))
        self._grow(values.size, int(values.sum()), int(values.min()), int(values.max()))

    def merge(self, other: Histogram) -> None:
        """Count all that `other` has as well."""
        if other._n:
            self._take(*other.slots_and_counts())
            self._grow(other._n, other._sum_us, other._min_us, other._max_us)

    def subtract(self, other: Histogram) -> None:
        """Take out what `other` has.

        Minimum and maximum stay where they still may be, to the resolution of the slots.

        Raises:
            ValueError: `other` has values that are not here.
        """
        if not other._n:
            return
        slots, taken = other.slots_and_counts()
        dense = self._dense_over(slots)
        if (dense[slots - self._base] < taken).any():
            raise ValueError("cannot take values out of a histogram that does not have them")
        dense[slots - self._base] -= taken
        self._shrink(other._n, other._sum_us)

    def take(self, values_us: Ints | Sequence[int]) -> Histogram:
        """Take out `values_us`, and in place of each that is not here the nearest that is.

        Gives what was taken: fewer than asked for if there were not so many.
        """
        values = np.maximum(np.asarray(values_us, np.int64), 0)[: self._n]
        if not values.size:
            return Histogram()
        used, wanted = np.unique(slots_of(np.minimum(values, HIGHEST_US)), return_counts=True)
        dense = self._dense_over(used)
        taken = np.minimum(dense[used - self._base], wanted)
        dense[used - self._base] -= taken
        nearest = []
        for slot in np.repeat(used, wanted - taken).tolist():
            left = np.flatnonzero(dense)
            nearest.append(int(left[np.abs(left + self._base - slot).argmin()]) + self._base)
            dense[nearest[-1] - self._base] -= 1
        slots, counts = combined(
            np.concatenate((used, np.array(nearest, np.int64))),
            np.concatenate((taken, np.ones(len(nearest), np.int64))),
        )
        sum_us = min(int(values.sum()), self._sum_us)
        there = Histogram.from_slots(
            slots[counts > 0],
            counts[counts > 0],
            min_us=max(int(values.min()), self._min_us),
            max_us=min(int(values.max()), self._max_us),
            sum_us=sum_us,
        )
        self._shrink(len(values), sum_us)
        return there

    def _shrink(self, n: int, sum_us: int) -> None:
        self._n -= n
        self._sum_us -= sum_us
        if not self._n:
            self._clear()
            return
        ends = self.slots_and_counts()[0][[0, -1]]
        self._min_us = max(self._min_us, int(lowest_us(ends)[0]))
        self._max_us = min(self._max_us, int(highest_us(ends)[1]))

    def _grow(self, n: int, sum_us: int, min_us: int, max_us: int) -> None:
        self._min_us = min(self._min_us, min_us) if self._n else min_us
        self._max_us = max(self._max_us, max_us)
        self._n += n
        self._sum_us += sum_us

    def _take(self, slots: Ints, counts: Ints) -> None:
        """Add `counts` to `slots`, which ascend and are all different."""
        if self._dense is not None or len(self._slots) + len(slots) > _SPARSE_MOST:
            dense = self._dense_over(slots)
            dense[slots - self._base] += counts
        elif not len(self._slots):
            self._slots, self._counts = slots, counts
        else:
            self._slots, self._counts = combined(
                np.concatenate((self._slots, slots)), np.concatenate((self._counts, counts))
            )

    def _dense_over(self, slots: Ints) -> Ints:
        """The array of counts, made or widened so that it has `slots`; whole octaves."""
        used = self._slots if self._dense is None else _EMPTY
        first = min(int(a[0]) >> HALF_BITS << HALF_BITS for a in (slots, used) if len(a))
        end = max((int(a[-1]) >> HALF_BITS) + 1 << HALF_BITS for a in (slots, used) if len(a))
        old = self._dense
        if old is not None:
            if first >= self._base and end <= self._base + len(old):
                return old
            first, end = min(first, self._base), max(end, self._base + len(old))
        dense = np.zeros(end - first, np.int64)
        if old is not None:
            dense[self._base - first : self._base - first + len(old)] = old
        else:
            dense[self._slots - first] = self._counts
            self._slots = self._counts = _EMPTY
        self._base, self._dense = first, dense
        return dense

    # -- as text ---------------------------------------------------------------------------------

    def encode(self) -> str:
        """The histogram as text: `BASE64;min;max;sum` in us, or nothing at all when it is empty.

        What stands before the first semicolon is readable by other tools for HDR histograms.
        """
        if not self._n:
            return ""
        text = encoded(*self.slots_and_counts())
        return f"{text};{self._min_us};{self._max_us};{self._sum_us}"

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """The histogram that `encode` made `text` of.

        Raises:
            ValueError: `text` is damaged, or its histogram has another layout.
        """
        if not text:
            return cls()
        try:
            packed, *extent = text.split(";")
            min_us, max_us, sum_us = map(int, extent)
            slots, counts = decoded(packed)
        except ValueError as error:
            raise ValueError(f"not an encoded histogram: {error}") from error
        if not 0 <= min_us <= max_us <= sum_us:
            raise ValueError("not an encoded histogram: minimum, maximum and sum do not fit")
        return cls.from_slots(slots, counts, min_us=min_us, max_us=max_us, sum_us=sum_us)


def combined(slots: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """`slots` ascending, each once, with the sum of its `counts`."""
    if not len(slots):
        return _EMPTY, _EMPTY
    order = slots.argsort(kind="stable")
    slots = slots[order]
    starts = _starts(slots)
    return slots[starts], np.add.reduceat(counts[order], starts, dtype=np.int64)


def _starts(ascending: Ints) -> Ints:
    """Where each different value begins."""
    fresh = np.empty(len(ascending), np.bool_)
    fresh[0] = True
    np.not_equal(ascending[1:], ascending[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)
