"""Whole adaptive tunings of functions whose curve is known: what is found, and what is claimed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from reports.document import Recommendation
from tests.tuner.tuning_rig import (
    CANDIDATES,
    COST,
    Curve,
    Tuning,
    answers,
    costs_usd,
    mixed,
    power,
    saturating,
    stepped,
    tune,
    waiting,
)
from tuner.adaptive import WARM_TO_VERIFY
from tuner.believed import believed
from tuner.effort import DEFAULT, THOROUGH
from tuner.evidence import drawn
from tuner.objective import Goal, regrets
from tuner.recommend import recommend

# How often each is tuned: fewer times where it takes all calls that it may.
TIMES = {saturating: 2, power: 12, waiting: 8, mixed: 6, stepped: 6}
SCALE = 0.08
# Nine in ten answers are claimed to hold, less three standard errors.
LEAST_HELD = 0.9 - 3 * np.sqrt(0.9 * 0.1 / sum(TIMES.values()))


@dataclass(frozen=True)
class Tuned:
    """A tuning, its answer, and by how much each candidate is worse than the best in truth."""

    curve: Curve
    tuning: Tuning
    answer: Recommendation

    @property
    def regret(self) -> float:
        """By how much the answer is worse than the best, in truth."""
        cost = costs_usd(self.curve)
        return float(cost[CANDIDATES.index(self.answer.memory_mb)] / cost.min() - 1)


def answered(tuning: Tuning, goal: Goal = COST) -> Recommendation:
    """The answer of a run."""
    worth = tuning.sampler.worth
    known = believed(tuning.samples, CANDIDATES, worth, np.random.default_rng(9), draws=1024)
    evidence = drawn(tuning.samples, known, known.warm, worth)
    answer = recommend(evidence, CANDIDATES, goal, 512, joint=True)
    assert answer is not None
    return answer


@pytest.fixture(scope="module")
def tunings() -> list[Tuned]:
    def all_of_them() -> Iterator[Tuned]:
        for curve, times in TIMES.items():
            for seed in range(times):
                tuning = tune(answers(curve, SCALE, seed), seed=seed)
                yield Tuned(curve, tuning, answered(tuning))

    return list(all_of_them())


@pytest.mark.parametrize(
    ("curve", "most_regret", "most_calls"),
    [
        pytest.param(saturating, 0.01, DEFAULT.most_calls, id="saturating: many are as good"),
        pytest.param(power, 0.03, 30, id="power"),
        pytest.param(waiting, 0.01, 15, id="flat"),
        pytest.param(mixed, 0.02, 30, id="waits and works"),
        pytest.param(stepped, 0.04, DEFAULT.most_calls, id="stepped"),
    ],
)
def test_the_best_size_is_found_with_few_calls(
    curve: Curve, most_regret: float, most_calls: int, tunings: list[Tuned]
) -> None:
    """On average over the tunings of each."""
    own = [tuned for tuned in tunings if tuned.curve is curve]

    assert np.mean([tuned.regret for tuned in own]) <= most_regret
    assert np.mean([len(tuned.tuning.samples) for tuned in own]) <= most_calls


def test_no_tuning_takes_more_calls_than_allowed(tunings: list[Tuned]) -> None:
    assert max(len(tuned.tuning.samples) for tuned in tunings) <= DEFAULT.most_calls


def test_what_is_recommended_was_verified(tunings: list[Tuned]) -> None:
    for tuned in tunings:
        assert tuned.tuning.warm(tuned.answer.memory_mb) >= WARM_TO_VERIFY


def test_a_tuning_that_stops_by_itself_has_verified_its_choice(tunings: list[Tuned]) -> None:
    # With fewer calls left than a new choice takes, it ends as well.
    most = DEFAULT.most_calls - (WARM_TO_VERIFY + 1)
    stopped = [t.tuning for t in tunings if len(t.tuning.samples) <= most]

    assert len(stopped) >= len(tunings) / 3
    for tuning in stopped:
        size, rest = tuning.sampler.state(tuning.samples).split(" MB looks best, expected within ")
        assert tuning.warm(int(size)) >= WARM_TO_VERIFY
        assert float(rest.removesuffix("% of the best")) <= 100 * DEFAULT.target_share


def test_intervals_hold_the_true_cost_and_duration(tunings: list[Tuned]) -> None:
    held = {"cost": 0.0, "duration": 0.0}
    for tuned in tunings:
        answer = tuned.answer
        true_usd = costs_usd(tuned.curve)[CANDIDATES.index(answer.memory_mb)] * 1e6
        assert answer.cost_interval is not None
        assert answer.duration_interval_ms is not None
        low, high = answer.cost_interval
        held["cost"] += (low <= true_usd <= high) / len(tunings)
        low, high = answer.duration_interval_ms
        held["duration"] += (low <= tuned.curve(answer.memory_mb) <= high) / len(tunings)

    assert min(held.values()) >= LEAST_HELD


def test_the_true_best_is_among_those_that_cannot_be_told_apart(tunings: list[Tuned]) -> None:
    held = [
        CANDIDATES[int(costs_usd(tuned.curve).argmin())] in tuned.answer.tied_mb
        for tuned in tunings
    ]

    assert np.mean(held) >= LEAST_HELD


def test_expected_regret_is_no_less_than_what_it_turns_out_to_be(tunings: list[Tuned]) -> None:
    expected = [tuned.answer.regret_share or 0.0 for tuned in tunings]
    true = [tuned.regret for tuned in tunings]

    error = np.std(np.subtract(true, expected)) / np.sqrt(len(tunings))
    assert np.mean(true) <= np.mean(expected) + 3 * error
    bounds = [tuned.answer.regret_bound_share or 0.0 for tuned in tunings]
    assert np.mean(np.array(true) <= bounds) >= LEAST_HELD


def test_more_effort_finds_what_noise_hides() -> None:
    calls, regret = {}, {}
    for effort in (DEFAULT, THOROUGH):
        tunings = [tune(answers(mixed, 0.3, seed), effort=effort) for seed in (1, 5, 9, 10, 11)]
        tuned = [Tuned(mixed, tuning, answered(tuning)) for tuning in tunings]
        calls[effort] = [len(tuning.samples) for tuning in tunings]
        regret[effort] = np.mean([one.regret for one in tuned])

    assert max(calls[DEFAULT]) == DEFAULT.most_calls < max(calls[THOROUGH]) < THOROUGH.most_calls
    assert regret[THOROUGH] <= 0.01 < regret[DEFAULT]


@pytest.mark.parametrize(
    ("goal", "curve"),
    [
        pytest.param(Goal("speed"), power, id="speed"),
        pytest.param(Goal("speed"), saturating, id="speed, up to a vCPU"),
        pytest.param(Goal("balanced", 0.5), mixed, id="balanced"),
        pytest.param(Goal("balanced", 0.9), stepped, id="balanced, mostly cost"),
        pytest.param(Goal("knee", knee_share=0.1), mixed, id="knee"),
        pytest.param(Goal("knee", knee_share=0.5), saturating, id="knee of 50 %"),
    ],
)
def test_other_objectives_are_tuned_as_well(goal: Goal, curve: Curve) -> None:
    tuning = tune(answers(curve, 0.03), goal=goal)
    answer = answered(tuning, goal)

    duration = np.array([[curve(size) for size in CANDIDATES]])
    true = regrets(goal, costs_usd(curve)[None], duration)[0]
    assert true[CANDIDATES.index(answer.memory_mb)] <= 0.04
    assert len(tuning.samples) <= DEFAULT.most_calls
    assert tuning.warm(answer.memory_mb) >= WARM_TO_VERIFY
