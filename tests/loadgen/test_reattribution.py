"""What is learned after a run moves its requests: as if they had been known from the beginning."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.histogram import Histogram
from loadgen.messages import Cell, Frame, PhaseCount
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.reattribution import reattribute
from loadgen.records import RECORD, Records
from loadgen.schedule import plan_phases
from loadgen.steps import step_infos
from loadgen.tally import Tally
from tests.loadgen.made_runs import profile_of

PROFILE = profile_of(
    {"name": "warm-up", "duration": "2s", "rate": 5, "measure": False},
    {"name": "hold", "duration": "3s", "rate": 5},
)
THROTTLE = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE)
STAGE = Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.CONFIGURATION)
BROKEN = Kind(Outcome.SERVER_ERROR, Cause.UNKNOWN, Evidence.WIRE)
LAMBDA = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.ACCESS_LOG)
LOST = Kind(Outcome.CONNECTION_ERROR, Cause.RESET, Evidence.WIRE)
KINDS = (OK, THROTTLE, STAGE, BROKEN, LAMBDA, LOST)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it was taken for at first."""

    intended_us: int
    kind: Kind
    step: int = 0
    lag_us: int = 100
    service_us: int = 20_000
    first_byte_us: int = 19_000  # 0: none came

    @property
    def second(self) -> int:
        return self.intended_us // 1_000_000

    @property
    def phase(self) -> int:
        return int(self.second >= 2)

    @property
    def row(self) -> tuple[int | bytes, ...]:
        """As the records have it."""
        start_us = self.intended_us + self.lag_us
        times = (self.intended_us, start_us, self.service_us, self.first_byte_us, 0, 0)
        status = 0 if self.kind is LOST else 200
        return (*times, 100, status, self.kind.code, self.phase, self.step, b"", 0, 0, 1)


def records_of(requests: Sequence[Request]) -> Records:
    return np.array([request.row for request in requests], RECORD)


def tally_of(requests: Sequence[Request], kinds: Sequence[Kind]) -> Tally:
    """The books of these requests when each has the kind that is given for it."""
    tally = Tally(plan_phases(PROFILE), step_infos(PROFILE))
    cells = []
    of_cell = sorted(
        zip(requests, kinds, strict=True), key=lambda pair: (place(pair[0]), pair[1].code)
    )
    for (where, code), group in itertools.groupby(
        of_cell, key=lambda pair: (place(pair[0]), pair[1].code)
    ):
        same = [request for request, _ in group]
        second, phase, step = where
        cells.append(
            Cell(
                second,
                phase,
                step,
                code,
                count=len(same),
                bytes_in=100 * len(same),
                response=Histogram.of([one.lag_us + one.service_us for one in same]).encode(),
                service=Histogram.of([one.service_us for one in same]).encode(),
                first_byte=Histogram.of(
                    [one.first_byte_us for one in same if one.first_byte_us]
                ).encode(),
            )
        )
    counts = [PhaseCount(one.second, one.phase, 1, 0, 1) for one in requests]
    tally.add(Frame(0, 0, 5_000_000, cells, counts, 0, 0, 0.1, ""))
    return tally


def place(request: Request) -> tuple[int, int, int]:
    return request.second, request.phase, request.step


def codes(kinds: Sequence[Kind]) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    return np.array([kind.code for kind in kinds], np.uint16)


def learn(requests: Sequence[Request], kinds: Sequence[Kind]) -> tuple[Tally, int]:
    """The books after it became known that the requests are of these kinds."""
    tally = tally_of(requests, [request.kind for request in requests])
    return tally, reattribute(tally, records_of(requests), codes(kinds))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    answered = draw(st.booleans())
    return Request(
        intended_us=draw(st.integers(0, 4_999_999)),
        kind=draw(st.sampled_from(KINDS)),
        step=draw(st.integers(0, 1)),
        lag_us=draw(st.integers(0, 5_000)),
        service_us=draw(st.integers(1_000, 3_000_000)),
        first_byte_us=draw(st.integers(1, 1_000)) if answered else 0,
    )


@given(st.lists(st.tuples(requests(), st.sampled_from(KINDS)), min_size=1, max_size=30))
def test_books_are_as_if_it_had_been_known_at_once(pairs: list[tuple[Request, Kind]]) -> None:
    made = [request for request, _ in pairs]
    kinds = [kind for _, kind in pairs]

    tally, moved = learn(made, kinds)

    expected = tally_of(made, kinds)
    assert moved == sum(request.kind != kind for request, kind in pairs)
    for phases, step, seconds in itertools.product(
        ([0], [1], [0, 1]), (None, 0, 1), (None, range(2, 4))
    ):
        found = tally.totals(phases, step, seconds)
        right = expected.totals(phases, step, seconds)
        assert found.counts == right.counts
        assert found.outcomes == right.outcomes
        for name in ("response", "ok_response", "service", "first_byte"):
            assert_same(getattr(found, name), getattr(right, name))
        assert (found.offered, found.sent, found.completed) == (
            right.offered,
            right.sent,
            right.completed,
        )


def assert_same(found: Histogram, right: Histogram) -> None:
    """The same values, to the resolution of histograms (extremes of a part may be lost)."""
    assert [part.tolist() for part in found.slots_and_counts()] == [
        part.tolist() for part in right.slots_and_counts()
    ]
    for q in (50, 95):
        assert found.percentile(q) == pytest.approx(right.percentile(q), rel=0.001)


def test_a_server_error_that_was_a_throttle_moves_with_its_latency() -> None:
    made = [
        Request(2_100_000, OK, service_us=10_000),
        Request(2_200_000, BROKEN, service_us=500_000),
        Request(2_300_000, BROKEN, service_us=700_000),
    ]

    tally, moved = learn(made, [OK, LAMBDA, BROKEN])

    totals = tally.totals()
    assert moved == 1
    assert totals.counts == {OK.code: 1, LAMBDA.code: 1, BROKEN.code: 1}
    assert totals.ok_response.max_us == 10_100
    assert totals.admitted == 2
    assert tally.second_rows()[2].throttled == {"lambda_concurrency": 1}


def test_another_cause_alone_leaves_latencies_where_they_are() -> None:
    made = [Request(2_100_000, THROTTLE), Request(2_200_000, THROTTLE)]
    before = tally_of(made, [THROTTLE, THROTTLE]).totals().response

    tally, moved = learn(made, [STAGE, THROTTLE])

    assert moved == 1
    assert tally.totals().counts == {STAGE.code: 1, THROTTLE.code: 1}
    assert tally.totals().response == before


def test_nothing_learned_is_nothing_moved() -> None:
    made = [Request(2_100_000, OK), Request(2_200_000, BROKEN)]

    tally, moved = learn(made, [OK, BROKEN])

    assert moved == 0
    assert tally.totals().counts == {OK.code: 1, BROKEN.code: 1}


def test_records_that_no_frame_counted_are_not_moved_into_the_books() -> None:
    """An injector that was killed had written them, but not told of them."""
    counted = [Request(2_100_000, THROTTLE)]
    untold = [Request(2_200_000, THROTTLE), Request(4_200_000, THROTTLE)]
    tally = tally_of(counted, [THROTTLE])

    moved = reattribute(tally, records_of(counted + untold), codes([STAGE] * 3))

    assert moved == 1
    assert tally.totals().counts == {STAGE.code: 1}
    assert tally.totals().completed == 1


def test_no_records_move_nothing() -> None:
    tally = tally_of([], [])

    assert reattribute(tally, records_of([]), codes([])) == 0
