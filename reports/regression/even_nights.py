"""Past nights as if nothing had ever changed: the truth that a replay needs.

Accepted levels and steps that E-divisive dates are taken out, so that what is left is how nights
differ. A step that is too small or too short to be dated stays in, and counts as noise; what is
taken out for a step takes a little noise with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reports.regression.baseline import kept_nights
from reports.regression.change_points import change_points
from reports.regression.series import Observation, Series

Floats = NDArray[np.float64]

# Of some dozens of figures; a false step here would hide how nights differ.
_P_LIMIT = 0.01
_PERMUTATIONS = 499


@dataclass(frozen=True, slots=True)
class EvenSeries:
    """A figure without its steps.

    `shifts` is what was taken off each night, by its order; `steps` is each step in ln, by the
    order of its first night.
    """

    series: Series
    shifts: Mapping[int, float]
    steps: Mapping[int, float]

    @property
    def center(self) -> float:
        """The typical ln(value) of all nights; the level is the last one's."""
        kept = kept_nights(self.series.nights)
        values = [
            night.y for night, is_kept in zip(self.series.nights, kept, strict=True) if is_kept
        ]
        return float(np.mean(values))

    @property
    def residuals(self) -> Floats:
        """How each night differs from the centre, bad ones too.

        Each level's centre was estimated, which took a part of the differences.
        """
        values = np.array([night.y for night in self.series.nights]) - self.center
        lost = len(self.steps) + 1
        found: Floats = values * np.sqrt(len(values) / max(len(values) - lost, 1))
        return found


def even_series(series: Series, rng: np.random.Generator) -> EvenSeries:
    """A figure at its last level throughout."""
    nights = series.nights
    starts = _level_starts(nights)
    edges = sorted({0, len(nights), *starts, *_dated(nights, [0, *starts, len(nights)], rng)})
    centers = [_center(nights[start:end]) for start, end in pairwise(edges)]
    shifts, even = {}, []
    for (start, end), center in zip(pairwise(edges), centers, strict=True):
        for night in nights[start:end]:
            shifts[night.order] = center - centers[-1]
            even.append(replace(night, y=night.y - shifts[night.order], level=0))
    steps = {
        nights[edge].order: after - before
        for edge, (before, after) in zip(edges[1:-1], pairwise(centers), strict=True)
    }
    return EvenSeries(replace(series, nights=even, level=0), shifts, steps)


def _level_starts(nights: Sequence[Observation]) -> list[int]:
    pairs = enumerate(pairwise(nights), start=1)
    return [place for place, (before, after) in pairs if before.level != after.level]


def _dated(
    nights: Sequence[Observation], edges: Sequence[int], rng: np.random.Generator
) -> list[int]:
    """Steps within levels."""
    found = []
    for start, end in pairwise(edges):
        y = [night.y for night in nights[start:end]]
        changes = change_points(y, rng, p_limit=_P_LIMIT, permutations=_PERMUTATIONS)
        found += [start + change.index for change in changes]
    return found


def _center(nights: Sequence[Observation]) -> float:
    same = [replace(night, level=0) for night in nights]
    kept = kept_nights(same)
    return float(np.mean([night.y for night, is_kept in zip(same, kept, strict=True) if is_kept]))
