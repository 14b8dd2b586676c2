"""The smallest change that the gate finds in eight of ten cases, from how nights really differ.

A step is added to nights drawn from the figure's own, bad ones too, and judged by the limits of
replayed nights; reruns are drawn likewise, with the same step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from reports.quantile_bounds import student_quantile
from reports.regression.confirmation import OF_EACH
from reports.regression.even_nights import EvenSeries
from reports.regression.relative import TWO_NIGHTS_PART, Judgement
from reports.regression.replay import Replay, Rules, confirming_mean

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

POWER = 0.80
_DRAWS = 2000  # 80 % is within 1.8 points
_HALVINGS = 14
_LARGEST = log(4.0)  # a figure that must quadruple to be found is not watched


@dataclass(frozen=True, slots=True)
class Smallest:
    """The smallest steps in ln that are found with 80 % power; None: not even four times as much.

    `statistical` is the step over the centre that a night must show for noise alone, without the
    floor; `floor_binds` is the share of nights at which the floor asks for more than that.
    """

    first_night: float | None
    two_nights: float | None
    statistical: float
    floor_binds: float


def smallest_changes(
    figures: Mapping[str, EvenSeries], replay: Replay, rules: Rules, rng: np.random.Generator
) -> dict[str, Smallest]:
    """Of each figure that was judged at some night."""
    found = {}
    for name, one in figures.items():
        nights = [
            (judgements[name], len(judgements))
            for judgements in replay.judged.values()
            if name in judgements
        ]
        if nights:
            found[name] = _Power.of(one, nights, rules, rng).smallest()
    return found


@dataclass
class _Power:
    """Draws of nights and reruns, and the limits against which each is judged; all in ln."""

    tonight: Floats
    second: Floats
    again: Floats | None  # a row of reruns for each draw
    again_second: Floats | None
    single: Floats
    pair: Floats
    agreeing: Floats
    confirming: Floats
    confirming_two: Floats
    floor: float
    center: Floats
    statistical: float
    floor_binds: float

    @classmethod
    def of(
        cls,
        one: EvenSeries,
        nights: Sequence[tuple[Judgement, int]],
        rules: Rules,
        rng: np.random.Generator,
    ) -> _Power:
        """Limits of the replayed nights, each equally often."""
        floor_share = one.series.floor_share
        at = rng.integers(len(nights), size=_DRAWS)
        limits = np.array([judgement.limit for judgement, _ in nights], np.float64)
        centers = np.array([judgement.center for judgement, _ in nights], np.float64)
        reruns = rules.reruns

        def means(*, two_nights: bool) -> Floats:
            if not reruns:
                return limits
            judged = (replace(judgement, two_nights=two_nights) for judgement, _ in nights)
            return np.array([confirming_mean(one, reruns, floor_share) for one in judged])

        pairs = np.array([_pair_limit(judgement, count, rules) for judgement, count in nights])
        agreeing = np.array([_agreeing_limit(judgement, one, rules) for judgement, _ in nights])
        noise = np.array([_noise_limit(judgement, count, rules) for judgement, count in nights])
        residuals, center = one.residuals, one.center

        def drawn(size: int | tuple[int, int]) -> Floats:
            found: Floats = center + rng.choice(residuals, size)
            return found

        return cls(
            tonight=drawn(_DRAWS),
            second=drawn(_DRAWS),
            again=drawn((_DRAWS, reruns)) if reruns else None,
            again_second=drawn((_DRAWS, reruns)) if reruns else None,
            single=limits[at],
            pair=pairs[at],
            agreeing=agreeing[at],
            confirming=means(two_nights=False)[at],
            confirming_two=means(two_nights=True)[at],
            floor=log1p(floor_share),
            center=centers[at],
            statistical=float(np.median(noise)),
            floor_binds=float((noise < log1p(floor_share)).mean()),
        )

    def smallest(self) -> Smallest:
        """By bisection: more of a step is never found less often with the same draws."""
        first = _least(self.found_first)
        return Smallest(first, _least(self.found_in_two), self.statistical, self.floor_binds)

    def found_first(self, step: float) -> float:
        """How often the night of a step finds it; never where the next night has to confirm."""
        return (
            0.0 if self.again is None else float(self._one(self.tonight, self.again, step).mean())
        )

    def found_in_two(self, step: float) -> float:
        """How often it is found by the night after."""
        tonight, second = self.tonight + step, self.second + step
        agree = (tonight >= self.pair) & (second >= self.pair)
        agree &= (tonight + second) / 2 - self.center >= self.floor
        if self.again is None or self.again_second is None:
            both = (tonight >= self.single) & (second >= self.agreeing)
            return float((agree | both).mean())
        agree &= self._confirmed(self.again_second, step, self.confirming_two)
        first = self._one(self.tonight, self.again, step)
        return float((first | self._one(self.second, self.again_second, step) | agree).mean())

    def _one(self, night: Floats, again: Floats, step: float) -> Bools:
        found: Bools = night + step >= self.single
        return found & self._confirmed(again, step, self.confirming)

    def _confirmed(self, again: Floats, step: float, least: Floats) -> Bools:
        each = self.center + OF_EACH * self.floor
        found: Bools = (again.mean(axis=1) + step >= least) & (again.min(axis=1) + step >= each)
        return found


def _least(found: Callable[[float], float]) -> float | None:
    if found(_LARGEST) < POWER:
        return None
    low, high = 0.0, _LARGEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= POWER else (middle, high)
    return high


def _pair_limit(judgement: Judgement, figures: int, rules: Rules) -> float:
    """The ln(value) that both of two agreeing nights have at least, as `relative` has it."""
    each = sqrt(rules.family_error * TWO_NIGHTS_PART / figures)
    return (judgement.center or 0.0) + _reach(judgement, each)


def _agreeing_limit(judgement: Judgement, one: EvenSeries, rules: Rules) -> float:
    """The ln(value) from which the next night confirms what a night suspected."""
    floor = log1p(one.series.floor_share)
    return (judgement.center or 0.0) + max(floor, _reach(judgement, rules.agreeing_p))


def _noise_limit(judgement: Judgement, figures: int, rules: Rules) -> float:
    """How far above the centre a night is rare enough, whatever the floor."""
    return _reach(judgement, rules.family_error * (1 - TWO_NIGHTS_PART) / figures)


def _reach(judgement: Judgement, error: float) -> float:
    freedom = judgement.freedom or 1
    return student_quantile(1 - 2 * error, freedom) * (judgement.error or 0.0)
