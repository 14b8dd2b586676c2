"""When a figure changed: E-divisive on ln(values) of nights, with seeded permutations.

Hierarchical bisection by the energy statistic with alpha = 1 (Matteson and James 2014, A
nonparametric approach for multiple change point analysis of multivariate data). It finds steps up
and down of any size that noise does not hide, and needs no shape of the noise. Permutations keep
neighbouring nights together, as block bootstraps do (Künsch 1989), or what lasts two nights would
pass for a step; a slow drift still comes out as several. A step is dated once a segment's least
number of nights came after it, so it explains a trend and never decides a night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import expm1, sqrt

import numpy as np
from numpy.typing import NDArray

from reports.quantile_bounds import student_quantile

Floats = NDArray[np.float64]

LEAST_NIGHTS = 10
# Nights are exchanged in threes, because a night resembles the one before (correlation 0.2 in two
# years of public data); of a short segment in twos or singly, since few blocks have few orders.
_LONGEST_BLOCK = 3
_BLOCKS = 15
_BATCH = 25  # permutations at a time: between early stops and calls of numpy
_OUTLIER_MADS = 3.5  # Iglewicz and Hoaglin 1993
_MAD_TO_SD = 1.4826  # of a normal distribution
# 2 ln(likelihood ratio) of dates within which the step is with 95 %: the maximum over both sides
# of two independent walks, (1 - exp(-x / 2))^2 = 0.95.
_DATE_RATIO = 7.352
_ROUNDING = 1e-12  # a permutation that gives the same split again must count as equal


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The first night of a new level.

    `index` is its place in the series and `order` the number that the series has for it. `before`
    and `after` are typical ln(values) of the neighbouring segments; `change_share` is 0.1 for 10 %
    more, with a 95 % interval. The step lies between the nights `earliest` and `latest` (places in
    the series) with about 95 %.
    """

    index: int
    order: int
    p_value: float
    before: float
    after: float
    change_share: float
    interval: tuple[float, float]
    earliest: int
    latest: int


