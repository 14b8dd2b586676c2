"""The sizes that an adaptive tuning chooses among."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.limits import MEMORY_MAX_MB, MEMORY_MIN_MB
from tuner.grid import STANDARD_SIZES_MB, USUAL_STEP_RATIO, candidate_sizes

sizes = st.integers(MEMORY_MIN_MB, MEMORY_MAX_MB)


steps = st.sampled_from([USUAL_STEP_RATIO, 1.04])


@given(limits=st.tuples(sizes, sizes).map(sorted), current=st.none() | sizes, step=steps)
def test_candidates_reach_from_limit_to_limit_in_steps_that_miss_little(
    limits: list[int], current: int | None, step: float
) -> None:
    low, high = limits

    found = candidate_sizes(low, high, current, step)

    assert (found[0], found[-1]) == (low, high)
    assert list(found) == sorted(set(found))
    assert all(after <= before * 1.19 for before, after in pairwise(found))
    assert {size for size in STANDARD_SIZES_MB if low <= size <= high} <= set(found)
    assert (current in found) == (current is not None and low <= current <= high)
    assert len(found) <= 60


@given(limits=st.tuples(sizes, sizes).map(sorted), current=st.none() | sizes, step=steps)
def test_no_candidate_is_a_choice_without_a_difference(
    limits: list[int], current: int | None, step: float
) -> None:
    """Only sizes that somebody could ask for by name are nearer than that to another."""
    named = {*limits, *STANDARD_SIZES_MB, current}

    found = candidate_sizes(*limits, current, step)

    for before, after in pairwise(found):
        assert after > before * (1.04 if step > 1.1 else 1.02) or {before, after} <= named


@pytest.mark.parametrize(
    ("low", "high", "current", "expected"),
    [
        pytest.param(512, 512, None, (512,), id="one size"),
        pytest.param(512, 512, 1024, (512,), id="today's is outside"),
        pytest.param(512, 513, None, (512, 513), id="two neighbours"),
        pytest.param(512, 560, 530, (512, 530, 560), id="today's is between"),
        pytest.param(512, 630, None, (512, 568, 630), id="room for one"),
        pytest.param(128, 128, 128, (128,), id="all the same"),
    ],
)
def test_narrow_limits_leave_few(
    low: int, high: int, current: int | None, expected: tuple[int, ...]
) -> None:
    assert candidate_sizes(low, high, current) == expected


def test_the_default_range_has_about_thirty() -> None:
    assert 25 <= len(candidate_sizes(128, 3008, 512)) <= 35


@pytest.mark.parametrize(
    ("low", "high", "usual", "closer"),
    [(128, 3008, 31, 32), (128, 512, 15, 31), (512, 640, 3, 7)],
)
def test_a_closer_look_has_as_many_in_a_narrow_range(
    low: int, high: int, usual: int, closer: int
) -> None:
    assert len(candidate_sizes(low, high)) == usual
    assert len(candidate_sizes(low, high, least_step_ratio=1.04)) == closer
