"""Telemetry of a run that has ended: metrics, logs and traces of its window, waited for once.

Nothing here fails because AWS does not answer or may not be asked: what is not known is said to be
unknown, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.aws.functions import FunctionLog, default_log, function_log
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.evidence import Waiting
from loadgen.records import Records
from loadgen.telemetry.access_lines import LATE, AccessWatch
from loadgen.telemetry.client import ClientCounts
from loadgen.telemetry.coverage import SETTLED_AFTER_S
from loadgen.telemetry.document import telemetry_part
from loadgen.telemetry.metrics import MetricWatch, RunMetrics
from loadgen.telemetry.report_lines import ReportWatch
from loadgen.telemetry.sampled_traces import fill_from_xray
from loadgen.telemetry.sampling import MOST_REQUESTS, sampled_share, slices_of
from loadgen.telemetry.subject import CalledFunction, Subject
from loadgen.telemetry.traces import Traces, empty_traces
from reports.load_telemetry import LoadTelemetry, LogMatch, ReportTotals

_POLL_S = 2.0
_TOLD_FROM_S = 5.0  # waits shorter than this need no word


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read, and for how long what is late is waited for."""

    metrics: bool = True
    logs: bool = False
    settle_s: float = 10.0
    most_requests: int = MOST_REQUESTS


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run as the client saw it; times are Unix times, `records` None where none were kept.

    `before` has what an earlier look at the logs found.
    """

    client: ClientCounts
    records: Records | None
    started_s: float
    ended_s: float
    before: Traces | None = None


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What AWS saw: the document's part, the metrics as they were read, and a trace a record.

    `traces` is None where logs were not asked for, or no records were kept.
    """

    part: LoadTelemetry
    metrics: RunMetrics | None
    traces: Traces | None


def warnings_of(part: LoadTelemetry) -> list[str]:
    """What of it makes the measurement doubtful."""
    coverage = part.coverage
    if coverage.state != "fewer" or coverage.counted is None:
        return []
    words = (
        f"{coverage.answered:,} requests were answered, but CloudWatch counts only "
        f"{coverage.counted:,}: something before the API answers, or another API does"
    )
    return [words]


class _Watch(Protocol):
    """Something that may come late."""

    waits: bool

    def look(self, now_s: float) -> None:
        """Reads what is there at a Unix time."""
        ...


