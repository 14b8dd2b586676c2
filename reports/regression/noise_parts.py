"""Why nights differ: too few requests, the nights themselves, or what all figures share.

Only the first becomes less with more requests, and only the last with a control.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from reports.quantile_bounds import student_share
from reports.regression.baseline import kept_nights
from reports.regression.even_nights import EvenSeries

Floats = NDArray[np.float64]

# A control costs a function and its calls each night; below this it is not worth that.
_LEAST_DROP_OF_VARIANCE = 0.25
_SURELY = 0.95
_FEWEST_GROUPS = 3  # besides the figure's own: the middle one of fewer is one endpoint
_FEWEST_NIGHTS = 15


@dataclass(frozen=True, slots=True)
class NoiseParts:
    """Standard deviations of ln(value) from night to night, without bad nights.

    `within` is the part that the sampling of a night explains by its own standard error; None where
    nights have none. `bad_share` is of nights that lie too far off to be of the same kind. `alike`
    is the correlation of neighbouring nights. `with_control` is what would be left if what the
    other endpoints do were divided out; None where that is not surely less.
    """

    total: float
    within: float | None
    bad_share: float
    alike: float
    with_control: float | None

    @property
    def sampling_share(self) -> float | None:
        """Which part of the variance more requests would lower."""
        if self.within is None or not self.total:
            return None
        return min((self.within / self.total) ** 2, 1.0)

    def with_requests(self, factor: float) -> float | None:
        """What would be left with `factor` times the requests: s.e. falls by its root."""
        if self.within is None:
            return None
        within = min(self.within, self.total) ** 2
        return sqrt(max(self.total**2 - within + within / factor, 0.0))


def noise_parts(name: str, figures: Mapping[str, EvenSeries]) -> NoiseParts:
    """Of one figure; the others are what a control is made of."""
    one = figures[name]
    nights = one.series.nights
    kept = np.array(kept_nights(nights))
    lost = len(one.steps) + 1
    values = np.array([night.y for night in nights])[kept]
    centered = values - values.mean()
    errors = [night.error for night in nights if night.error is not None and night.error > 0]
    total = sqrt(float(centered @ centered) / max(len(values) - lost, 1))
    return NoiseParts(
        total=total,
        within=float(np.sqrt(np.mean(np.square(errors)))) if errors else None,
        bad_share=float(1 - kept.mean()),
        alike=_alike(centered),
        with_control=_with_control(name, figures, total),
    )


def _alike(centered: Floats) -> float:
    squares = float(centered @ centered)
    return float(centered[1:] @ centered[:-1]) / squares if squares > 0 else 0.0


def _with_control(name: str, figures: Mapping[str, EvenSeries], total: float) -> float | None:
    """By the middle of the other endpoints at the same nights, if that is surely less.

    Bad nights are left out: all endpoints have them, and the gate knows of a common rise already.
    Whether two variances of the same nights differ: Pitman 1939, Morgan 1939.
    """
    nights = figures[name].series.nights
    kept = kept_nights(nights)
    own = {night.order: night.y for night, is_kept in zip(nights, kept, strict=True) if is_kept}
    control = _middle_of_others(name, figures)
    both = [order for order in own if order in control]
    if len(both) < _FEWEST_NIGHTS:
        return None
    y = np.array([own[order] for order in both])
    left = y - np.array([control[order] for order in both])
    before, after = float(np.var(y, ddof=1)), float(np.var(left, ddof=1))
    if not before or after > (1 - _LEAST_DROP_OF_VARIANCE) * before:
        return None
    r = float(np.corrcoef(y + left, y - left)[0, 1])
    freedom = len(both) - 2
    t = r * sqrt(freedom / max(1 - r * r, 1e-12))
    surely = t > 0 and student_share(t, freedom) >= _SURELY
    return total * sqrt(after / before) if surely else None


def _middle_of_others(name: str, figures: Mapping[str, EvenSeries]) -> dict[int, float]:
    """The median of the other endpoints by order; each endpoint is the mean of its figures."""
    own = figures[name].series.group
    by_group: dict[str, dict[int, list[float]]] = {}
    for one in figures.values():
        if one.series.group == own:
            continue
        center = one.center
        for night in one.series.nights:
            of_group = by_group.setdefault(one.series.group, {})
            of_group.setdefault(night.order, []).append(night.y - center)
    if len(by_group) < _FEWEST_GROUPS:
        return {}
    orders = set.intersection(*(set(values) for values in by_group.values()))
    return {
        order: float(np.median([np.mean(values[order]) for values in by_group.values()]))
        for order in orders
    }
