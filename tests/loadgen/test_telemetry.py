"""Telemetry of a run against the sandbox, where all that AWS could say is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from core.aws.function_metrics import CallsOf
from core.aws.gateway import AccessLog
from core.aws.session import AwsSession, LocalAccess
from loadgen.evidence import Waiting
from loadgen.outcome import Outcome
from loadgen.records import Records
from loadgen.steps import step_infos
from loadgen.target import resolve
from loadgen.telemetry.client import ClientCounts
from loadgen.telemetry.gather import RunSeen, Telemetry, Wanted, gather_telemetry, warnings_of
from loadgen.telemetry.subject import CalledFunction, Subject, read_subject
from loadgen.telemetry.traces import TIMES
from loadgen.telemetry.view import telemetry_lines
from reports.figures import SPACE
from reports.load_telemetry import LogMatch
from sandbox.admin_client import AdminClient
from tests.loadgen.shop import Caller, canned_aws, profile_of

QUICK, PLAIN = 0, 1
CALLS = {QUICK: 12, PLAIN: 4}
METRICS, LOGS = Wanted(), Wanted(metrics=False, logs=True)


@dataclass
class Made:
    """A run that is over, and what AWS is asked about."""

    subject: Subject
    records: Records
    started_s: float
    ended_s: float

    def seen(self, records: Records | None = None, *, unanswered: int = 0) -> RunSeen:
        """The run as a client saw it that has only these records."""
        chosen = self.records if records is None else records
        ok = chosen[chosen["kind"] >> 12 == Outcome.OK]
        return RunSeen(
            ClientCounts(
                len(chosen),
                unanswered,
                {0: len(chosen)},
                dict(enumerate(np.bincount(ok["step"]).tolist())),
                dict(enumerate(np.bincount(chosen["step"]).tolist())),
                steps_known=True,
            ),
            chosen,
            self.started_s,
            self.ended_s,
        )


@pytest.fixture(scope="module")
def made(shop: AwsSession) -> Made:
    """Twelve calls of a function, of which the first is cold, and four that no function answers."""
    profile = profile_of({"api": {"name": "still"}}, {"get": "/quick"}, {"get": "/plain"})
    resolved = resolve(profile, shop)
    caller = Caller(resolved.base_url, profile)
    for step, times in CALLS.items():
        caller.call(step, times=times)
    assert resolved.api is not None
    records = caller.records
    ended_s = caller.started_unix_s + float(records["start_us"].max()) / 1e6
    subject = read_subject(shop, resolved.api, step_infos(profile))
    return Made(subject, records, caller.started_unix_s, ended_s)


class Clock:
    """Time that passes only while somebody waits; `then` happens at the first wait."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.now_s, self._then = 0.0, then

    def sleep(self, length_s: float) -> None:
        self.now_s += length_s
        self._then()

    def gather(
        self,
        session: AwsSession,
        run: RunSeen,
        subject: Subject,
        wanted: Wanted,
        *,
        after_s: float = 1.0,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Telemetry:
        """Telemetry that is gathered so long after the end of the run."""
        return gather_telemetry(
            subject,
            run,
            session,
            wanted,
            lambda _: None,
            now_s=run.ended_s + after_s,
            waiting=Waiting(sleep=self.sleep, clock=lambda: self.now_s),
            stopped=stopped,
        )


def gathered(session: AwsSession, made: Made, wanted: Wanted, run: RunSeen | None = None) -> Any:
    return Clock().gather(session, run or made.seen(), made.subject, wanted)


@contextmanager
def fault(access: LocalAccess, **settings: object) -> Iterator[Callable[[], object]]:
    """A fault of the sandbox, and what ends it."""
    admin = AdminClient(access.endpoint_url)
    number = admin.add_fault(settings)["id"]
    active = True

    def end() -> None:
        nonlocal active
        if active:
            active = False
            admin.clear_faults(number)

    try:
        yield end
    finally:
        end()


# -- metrics --------------------------------------------------------------------------------------


def test_metrics_that_cover_a_run_are_its_own(shop: AwsSession, made: Made) -> None:
    part = gathered(shop, made, METRICS).part

    assert part.coverage.model_dump() == {
        "state": "covered",
        "answered": 16,
        "unanswered": 0,
        "counted": 16,
        "covered_share": 1.0,
        "settled": False,
    }
    assert (part.gateway.client_errors, part.gateway.server_errors) == (0, 0)
    assert part.gateway.latency_ms.n == 16
    assert part.gateway.integration_ms.p50 <= part.gateway.latency_ms.p99
    assert sum(minute.count for minute in part.gateway.minutes) == 16
    (function,) = part.functions
    assert (function.function, function.steps) == ("quick", ["GET /quick"])
    assert (function.state, function.invocations, function.errors) == ("covered", 12, 0)
    assert function.concurrency == 1
    assert function.duration_ms.p50 == pytest.approx(8, rel=0.2)
    assert (part.notes, part.waited_s) == ([], 0)


def test_late_metrics_are_waited_for(
    shop: AwsSession, shop_access: LocalAccess, made: Made
) -> None:
    with fault(shop_access, kind="late-metrics", delay_s=3600) as end:
        part = Clock(then=end).gather(shop, made.seen(), made.subject, METRICS).part

    assert (part.coverage.state, part.waited_s) == ("covered", 2.0)


def test_metrics_that_stay_late_tell_nothing(
    shop: AwsSession, shop_access: LocalAccess, made: Made
) -> None:
    with fault(shop_access, kind="late-metrics", delay_s=3600):
        found = gathered(shop, made, METRICS)

    part = found.part
    assert (part.coverage.state, part.coverage.counted, part.waited_s) == ("late", 0, 10.0)
    assert part.gateway.latency_ms is part.gateway.client_errors is None
    assert part.functions[0].invocations is part.functions[0].duration_ms is None
    (note,) = part.notes
    assert note.startswith("the metrics lag: CloudWatch counts 0 of 16 answered requests so far")
    assert warnings_of(part) == []


def test_who_stops_does_not_wait_any_more(
    shop: AwsSession, shop_access: LocalAccess, made: Made
) -> None:
    clock = Clock()
    with fault(shop_access, kind="late-metrics", delay_s=3600):
        part = clock.gather(
            shop, made.seen(), made.subject, METRICS, stopped=lambda: clock.now_s >= 4
        ).part

    assert (part.coverage.state, part.waited_s) == ("late", 4.0)


def test_requests_of_others_are_not_taken_for_those_of_the_run(
    shop: AwsSession, made: Made
) -> None:
    part = gathered(shop, made, METRICS, made.seen(made.records[::2])).part

    assert (part.coverage.state, part.coverage.counted) == ("shared", 16)
    assert part.gateway.latency_ms is None
    assert part.functions[0].state == "shared"
    assert "8 more requests than the run sent" in part.notes[0]
    assert "6 more invocations than the run caused" in part.notes[1]


def test_requests_without_an_answer_may_be_counted(shop: AwsSession, made: Made) -> None:
    part = gathered(shop, made, METRICS, made.seen(made.records[:8], unanswered=8)).part

    assert part.coverage.state == "covered"


def test_a_settled_count_that_lacks_requests_makes_a_run_doubtful(
    shop: AwsSession, made: Made
) -> None:
    more = made.seen(np.concatenate([made.records, made.records[-4:]]))

    part = Clock().gather(shop, more, made.subject, METRICS, after_s=700).part

    assert (part.coverage.state, part.coverage.covered_share, part.waited_s) == ("fewer", 0.8, 0)
    (warning,) = warnings_of(part)
    assert warning.startswith("20 requests were answered, but CloudWatch counts only 16")


def test_no_count_at_all_after_ten_minutes_is_not_late(shop: AwsSession, made: Made) -> None:
    other = replace(made.subject, api=replace(made.subject.api, name="nobody"))

    part = Clock().gather(shop, made.seen(), other, METRICS, after_s=700).part

    assert (part.coverage.state, part.gateway.minutes) == ("none", [])
    assert "its metrics are switched off" in part.notes[0]


def test_without_permission_everything_is_unknown(made: Made) -> None:
    with canned_aws(lambda *_: (403, {"__type": "AccessDeniedException", "message": "no"})) as aws:
        found = gathered(aws, made, Wanted(logs=True))

    part = found.part
    assert (part.coverage.state, part.coverage.counted, part.gateway) == ("unknown", None, None)
    assert part.functions[0].state == "unknown"
    assert [match.matched for match in part.logs] == [0, 0]
    assert all("could not be read" in match.why for match in part.logs)
    assert any(note.startswith("metrics could not be read: ") for note in part.notes)
    assert all(np.isnan(found.traces[name]).all() for name in TIMES)


def test_versions_behind_a_weighted_alias_are_told_apart(shop: AwsSession, made: Made) -> None:
    aws: Any = shop.control_lambda()
    aws.publish_version(FunctionName="late")
    aws.update_function_configuration(FunctionName="late", Description="another version")
    updated = aws.get_waiter("function_updated_v2")
    updated.wait(FunctionName="late", WaiterConfig={"Delay": 0.02, "MaxAttempts": 250})
    aws.publish_version(FunctionName="late")
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    alias = aws.create_alias(
        FunctionName="late", Name="split", FunctionVersion="1", RoutingConfig=weights
    )
    aws.invoke(FunctionName=alias["AliasArn"])
    calls = CalledFunction(CallsOf("late", "split"), (QUICK,))
    run = made.seen(made.records[:1])

    part = Clock().gather(shop, run, replace(made.subject, functions=(calls,)), METRICS).part

    (function,) = part.functions
    assert (function.state, function.invocations) == ("covered", 1)
    assert [version.version for version in function.versions] == ["1", "2"]
    assert sum(version.invocations or 0 for version in function.versions) == 1


# -- logs -----------------------------------------------------------------------------------------


def test_every_request_is_joined_with_its_lines(shop: AwsSession, made: Made) -> None:
    found = gathered(shop, made, LOGS)

    traces = found.traces
    called = made.records["step"] == QUICK
    assert traces["has_log"].all()
    assert (traces["has_report"] == called).all()
    assert found.part.logs == [
        LogMatch(source="access_log", wanted=16, matched=16, matched_share=1.0, lines=16),
        LogMatch(source="reports", wanted=12, matched=12, matched_share=1.0, lines=12),
    ]
    # The client waited longer than the gateway took; the log has whole milliseconds.
    assert (traces["latency_ms"] <= made.records["service_us"] / 1000 + 1).all()
    assert (traces["integration_ms"] <= traces["latency_ms"])[called].all()
    assert (traces["duration_ms"][called] <= traces["integration_ms"][called] + 1).all()
    assert traces["duration_ms"][called].tolist() == pytest.approx([8.0] * 12, rel=0.3)
    assert np.flatnonzero(traces["init_ms"] > 0).tolist() == [0]
    assert set(traces["version"][called].tolist()) == {b"$LATEST"}
    assert np.isnan(traces["authorizer_ms"]).all()
    (function,) = found.part.functions
    assert (function.reports.lines, function.reports.cold) == (12, 1)


def test_late_lines_are_waited_for(shop: AwsSession, shop_access: LocalAccess, made: Made) -> None:
    with fault(shop_access, kind="late-logs", delay_s=3600) as end:
        found = Clock(then=end).gather(shop, made.seen(), made.subject, LOGS)

    assert (found.part.logs[1].matched_share, found.part.waited_s) == (1.0, 2.0)


def test_lines_that_do_not_come_are_said_to_be_missing(
    shop: AwsSession, shop_access: LocalAccess, made: Made
) -> None:
    with fault(shop_access, kind="late-logs", delay_s=3600):
        part = gathered(shop, made, LOGS).part

    assert [match.matched_share for match in part.logs] == [0.0, None]
    assert "loadgen collect looks again" in part.logs[0].why
    assert part.functions[0].reports is None


def test_what_was_found_before_is_kept(
    shop: AwsSession, shop_access: LocalAccess, made: Made
) -> None:
    first = gathered(shop, made, LOGS)
    with fault(shop_access, kind="late-logs", delay_s=3600):
        again = gathered(shop, made, LOGS, replace(made.seen(), before=first.traces))

    assert again.traces.tobytes() == first.traces.tobytes()
    assert again.part.logs[1].matched_share == 1.0


@pytest.mark.parametrize(
    ("log", "why", "reports"),
    [
        pytest.param(None, "stage prod has no access log", 0, id="no log"),
        pytest.param(AccessLog(None, "x"), "goes to Firehose", 0, id="elsewhere"),
        pytest.param(AccessLog("/x", "$context.status"), "has no $context.requestId", 0, id="ids"),
    ],
)
def test_without_an_access_log_there_are_totals_only(
    shop: AwsSession, made: Made, log: AccessLog | None, why: str, reports: int
) -> None:
    stage = made.subject.stage
    assert stage is not None
    bare = replace(
        made.subject, api=replace(made.subject.api, settings=replace(stage, access_log=log))
    )

    found = Clock().gather(shop, made.seen(), bare, LOGS)

    access, of_functions = found.part.logs
    assert why in access.why
    assert (of_functions.matched, of_functions.lines) == (reports, 12)
    assert "$context.integration.requestId" in of_functions.why
    assert found.part.functions[0].reports is not None
    assert found.traces is not None
    assert not found.traces["has_report"].any()


def test_a_sample_is_looked_up_where_there_are_too_many(shop: AwsSession, made: Made) -> None:
    many = np.concatenate([made.records] * 3)
    many["start_us"] += np.repeat(np.arange(3) * 100_000_000, len(made.records)).astype(np.int64)
    run = replace(made.seen(), records=many)

    found = gathered(shop, made, replace(LOGS, most_requests=10), run)

    assert found.part.sampled_share == pytest.approx(10 / 48)
    assert found.part.logs[0].wanted == 10
    assert int(found.traces["has_log"].sum()) <= 10


def test_without_records_logs_cannot_be_joined(shop: AwsSession, made: Made) -> None:
    found = gathered(shop, made, LOGS, replace(made.seen(), records=None))

    assert found.traces is None
    assert found.part.notes == ["logs are joined with records, and none were kept"]


# -- words ----------------------------------------------------------------------------------------


def test_the_block_on_the_terminal_is_short(shop: AwsSession, made: Made) -> None:
    more = CalledFunction(CallsOf("other", "live"), (PLAIN,))
    subject = replace(made.subject, functions=(*made.subject.functions, more, more))
    part = Clock().gather(shop, made.seen(), subject, Wanted(logs=True)).part

    lines = telemetry_lines(part)

    assert lines[0] == "CloudWatch counts 16 requests, as the run does"
    assert "  other:live: not all calls are published yet" in lines
    assert lines[-2] == f"access log: 16 of 16 found (100{SPACE}%)"
    assert lines[-1] == f"REPORT lines: 12 of 12 found (100{SPACE}%)"
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 80
