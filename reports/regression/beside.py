"""A figure beside the others of its endpoint: what moves them together is no news.

Percentiles of one endpoint go up and down together from night to night, with the platform and with
its neighbours. Where the history shows that the other figures explain much of how a figure's
nights differ, it is judged a second time, less what they explain: a p95 that rose alone stands out
earlier. Where all of an endpoint rose, nothing is left of it, and the figure by itself decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from reports.regression.baseline import Baseline, kept_nights
from reports.regression.series import Observation, Series

Floats = NDArray[np.float64]

# The part of the variance between nights that the others must explain. Less is not worth a second
# look, each of which is a chance of a false suspicion.
_EXPLAINED = 0.2
# Fewer nights that all figures have tell too little of how they move together.
_FEWEST_NIGHTS = 15


@dataclass(frozen=True, slots=True)
class Beside:
    """How a figure goes with the mean of the others of its endpoint, about their centres.

    `series` has its nights less `slope` times that mean.
    """

    series: Series
    others: tuple[str, ...]
    slope: float

    def less(
        self, name: str, nights: Mapping[str, Observation], known: Mapping[str, Baseline]
    ) -> Observation | None:
        """A night's value less what the others explain; None where one of them is missing."""
        if any(other not in nights for other in self.others):
            return None
        mean = fmean(nights[other].y - known[other].center for other in self.others)
        return replace(nights[name], y=nights[name].y - self.slope * mean)


def figures_beside(
    series: Mapping[str, Series], known: Mapping[str, Baseline]
) -> dict[str, Beside]:
    """The figures that the others of their endpoint explain well enough, by their names."""
    found = {}
    for name in known:
        group = series[name].group
        others = tuple(one for one in known if one != name and series[one].group == group)
        beside = _beside(name, others, series, known) if group and others else None
        if beside is not None:
            found[name] = beside
    return found


def _beside(
    name: str, others: tuple[str, ...], series: Mapping[str, Series], known: Mapping[str, Baseline]
) -> Beside | None:
    own = series[name]
    by_order = [
        {night.order: night.y for night in series[one].nights if night.level == series[one].level}
        for one in others
    ]
    nights = [
        night
        for night in own.nights
        if night.level == own.level and all(night.order in of for of in by_order)
    ]
    if len(nights) < _FEWEST_NIGHTS:
        return None
    centers = [known[one].center for one in others]
    means = np.array(
        [
            fmean(of[night.order] - center for of, center in zip(by_order, centers, strict=True))
            for night in nights
        ]
    )
    kept = np.array(kept_nights(nights))
    values = np.array([night.y for night in nights])
    slope = _slope(values[kept], means[kept])
    left = float(np.var((values - slope * means)[kept]))
    if slope <= 0 or left > (1 - _EXPLAINED) * float(np.var(values[kept])):
        return None
    less = [
        replace(night, y=night.y - slope * float(mean))
        for night, mean in zip(nights, means, strict=True)
    ]
    metric = f"{own.metric} beside others"
    return Beside(replace(own, nights=less, metric=metric), others, slope)


def _slope(values: Floats, means: Floats) -> float:
    """Of least squares, between 0 and 1: others never explain more than they moved themselves."""
    spread = float(np.var(means))
    if spread <= 0:
        return 0.0
    together = float(np.mean((values - values.mean()) * (means - means.mean())))
    return min(max(together / spread, 0.0), 1.0)
