"""CloudWatch's metrics of a run: waits until they have all of it, then reads them.

What is watched meanwhile is Count of the stage and Invocations of each function, minute by minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.aws.function_metrics import CallsOf, FunctionMetrics
from core.aws.functions import weighted_versions
from core.aws.gateway_metrics import GatewayMetrics
from core.aws.metric_data import MetricReader, Points, Query, Window
from core.aws.session import AwsSession
from core.errors import AwsError
from loadgen.telemetry.client import ClientCounts
from loadgen.telemetry.coverage import (
    Counted,
    Expected,
    by_minute,
    has_settled,
    is_complete,
    state_of,
    strangers,
)
from loadgen.telemetry.subject import CalledFunction, Subject
from reports.load_telemetry import CoverageState, MetricCoverage

_STAGE_UNKNOWN = "metrics of the API are unknown: its name or stage could not be read"


@dataclass(frozen=True, slots=True)
class FunctionSeen:
    """What CloudWatch has of a function, and whether that is the run's.

    `versions` are those behind a weighted alias.
    """

    called: CalledFunction
    answered: int
    state: CoverageState
    metrics: FunctionMetrics | None = None
    versions: Mapping[str, FunctionMetrics] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """All metrics of a run as they were read, and what they are worth."""

    coverage: MetricCoverage
    gateway: GatewayMetrics | None
    functions: tuple[FunctionSeen, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class MetricWatch:
    """Looks at the counts again and again; `waits` is whether another look may find more.

    `ended_s` and `started_s` are Unix times.
    """

    session: AwsSession
    subject: Subject
    client: ClientCounts
    started_s: float
    ended_s: float
    waits: bool = True
    _window: Window = field(init=False)
    _reader: MetricReader | None = None
    _expected: dict[Query, Expected] = field(default_factory=dict)
    _counted: dict[Query, Counted] = field(default_factory=dict)
    _problem: str | None = None
    _notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._window = Window.around(self.started_s, self.ended_s)
        stage, client = self.subject.metrics, self.client
        if stage is not None:
            self._expected[stage.count] = Expected(
                client.answered,
                client.answered + client.unanswered,
                by_minute(client.sent_by_second, self.started_s),
                self.ended_s,
            )
        for called in self.subject.functions:
            self._expected[called.calls.invocations] = self._of_function(called)
        self.waits = bool(self._expected)

    def look(self, now_s: float) -> None:
        """Reads the counts as they are at the Unix time `now_s`."""
        try:
            found = self._connected().by_minute(self._expected, self._window)
        except AwsError as error:
            self._problem, self.waits = f"metrics could not be read: {error}", False
            return
        self.waits = False
        for query, points in found.items():
            counted = self._count(query, points, now_s)
            expected = self._expected[query]
            if not is_complete(counted, expected) and not has_settled(counted, self.ended_s):
                self.waits = True

    def result(self) -> RunMetrics:
        """All metrics as they are now."""
        if self._problem is None and self._expected:
            try:
                return self._read(self._connected())
            except AwsError as error:
                self._problem = f"metrics could not be read: {error}"
        return RunMetrics(
            self._coverage("unknown", None), None, (), (self._problem or _STAGE_UNKNOWN,)
        )

    def _read(self, reader: MetricReader) -> RunMetrics:
        stage = self.subject.metrics
        gateway, coverage = None, self._coverage("unknown", None)
        if stage is not None:
            gateway = stage.read(reader, self._window)
            # What is read now is what counts, not what the last look found.
            points = {minute.at_s: float(minute.count) for minute in gateway.minutes}
            counted = self._count(stage.count, points, self._last_look_s())
            state = state_of(counted, self._expected[stage.count])
            coverage = self._coverage(state, counted)
            words = _words(state, counted, self._expected[stage.count])
            self._notes += [words] if words else []
        else:
            self._notes.append(_STAGE_UNKNOWN)
        functions = tuple(
            self._function(reader, called, coverage.state) for called in self.subject.functions
        )
        return RunMetrics(coverage, gateway, functions, tuple(self._notes))

    def _function(
        self, reader: MetricReader, called: CalledFunction, of_stage: CoverageState
    ) -> FunctionSeen:
        calls = called.calls
        metrics = calls.read(reader, self._window)
        points = {minute.at_s: float(minute.invocations) for minute in metrics.minutes}
        counted = self._count(calls.invocations, points, self._last_look_s())
        expected = self._expected[calls.invocations]
        state = state_of(counted, expected)
        if state == "covered" and of_stage == "late":
            # All ok answers are in it. Failed calls are not known to be, while minutes are to come.
            state = "late"
        if state in ("fewer", "shared"):
            self._notes.append(_function_words(calls, state, counted, expected))
        versions = {
            version: calls.of_version(version).read(reader, self._window)
            for version in self._versions(calls)
        }
        return FunctionSeen(called, expected.least, state, metrics, versions)

    def _versions(self, calls: CallsOf) -> list[str]:
        if calls.qualifier is None:
            return []
        try:
            return weighted_versions(self.session, calls.function, calls.qualifier)
        except AwsError as error:
            self._notes.append(f"versions behind an alias are unknown: {error}")
            return []

    def _of_function(self, called: CalledFunction) -> Expected:
        client = self.client
        most = sum(client.completed_by_step.get(step, 0) for step in called.steps)
        return Expected(
            sum(client.ok_by_step.get(step, 0) for step in called.steps),
            most + client.unanswered if client.steps_known else None,
            {},
            self.ended_s,
        )

    def _count(self, query: Query, points: Points, now_s: float) -> Counted:
        before = self._counted.get(query)
        total = round(sum(points.values()))
        grew = before is None or total > before.total
        last_growth_s = now_s if before is None or grew else before.last_growth_s
        counted = Counted(dict(points), now_s, last_growth_s)
        self._counted[query] = counted
        return counted

    def _last_look_s(self) -> float:
        return max((counted.read_s for counted in self._counted.values()), default=self.ended_s)

    def _connected(self) -> MetricReader:
        if self._reader is None:
            self._reader = MetricReader(self.session.cloudwatch())
        return self._reader

    def _coverage(self, state: CoverageState, counted: Counted | None) -> MetricCoverage:
        answered = self.client.answered
        share = None
        if counted is not None and answered:
            share = min(counted.total / answered, 1.0)
        return MetricCoverage(
            state=state,
            answered=answered,
            unanswered=self.client.unanswered,
            counted=None if counted is None else counted.total,
            covered_share=share,
            settled=counted is not None and has_settled(counted, self.ended_s),
        )


def _words(state: CoverageState, counted: Counted, expected: Expected) -> str:
    """What to say of the count of the stage; nothing where it is the run's."""
    of = f"{counted.total:,} of {expected.least:,} answered requests"
    match state:
        case "late":
            return f"the metrics lag: CloudWatch counts {of} so far; what they tell is unknown"
        case "fewer":
            return f"CloudWatch counts {of}, and no more is to come; what it tells is unknown"
        case "none":
            return (
                "CloudWatch has no Count of the stage: its metrics are switched off, or under "
                "another name"
            )
        case "shared":
            return (
                f"CloudWatch counts {strangers(counted, expected):,} more requests than the run "
                "sent: others used the stage in the same minutes; what metrics tell of the run "
                "is unknown"
            )
        case _:
            return ""


def _function_words(
    calls: CallsOf, state: CoverageState, counted: Counted, expected: Expected
) -> str:
    if state == "shared":
        return (
            f"function {calls.function}: {strangers(counted, expected):,} more invocations than "
            "the run caused: others called it in the same minutes"
        )
    return (
        f"function {calls.function}: {counted.total:,} invocations for {expected.least:,} ok "
        "answers: a cache may have given the others"
    )
