"""The relative gate: tonight against the nights before, all figures of a night at once.

A figure is worse where it lies above what nights of its level reach by chance - the chance of any
false suspicion in a night is `family_error`, shared by all figures (Holm 1979) - and by more than
its floor. What one night does not show, two may: both above what a single night in some thirty
reaches, and by more than the floor in the mean.

A figure that the others of its endpoint explain in part is judged a second time, less what they
explain (`beside.py`): that is one more of the figures that share the family error.

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
from reports.regression.beside import Beside, figures_beside
from reports.regression.common_move import Common, common_move
from reports.regression.series import Observation, Series

Answer = Literal["same", "worse", "better", "too few nights"]

# Of the family error, what goes to the agreement of two nights. In simulated nights
# (`benchmarks/nightly_alarms.py`) 0.3 and 0.5 find +10 % within two nights equally often, and 0.3
# more of it on the first.
TWO_NIGHTS_PART = 0.3
_POWER = 0.80


@dataclass(frozen=True, slots=True)
class Judgement:
    """Tonight's figure beside its baseline; logarithms of values throughout.

    `limit` is the y from which it is called worse; `smallest_step` the change in ln that a single
    night finds with 80 % power. `nights` and `scale` (of a single night) are those of the baseline;
    `error` is the standard deviation of tonight less the centre.
    `two_nights`: it takes last night as well to call it worse. `common`: most endpoints rose with
    it, and without that it would not be called worse. `beside`: it takes the other figures of its
    endpoint to call it worse. None where there are too few nights.
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
    beside: bool = False


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
    beside = figures_beside(asked, known)
    bases = baselines_of({name: one.series for name, one in beside.items()}, min_nights)
    judging = _Judging(asked, known, beside, bases, first_error, family_error * TWO_NIGHTS_PART)
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
    beside: Mapping[str, Beside]
    bases: Mapping[str, Baseline]
    error: float
    error_of_two: float

    @property
    def looks(self) -> int:
        """How many comparisons share the error."""
        return max(len(self.known) + len(self.bases), 1)

    def single(self, tonight: Mapping[str, Observation]) -> dict[str, Judgement]:
        """Each figure by this night alone."""
        names = [name for name in tonight if name in self.known]
        p_values = [_p_above(tonight[name], self.known[name]) for name in names]
        below = holm([1 - p for p in p_values])
        second = self._beside(tonight)
        adjusted = holm([*p_values, *(_p_above(second[name], self.bases[name]) for name in second)])
        of_second = dict(zip(second, adjusted[len(names) :], strict=True))
        found = {
            name: self._judged(name, tonight[name], p, p_adjusted, lower)
            for name, p, p_adjusted, lower in zip(
                names, p_values, adjusted[: len(names)], below, strict=True
            )
        }
        for name, p_adjusted in of_second.items():
            found[name] = self._with_second(
                name, found[name], tonight[name], second[name], p_adjusted
            )
        return found

    def _beside(self, nights: Mapping[str, Observation]) -> dict[str, Observation]:
        """A night's figures less what the others of their endpoints explain."""
        less = {
            name: self.beside[name].less(name, nights, self.known)
            for name in self.bases
            if name in nights
        }
        return {name: night for name, night in less.items() if night is not None}

    def _with_second(
        self, name: str, one: Judgement, night: Observation, less: Observation, p_adjusted: float
    ) -> Judgement:
        """A judgement with what the second look adds: it may be worse, and by a lower limit."""
        base, floor = self.bases[name], log1p(self.series[name].floor_share)
        scale = _scale(less, base)
        noise = student_quantile(1 - 2 * self.error / self.looks, base.freedom) * scale
        center = self.known[name].center
        # What tonight's other figures make of the limit; the floor is that of the figure itself.
        limit = max(center + floor, base.center + noise + night.y - less.y)
        step = max(floor, noise) + student_quantile(2 * _POWER - 1, base.freedom) * scale
        is_worse = p_adjusted <= self.error and night.y - center >= floor
        return replace(
            one,
            answer="worse" if is_worse else one.answer,
            beside=is_worse and one.answer != "worse",
            p_adjusted=min(one.p_adjusted or 0.0, p_adjusted),
            limit=min(one.limit or 0.0, limit),
            smallest_step=min(one.smallest_step or 0.0, step),
        )

    def _judged(
        self, name: str, night: Observation, p: float, adjusted: float, p_better: float
    ) -> Judgement:
        base, floor = self.known[name], log1p(self.series[name].floor_share)
        change = night.y - base.center
        scale = _scale(night, base)
        reach = student_quantile(0.95, base.freedom) * scale
        rarely = self.error / self.looks
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
        each = sqrt(self.error_of_two / self.looks)
        changed = dict(found)
        second = [self._beside(nights) for nights in (tonight, previous)]
        for name in previous.keys() & found.keys():
            both = [tonight[name], previous[name]]
            mean = sum(night.y for night in both) / 2 - self.known[name].center
            rare = _are_rare(both, self.known[name], each)
            if not rare and all(name in of for of in second):
                rare = _are_rare([of[name] for of in second], self.bases[name], each)
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
            and not one.beside
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


def _are_rare(nights: Iterable[Observation], base: Baseline, error: float) -> bool:
    return all(_p_above(night, base) <= error for night in nights)


def _shift(common: Common | None) -> float:
    return 0.0 if common is None else common.shift


def _less(nights: Mapping[str, Observation], shift: float) -> dict[str, Observation]:
    return {name: replace(night, y=night.y - shift) for name, night in nights.items()}


def worse(found: Mapping[str, Judgement]) -> Iterable[str]:
    """The names of figures that are worse."""
    return (name for name, one in found.items() if one.answer == "worse")
