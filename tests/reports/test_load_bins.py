"""Steps for drawing: nothing is lost, nothing is averaged that must not be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.load_bins import MOST_BINS, Peak, bin_width, duration_of, timeline_of
from reports.load_document import PhaseSlice, Second
from tests.reports import load_documents


def second(at: int, **changes) -> Second:
    fields = {"phase": "p", "offered": 9, "admitted": 7, "throttled": {"stage": 2}, "errors": {}}
    return Second(second=at, **(fields | changes))


def run(seconds, to_s=None):
    """A document with these seconds and one phase."""
    empty = load_documents.nothing_at_all()
    phases = []
    if to_s is not None:
        phase = load_documents.one_second().phases[0]
        phases = [PhaseSlice(**(dict(phase) | {"from_s": 0.0, "to_s": to_s}))]
    return empty.model_copy(update={"seconds": seconds, "phases": phases})


def bins_of(document):
    return timeline_of(document).bins


def test_a_run_without_a_second_has_no_step_and_no_peak():
    timeline = timeline_of(run([], 10.0))
    assert (timeline.bins, timeline.offered, timeline.throttled) == ([], None, None)
    assert timeline.step_s == 1


def test_idle_seconds_are_steps_of_nothing():
    steps = bins_of(run([second(0), second(3)], 4.0))
    assert [step.offered_rps for step in steps] == [9, 0, 0, 9]
    assert [step.response_p95_ms for step in steps] == [None] * 4


def test_errors_are_a_part_of_what_was_admitted():
    [step] = bins_of(run([second(0, errors={"timeout": 3, "server_error": 1})], 1.0))
    assert (step.ok_rps, step.failed_rps, step.throttled_rps) == (3, 4, {"stage": 2})


def test_a_step_has_the_percentiles_of_its_worst_second():
    seconds = [
        second(at, response_p50_ms=10.0 * (at == 7) + 1, response_p99_ms=50.0 - at)
        for at in range(600)
    ]
    steps = bins_of(run(seconds, 600.0))
    assert len(steps) == MOST_BINS
    assert steps[3].response_p50_ms == 11
    assert steps[3].response_p99_ms == 44


def test_two_phases_may_share_a_second():
    late = second(0, phase="q", errors={"timeout": 1}, response_p95_ms=40.0, dropped=2)
    timeline = timeline_of(run([second(0, response_p95_ms=30.0), late], 1.0))
    [step] = timeline.bins
    assert (step.offered_rps, step.highest_offered_rps, step.lowest_offered_rps) == (18, 18, 18)
    assert (step.ok_rps, step.failed_rps, step.throttled_rps) == (13, 1, {"stage": 4})
    assert (step.response_p95_ms, step.dropped_rps) == (40, 2)
    assert timeline.throttled == Peak(0, 4)


def test_rows_may_come_in_any_order():
    rows = [second(at, offered=at + 9) for at in (5, 1, 3)]
    assert timeline_of(run(rows, 6.0)) == timeline_of(
        run(sorted(rows, key=lambda r: r.second), 6.0)
    )


def test_a_step_keeps_its_lowest_and_its_highest_second():
    rows = [second(at, offered=20, admitted=18) for at in range(1000)]
    rows[501] = second(501, offered=300, admitted=5, throttled={"stage": 200, "account": 90})
    rows[502] = second(502, offered=4, admitted=4, throttled={}, errors={"timeout": 3})
    timeline = timeline_of(run(rows, 1000.0))
    assert timeline.step_s == 5
    step = timeline.bins[100]
    assert (step.lowest_offered_rps, step.highest_offered_rps) == (4, 300)
    assert (step.highest_throttled_rps, step.highest_failed_rps) == (290, 3)
    assert step.offered_rps == pytest.approx((3 * 20 + 304) / 5)
    assert timeline.offered == Peak(501, 300)
    assert timeline.throttled == Peak(501, 290)
    assert timeline.failed == Peak(502, 3)


def test_a_second_without_a_row_is_the_lowest_and_a_part_of_one_is_not():
    rows = [second(at) for at in range(1001) if at != 700]
    rows[-1] = second(1000, offered=5)
    steps = bins_of(run(rows, 1000.4))
    assert [step.lowest_offered_rps for step in steps if step.from_s == 700] == [0]
    assert steps[-1].lowest_offered_rps == 9
    # 5 in 0.4 s are more than 9 a second.
    assert steps[-1].highest_offered_rps == pytest.approx(50 / 5.4)


def test_the_end_of_a_run_is_no_step_of_its_own_unless_it_is_half_one():
    assert [s.to_s for s in bins_of(run([second(1)], 2.1))] == [1, 2.1]
    assert [s.to_s for s in bins_of(run([second(1)], 2.6))] == [1, 2, 2.6]


@pytest.mark.parametrize(
    ("seconds", "to_s", "duration_s"),
    [([0, 1], 10.0, 10), ([0, 10], 10.0, 11), ([0, 5], None, 6), ([0], 0.2, 0.2), ([], None, 0)],
    ids=["planned", "burst at the end", "no phase", "shorter than a second", "nothing"],
)
def test_a_run_lasts_as_long_as_its_phases_and_its_seconds(seconds, to_s, duration_s):
    assert duration_of(run([second(at) for at in seconds], to_s)) == duration_s


@given(st.floats(min_value=0.001, max_value=1e7))
def test_steps_are_never_too_many(duration_s):
    assert duration_s / bin_width(duration_s) <= MOST_BINS


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 50), st.integers(0, 50)), min_size=1),
    st.integers(0, 6000),
)
def test_every_request_is_in_one_step(found, to_s):
    seconds = [
        second(at, offered=ok + refused, admitted=ok, throttled={"stage": refused})
        for at, ok, refused in found
    ]
    steps = bins_of(run(seconds, float(to_s)))
    for step in steps:
        assert step.lowest_offered_rps <= step.offered_rps <= step.highest_offered_rps
        assert step.highest_throttled_rps >= step.throttled_rps.get("stage", 0)
    counted = sum(step.offered_rps * (step.to_s - step.from_s) for step in steps)
    refused = sum(step.throttled_rps.get("stage", 0) * (step.to_s - step.from_s) for step in steps)
    assert counted == pytest.approx(sum(entry.offered for entry in seconds))
    assert refused == pytest.approx(sum(entry.throttled["stage"] for entry in seconds))
    assert steps[0].from_s == 0
    assert all(one.to_s == other.from_s for one, other in pairwise(steps))
