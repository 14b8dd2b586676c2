"""Objectives: what is refused, and what balanced means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tuner.objective import check_objective, log_scores


@pytest.mark.parametrize(
    ("objective", "weight", "checked"),
    [
        ("cost", None, ("cost", None)),
        ("speed", None, ("speed", None)),
        ("balanced", None, ("balanced", 0.5)),
        ("balanced", 0.0, ("balanced", 0.0)),
    ],
)
def test_objectives_are_taken(
    objective: str, weight: float | None, checked: tuple[str, float | None]
) -> None:
    assert check_objective(objective, weight) == checked


@pytest.mark.parametrize(
    ("objective", "weight", "message"),
    [
        pytest.param("cheap", None, r"one of cost, speed, balanced \(got 'cheap'\)", id="unknown"),
        pytest.param("cost", 0.5, "only used with --objective balanced", id="weight without use"),
        pytest.param("balanced", 1.5, r"--weight: expected a share.*\(got 1.5\)", id="above 1"),
        pytest.param("balanced", float("nan"), "got nan", id="not a number"),
    ],
)
def test_wrong_objectives_are_named(objective: str, weight: float | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_objective(objective, weight)


@given(
    weight=st.floats(0, 1),
    unit=st.floats(1e-3, 1e3),
    cost=st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)),
    duration=st.tuples(st.floats(0.1, 1e5), st.floats(0.1, 1e5)),
)
def test_balance_does_not_depend_on_units_or_on_other_sizes(
    weight: float, unit: float, cost: tuple[float, float], duration: tuple[float, float]
) -> None:
    costs, durations = np.array(cost), np.array(duration)
    plain = log_scores("balanced", weight, costs, durations)
    scaled = log_scores("balanced", weight, costs * unit, durations)

    assert plain[1] - plain[0] == pytest.approx(scaled[1] - scaled[0], abs=1e-9)
