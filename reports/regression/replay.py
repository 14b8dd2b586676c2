"""The relative gate over a history in which nothing changed: how often it alarms all the same.

Each night is taken for tonight and judged against those before it, as it would be. Reruns that the
night had decide whether a suspicion is confirmed; where there were none, they are drawn from the
other nights of the figure. Drawn reruns know nothing of what was particular about the night, so
that they clear more than real ones do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from math import log1p, prod
from typing import Literal

import numpy as np

from reports.regression.confirmation import OF_EACH, confirm_by_reruns
from reports.regression.even_nights import EvenSeries
from reports.regression.relative import Judgement, judge
from reports.regression.series import Observation, Series

Reruns = Mapping[tuple[str, int], Sequence[Observation]]
Deciding = Literal["two nights", "the next night", "reruns", "drawn reruns"]

_DRAWS = 200  # of reruns: the share that confirms is within 0.07
_LIKELY = 0.5  # of drawn reruns: below it a suspicion is taken for cleared
_HALVINGS = 16
_FARTHEST = 3.0  # in ln: twenty times as much is confirmed by any rule


@dataclass(frozen=True, slots=True)
class Rules:
    """How nights are judged; `reruns` is 0 where the next night confirms.

    The next night confirms a suspicion where it lies above the floor, and `agreeing_p` is reached.
    """

    window: int = 28
    min_nights: int = 10
    family_error: float = 0.05
    reruns: int = 2
    agreeing_p: float = 0.05


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A figure that a night would have called worse.

    `confirmed` is the probability that it is confirmed: 0 or 1 but where reruns were drawn. `by`
    is what decided.
    """

    order: int
    name: str
    change: float
    confirmed: float
    by: Deciding


@dataclass(frozen=True)
class Replay:
    """What came of each night, by its order; only nights that could be judged."""

    judged: Mapping[int, Mapping[str, Judgement]]
    suspicions: Sequence[Suspicion]

    @property
    def nights(self) -> int:
        """How many were judged."""
        return len(self.judged)

    @property
    def suspected_nights(self) -> int:
        """Nights with a suspicion."""
        return len(self._by_night)

    @property
    def failed_nights(self) -> float:
        """Nights that fail, as expected: confirmations that were drawn count by probability."""
        return sum(
            1 - prod(1 - one.confirmed for one in of_night) for of_night in self._by_night.values()
        )

    @cached_property
    def _by_night(self) -> dict[int, list[Suspicion]]:
        found: dict[int, list[Suspicion]] = {}
        for one in self.suspicions:
            found.setdefault(one.order, []).append(one)
        return found


def replayed(
    figures: Mapping[str, EvenSeries], rules: Rules, rng: np.random.Generator, reruns: Reruns
) -> Replay:
    """Each night as tonight; `reruns` are those that a figure had at a night, by its order."""
    orders = sorted({night.order for one in figures.values() for night in one.series.nights})
    nights = {
        name: {night.order: night for night in one.series.nights} for name, one in figures.items()
    }
    judged: dict[int, dict[str, Judgement]] = {}
    confirming = _Confirming(figures, judged, rules, rng, reruns)
    again: dict[tuple[int, str], Suspicion] = {}
    for place in range(rules.min_nights, len(orders)):
        cleared = {
            name
            for (order, name), one in again.items()
            if order == orders[place - 1] and one.confirmed < _LIKELY
        }
        found = _judged(figures, nights, orders[: place + 1], rules, cleared)
        told = {name: one for name, one in found.items() if one.answer != "too few nights"}
        if told:
            judged[orders[place]] = told
        for name, one in told.items():
            if one.answer == "worse" and confirming.runs_again(one):
                again[orders[place], name] = confirming.suspicion(orders[place], name, one)
    suspicions = [
        again.get((order, name)) or confirming.suspicion(order, name, one)
        for order, found in judged.items()
        for name, one in found.items()
        if one.answer == "worse"
    ]
    return Replay(judged, suspicions)


def _judged(
    figures: Mapping[str, EvenSeries],
    nights: Mapping[str, Mapping[int, Observation]],
    orders: Sequence[int],
    rules: Rules,
    cleared: Set[str],
) -> dict[str, Judgement]:
    """The last of `orders` as tonight; what was `cleared` last night is no second witness."""
    tonight, last = orders[-1], orders[-2]
    values = {name: of[tonight] for name, of in nights.items() if tonight in of}
    previous = {name: of[last] for name, of in nights.items() if last in of}
    baselines: dict[str, Series] = {}
    for name, one in figures.items():
        before = [night for night in one.series.nights if night.order < tonight]
        # Last night is no part of what it is compared with, where there are enough without it.
        if name in previous and name not in cleared and len(before) > rules.min_nights:
            before = before[:-1]
        else:
            previous.pop(name, None)
        baselines[name] = replace(one.series, nights=before[-rules.window :])
    return judge(
        values,
        baselines,
        previous=previous,
        family_error=rules.family_error,
        min_nights=rules.min_nights,
    )


@dataclass
class _Confirming:
    figures: Mapping[str, EvenSeries]
    judged: Mapping[int, Mapping[str, Judgement]]
    rules: Rules
    rng: np.random.Generator
    reruns: Reruns

    def runs_again(self, judgement: Judgement) -> bool:
        """Whether further runs of the night decide."""
        return bool(self.rules.reruns) and not judgement.common

    def suspicion(self, order: int, name: str, judgement: Judgement) -> Suspicion:
        """What becomes of it, by what was recorded or by drawn reruns."""
        confirmed, by = self._confirmed(order, name, judgement)
        return Suspicion(order, name, judgement.change or 0.0, confirmed, by)

    def _confirmed(self, order: int, name: str, judgement: Judgement) -> tuple[float, Deciding]:
        if judgement.two_nights and not self.rules.reruns:
            return 1.0, "two nights"
        if not self.runs_again(judgement):
            return self._next_night(order, name), "the next night"
        floor = self.figures[name].series.floor_share
        run_again = self.reruns.get((name, order))
        if run_again:
            return float(confirm_by_reruns(judgement, run_again, floor).confirmed), "reruns"
        others = np.array([night.order != order for night in self.figures[name].series.nights])
        residuals = self.figures[name].residuals[others]
        drawn = self.rng.choice(residuals, (_DRAWS, self.rules.reruns))
        center = self.figures[name].center
        least = confirming_mean(judgement, self.rules.reruns, floor)
        each = (judgement.center or 0.0) + OF_EACH * log1p(floor)
        confirmed = (center + drawn.mean(axis=1) >= least) & (center + drawn.min(axis=1) >= each)
        return float(confirmed.mean()), "drawn reruns"

    def _next_night(self, order: int, name: str) -> float:
        following = [later for later in self.judged if later > order]
        found = self.judged[min(following)].get(name) if following else None
        if found is None or found.change is None or found.p_value is None:
            return 0.0
        floor = log1p(self.figures[name].series.floor_share)
        agrees = found.change >= floor and found.p_value <= self.rules.agreeing_p
        return float(agrees or found.two_nights)


def confirming_mean(judgement: Judgement, reruns: int, floor_share: float) -> float:
    """The mean ln(value) from which so many reruns confirm, found by asking the rule itself."""
    center = judgement.center or 0.0
    low, high = 0.0, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        again = [Observation(0, center + middle, None)] * reruns
        if confirm_by_reruns(judgement, again, floor_share).confirmed:
            high = middle
        else:
            low = middle
    return center + high