def gather_telemetry(
    subject: Subject,
    run: RunSeen,
    session: AwsSession,
    wanted: Wanted,
    say: Callable[[str], None],
    *,
    now_s: float,
    waiting: Waiting | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Telemetry:
    """Reads what is wanted; `now_s` is the Unix time at which it begins.

    Waits for what is late until `wanted.settle_s` after that, no longer than needed, and not at all
    once `stopped` says that somebody wants to leave.
    """
    clock = _Clock(waiting or Waiting(), now_s, wanted.settle_s, say, stopped)
    metrics = None
    if wanted.metrics:
        metrics = MetricWatch(session, subject, run.client, run.started_s, run.ended_s)
    logs = _Logs(session, subject, run, wanted.most_requests) if wanted.logs else None
    watches: list[_Watch] = [*(logs.watches if logs else ()), *([metrics] if metrics else ())]
    clock.wait_for(watches)
    found = metrics.result() if metrics else None
    settled = clock.now_s - run.ended_s >= SETTLED_AFTER_S
    traces, matches = logs.result(settled=settled) if logs else (None, [])
    part = telemetry_part(
        subject,
        run.client,
        found,
        started_s=run.started_s,
        ended_s=run.ended_s,
        read_s=clock.now_s,
        waited_s=clock.waited_s,
        logs=matches,
        reports=logs.totals if logs else {},
        sampled_share=logs.sampled_share if logs else 1.0,
        notes=[*subject.notes, *(logs.notes if logs else ())],
    )
    return Telemetry(part, found, traces)


class _Clock:
    """Looks at watches until none waits any more, or the time is over."""

    def __init__(
        self,
        waiting: Waiting,
        now_s: float,
        settle_s: float,
        say: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._waiting, self._say, self._settle_s = waiting, say, settle_s
        self._stopped = stopped
        self._began_s = waiting.clock()
        self._unix_s = now_s
        self.waited_s = 0.0

    @property
    def now_s(self) -> float:
        """The Unix time."""
        return self._unix_s + self._waiting.clock() - self._began_s

    def wait_for(self, watches: Sequence[_Watch]) -> None:
        """All watches look at least once."""
        told = False
        while True:
            for watch in watches:
                watch.look(self.now_s)
            left_s = self._settle_s - (self._waiting.clock() - self._began_s)
            if left_s <= 0 or self._stopped() or not any(watch.waits for watch in watches):
                return
            if not told and left_s >= _TOLD_FROM_S:
                self._say(f"waiting for metrics and logs, {left_s:.0f} s at most")
                told = True
            pause_s = min(_POLL_S, left_s)
            self._waiting.sleep(pause_s)
            self.waited_s += pause_s


class _Logs:
    """The logs and traces of a run; without records there is nothing to join them with."""

    def __init__(
        self, session: AwsSession, subject: Subject, run: RunSeen, most_requests: int
    ) -> None:
        self.notes: list[str] = []
        self.sampled_share = 1.0
        self._session, self._subject, self._run = session, subject, run
        self._records = run.records
        self._access: AccessWatch | None = None
        self._reports: list[ReportWatch] = []
        if run.records is None:
            self.notes.append("logs are joined with records, and none were kept")
            return
        self._traces = empty_traces(len(run.records)) if run.before is None else run.before.copy()
        self._had_reports = int(self._traces["has_report"].sum())
        slices = slices_of(run.records, most=most_requests)
        self.sampled_share = sampled_share(run.records, slices)
        sampled = self.sampled_share < 1
        self._access = AccessWatch(
            session, subject.api, run.records, self._traces, slices, run.started_s, sampled
        )
        self._reports = [
            ReportWatch(
                session,
                called,
                self._log_of(called),
                run.records,
                slices,
                run.started_s,
                self._access.calls,
                sampled,
            )
            for called in subject.functions
        ]

    @property
    def watches(self) -> list[_Watch]:
        """What may come late."""
        return [*([self._access] if self._access else ()), *self._reports]

    @property
    def totals(self) -> dict[CalledFunction, ReportTotals | None]:
        """By function, what all of its REPORT lines say."""
        return {report.called: report.totals() for report in self._reports}

    def result(self, *, settled: bool) -> tuple[Traces | None, list[LogMatch]]:
        """A trace for each record, and how many requests each log knew."""
        access, records = self._access, self._records
        if access is None or records is None:
            return None, []
        for report in self._reports:
            report.fill(self._traces)
        matches = [access.match(settled=settled)]
        if self._reports:
            matches.append(self._of_reports(access, settled=settled))
        traced = fill_from_xray(
            self._session,
            self._subject,
            records,
            self._traces,
            access.calls,
            started_s=self._run.started_s,
            ended_s=self._run.ended_s,
        )
        return self._traces, [*matches, *([traced] if traced else ())]

    def _of_reports(self, access: AccessWatch, *, settled: bool) -> LogMatch:
        wanted = len(access.calls) + self._had_reports
        matched = int(np.sum(self._traces["has_report"]))
        reasons = list(dict.fromkeys(report.why for report in self._reports if report.why))
        if not access.names_calls and not wanted:
            reasons.append("no access log line names calls: $context.integration.requestId does")
        elif not wanted:
            reasons.append("no line of the access log that was found names a call")
        elif matched == wanted:
            reasons = []
        elif not reasons:
            reasons.append("the logs have no line of the others" if settled else LATE)
        return LogMatch(
            source="reports",
            wanted=wanted,
            matched=matched,
            matched_share=matched / wanted if wanted else None,
            lines=sum(report.lines for report in self._reports),
            why="; ".join(reasons),
        )

    def _log_of(self, called: CalledFunction) -> FunctionLog:
        calls = called.calls
        try:
            return function_log(self._session, calls.function, calls.qualifier)
        except AwsError as error:
            self.notes.append(
                f"log settings of function {calls.function} are unknown, taken for the usual ones: "
                f"{error}"
            )
            return default_log(calls.function)
