"""The books of a run: exactly the counts and percentiles of the samples, however they came in."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.histogram import Histogram
from loadgen.messages import Cell, Drained, Failure, Frame, NewSteps, PhaseCount
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.schedule import PhasePlan
from loadgen.steps import StepInfo
from loadgen.tally import Tally

THROTTLED = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE)
BY_STAGE = Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.CONFIGURATION)
BY_LAMBDA = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.ACCESS_LOG)
BROKEN = Kind(Outcome.SERVER_ERROR)
KINDS = (OK, THROTTLED, BY_STAGE, BROKEN)


def plan(index, from_s, to_s, *, measured=True, name=None):
    words = "10 requests/s"
    return PhasePlan(index, name or f"p{index}", "rate", from_s, to_s, measured, 10, 10, words)


# A warm-up, then two phases that count; the border of the latter lies within a second.
PHASES = (plan(0, 0, 2, measured=False), plan(1, 2, 4.5), plan(2, 4.5, 8))
STEPS = tuple(StepInfo(index, "s", f"GET /{index}", "GET", f"/{index}") for index in range(3))


def tally():
    return Tally(PHASES, STEPS)


def cell(second, phase, step, kind, response_us, service_us=None, first_byte_us=()):
    response_us = list(response_us)
    return Cell(
        second,
        phase,
        step,
        kind.code,
        len(response_us),
        10 * len(response_us),
        Histogram.of(response_us).encode(),
        Histogram.of(response_us if service_us is None else service_us).encode(),
        Histogram.of(first_byte_us).encode(),
    )


def frame(cells=(), counts=(), *, injector=0, number=0, at_us=1_000_000, **rest):
    known = {"in_flight": 0, "users": 0, "cpu_share": 0.1, "start_lag": "", **rest}
    return Frame(injector, number, at_us, list(cells), list(counts), **known)


def fed(*frames):
    books = tally()
    for one in frames:
        books.add(one)
    return books


def test_reasons_of_failed_checks_are_added_up_or_refused_with_their_frame():
    reason = Failure(1, 2, "capture id: nothing found", 3)
    books = fed(frame(failures=[reason]), frame(number=1, failures=[reason]))
    assert books.failures == {(1, 2, "capture id: nothing found"): 6}
    for wrong in (replace(reason, phase=9), replace(reason, step=9)):
        with pytest.raises(ValueError, match="has the number"):
            books.add(frame([cell(3, 1, 0, OK, [5])], number=2, failures=[reason, wrong]))
    assert books.failures == {(1, 2, "capture id: nothing found"): 6}
    assert not books.totals().completed


# -- known truth ----------------------------------------------------------------------------------

SAMPLE = st.tuples(
    st.integers(0, 8),  # second
    st.integers(0, 2),  # phase
    st.integers(0, 2),  # step
    st.sampled_from(KINDS),
    st.integers(0, 5_000_000),  # response, us
    st.integers(0, 2),  # injector
    st.integers(0, 3),  # frame
)
SAMPLES = st.lists(SAMPLE, max_size=120)


def frames_of(samples):
    """Frames of three injectors, as if each had measured and reported its part of the samples."""
    for injector in range(3):
        for number in range(4):
            groups = {}
            for *key, response_us, by, reported in samples:
                if (by, reported) == (injector, number):
                    groups.setdefault(tuple(key), []).append(response_us)
            cells = [
                cell(*key, values, [value // 2 for value in values])
                for key, values in groups.items()
            ]
            sent = Counter()
            for (second, phase, _, _), values in groups.items():
                sent[second, phase] += len(values)
            counts = [PhaseCount(*key, n + 1, 1, n) for key, n in sent.items()]
            at_us = (number + 1) * 1_000_000
            yield frame(cells, counts, injector=injector, number=number, at_us=at_us)


def rank(values, percent):
    return sorted(values)[max(math.ceil(round(percent * len(values) / 100, 6)), 1) - 1]


def is_of(histogram, values):
    """Whether a histogram has these values: count and extremes exactly, percentiles by 0.1 %."""
    assert histogram.n == len(values)
    if values:
        assert (histogram.min_us, histogram.max_us) == (min(values), max(values))
        assert histogram.mean_us == pytest.approx(np.mean(values))
        for percent in (50, 90, 95, 99, 99.9, 100):
            truth = rank(values, percent)
            assert truth <= histogram.percentile(percent) <= truth * 1.001


CHOICES = st.tuples(
    st.sampled_from([None, (0, 1, 2), (1,), (2,), ()]),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from([None, range(100), range(2, 5), range(3, 4), range(5, 5), range(-9, 1 << 40)]),
)


@given(SAMPLES, CHOICES, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_every_choice_has_exactly_its_samples(samples, choice, order):
    phases, step, seconds = choice
    frames = list(frames_of(samples))
    order.shuffle(frames)
    totals = fed(*frames).totals(phases, step, seconds)
    chosen = [
        (kind, response_us)
        for second, phase, at_step, kind, response_us, _, _ in samples
        if phase in ((1, 2) if phases is None else phases)
        and (step is None or at_step == step)
        and (seconds is None or second in seconds)
    ]
    assert totals.counts == Counter(kind.code for kind, _ in chosen)
    assert totals.completed == totals.sent == len(chosen)
    assert totals.bytes_in == 10 * len(chosen)
    is_of(totals.response, [us for _, us in chosen])
    is_of(totals.service, [us // 2 for _, us in chosen])
    is_of(totals.ok_response, [us for kind, us in chosen if kind is OK])
    assert totals.first_byte.n == totals.connect.n == totals.tls.n == 0


@given(SAMPLES)
@settings(max_examples=40)
def test_windows_add_up_to_the_whole(samples):
    books = fed(*frames_of(samples))
    whole = books.totals()
    windows = [books.window(range(second, second + 1)) for second in books.seconds]
    assert Histogram.merged(one.response for one in windows) == whole.response
    assert sum((Counter(one.counts) for one in windows), Counter()) == whole.counts
    assert sum(one.offered for one in windows) == whole.offered
    assert sum(one.dropped for one in windows) == whole.dropped


def test_large_samples_split_into_many_frames_keep_their_percentiles():
    rng = np.random.default_rng(7)
    values = rng.lognormal(10.5, 1.0, 60_000).astype(np.int64)
    books = tally()
    for number, part in enumerate(np.array_split(values, 60)):
        books.add(frame([cell(3, 1, 0, OK, part)], number=number))
    is_of(books.totals().response, values.tolist())
    is_of(books.window(range(3, 4)).response, values.tolist())


# -- frames ---------------------------------------------------------------------------------------


def test_a_frame_that_came_already_is_not_counted_again():
    once = frame([cell(2, 1, 0, OK, [5, 6])])
    assert fed(once, once, replace(once, number=1)).totals().completed == 4


@pytest.mark.parametrize(
    "damage",
    [
        {"start_lag": "no histogram"},
        {"cells": [cell(2, 1, 0, OK, [1]), cell(2, 3, 0, OK, [5])]},
        {"cells": [cell(2, 1, 0, OK, [1]), cell(2, 1, 3, OK, [5])]},
        {"cells": [cell(2, 1, 0, OK, [1]), cell(-1, 1, 0, OK, [5])]},
        {"cells": [replace(cell(2, 1, 0, OK, [5]), kind=0xFFFF)]},
        {"cells": [replace(cell(2, 1, 0, OK, [5]), service="AAAA")]},
        {"counts": [PhaseCount(0, 0, 5), PhaseCount(0, 7, 5)]},
    ],
    ids=["lag", "phase", "step", "second", "kind", "histogram", "phase of counts"],
)
def test_nothing_is_counted_of_a_damaged_frame(damage):
    books = tally()
    with pytest.raises(ValueError, match=r"\w"):
        books.add(replace(frame(), **damage))
    assert books.totals(range(3)).completed == books.totals(range(3)).offered == 0
    assert books.frames_missing() == {}
    books.add(frame([cell(2, 1, 0, OK, [5])]))
    assert books.totals().completed == 1


def drained(injector, frames):
    return Drained(injector, frames, 0, 0, 0, 0, 0)


def test_frames_that_never_came_are_known_by_later_ones_and_by_the_last_line():
    books = fed(*(frame(number=number) for number in (0, 1, 4)), frame(injector=1))
    assert books.frames_missing() == {0: [2, 3]}
    books.add(frame(number=2))
    assert books.frames_missing() == {0: [3]}
    books.add_drained(drained(0, 6))
    books.add_drained(drained(1, 1))
    books.add_drained(drained(2, 2))
    assert books.frames_missing() == {0: [3, 5], 2: [0, 1]}


def test_what_injectors_have_now_is_that_of_their_last_frames():
    books = fed(
        frame(injector=0, in_flight=5, users=2, connections=3),
        frame(injector=1, in_flight=7, users=2, connections=3),
        frame(injector=0, number=1, at_us=2_000_000, in_flight=4, users=3, connections=9),
    )
    assert (books.in_flight, books.users, books.connections) == (11, 5, 12)
    assert books.at_us == 1_000_000
    books.add_drained(drained(1, 1))
    assert books.in_flight == 4
    assert books.at_us == 2_000_000


def test_the_state_of_injectors_is_known_whole_and_by_second():
    lags = [Histogram.of([100] * 99).encode(), Histogram.of([9_000]).encode()]
    books = fed(
        frame(at_us=1_000_400, start_lag=lags[0], cpu_share=0.2, in_flight=3),
        frame(number=1, at_us=2_000_300, start_lag=lags[1], cpu_share=0.7, in_flight=4),
        frame(injector=1, at_us=1_000_100, cpu_share=0.4, in_flight=5),
    )
    assert books.start_lag.n == 100
    assert books.start_lag.max_us == 9_000
    assert books.cpu_share == {0: [(1_000_400, 0.2), (2_000_300, 0.7)], 1: [(1_000_100, 0.4)]}
    rows = books.second_rows()
    assert [row.start_lag_p99_ms for row in rows] == [0.1, 9.0]
    assert [row.cpu_share for row in rows] == [0.4, 0.7]
    assert [row.in_flight for row in rows] == [8, 4]


def test_notes_are_kept_once():
    books = fed(frame(notes=["a", "b"]), frame(number=1, notes=["b", "c"]))
    assert books.notes == ["a", "b", "c"]


# -- steps of locustfiles -------------------------------------------------------------------------


def test_requests_of_a_locustfile_are_one_step_whatever_injectors_call_them():
    books = Tally(PHASES, ())
    books.add_steps(NewSteps(0, 0, [["GET", "/a"], ["GET", "/b"]]))
    books.add_steps(NewSteps(1, 0, [["GET", "/b"]]))
    books.add_steps(NewSteps(1, 1, [["POST", "/b"]]))
    for injector in (0, 1):
        cells = [cell(3, 1, 0, OK, [5]), cell(3, 1, 1, OK, [6, 7])]
        books.add(frame(cells, injector=injector))
    assert [(step.index, step.method, step.name) for step in books.steps] == [
        (0, "GET", "/a"), (1, "GET", "/b"), (2, "POST", "/b"),
    ]  # fmt: skip
    assert [books.totals(step=step).completed for step in range(3)] == [1, 3, 2]
    assert books.step_number(1, 0) == 1
    with pytest.raises(ValueError, match="no step of injector 1 has the number 2"):
        books.step_number(1, 2)


# -- totals ---------------------------------------------------------------------------------------


def test_outcomes_are_summed_over_causes_and_a_refused_request_is_not_admitted():
    cells = [cell(3, 1, 0, kind, [5] * n) for n, kind in enumerate(KINDS, 1)]
    totals = fed(frame(cells)).totals()
    assert {outcome: n for outcome, n in totals.outcomes.items() if n} == {
        Outcome.OK: 1, Outcome.THROTTLED: 5, Outcome.SERVER_ERROR: 4,
    }  # fmt: skip
    assert totals.completed == 10
    assert totals.admitted == 5


@pytest.mark.parametrize(
    ("offered", "dropped", "sent", "requests"),
    [(100, 0, 100, 100), (100, 20, 80, 100), (100, 20, 160, 200), (50, 50, 0, 50), (0, 0, 0, 0)],
    ids=["none dropped", "one step", "two steps", "all dropped", "nothing"],
)
def test_dropped_arrivals_count_as_the_requests_they_would_have_sent(
    offered, dropped, sent, requests
):
    totals = fed(frame(counts=[PhaseCount(3, 1, offered, dropped, sent)])).totals()
    assert (totals.offered, totals.dropped, totals.sent) == (offered, dropped, sent)
    assert totals.offered_requests == requests


def test_totals_do_not_change_when_more_comes():
    books = fed(frame([cell(3, 1, 0, OK, [5])]))
    whole, window = books.totals(), books.window(range(2, 9))
    books.add(frame([cell(3, 1, 0, OK, [6])], number=1))
    assert whole.response.n == window.response.n == 1


@pytest.mark.parametrize(
    ("phases", "seconds", "until_us", "length_s"),
    [
        (None, None, None, 6),
        ((0,), None, None, 2),
        ((1,), None, None, 2.5),
        (None, range(4, 6), None, 2),
        ((1,), range(4, 6), None, 0.5),
        ((2,), range(3), None, 0),
        (None, None, 5_000_000, 3),
        (None, range(4, 1 << 40), 5_000_000, 1),
        ((2,), None, 4_000_000, 0),
    ],
)
def test_how_long_what_was_chosen_lasted(phases, seconds, until_us, length_s):
    books = tally()
    books.until_us = until_us
    assert books.length_s(phases, seconds) == pytest.approx(length_s)


# -- rows of seconds ------------------------------------------------------------------------------


def test_a_row_has_what_became_of_its_second():
    books = fed(
        frame(
            [
                cell(2, 1, 0, OK, [10_000] * 8, [9_000] * 8),
                cell(2, 1, 1, THROTTLED, [3_000] * 3),
                cell(2, 1, 1, BY_STAGE, [3_000]),
                cell(2, 1, 2, BROKEN, [70_000], [60_000]),
            ],
            [PhaseCount(2, 1, 15, 2, 13)],
        )
    )
    empty, _, row = books.second_rows()
    assert (row.second, row.phase, row.offered, row.admitted, row.dropped) == (2, "p1", 15, 9, 2)
    assert row.throttled == {"throttle": 3, "stage": 1}
    assert row.errors == {"server_error": 1}
    assert row.response_p50_ms == pytest.approx(10, rel=1e-3)
    assert row.response_p99_ms == 70
    assert row.service_p95_ms == 60
    assert (empty.phase, empty.offered, empty.response_p50_ms) == ("p0", 0, None)


def test_a_second_on_the_border_of_phases_belongs_to_the_one_with_more_arrivals():
    counts = [PhaseCount(4, 1, 3, 0, 3), PhaseCount(4, 2, 4, 0, 4), PhaseCount(5, 2, 1, 0, 1)]
    books = fed(frame(counts=counts))
    assert [row.phase for row in books.second_rows()] == ["p0", "p0", "p1", "p1", "p2", "p2"]
    assert [row.second for row in books.second_rows(range(3, 5))] == [3, 4]


# -- evidence -------------------------------------------------------------------------------------


def ints(*values):
    return np.array(values, np.int64)


NONE = ints()


def books_to_move():
    return fed(
        frame(
            [
                cell(2, 1, 0, OK, [1_000, 2_000], first_byte_us=[900, 1_900]),
                cell(2, 1, 0, BROKEN, [40, 50, 70_000], first_byte_us=[30, 40]),
                cell(2, 1, 0, THROTTLED, [7_000]),
            ]
        )
    )


def test_a_request_moves_with_its_latencies_to_another_outcome():
    books = books_to_move()
    before = books.totals()
    moved = books.move(2, 1, 0, BROKEN.code, BY_LAMBDA.code, ints(40, 50), ints(40, 50), ints(30))
    assert moved == 2
    for after in (books.totals(), books.window(range(2, 3))):
        assert after.counts == {OK.code: 2, BROKEN.code: 1, BY_LAMBDA.code: 2, THROTTLED.code: 1}
        assert after.bytes_in == before.bytes_in
        assert after.response == before.response
        assert after.service == before.service
        assert after.first_byte == before.first_byte
        is_of(after.latencies.of(0, Outcome.THROTTLED), [40, 50, 7_000])
        assert after.latencies.of(0, Outcome.SERVER_ERROR).percentiles((0, 100)) == [70_000] * 2
        is_of(after.latencies.of(2, Outcome.THROTTLED), [30])


def test_a_better_known_cause_moves_counts_alone():
    books = books_to_move()
    assert books.move(2, 1, 0, THROTTLED.code, BY_STAGE.code, ints(7_000), ints(7_000), NONE) == 1
    assert books.totals().counts == {OK.code: 2, BROKEN.code: 3, BY_STAGE.code: 1}
    is_of(books.totals().latencies.of(0, Outcome.THROTTLED), [7_000])


def test_a_record_that_is_rounded_another_way_moves_the_nearest_request():
    books = books_to_move()
    books.move(2, 1, 0, BROKEN.code, BY_LAMBDA.code, ints(41, 49), ints(39, 51), ints(29))
    after = books.totals()
    assert after.latencies.of(0, Outcome.SERVER_ERROR).percentile(50) == 70_000
    assert after.response.n == 6


@pytest.mark.parametrize(
    ("place", "kind", "moved"),
    [
        ((2, 1, 0), BROKEN, 3),
        ((3, 1, 0), BROKEN, 0),
        ((2, 1, 1), BROKEN, 0),
        ((2, 1, 0), BY_STAGE, 0),
    ],
    ids=["too many", "other second", "other step", "other kind"],
)
def test_no_more_is_moved_than_was_counted(place, kind, moved):
    books = books_to_move()
    values = ints(40, 50, 60, 70_000)
    assert books.move(*place, kind.code, BY_LAMBDA.code, values, values, NONE) == moved
    assert books.totals().completed == 6
    assert books.totals().counts.get(BY_LAMBDA.code, 0) == moved


@given(SAMPLES, st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_moved_requests_are_counted_as_if_they_had_been_known_at_once(samples, seed):
    rng = np.random.default_rng(seed)
    learned = [
        (*sample[:3], BY_LAMBDA, *sample[4:])
        if sample[3] is BROKEN and rng.random() < 0.5
        else sample
        for sample in samples
    ]
    books = fed(*frames_of(samples))
    groups = {}
    for before, after in zip(samples, learned, strict=True):
        if before is not after:
            groups.setdefault(before[:3], []).append(before[4])
    for (second, phase, step), values in groups.items():
        us = ints(*values)
        books.move(second, phase, step, BROKEN.code, BY_LAMBDA.code, us, us // 2, NONE)
    truth = fed(*frames_of(learned))
    for seconds in (None, range(2, 6)):
        mine, theirs = books.totals(seconds=seconds), truth.totals(seconds=seconds)
        assert mine.counts == theirs.counts
        assert mine.response == theirs.response
        for outcome in (Outcome.THROTTLED, Outcome.SERVER_ERROR):
            slots = [one.latencies.of(0, outcome).slots_and_counts() for one in (mine, theirs)]
            assert np.array_equal(slots[0], slots[1])