def change_points(
    y: Sequence[float],
    rng: np.random.Generator,
    *,
    orders: Sequence[int] | None = None,
    least: int = 5,
    p_limit: float = 0.05,
    permutations: int = 199,
) -> list[ChangePoint]:
    """Changes of a series of ln(values), oldest first; none for fewer than ten nights.

    `least` is the number of nights that a segment has at least. `orders` are the numbers of the
    nights; without them, their places. p is (b + 1) / (n + 1) where b of n permutations are as
    extreme.

    Raises:
        ValueError: a value is not finite, or `orders` has another length.
    """
    values = np.asarray(y, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("change points need finite values")
    if orders is not None and len(orders) != len(values):
        raise ValueError(f"{len(values)} values need as many orders (got {len(orders)})")
    if len(values) < max(LEAST_NIGHTS, 2 * least):
        return []
    distances = np.abs(values[:, None] - values[None, :])
    cuts, found = [0, len(values)], dict[int, float]()
    while True:
        observed, place = _best_split(distances, cuts, least)
        if place is None:
            break
        p_value = _p_value(distances, cuts, observed, least, rng, p_limit, permutations)
        if p_value is None:
            break
        cuts = sorted([*cuts, place])
        found[place] = p_value
    p_values = [found[place] for place in cuts[1:-1]]
    return _described(values, _refined(distances, cuts, least), p_values, orders)


def _best_split(distances: Floats, cuts: Sequence[int], least: int) -> tuple[float, int | None]:
    """The largest statistic over all segments and where it is; None where nothing differs."""
    best, place = 0.0, None
    for start, end in pairwise(cuts):
        if end - start < 2 * least:
            continue
        grid = _Splits.of(end - start, least)
        statistics = grid.statistics(distances[None, start:end, start:end])[0]
        at = int(np.argmax(statistics))
        if statistics[at] > best + _ROUNDING:
            best, place = float(statistics[at]), start + int(grid.middle[at])
    return best, place


def _p_value(
    distances: Floats,
    cuts: Sequence[int],
    observed: float,
    least: int,
    rng: np.random.Generator,
    p_limit: float,
    permutations: int,
) -> float | None:
    """Of the largest statistic when nights are exchanged within segments; None above the limit."""
    allowed = int(p_limit * (permutations + 1) + 1e-9) - 1
    extreme = done = 0
    while done < permutations:
        batch = min(_BATCH, permutations - done)
        largest = np.zeros(batch)
        for start, end in pairwise(cuts):
            length = end - start
            if length < 2 * least:
                continue
            order = start + _exchanged(length, batch, rng)
            exchanged = distances[order[:, :, None], order[:, None, :]]
            statistics = _Splits.of(length, least).statistics(exchanged)
            largest = np.maximum(largest, statistics.max(axis=1))
        extreme += int((largest >= observed * (1 - _ROUNDING)).sum())
        done += batch
        if extreme > allowed:
            return None
    return (extreme + 1) / (permutations + 1)


def _exchanged(length: int, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Orders of the nights of a segment, each with blocks of neighbours kept together.

    Where the blocks begin differs from row to row.
    """
    block = min(max(length // _BLOCKS, 1), _LONGEST_BLOCK)
    blocks = (np.arange(length) + rng.integers(block, size=(rows, 1))) // block
    keys = np.take_along_axis(rng.random((rows, length // block + 2)), blocks, axis=1)
    return np.argsort(keys, axis=1, kind="stable")


@dataclass(frozen=True, slots=True)
class _Splits:
    """The ways to take two neighbouring stretches of a segment: [0, middle) and [middle, end)."""

    middle: NDArray[np.int64]
    end: NDArray[np.int64]

    @staticmethod
    @cache
    def of(length: int, least: int) -> _Splits:
        """All of a segment."""
        middle, end = np.meshgrid(
            np.arange(least, length - least + 1), np.arange(2 * least, length + 1), indexing="ij"
        )
        fits = end - middle >= least
        return _Splits(middle[fits], end[fits])

    @classmethod
    def whole(cls, length: int, least: int) -> _Splits:
        """Only those whose second stretch is the rest of the segment."""
        middle = np.arange(least, length - least + 1)
        return cls(middle, np.full(len(middle), length))

    def statistics(self, distances: Floats) -> Floats:
        """The scaled energy distance of each split, by row of `distances` (rows, n, n).

        From sums of the distance matrix over all beginnings, so that a split costs no more than a
        few additions.
        """
        rows, length, _ = distances.shape
        sums = np.zeros((rows, length + 1, length + 1))
        np.cumsum(np.cumsum(distances, axis=1), axis=2, out=sums[:, 1:, 1:])
        flat, row = sums.reshape(rows, -1), length + 1
        first = np.take(flat, self.middle * row + self.middle, axis=1)
        middle_end = np.take(flat, self.middle * row + self.end, axis=1)
        both = np.take(flat, self.end * row + self.end, axis=1)
        m, n = self.middle, self.end - self.middle
        between = (middle_end - first) * (2 / (m * n))
        within_first = first / (m * (m - 1))
        within_second = (both - 2 * middle_end + first) / (n * (n - 1))
        found: Floats = (between - within_first - within_second) * (m * n / (m + n))
        return found


def _refined(distances: Floats, cuts: Sequence[int], least: int) -> list[int]:
    """Each change dated again between its neighbours, which bisection did not know of."""
    found = list(cuts)
    for place in range(1, len(found) - 1):
        start, end = found[place - 1], found[place + 1]
        grid = _Splits.whole(end - start, least)
        statistics = grid.statistics(distances[None, start:end, start:end])[0]
        found[place] = start + int(grid.middle[int(np.argmax(statistics))])
    return found


def _described(
    values: Floats, cuts: Sequence[int], p_values: Sequence[float], orders: Sequence[int] | None
) -> list[ChangePoint]:
    found = []
    for place, p_value in enumerate(p_values, start=1):
        start, cut, end = cuts[place - 1 : place + 2]
        before, after = _kept(values[start:cut]), _kept(values[cut:end])
        center_before, center_after = float(before.mean()), float(after.mean())
        change = center_after - center_before
        freedom = len(before) + len(after) - 2
        variance = (_squares(before) + _squares(after)) / freedom
        half = student_quantile(0.95, freedom) * sqrt(variance * (1 / len(before) + 1 / len(after)))
        earliest, latest = _dates(values[start:end], cut - start, variance, change)
        found.append(
            ChangePoint(
                index=cut,
                order=orders[cut] if orders is not None else cut,
                p_value=p_value,
                before=center_before,
                after=center_after,
                change_share=expm1(change),
                interval=(expm1(change - half), expm1(change + half)),
                earliest=start + earliest,
                latest=start + latest,
            )
        )
    return found


def _kept(values: Floats) -> Floats:
    """Without nights that lie far from the others, which say nothing of the level."""
    away = np.abs(values - np.median(values))
    mad = float(np.median(away)) * _MAD_TO_SD
    return values[away <= _OUTLIER_MADS * mad] if mad > 0 else values


def _squares(values: Floats) -> float:
    return float(((values - values.mean()) ** 2).sum())


def _dates(segment: Floats, cut: int, variance: float, change: float) -> tuple[int, int]:
    """The first and the last night at which the step may be, by likelihood with equal noise.

    Residuals are cut at 3.5 standard deviations, so that one bad night does not move the date.
    """
    if variance <= 0:
        return cut, cut
    limit = _OUTLIER_MADS * sqrt(variance)
    before = float(_kept(segment[:cut]).mean())
    costs_before = np.clip(segment - before, -limit, limit) ** 2
    costs_after = np.clip(segment - before - change, -limit, limit) ** 2
    costs = np.concatenate([[0.0], np.cumsum(costs_before)])
    costs += np.concatenate([[0.0], np.cumsum(costs_after[::-1])])[::-1]
    near = np.flatnonzero(costs - costs.min() <= _DATE_RATIO * variance)
    near = near[(near >= 1) & (near < len(segment))]
    if not len(near):
        return cut, cut
    return min(int(near[0]), cut), max(int(near[-1]), cut)
