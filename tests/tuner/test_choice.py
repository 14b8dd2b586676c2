"""Which size is taken, from joint draws."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.choice import EQUAL_SHARE, choose, expected_regret
from tuner.objective import Goal

COST = Goal("cost")


def draws(*columns: list[float]) -> np.ndarray:
    """Draws (S, G) from what each size is in each draw."""
    return np.array(columns).T


def test_a_draw_in_which_a_size_is_a_disaster_does_not_decide_by_how_much() -> None:
    regret = draws([0.0, 0.1], [50.0, 0.0])

    assert expected_regret(regret) == pytest.approx([0.05, 0.5])


def test_the_size_with_the_least_expected_regret_is_taken_not_the_one_that_is_often_best() -> None:
    often_best = [1.0, 1.0, 1.0, 2.0]
    never_bad = [1.1, 1.1, 1.1, 1.0]
    cost = draws(often_best, never_bad)

    assert choose(COST, cost, np.ones_like(cost)) == 1


@pytest.mark.parametrize(
    ("goal", "cost", "duration", "expected"),
    [
        pytest.param(COST, [1.0, 1.009], [200.0, 100.0], 1, id="as cheap, and faster"),
        pytest.param(COST, [1.0, 1.02], [200.0, 100.0], 0, id="faster, but dearer"),
        pytest.param(COST, [1.0, 1.009], [100.0, 200.0], 0, id="as cheap, and slower"),
        pytest.param(Goal("speed"), [2.0, 1.0], [100.0, 100.9], 1, id="as fast, and cheaper"),
        pytest.param(Goal("speed"), [2.0, 1.0], [100.0, 102.0], 0, id="cheaper, but slower"),
        pytest.param(Goal("balanced", 0.5), [1.0, 2.0], [200.0, 99.0], 1, id="balanced"),
        pytest.param(Goal("balanced", 1.0), [1.0, 2.0], [200.0, 99.0], 0, id="all on cost"),
        pytest.param(Goal("knee"), [1.0, 1.05], [200.0, 100.0], 1, id="the knee"),
        pytest.param(Goal("knee"), [1.0, 2.1], [200.0, 100.0], 0, id="speed gets dear"),
    ],
)
def test_among_sizes_that_are_as_good_the_other_quality_decides(
    goal: Goal, cost: list[float], duration: list[float], expected: int
) -> None:
    assert choose(goal, np.array([cost] * 3), np.array([duration] * 3)) == expected


def test_what_counts_as_equal_is_what_nobody_would_act_on() -> None:
    assert EQUAL_SHARE == 0.01


def test_only_allowed_sizes_are_taken_and_all_sizes_are_what_they_are_held_against() -> None:
    cost = draws([1.0, 1.0], [1.2, 1.3], [1.3, 1.25])
    duration = np.ones_like(cost)

    assert choose(COST, cost, duration, allowed=[1, 2]) == 1
    assert choose(COST, cost, duration, allowed=[2]) == 2


@pytest.mark.parametrize("objective", ["cost", "speed", "balanced", "knee"])
def test_of_one_size_that_one_is_taken(objective: str) -> None:
    one = np.array([[3.0], [4.0]])

    assert choose(Goal(objective), one, one) == 0  # type: ignore[arg-type] # names of a table
