"""Whether cold starts got slower, from the cold calls that both runs had anyway; pure.

One cold call a size is the rule, so sizes are pairs: what they have in common is the change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reports.compare_document import Change, StartChange
from tuner.cold import cold_by_size, start_ms
from tuner.compare.verdicts import DURATION, change_between
from tuner.estimate import student_quantile
from tuner.sample import Sample

# With fewer the spread is anybody's guess.
_FEWEST_SIZES = 3
_HIGH = 0.95
# Before a spread of a few pairs is believed, it is what starts of one size usually differ by.
_USUAL_SPREAD, _USUAL_WEIGHT = 0.2, 2.0


def start_change(
    before: Sequence[Sample], after: Sequence[Sample], tolerance_share: float
) -> StartChange | None:
    """The change of INIT (or restore); None where no size has a cold call in both runs."""
    first, second = _medians_ms(before), _medians_ms(after)
    sizes = sorted(first.keys() & second.keys())
    if not sizes:
        return None
    ratios = [math.log(second[size] / first[size]) for size in sizes]
    return StartChange(
        sizes=len(sizes),
        before_ms=float(np.median([first[size] for size in sizes])),
        after_ms=float(np.median([second[size] for size in sizes])),
        start=_change(ratios, tolerance_share) if len(sizes) >= _FEWEST_SIZES else None,
    )


def _medians_ms(samples: Sequence[Sample]) -> dict[int, float]:
    return {
        size: median
        for size, cold in cold_by_size(samples).items()
        if (median := float(np.median([start_ms(sample) for sample in cold]))) > 0
    }


def _change(ratios: Sequence[float], tolerance_share: float) -> Change:
    """Student's interval of the mean of pairs, the spread steadied by what is usual."""
    n, mean = len(ratios), float(np.mean(ratios))
    squares = sum((ratio - mean) ** 2 for ratio in ratios)
    free = n - 1 + _USUAL_WEIGHT
    spread = math.sqrt((squares + _USUAL_WEIGHT * _USUAL_SPREAD**2) / free)
    half = student_quantile(_HIGH, free) * spread / math.sqrt(n)
    return change_between(mean - half, mean, mean + half, tolerance_share, DURATION)
