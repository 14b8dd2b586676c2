"""Runs told apart by blocks of time, where the truth is known."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reports.block_difference import FEWEST_BLOCKS, Estimate, holm, paired, unpaired
from reports.quantile_bounds import student_above, student_quantile, student_share
from tests.reports.compared_loads import SIGMA, Told, block_levels

PAIRS = 300
BLOCKS = 8
OK = 200


def p95_by_block(step: Told, slower: float, rng: np.random.Generator) -> np.ndarray:
    levels = block_levels(step, BLOCKS, rng)[:, None]
    values = np.sort(levels + log(slower) + SIGMA * rng.normal(size=(BLOCKS, OK)), axis=1)
    return values[:, int(0.95 * OK) - 1]


def shares(step: Told, slower: float, seed: int = 1) -> tuple[float, float]:
    """How many of a hundred intervals hold the truth, and how many exclude no change."""
    rng = np.random.default_rng(seed)
    covered = told = 0
    for _ in range(PAIRS):
        found = paired(p95_by_block(step, 1.0, rng), p95_by_block(step, slower, rng))
        assert found is not None
        low, high = found.interval()
        covered += low <= log(slower) <= high
        told += not low <= 0 <= high
    return covered / PAIRS, told / PAIRS


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Told(), id="independent requests"),
        pytest.param(Told(block_sd=0.04), id="blocks that differ"),
        pytest.param(Told(block_sd=0.04, ramp=2.5), id="a ramp, which cancels"),
    ],
)
def test_equal_runs_are_called_different_no_more_often_than_promised(step):
    covered, alarms = shares(step, 1.0)

    # 95 % were asked for: four standard errors of 300 pairs, and no more.
    assert covered >= 0.95 - 4 * 0.0126
    assert alarms <= 0.05 + 4 * 0.0126


def test_a_slower_run_is_found_and_its_size_is_within_the_interval():
    covered, told = shares(Told(ramp=2.5), 1.2)

    assert covered >= 0.91
    assert told >= 0.9


def test_blocks_that_drift_are_alarms_more_often_which_the_page_on_reports_says():
    _, alarms = shares(Told(block_sd=0.03, alike=0.7), 1.0)

    assert 0.05 < alarms < 0.2


def test_a_rank_test_on_requests_calls_equal_runs_different_far_too_often():
    rng = np.random.default_rng(1)
    drift, alarms = Told(block_sd=0.04), 0
    for _ in range(60):
        first, second = (
            block_levels(drift, BLOCKS, rng)[:, None] + SIGMA * rng.normal(size=(BLOCKS, OK))
            for _ in range(2)
        )
        alarms += stats.mannwhitneyu(first.ravel(), second.ravel()).pvalue < 0.05

    assert alarms / 60 > 0.15


def test_a_ramp_does_not_cancel_between_runs_of_unlike_schedules():
    rng = np.random.default_rng(2)
    ramp = Told(ramp=2.5)
    first, second = (p95_by_block(ramp, 1.0, rng) for _ in range(2))

    alike, apart = paired(first, second), unpaired(first, second)

    assert alike is not None
    assert apart is not None
    assert apart.error > 3 * alike.error


@pytest.mark.parametrize("estimator", [paired, unpaired])
def test_fewer_than_four_blocks_say_nothing(estimator):
    few = np.zeros(FEWEST_BLOCKS - 1)

    assert estimator(few, few) is None
    assert estimator(np.zeros(0), np.zeros(0)) is None


def test_equal_blocks_are_known_no_better_than_histograms_are():
    found = paired(np.ones(8), np.ones(8))

    assert found == Estimate(0.0, 0.0005, 7, 8)
    assert found.p_value == 1.0


def test_neighbours_that_are_alike_widen_an_interval():
    alternating = np.asarray([1.0, -1.0] * 4)
    in_two_halves = np.sort(alternating)

    one, other = (paired(np.zeros(8), values) for values in (alternating, in_two_halves))

    assert one is not None
    assert other is not None
    assert other.error > 2 * one.error


@settings(max_examples=50)
@given(st.floats(0, 50), st.integers(1, 40))
def test_the_share_within_t_is_that_of_students_distribution(t, freedom):
    expected = 1 - 2 * stats.t.sf(t, freedom)

    assert student_share(t, freedom) == pytest.approx(expected, abs=1e-9)
    assert student_above(t, freedom) == pytest.approx(stats.t.sf(t, freedom), abs=1e-9)
    assert student_above(-t, freedom) == pytest.approx(stats.t.sf(-t, freedom), abs=1e-9)


@settings(max_examples=50)
@given(st.floats(0.5, 0.999), st.integers(1, 40))
def test_share_and_quantile_are_inverse(level, freedom):
    assert student_share(student_quantile(level, freedom), freedom) == pytest.approx(level)


def test_holm_multiplies_the_smallest_by_all_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_never_makes_a_p_value_smaller_and_keeps_their_order(p_values):
    adjusted = holm(p_values)

    assert all(before <= after <= 1 for before, after in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    assert [adjusted[index] for index in order] == sorted(adjusted)
