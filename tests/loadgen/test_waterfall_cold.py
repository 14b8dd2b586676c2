"""Cold starts: counted where REPORT lines tell of them, and unknown where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.waterfall.cold import cold_starts_of
from tests.loadgen.made_traces import CHOICE, Truth, made, many


def test_cold_starts_have_a_share_and_a_price_at_p99():
    found = cold_starts_of(*made([*many(950), *many(50, Truth(init=300.0))]), CHOICE)
    assert found is not None
    assert (found.requests, found.cold, found.share) == (1000, 50, 0.05)
    assert found.init_ms is not None
    assert found.init_ms.p50 == pytest.approx(300.0)
    assert found.with_ms.p99 == pytest.approx(343.0)
    assert found.without_ms is not None
    assert found.without_ms.p99 == pytest.approx(43.0)
    assert found.p99_cost_ms == pytest.approx(300.0)


def test_without_report_lines_nothing_is_known():
    assert cold_starts_of(*made(many(5, Truth(reported=False))), CHOICE) is None
    assert cold_starts_of(*made([]), CHOICE) is None


def test_they_stand_by_minute_of_the_whole_run_and_by_measured_step():
    cold = Truth(init=100.0)
    truths = [
        *many(10, Truth(init=100.0, phase=1)),  # a warm-up
        Truth(at_s=61.0),
        Truth(at_s=62.0, step=1, init=100.0),
        Truth(at_s=190.0, step=1),
        Truth(at_s=191.0, step=1, reported=False),
        cold,
    ]
    found = cold_starts_of(*made(truths), CHOICE)
    assert found is not None
    assert [(one.minute, one.requests, one.cold) for one in found.minutes] == [
        (0, 11, 11),
        (1, 2, 1),
        (3, 1, 0),
    ]
    assert [(one.step, one.requests, one.cold) for one in found.steps] == [
        ("GET /items", 2, 1),
        ("POST /orders", 2, 1),
    ]
    assert (found.completed, found.requests) == (5, 4)


@pytest.mark.parametrize(("logged", "elsewhere"), [(None, None), (2, 0), (9, 7), (1, 0)])
def test_cold_starts_that_no_answered_request_met_are_counted_apart(logged, elsewhere):
    found = cold_starts_of(*made([*many(8), *many(2, Truth(init=9.0))]), CHOICE, logged)
    assert found is not None
    assert found.elsewhere == elsewhere


def test_all_cold_leaves_nothing_to_compare_with():
    found = cold_starts_of(*made(many(3, Truth(init=9.0))), CHOICE)
    assert found is not None
    assert (found.without_ms, found.p99_cost_ms) == (None, None)


def test_a_restore_is_a_cold_start():
    found = cold_starts_of(*made([Truth(init=50.0, restored=True), Truth()]), CHOICE)
    assert found is not None
    assert (found.cold, found.restored) == (1, 1)


def test_an_init_that_no_request_waited_for_is_told():
    records, traces = made([Truth(init=50.0), Truth(), Truth()])
    traces["init_ms"][1] = 900.0  # but its integration took 26 ms
    traces["duration_ms"][2], traces["init_ms"][2] = 5_000.0, 10.0  # given up, and ran on
    found = cold_starts_of(records, traces, CHOICE)
    assert found is not None
    assert (found.cold, found.ahead) == (3, 1)
    assert not np.isnan(found.share)


def test_the_slowest_hundredth_says_how_many_of_it_were_cold():
    found = cold_starts_of(*made([*many(950), *many(50, Truth(init=300.0))]), CHOICE)
    assert found is not None
    assert (found.slowest, found.slowest_cold) == (10, 10)
    warm = cold_starts_of(*made(many(40)), CHOICE)
    assert warm is not None
    assert (warm.slowest, warm.slowest_cold) == (1, 0)


def test_bins_are_equal_few_and_hold_every_report_line():
    truths = [Truth(at_s=float(at), init=9.0 if at < 3 else 0.0) for at in range(130)]
    found = cold_starts_of(*made(truths), CHOICE)
    assert found is not None
    assert {one.to_s - one.from_s for one in found.bins} == {5.0}
    assert (found.bins[0].from_s, found.bins[-1].to_s) == (0.0, 130.0)
    assert sum(one.requests for one in found.bins) == 130
    assert [one.cold for one in found.bins[:2]] == [3, 0]


def test_starts_are_counted_by_how_long_they_took():
    truths = [*many(3, Truth(init=100.0)), *many(2, Truth(init=150.0)), Truth(init=990.0), Truth()]
    found = cold_starts_of(*made(truths), CHOICE)
    assert found is not None
    assert sum(one.count for one in found.init_bins) == 6
    assert [one.count for one in found.init_bins[:3]] == [3, 0, 2]
    for value, one in ((100.0, found.init_bins[0]), (990.0, found.init_bins[-1])):
        assert one.from_ms <= value < one.to_ms
    assert len(found.init_bins) == 16
    warm = cold_starts_of(*made(many(3)), CHOICE)
    assert warm is not None
    assert warm.init_bins == []
