"""Whether most endpoints of a night moved together: the platform, or what all of them share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median, stdev

from reports.quantile_bounds import student_quantile
from reports.regression.baseline import Baseline
from reports.regression.series import Observation, Series

# With fewer endpoints most of them may well have been changed at once.
_FEWEST_GROUPS = 4
_FEWEST_NIGHTS = 8
# One night in a hundred is called common by chance alone; that costs one night of waiting.
_LEVEL = 0.98


@dataclass(frozen=True, slots=True)
class Common:
    """By how much (in ln) the median endpoint lies above its baseline, and how much is usual."""

    shift: float
    limit: float
    groups: int


def common_move(
    tonight: Mapping[str, Observation],
    series: Mapping[str, Series],
    known: Mapping[str, Baseline],
) -> Common | None:
    """The common rise of tonight; None where there is none, or endpoints or nights are few."""
    names = [name for name in tonight if name in known]
    groups = {series[name].group for name in names}
    if len(groups) < _FEWEST_GROUPS:
        return None
    shift = _median_of_groups({name: tonight[name].y for name in names}, series, known)
    earlier = _earlier_shifts(names, series, known, len(groups))
    if shift is None or len(earlier) < _FEWEST_NIGHTS:
        return None
    center = median(earlier)
    spread = _robust_spread(earlier, center)
    freedom = len(earlier) - 1
    limit = center + student_quantile(_LEVEL, freedom) * spread * sqrt(1 + 1 / len(earlier))
    return Common(shift, limit, len(groups)) if shift > limit else None


def _median_of_groups(
    values: Mapping[str, float], series: Mapping[str, Series], known: Mapping[str, Baseline]
) -> float | None:
    by_group: dict[str, list[float]] = defaultdict(list)
    for name, y in values.items():
        by_group[series[name].group].append(y - known[name].center)
    return median(fmean(changes) for changes in by_group.values()) if by_group else None


def _earlier_shifts(
    names: Sequence[str],
    series: Mapping[str, Series],
    known: Mapping[str, Baseline],
    groups: int,
) -> list[float]:
    """The same of the nights of this level in which most endpoints were measured."""
    nights: dict[int, dict[str, float]] = defaultdict(dict)
    for name in names:
        for night in series[name].nights:
            if night.level == series[name].level:
                nights[night.order][name] = night.y
    found = []
    for values in nights.values():
        if len({series[name].group for name in values}) * 2 > groups:
            shift = _median_of_groups(values, series, known)
            found += [] if shift is None else [shift]
    return found


def _robust_spread(values: Sequence[float], center: float) -> float:
    """Their standard deviation without the farthest tenth, which bad nights would fill."""
    kept = sorted(values, key=lambda value: abs(value - center))[: max(len(values) * 9 // 10, 3)]
    # Of a normal sample, nine tenths around the middle have 0.79 of the whole deviation.
    return stdev(kept) / 0.79
