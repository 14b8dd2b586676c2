"""When page by page counting of a process tree is due, in virtual seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.execution.counting import CountSchedule

LIMIT_MB = 1000.0


def counted(sum_mb: float, counted_mb: float, took_s: float = 0.01) -> CountSchedule:
    """A schedule after one count that ended at second 0.01 by default."""
    schedule = CountSchedule()
    assert schedule.is_due(sum_mb, LIMIT_MB, 0.0)
    schedule.note(sum_mb, counted_mb, 0.0, took_s)
    return schedule


@pytest.mark.parametrize(
    ("sum_mb", "now_s", "is_due"),
    [
        pytest.param(600.0, 0.02, False, id="the pause is not over"),
        pytest.param(600.0, 0.22, True, id="the pause is over: 20 times what it took"),
        pytest.param(1001.0, 0.02, True, id="above the limit for the first time"),
        pytest.param(999.0, 0.02, False, id="grown, and below the limit"),
    ],
)
def test_below_the_limit_counts_are_as_rare_as_they_are_long(sum_mb, now_s, is_due):
    schedule = counted(600.0, 300.0)
    assert schedule.is_due(sum_mb, LIMIT_MB, now_s) == is_due


@pytest.mark.parametrize(
    ("counted_mb", "sum_mb", "is_due"),
    [
        pytest.param(300.0, 3000.0, False, id="shared pages as before"),
        pytest.param(300.0, 3700.0, False, id="what was left may just do"),
        pytest.param(300.0, 3701.0, True, id="grown by more than was left"),
        pytest.param(990.0, 3049.0, False, id="little was left, and it creeps"),
        pytest.param(990.0, 3051.0, True, id="little was left, and it grows"),
    ],
)
def test_above_the_limit_growth_beyond_what_was_left_is_counted_at_once(counted_mb, sum_mb, is_due):
    schedule = counted(3000.0, counted_mb)
    assert schedule.is_due(sum_mb, LIMIT_MB, 0.02) == is_due


@given(st.floats(0.001, 0.1), st.floats(1.0, 5.0))
def test_a_tree_that_stays_as_it_is_takes_at_most_a_twenty_first_of_the_time(took_s, lasts_s):
    schedule = CountSchedule()
    now_s = 0.0
    while now_s < lasts_s:
        if schedule.is_due(3000.0, LIMIT_MB, now_s):
            schedule.note(3000.0, 500.0, now_s, now_s + took_s)
            now_s += took_s
        now_s += 0.005
    # The first count is made at the first look and the last may be cut by the end.
    assert schedule.spent_s <= lasts_s / 21 + 2 * took_s
