"""The relative gate: tonight against the nights before, all figures of a night at once.

A figure is worse where it lies above what nights of its level reach by chance - the chance of any
false suspicion in a night is `family_error`, shared by all figures (Holm 1979) - and by more than
its floor. What one night does not show, two may: both above what a single night in some thirty
reaches, and by more than the floor in the mean.

Where most endpoints rise together, the platform is as likely a reason as the code. Such a
suspicion is marked `common`: runs of the same night share it, so that they confirm nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import log1p, sqrt
from typing import Literal

from reports.block_difference import holm
from reports.quantile_bounds import student_above, student_quantile
from reports.regression.baseline import Baseline, baselines_of
from reports.regression.common_move import Common, common_move
from reports.regression.series import Observation, Series

Answer = Literal["same", "worse", "better", "too few nights"]

# Of the family error, what goes to the agreement of two nights. With half of it, simulated nights
# (`benchmarks/nightly_alarms.py`) find +10 % within two nights most often.
TWO_NIGHTS_PART = 0.5
_POWER = 0.80


@dataclass(frozen=True, slots=True)
class Judgement:
    """Tonight's figure beside its baseline; logarithms of values throughout.

    `limit` is the y from which it is called worse; `smallest_step` the change in ln that a single
    night finds with 80 % power. `nights` and `scale` (of a single night) are those of the baseline;
    `error` is the standard deviation of tonight less the centre.
    `two_nights`: it takes last night as well to call it worse. `common`: most endpoints rose with
    it, and without that it would not be called worse. None where there are too few nights.
    """

    answer: Answer
    nights: int
    center: float | None = None
    scale: float | None = None
    error: float | None = None
    freedom: int | None = None
    change: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    limit: float | None = None
    smallest_step: float | None = None
    two_nights: bool = False
    common: bool = False


def judge(
    tonight: Mapping[str, Observation],
    baselines: Mapping[str, Series],
    *,
    previous: Mapping[str, Observation] | None = None,
    family_error: float = 0.05,
    min_nights: int = 10,
) -> dict[str, Judgement]:
    """What came of each figure of tonight.

    `baselines` has the accepted nights of each figure, at most as many as the window, and without
    last night where that is in `previous`.
    """
    asked = {name: baselines[name] for name in tonight if name in baselines}
    known = baselines_of(asked, min_nights)
    first_error = family_error * (1 - (TWO_NIGHTS_PART if previous else 0))
    judging = _Judging(asked, known, first_error, family_error * TWO_NIGHTS_PART)
    found = judging.single(tonight)
    common = common_move(tonight, asked, known)
    if previous:
        earlier = common_move(previous, asked, known)
        shifts = (0.0, 0.0) if common and earlier else (_shift(common), _shift(earlier))
        found = judging.with_last_night(
            found, _less(tonight, shifts[0]), _less(previous, shifts[1])
        )
    found = judging.with_common(found, tonight, common)
    few = {
        name: Judgement("too few nights", len(asked[name].nights) if name in asked else 0)
        for name in tonight
        if name not in found
    }
    return {name: found.get(name) or few[name] for name in tonight}


@dataclass(frozen=True, slots=True)
class _Judging:
    series: Mapping[str, Series]
    known: Mapping[str, Baseline]
    error: float
    error_of_two: float

    def single(self, tonight: Mapping[str, Observation]) -> dict[str, Judgement]:
        """Each figure by this night alone."""
        names = [name for name in tonight if name in self.known]
        p_values = [_p_above(tonight[name], self.known[name]) for name in names]
        below = holm([1 - p for p in p_values])
        return {
            name: self._judged(name, tonight[name], p, adjusted, lower)
            for name, p, adjusted, lower in zip(names, p_values, holm(p_values), below, strict=True)
        }

    def _judged(
        self, name: str, night: Observation, p: float, adjusted: float, p_better: float
    ) -> Judgement:
        base, floor = self.known[name], log1p(self.series[name].floor_share)
        change = night.y - base.center
        scale = _scale(night, base)
        reach = student_quantile(0.95, base.freedom) * scale
        rarely = self.error / max(len(self.known), 1)
        step = max(floor, student_quantile(1 - 2 * rarely, base.freedom) * scale)
        answer: Answer = "same"
        if adjusted <= self.error and change >= floor:
            answer = "worse"
        elif p_better <= self.error and change <= -floor:
            answer = "better"
        return Judgement(
            answer=answer,
            nights=base.nights,
            center=base.center,
            scale=sqrt(base.variance),
            error=scale,
            freedom=base.freedom,
            change=change,
            interval=(change - reach, change + reach),
            p_value=p,
            p_adjusted=adjusted,
            limit=base.center + step,
            smallest_step=step + student_quantile(2 * _POWER - 1, base.freedom) * scale,
        )

    def with_last_night(
        self,
        found: Mapping[str, Judgement],
        tonight: Mapping[str, Observation],
        previous: Mapping[str, Observation],
    ) -> dict[str, Judgement]:
        """Also worse is what two nights agree on: both are rare, and their mean matters.

        Where only one of them has a common rise, that is taken off it: two nights do not agree
        because the platform was slow in one.
        """
        each = sqrt(self.error_of_two / max(len(self.known), 1))
        changed = dict(found)
        for name in previous.keys() & found.keys():
            base = self.known[name]
            both = [tonight[name], previous[name]]
            mean = sum(night.y for night in both) / 2 - base.center
            rare = all(_p_above(night, base) <= each for night in both)
            if rare and mean >= log1p(self.series[name].floor_share):
                # One of two nights that agree is no chance, however the single one is judged.
                changed[name] = replace(found[name], answer="worse", two_nights=True)
        return changed

    def with_common(
        self,
        found: Mapping[str, Judgement],
        tonight: Mapping[str, Observation],
        common: Common | None,
    ) -> dict[str, Judgement]:
        """Marks what is worse only because most endpoints are."""
        if common is None:
            return dict(found)
        return {
            name: replace(one, common=True)
            if one.answer == "worse"
            and not one.two_nights
            and tonight[name].y - common.shift < (one.limit or 0.0)
            else one
            for name, one in found.items()
        }


def _scale(night: Observation, base: Baseline) -> float:
    """The standard deviation of (night - centre); never surer than the night itself is."""
    return sqrt(max(base.variance, (night.error or 0.0) ** 2) * base.error_factor)


def _p_above(night: Observation, base: Baseline) -> float:
    """One-sided: how often chance alone reaches so high."""
    return student_above((night.y - base.center) / _scale(night, base), base.freedom)


def _shift(common: Common | None) -> float:
    return 0.0 if common is None else common.shift


def _less(nights: Mapping[str, Observation], shift: float) -> dict[str, Observation]:
    return {name: replace(night, y=night.y - shift) for name, night in nights.items()}


def worse(found: Mapping[str, Judgement]) -> Iterable[str]:
    """The names of figures that are worse."""
    return (name for name, one in found.items() if one.answer == "worse")
