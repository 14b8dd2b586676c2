"""Values with how often each came: what a metric is in a minute, and in several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Distinct values of one metric in one minute that are kept as they are. 64 KB; a minute of whole
# milliseconds stays below it.
MAX_VALUES = 4096
# What more values than that are rounded to, in significant digits: an error of 0.05 % at most.
# Fewer digits follow where that does not help.
FIRST_DIGITS = 4
# What is smaller is 0 where values are rounded; the powers of ten stay finite so.
_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Distribution:
    """Values with their counts.

    `count`, `total`, `low` and `high` are exact, also where values were rounded. They include
    statistic sets, which have no values: `has_sets` says that there are some. The values are in
    `chunks`, and put together only when somebody asks for them.
    """

    chunks: tuple[tuple[Numbers, Numbers], ...]
    count: float
    total: float
    low: float
    high: float
    has_sets: bool = False

    @property
    def values(self) -> Numbers:
        """The distinct values in ascending order."""
        return self._merged[0]

    @property
    def counts(self) -> Numbers:
        """How often each of `values` came."""
        return self._merged[1]

    @cached_property
    def ranks(self) -> Numbers:
        """How many values are at or below each of `values`."""
        return np.cumsum(self.counts)

    @cached_property
    def _merged(self) -> tuple[Numbers, Numbers]:
        if len(self.chunks) == 1:
            return self.chunks[0]
        return _unique(
            np.concatenate([values for values, _ in self.chunks]),
            np.concatenate([counts for _, counts in self.chunks]),
        )

    @property
    def size(self) -> int:
        """The number of values that are stored."""
        return sum(len(values) for values, _ in self.chunks)

    @classmethod
    def of(cls, counted: Mapping[float, float]) -> Distribution:
        """The distribution of counted values; there has to be one."""
        values = np.fromiter(counted.keys(), np.float64, len(counted))
        counts = np.fromiter(counted.values(), np.float64, len(counted))
        order = np.argsort(values)
        values, counts = values[order], counts[order]
        total = float(values @ counts)
        low, high = float(values[0]), float(values[-1])
        return cls(((values, counts),), float(counts.sum()), total, low, high)

    @classmethod
    def of_set(cls, count: float, total: float, low: float, high: float) -> Distribution:
        """A statistic set: the values themselves are not known, unless all are the same."""
        if low == high:
            return cls.of({low: count})
        nothing = np.empty(0, np.float64)
        return cls(((nothing, nothing),), count, total, low, high, has_sets=True)

    @classmethod
    def merged(cls, parts: Sequence[Distribution]) -> Distribution:
        """All values of `parts`, of which there is at least one."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            tuple(chunk for part in parts for chunk in part.chunks),
            sum(part.count for part in parts),
            sum(part.total for part in parts),
            min(part.low for part in parts),
            max(part.high for part in parts),
            any(part.has_sets for part in parts),
        )

    def bounded(self) -> Distribution:
        """The same in one chunk of about `MAX_VALUES` values at most, rounded where needed."""
        values, counts = self._merged
        for digits in range(FIRST_DIGITS, 0, -1):
            if len(values) <= MAX_VALUES:
                break
            values, counts = _unique(rounded(values, digits), counts)
        return replace(self, chunks=((values, counts),))


def rounded(values: Numbers, digits: int) -> Numbers:
    """`values` with so many significant digits."""
    sizes = np.maximum(np.abs(values), _TINY)
    shifts = np.floor(np.log10(sizes)) - (digits - 1)
    # Only positive powers of ten are exact: dividing by them gives the double next to the decimal.
    powers = np.power(10.0, np.abs(shifts))
    with np.errstate(over="ignore"):  # in the one of the two that is not taken
        large = np.round(values / powers) * powers
        small = np.round(values * powers) / powers
    return np.where(np.abs(values) < _TINY, 0.0, np.where(shifts >= 0, large, small))


def _unique(values: Numbers, counts: Numbers) -> tuple[Numbers, Numbers]:
    distinct, places = np.unique(values, return_inverse=True)
    summed = np.bincount(places, weights=counts, minlength=len(distinct))
    return distinct, summed.astype(np.float64, copy=False)
