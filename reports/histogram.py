"""Latency histograms as documents have them: decoded, merged exactly, and asked for quantiles.

A quantile is the value at rank ceil(q * n), given as the highest value of its slot: at most 0.1 %
above the measured value, never below it. Intervals take blocks of time as the unit; what they are
worth is measured by `benchmarks/percentile_intervals.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, log, log10

import numpy as np
from numpy.typing import NDArray

from core import hdr
from reports.quantile_bounds import Counts, ranks_around

Ints = NDArray[np.int64]

# Of each decade of rarer requests: 1 - 1/x for these shares of it, so that each has a short name.
_DECADE = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15)
# A spectrum is as hard to hold as this many independent quantiles for each decade of requests:
# simulated with 300 to 100,000 of them, all its quantiles lie within a band in 95 to 96 of 100.
_INDEPENDENT_OF_DECADE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of latencies: slots in use, ascending, and how many values each has."""

    slots: Ints
    counts: Ints

    @property
    def n(self) -> int:
        """The number of values."""
        return int(self.counts.sum())

    @property
    def values_us(self) -> Ints:
        """The highest value of each slot in use, in microseconds."""
        return hdr.highest_us(self.slots)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return np.array_equal(self.slots, other.slots) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]  # arrays have none


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which milliseconds a quantile lies; None where the values do not reach as far."""

    q: float
    low_ms: float | None
    high_ms: float | None


def decoded(text: str) -> Histogram:
    """The histogram that a document has as `text`.

    Raises:
        ValueError: it is damaged, or made for other values.
    """
    return Histogram(*hdr.decoded(text))


def encoded(histogram: Histogram) -> str | None:
    """The histogram as a document has it; None when it is empty."""
    return hdr.encoded(histogram.slots, histogram.counts) if histogram.n else None


def of_ms(values_ms: Iterable[float]) -> Histogram:
    """The histogram of latencies in milliseconds, to the microsecond."""
    values = np.rint(np.fromiter(values_ms, np.float64) * 1000).astype(np.int64)
    slots, counts = np.unique(hdr.slots_of(np.clip(values, 0, hdr.HIGHEST_US)), return_counts=True)
    return Histogram(slots, counts.astype(np.int64))


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them in one, exactly and in whichever order."""
    counts = counts_of(list(histograms))
    return Histogram(counts.slots, np.diff(counts.below.sum(axis=0)))


def quantile_ms(histogram: Histogram, q: float) -> float:
    """The latency in ms at or below which the share `q` (0 to 1) of the values lies.

    Raises:
        ValueError: the histogram is empty.
    """
    if not histogram.n:
        raise ValueError("an empty histogram has no quantiles")
    counts = counts_of([histogram])
    return _value_ms(counts, counts.rank_of(q))


def quantile_interval(
    blocks: Sequence[Histogram], q: float, level: float = 0.95
) -> tuple[float, float] | None:
    """Between which ms the quantile `q` of such requests lies, with probability `level`.

    `blocks` are in their order of time. It holds `quantile_ms` of the merged blocks. None where
    there are too few requests, or fewer than two blocks.
    """
    return quantile_intervals(blocks, (q,), level)[0]


def quantile_intervals(
    blocks: Sequence[Histogram], qs: Sequence[float], level: float = 0.95
) -> list[tuple[float, float] | None]:
    """`quantile_interval` of several quantiles, each with probability `level`."""
    counts = counts_of([block for block in blocks if block.n])
    found: list[tuple[float, float] | None] = []
    for q in qs:
        low, high = ranks_around(counts, q, level)
        if low is None or high is None:
            found.append(None)
        else:
            found.append((_value_ms(counts, low), _value_ms(counts, high)))
    return found


def requests_needed(n: int, interval: tuple[float, float], within: float = 0.01) -> int:
    """How many requests would give an interval of +-`within`, where `n` gave this one.

    The width of ln(quantile) falls with the root of their number.
    """
    low_ms, high_ms = interval
    return ceil(n * (log(high_ms / low_ms) / 2 / within) ** 2)


def spectrum(histogram: Histogram) -> list[tuple[float, float]]:
    """Quantiles with their ms: eleven for each decade of rarer requests, up to 1 - 1/n."""
    counts = counts_of([histogram])
    return [(q, _value_ms(counts, counts.rank_of(q))) for q in spectrum_shares(histogram.n)]


def spectrum_band(blocks: Sequence[Histogram], level: float = 0.95) -> list[Bounds]:
    """Between which ms the whole `spectrum` of such requests lies, with probability `level`.

    For each of its quantiles, those of the pooled blocks within it. Wider than intervals of single
    quantiles, because all hold at once; the rarest requests have no upper bound.
    """
    counts = counts_of([block for block in blocks if block.n])
    tried = max(_INDEPENDENT_OF_DECADE * log10(max(counts.n, 1)), 1.0)
    found = []
    for q in spectrum_shares(counts.n):
        low, high = ranks_around(counts, q, 1 - (1 - level) / tried)
        found.append(
            Bounds(
                q,
                _value_ms(counts, low) if low is not None else None,
                _value_ms(counts, high) if high is not None else None,
            )
        )
    return found


def spectrum_shares(n: int) -> list[float]:
    """The shares of a spectrum of `n` values, ascending: 0, 0.1, ... 0.9, 0.91, ... 1 - 1/n."""
    if not n:
        return []
    least = 1 / n
    above = least * (1 + 1e-9)
    decade, shares = 1.0, []
    while decade > above:
        shares += [part * decade for part in _DECADE if part * decade > above]
        decade /= 10
    return [round(1 - share, 12) for share in [*shares, least]]


def counts_of(histograms: Sequence[Histogram]) -> Counts:
    """A row for each histogram over the slots that any of them uses."""
    used = [histogram.slots for histogram in histograms]
    slots = np.unique(np.concatenate(used)) if used else np.zeros(0, np.int64)
    below = np.zeros((len(histograms), len(slots) + 1), np.int64)
    for row, histogram in zip(below, histograms, strict=True):
        row[1 + np.searchsorted(slots, histogram.slots)] = histogram.counts
    return Counts(slots, np.cumsum(below, axis=1))


def _value_ms(counts: Counts, rank: int) -> float:
    place = counts.slot_at(rank)
    return float(hdr.highest_us(counts.slots[place : place + 1])[0]) / 1000
