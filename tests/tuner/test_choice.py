"""Which size is taken, from joint draws."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.choice import choose, equal_share, expected_regret
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


def unsure(first: float, second: float) -> np.ndarray:
    """Two draws of two sizes: each is 4 % dearer in one of them, on top of what it is given."""
    return draws([first, first * 1.04], [second * 1.04, second])


@pytest.mark.parametrize(
    ("goal", "cost", "duration", "expected"),
    [
        pytest.param(COST, unsure(1, 1.004), unsure(200, 100), 1, id="as cheap, and faster"),
        pytest.param(COST, unsure(1, 1.03), unsure(200, 100), 0, id="faster, but dearer"),
        pytest.param(COST, unsure(1, 1.004), unsure(100, 200), 0, id="as cheap, and slower"),
        pytest.param(COST, draws([1.0], [1.005]), draws([200.0], [100.0]), 0, id="surely dearer"),
        pytest.param(COST, draws([1.0], [1.0]), draws([200.0], [100.0]), 1, id="surely the same"),
        pytest.param(Goal("speed"), unsure(2, 1), unsure(100, 100.4), 1, id="as fast, and cheaper"),
        pytest.param(Goal("speed"), unsure(2, 1), unsure(100, 102.5), 1, id="3 % are not felt"),
        pytest.param(
            Goal("speed"), draws([2.0], [1.0]), draws([100.0], [102.9]), 1, id="surely 2.9 % slower"
        ),
        pytest.param(Goal("speed"), unsure(2, 1), unsure(100, 104), 0, id="cheaper, but slower"),
        pytest.param(Goal("speed"), unsure(1, 2), unsure(100, 102.5), 0, id="dearer and slower"),
        pytest.param(Goal("balanced", 0.5), unsure(1, 2), unsure(200, 98), 1, id="balanced"),
        pytest.param(Goal("balanced", 1.0), unsure(1, 2), unsure(200, 98), 0, id="all on cost"),
        pytest.param(Goal("knee"), unsure(1, 1.05), unsure(200, 100), 1, id="the knee"),
        pytest.param(Goal("knee"), unsure(1, 2.3), unsure(200, 100), 0, id="speed gets dear"),
    ],
)
def test_among_sizes_that_are_as_good_the_other_quality_decides(
    goal: Goal, cost: np.ndarray, duration: np.ndarray, expected: int
) -> None:
    assert choose(goal, cost, duration) == expected


@pytest.mark.parametrize(
    ("least", "expected"),
    [(0.0, 0.0), (0.006, 0.0015), (0.02, 0.005), (0.3, 0.01)],
    ids=["known", "thorough", "default", "hardly known"],
)
def test_as_good_is_what_nobody_would_act_on_and_less_where_more_is_known(
    least: float, expected: float
) -> None:
    assert equal_share(least) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("cost", "duration", "expected"),
    [
        pytest.param(unsure(1, 1.02), unsure(200, 100), 1, id="may be as cheap, and is faster"),
        pytest.param(unsure(1, 1.02), unsure(100, 200), 0, id="may be as cheap, but is slower"),
        pytest.param(unsure(1, 1.10), unsure(200, 100), 0, id="faster, but too dear"),
        pytest.param(
            draws([1.0], [1.02]), draws([200.0], [100.0]), 0, id="faster, but surely dearer"
        ),
        pytest.param(unsure(1, 0.9), unsure(200, 300), 1, id="cheaper"),
    ],
)
def test_nobody_is_sent_away_from_a_size_that_may_be_as_good_and_is_better_otherwise(
    cost: np.ndarray, duration: np.ndarray, expected: int
) -> None:
    assert choose(COST, cost, duration, today=1) == expected


def test_todays_size_is_not_taken_where_it_is_not_allowed() -> None:
    assert choose(COST, unsure(1, 1.03), unsure(200, 100), allowed=[0], today=1) == 0


def test_only_allowed_sizes_are_taken_and_all_sizes_are_what_they_are_held_against() -> None:
    cost = draws([1.0, 1.0], [1.2, 1.3], [1.3, 1.25])
    duration = np.ones_like(cost)

    assert choose(COST, cost, duration, allowed=[1, 2]) == 1
    assert choose(COST, cost, duration, allowed=[2]) == 2


@pytest.mark.parametrize("objective", ["cost", "speed", "balanced", "knee"])
def test_of_one_size_that_one_is_taken(objective: str) -> None:
    one = np.array([[3.0], [4.0]])

    assert choose(Goal(objective), one, one) == 0  # type: ignore[arg-type] # names of a table
