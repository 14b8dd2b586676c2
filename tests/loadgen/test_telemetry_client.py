"""What a client knows of a run, from its books and from its result; and what X-Ray adds to logs."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from core.aws.gateway import Stage
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.records import RECORD
from loadgen.target import ApiRef
from loadgen.telemetry.client import ClientCounts, counts_of_document, counts_of_tally
from loadgen.telemetry.sampled_traces import fill_from_xray
from loadgen.telemetry.subject import Subject
from loadgen.telemetry.traces import empty_traces
from tests.core.test_xray import FUNCTION, GATEWAY, SERVICE, XRay, trace
from tests.loadgen.made_runs import Made, Seen, profile_of, tally_of
from tests.loadgen.test_result import HOLD, WARM, document_of

THROTTLED = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE)
TIMED_OUT = Kind(Outcome.TIMEOUT, Cause.RESPONSE_TIMEOUT, Evidence.WIRE)
REFUSED = Kind(Outcome.CONNECTION_ERROR, Cause.REFUSED, Evidence.WIRE)
SEEN = [
    Seen(0, count=8, phase=0),
    Seen(2, count=20, step=0, phase=1),
    Seen(3, count=7, step=1, kind=THROTTLED, phase=1),
    Seen(3, count=3, step=1, kind=TIMED_OUT, phase=1),
    Seen(4, count=2, step=1, kind=REFUSED, phase=1),
]
PROFILE = profile_of(WARM, HOLD)
TALLY = tally_of(PROFILE, Made(SEEN))


def test_answers_are_told_from_what_may_have_been_counted_without_one() -> None:
    counts = counts_of_tally(TALLY)

    assert counts == ClientCounts(
        answered=35,
        unanswered=3,  # timed out; what was refused on the way has not reached anything
        sent_by_second={0: 8, 1: 0, 2: 20, 3: 10, 4: 2},
        ok_by_step={0: 28, 1: 0},
        completed_by_step={0: 28, 1: 12},
        steps_known=True,
    )


def test_a_result_tells_the_same_as_the_books() -> None:
    books, document = counts_of_tally(TALLY), document_of(PROFILE, TALLY)
    records = np.zeros(40, RECORD)
    records["step"][28:] = 1
    records["kind"][28:] = THROTTLED.code

    alone, beside_records = (counts_of_document(document, given) for given in (None, records))

    for counts in (alone, beside_records):
        assert (counts.answered, counts.unanswered) == (books.answered, books.unanswered)
        assert sum(counts.sent_by_second.values()) == sum(books.sent_by_second.values())
    assert beside_records.completed_by_step == books.completed_by_step
    assert beside_records.ok_by_step.get(0) == books.ok_by_step[0] == 28
    # A result has the steps of measured phases only.
    assert (alone.ok_by_step, alone.steps_known) == ({0: 20, 1: 0}, False)


class Traced(XRay):
    """One trace."""

    def get_trace_summaries(self, **asked: Any) -> dict[str, Any]:
        return {"TraceSummaries": [{"Id": "t-1"}]}

    def batch_get_traces(self, *, TraceIds: Any) -> dict[str, Any]:
        return {"Traces": [trace(GATEWAY, SERVICE, FUNCTION)]}


class Refused(XRay):
    """X-Ray that may not be asked."""

    def get_trace_summaries(self, **asked: Any) -> dict[str, Any]:
        raise AwsError("could not list traces: AccessDeniedException", code="AccessDeniedException")


def of_stage(*, traces: bool) -> Subject:
    stage = Stage("prod", None, {}, None, traces=traces)
    return Subject(ApiRef("rest", "id", "shop", "prod", None, settings=stage), (), ())


def filled(client: XRay, *, traced: bool = True) -> tuple[Any, Any]:
    class Session:
        def xray(self) -> XRay:
            return client

    records = np.zeros(2, RECORD)
    records["request_id"] = [b"r-0", b"r-1"]
    traces = empty_traces(2)
    traces["latency_ms"][1] = 251  # as the access log has it
    match = fill_from_xray(
        cast("AwsSession", Session()),
        of_stage(traces=traced),
        records,
        traces,
        {},
        started_s=100,
        ended_s=101,
    )
    return match, traces


def test_a_sampled_trace_fills_in_what_no_log_told() -> None:
    match, traces = filled(Traced())

    assert (match.wanted, match.matched, match.why) == (1, 1, "")
    assert traces["has_xray"].tolist() == [False, True]
    assert traces["latency_ms"][1] == 251
    assert traces["integration_ms"][1] == pytest.approx(230, abs=0.1)
    assert traces["init_ms"][1] == pytest.approx(100, abs=0.1)
    assert np.isnan(traces["duration_ms"][0])


def test_without_traces_nothing_is_asked_or_the_reason_is_told() -> None:
    assert filled(Refused(), traced=False)[0] is None

    match, traces = filled(Refused())

    assert (match.matched_share, match.matched) == (None, 0)
    assert "traces could not be read: could not list traces" in match.why
    assert not traces["has_xray"].any()
