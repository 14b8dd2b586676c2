"""Levels of a figure between the nights at which it changed, and the changes that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log1p, sqrt

import numpy as np

from reports.nightly.document import TrendLevel
from reports.quantile_bounds import student_quantile
from reports.regression.baseline import baselines_of
from reports.regression.change_points import ChangePoint, change_points
from reports.regression.series import Observation, Series
from reports.trends.series_nights import SeriesNight

# A page has some dozens of figures: at 0.05 each, one or two of them would show a change that is
# none. 499 permutations tell 0.01 from its neighbours.
_P_LIMIT = 0.01
_PERMUTATIONS = 499
# A change below half of what a gate acts on is no news, however sure.
_LEAST_PART_OF_FLOOR = 0.5
# With fewer nights there is no band to speak of.
_FEWEST_NIGHTS = 4


@dataclass(frozen=True, slots=True)
class Steps:
    """At which of the counted nights the level changed: found, and decided by somebody."""

    found: Sequence[ChangePoint]
    accepted: Sequence[int]
    # The change that is meant by an accepted one, by the place of that.
    dated: Mapping[int, ChangePoint]

    @property
    def starts(self) -> list[int]:
        """The places at which a level begins, but for the first."""
        return sorted({*self.accepted, *(change.index for change in self.found)})


def steps_of(
    nights: Sequence[SeriesNight],
    accepted_from: Sequence[int],
    floor_share: float,
    rng: np.random.Generator,
) -> Steps:
    """Changes of counted nights; `accepted_from` are the sequences at which new levels begin.

    A change that was found where one is accepted is that one.
    """
    accepted = sorted({_place(nights, sequence) for sequence in accepted_from})
    accepted = [place for place in accepted if 0 < place < len(nights)]
    changes = change_points(
        [night.y for night in nights],
        rng,
        orders=[night.run.sequence for night in nights],
        p_limit=_P_LIMIT,
        permutations=_PERMUTATIONS,
    )
    least = _LEAST_PART_OF_FLOOR * log1p(floor_share)
    found, dated = [], dict[int, ChangePoint]()
    for change in changes:
        same = [at for at in accepted if change.earliest - 1 <= at <= change.latest + 1]
        if same:
            dated[min(same, key=lambda at: abs(at - change.index))] = change
        elif abs(change.after - change.before) >= least:
            found.append(change)
    return Steps(found, accepted, dated)


def _place(nights: Sequence[SeriesNight], sequence: int) -> int:
    return sum(night.run.sequence < sequence for night in nights)


def bands_of(nights: Sequence[SeriesNight], starts: Sequence[int]) -> list[TrendLevel]:
    """Each level with its centre and the band in which 95 % of single nights lie.

    Nights differ alike on all levels, so that a short one has the scale of all.
    """
    if len(nights) < _FEWEST_NIGHTS:
        return []
    edges = [0, *starts, len(nights)]
    observations = [
        Observation(place, nights[place].y, nights[place].point.error_ln, level)
        for level, (start, end) in enumerate(pairwise(edges))
        for place in range(start, end)
    ]
    found = []
    for level, (start, end) in enumerate(pairwise(edges)):
        base = baselines_of({"": Series("", observations, 0.0, level=level)}, 1).get("")
        if base is None:
            continue
        reach = student_quantile(0.95, base.freedom) * sqrt(base.variance * base.error_factor)
        found.append(
            TrendLevel(
                from_sequence=nights[start].run.sequence,
                to_sequence=nights[end - 1].run.sequence,
                center=exp(base.center),
                low=exp(base.center - reach),
                high=exp(base.center + reach),
            )
        )
    return found
