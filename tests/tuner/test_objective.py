"""Objectives: what is refused, and what each of them minimises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tuner.objective import (
    Goal,
    SloLimit,
    check_objective,
    regrets,
    relative_score,
    scores,
)

LIMIT = SloLimit(95, 300)


@pytest.mark.parametrize(
    ("objective", "weight", "slo", "knee_share", "goal"),
    [
        pytest.param(None, None, None, None, Goal("cost"), id="nothing said"),
        pytest.param("cost", None, None, None, Goal("cost"), id="cost"),
        pytest.param("speed", None, None, None, Goal("speed"), id="speed"),
        pytest.param("balanced", None, None, None, Goal("balanced", 0.5), id="balanced"),
        pytest.param("balanced", 0.0, None, None, Goal("balanced", 0.0), id="all on speed"),
        pytest.param(None, None, LIMIT, None, Goal("slo", slo=LIMIT), id="a limit says SLO"),
        pytest.param("cost", None, LIMIT, None, Goal("slo", slo=LIMIT), id="cost within a limit"),
        pytest.param("slo", None, LIMIT, None, Goal("slo", slo=LIMIT), id="SLO"),
        pytest.param(None, None, None, 0.2, Goal("knee", knee_share=0.2), id="a share says knee"),
        pytest.param("knee", None, None, None, Goal("knee", knee_share=0.1), id="knee of 10 %"),
    ],
)
def test_objectives_are_taken(
    objective: str | None,
    weight: float | None,
    slo: SloLimit | None,
    knee_share: float | None,
    goal: Goal,
) -> None:
    assert check_objective(objective, weight, slo, knee_share) == goal


@pytest.mark.parametrize(
    ("objective", "weight", "slo", "knee_share", "message"),
    [
        pytest.param(
            "cheap",
            None,
            None,
            None,
            r"one of cost, speed, balanced, slo, knee \(got 'cheap'\)",
            id="unknown",
        ),
        pytest.param(
            "cost", 0.5, None, None, "only used with --objective balanced", id="weight without use"
        ),
        pytest.param(
            None,
            0.5,
            LIMIT,
            None,
            r"only used .*\(the objective is slo\)",
            id="weight with a limit",
        ),
        pytest.param("balanced", 1.5, None, None, r"--weight: .* share.*\(got 1.5\)", id="above 1"),
        pytest.param("balanced", float("nan"), None, None, "got nan", id="not a number"),
        pytest.param("slo", None, None, None, "expected a limit with --slo", id="SLO, no limit"),
        pytest.param(
            "speed", None, LIMIT, None, r"slo or cost.*\(got 'speed'\)", id="limited speed"
        ),
        pytest.param("speed", None, None, 0.1, "--knee: only used", id="share without use"),
        pytest.param(None, None, LIMIT, 0.1, "--knee: has no meaning with --slo", id="both"),
    ],
)
def test_wrong_objectives_are_named(
    objective: str | None,
    weight: float | None,
    slo: SloLimit | None,
    knee_share: float | None,
    message: str,
) -> None:
    with pytest.raises(InputError, match=message):
        check_objective(objective, weight, slo, knee_share)


@given(
    weight=st.floats(0, 1),
    unit=st.floats(1e-3, 1e3),
    cost=st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)),
    duration=st.tuples(st.floats(0.1, 1e5), st.floats(0.1, 1e5)),
)
def test_balance_does_not_depend_on_units_or_on_other_sizes(
    weight: float, unit: float, cost: tuple[float, float], duration: tuple[float, float]
) -> None:
    goal = Goal("balanced", weight)
    costs, durations = np.array(cost), np.array(duration)
    plain = scores(goal, costs, durations)
    scaled = scores(goal, costs * unit, durations)

    assert plain[1] / plain[0] == pytest.approx(scaled[1] / scaled[0])


@given(
    weight=st.floats(0, 1),
    size=st.tuples(st.floats(0.01, 100), st.floats(0.1, 1e5)),
    other=st.tuples(st.floats(0.01, 100), st.floats(0.1, 1e5)),
    current=st.tuples(st.floats(0.01, 100), st.floats(0.1, 1e5)),
)
def test_a_score_against_the_current_setting_ranks_as_the_plain_score(
    weight: float,
    size: tuple[float, float],
    other: tuple[float, float],
    current: tuple[float, float],
) -> None:
    goal = Goal("balanced", weight)
    plain = scores(goal, np.array([size[0], other[0]]), np.array([size[1], other[1]]))

    relative = [relative_score(goal, *pair, *current) for pair in (size, other)]

    assert relative_score(goal, *current, *current) == pytest.approx(1)
    assert relative[1] / relative[0] == pytest.approx(plain[1] / plain[0])


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        pytest.param(Goal("cost"), [0, 1, 3], id="cost"),
        pytest.param(Goal("slo", slo=LIMIT), [0, 1, 3], id="SLO: as cost"),
        pytest.param(Goal("speed"), [15, 3, 0], id="speed"),
        pytest.param(Goal("balanced", 0.5), [1, 2**0.5 - 1, 0], id="balanced"),
        pytest.param(Goal("knee", knee_share=0.1), [1, 2**0.5 - 1, 0], id="knee: both alike"),
        pytest.param(
            Goal("knee", knee_share=4.0), [2**0.5 - 1, 0, 2**0.5 - 1], id="knee: on either side"
        ),
    ],
)
def test_regret_is_by_how_much_each_draw_has_a_better_size(
    goal: Goal, expected: list[float]
) -> None:
    cost, duration = np.array([1.0, 2.0, 4.0]), np.array([1600.0, 400.0, 100.0])

    found = regrets(goal, np.stack([cost, cost * 3]), np.stack([duration, duration / 7]))

    assert found == pytest.approx(np.array([expected, expected]))
