"""E-divisive finds steps where they are, and few where there are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.regression.change_points import ChangePoint, change_points


def found_in(y: list[float], **options: float) -> list[ChangePoint]:
    return change_points(y, np.random.default_rng(5), **options)  # type: ignore[arg-type]


def noisy(levels: list[tuple[int, float]], sd: float = 0.03, seed: int = 1) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(x) for count, level in levels for x in level + rng.normal(0, sd, count)]


def test_a_step_is_dated_and_measured() -> None:
    y = noisy([(50, 0.0), (40, math.log(1.10))])

    (change,) = found_in(y)

    assert abs(change.index - 50) <= 1
    assert change.earliest <= 50 <= change.latest
    assert change.interval[0] < 0.10 < change.interval[1]
    assert change.p_value == pytest.approx(1 / 200)


def test_a_bump_that_was_mended_is_two_changes() -> None:
    y = noisy([(40, 0.0), (12, 0.15), (38, 0.0)])

    up, down = found_in(y)

    assert (abs(up.index - 40) <= 1, abs(down.index - 52) <= 1) == (True, True)
    assert up.change_share > 0.1
    assert down.change_share < -0.1


def test_a_bad_night_is_no_change() -> None:
    y = noisy([(60, 0.0)])
    y[30] += 0.5

    assert found_in(y) == []


@pytest.mark.parametrize(
    "y",
    [
        pytest.param([], id="empty"),
        pytest.param([1.0], id="one"),
        pytest.param(
            [0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0, 9.0], id="nine nights, however clear"
        ),
        pytest.param([2.5] * 90, id="constant"),
        pytest.param([0.1 + 0.2, 0.3] * 45, id="constant but for rounding"),
        pytest.param([0.0, 1.0] * 45, id="ties in turns"),
    ],
)
def test_there_is_no_change(y: list[float]) -> None:
    assert found_in(y) == []


@pytest.mark.parametrize(
    ("before", "after"), [(5, 5), (6, 9), (30, 5)], ids=["ten nights", "fifteen", "the last five"]
)
def test_a_step_of_a_series_without_noise_is_exact(before: int, after: int) -> None:
    (change,) = found_in([0.0] * before + [1.0] * after)

    assert change.index == change.earliest == change.latest == before
    assert change.change_share == pytest.approx(math.e - 1)


def test_a_segment_has_five_nights_so_that_newer_steps_wait() -> None:
    assert found_in([0.0] * 30 + [1.0] * 2, p_limit=0.01) == []


def test_the_numbers_of_nights_are_those_that_were_given() -> None:
    y = [0.0] * 10 + [1.0] * 10

    (change,) = change_points(y, np.random.default_rng(1), orders=range(100, 140, 2))

    assert (change.index, change.order) == (10, 120)


def test_the_same_generator_gives_the_same_answer() -> None:
    y = noisy([(40, 0.0), (30, 0.04)], seed=8)

    assert found_in(y) == found_in(y)


def test_false_changes_are_as_rare_as_asked_for() -> None:
    rng = np.random.default_rng(11)
    series = [rng.normal(0, 0.03, 40) for _ in range(120)]

    false = sum(bool(change_points(y.tolist(), rng, p_limit=0.05)) for y in series)

    assert false <= 13  # of 120 at 5 %: 14 and more are as rare as 1 in 200


@pytest.mark.parametrize(
    ("y", "orders", "told"),
    [
        ([math.nan] * 20, None, "finite"),
        ([0.0] * 19 + [math.inf], None, "finite"),
        ([0.0] * 20, range(19), "as many orders"),
    ],
)
def test_what_is_no_series_is_refused(y: list[float], orders: range | None, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        change_points(y, np.random.default_rng(1), orders=orders)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=10, max_size=30))
def test_changes_for_better_and_worse_are_found_alike(y: list[float]) -> None:
    places = [change.index for change in found_in(y, permutations=19)]

    assert all(5 <= place <= len(y) - 5 for place in places)
    assert [change.index for change in found_in([-x for x in y], permutations=19)] == places
