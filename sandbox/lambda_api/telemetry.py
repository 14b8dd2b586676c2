"""What invocations leave behind: the metrics of AWS/Lambda, and log events.

Metrics are counted by the minute in which an invocation began, and handed over when it has ended
and somebody asks. Durations keep four significant digits, so a minute takes bounded memory however
many calls it had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.execution.contract import EarlyInit, InvokeResult
from sandbox.telemetry.contract import Dimensions, MetricSink

NAMESPACE = "AWS/Lambda"

_COUNT = "Count"
_MILLISECONDS = "Milliseconds"

_Counts = dict[float, int]
# (function, qualifier or "", executed version or "")
_SeriesKey = tuple[str, str, str]


@dataclass(slots=True)
class _Minute:
    """The invocations of one series that began in one minute."""

    succeeded: int = 0
    failed: int = 0
    throttled: int = 0
    provisioned: int = 0
    spilled: int = 0
    durations_ms: _Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProvisionedUse:
    """What an invocation has to do with provisioned environments.

    It spilled over them, or is one of the `running` ones of `allocated`.
    """

    has_spilled: bool
    running: int = 0
    allocated: int = 1


@dataclass(slots=True)
class _Gauge:
    """How many run now, and how many did at each start, by the minute."""

    running: int = 0
    minutes: dict[int, _Counts] = field(default_factory=dict)

    def enter(self, minute_s: int) -> None:
        self.running += 1
        self.note(minute_s, self.running)

    def note(self, minute_s: int, value: float) -> None:
        counts = self.minutes.get(minute_s)
        if counts is None:
            counts = self.minutes[minute_s] = {}
        counts[value] = counts.get(value, 0) + 1


@dataclass(slots=True)
class _Series:
    """What is known of one function by one qualifier and one executed version."""

    minutes: dict[int, _Minute] = field(default_factory=dict)
    gauge: _Gauge = field(default_factory=_Gauge)
    provisioned: _Gauge = field(default_factory=_Gauge)
    utilisation: _Gauge = field(default_factory=_Gauge)

    def minute(self, minute_s: int) -> _Minute:
        minute = self.minutes.get(minute_s)
        if minute is None:
            minute = self.minutes[minute_s] = _Minute()
        return minute


@dataclass(slots=True)
class Running:
    """An invocation that has begun and not ended."""

    minute_s: int
    series: _Series
    function: _Gauge
    unreserved: bool


class LambdaMetrics:
    """Counts invocations; a `MetricSource`.

    Times are in seconds since the epoch.
    """

    def __init__(self) -> None:
        self._series: dict[_SeriesKey, _Series] = {}
        self._functions: dict[str, _Gauge] = {}
        self._account = _Gauge()
        self._unreserved = _Gauge()
        self._claimed = _Gauge()

    def begin(
        self,
        function: str,
        qualifier: str | None,
        executed_version: str | None,
        now_s: float,
        *,
        reserved_by_all: int,
        is_reserved: bool,
        provisioned: ProvisionedUse | None = None,
    ) -> Running:
        """Counts a start.

        `executed_version` is given for an alias that leads to two versions. `reserved_by_all` is
        the concurrency that all functions reserve or are provisioned with; `is_reserved` says that
        this invocation runs in such. `provisioned` is given where a version has environments ready.
        """
        minute_s = _minute_of(now_s)
        series = self._one(function, qualifier, executed_version)
        gauge = self._functions.get(function)
        if gauge is None:
            gauge = self._functions[function] = _Gauge()
        series.gauge.enter(minute_s)
        gauge.enter(minute_s)
        self._account.enter(minute_s)
        if not is_reserved:
            self._unreserved.enter(minute_s)
        self._claimed.note(minute_s, self._unreserved.running + reserved_by_all)
        if provisioned is not None:
            _note_provisioned(series, minute_s, provisioned)
        return Running(minute_s, series, gauge, not is_reserved)

    def end(self, running: Running, result: InvokeResult | None) -> None:
        """Counts an end; without a result the invocation was broken off, and is no invocation."""
        running.series.gauge.running -= 1
        running.function.running -= 1
        self._account.running -= 1
        self._unreserved.running -= running.unreserved
        if result is None:
            return
        minute = running.series.minute(running.minute_s)
        if result.function_error is None:
            minute.succeeded += 1
        else:
            minute.failed += 1
        duration_ms = float(f"{result.report.duration_ms:.4g}")
        counts = minute.durations_ms
        counts[duration_ms] = counts.get(duration_ms, 0) + 1

    def throttle(self, function: str, qualifier: str | None, now_s: float) -> None:
        """Counts a refusal, which is no invocation."""
        self._one(function, qualifier, None).minute(_minute_of(now_s)).throttled += 1

    def drain(self, sink: MetricSink) -> None:
        """Hands over all that has come since the last time."""
        for (function, qualifier, executed), series in self._series.items():
            by_resource = _by_resource(function, qualifier, executed)
            minutes, series.minutes = series.minutes, {}
            for minute_s, minute in minutes.items():
                for dimensions in ((), _by_function(function), *by_resource):
                    _add_minute(sink, dimensions, minute_s, minute)
            for dimensions in by_resource:
                _add_gauge(sink, "ConcurrentExecutions", dimensions, series.gauge)
            for dimensions in (_by_function(function), *by_resource):
                _add_provisioned(sink, dimensions, minutes, series)
            for gauge in (series.gauge, series.provisioned, series.utilisation):
                gauge.minutes = {}
        for function, gauge in self._functions.items():
            _add_gauge(sink, "ConcurrentExecutions", _by_function(function), gauge)
            gauge.minutes = {}
        for name, gauge in self._of_account():
            _add_gauge(sink, name, (), gauge)
            gauge.minutes = {}
        self._forget_what_rests()

    def _of_account(self) -> Iterator[tuple[str, _Gauge]]:
        yield "ConcurrentExecutions", self._account
        yield "UnreservedConcurrentExecutions", self._unreserved
        yield "ClaimedAccountConcurrency", self._claimed

    def _one(self, function: str, qualifier: str | None, executed: str | None) -> _Series:
        key = (function, qualifier or "", executed or "")
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series()
        return series

    def _forget_what_rests(self) -> None:
        """Functions come and go; those that run have to be kept, for their ends are counted."""
        self._series = {key: it for key, it in self._series.items() if it.gauge.running}
        self._functions = {name: it for name, it in self._functions.items() if it.running}


def log_events(logged: InvokeResult | EarlyInit) -> list[tuple[int, str]]:
    """The lines of a log, each with the time in ms at which it came.

    A line keeps its end, as in CloudWatch Logs.
    """
    marks = iter(logged.log_marks)
    end, at_ms = next(marks, (0, 0))
    events = []
    offset = 0
    for line in _lines(logged.log):
        offset += len(line)
        while end < offset:
            last = (end, at_ms)
            end, at_ms = next(marks, (len(logged.log), last[1]))
        events.append((at_ms, line.decode(errors="replace")))
    return events


def _lines(log: bytes) -> list[bytes]:
    """Lines with their line feeds; a carriage return, which runtimes print, ends none."""
    lines = [line + b"\n" for line in log.split(b"\n")]
    rest = lines.pop()[:-1]
    return [*lines, rest] if rest else lines


def _minute_of(now_s: float) -> int:
    return int(now_s) // 60 * 60


def _by_function(function: str) -> Dimensions:
    return (("FunctionName", function),)


def _by_resource(function: str, qualifier: str, executed: str) -> tuple[Dimensions, ...]:
    resource = f"{function}:{qualifier}" if qualifier else function
    dimensions = (("FunctionName", function), ("Resource", resource))
    if not executed:
        return (dimensions,)
    return dimensions, (("ExecutedVersion", executed), *dimensions)


def _add_minute(sink: MetricSink, dimensions: Dimensions, minute_s: int, minute: _Minute) -> None:
    invocations = minute.succeeded + minute.failed
    counted = {
        "Invocations": {1.0: invocations},
        # Both have a 0 for each invocation, so that their averages are shares.
        "Errors": {0.0: minute.succeeded, 1.0: minute.failed},
        "Throttles": {0.0: invocations, 1.0: minute.throttled},
    }
    for name, counts in counted.items():
        present = {value: count for value, count in counts.items() if count}
        if present:
            sink.add(NAMESPACE, name, dimensions, _COUNT, minute_s, present)
    if minute.durations_ms:
        durations = minute.durations_ms
        sink.add(NAMESPACE, "Duration", dimensions, _MILLISECONDS, minute_s, durations)


def _note_provisioned(series: _Series, minute_s: int, use: ProvisionedUse) -> None:
    minute = series.minute(minute_s)
    if use.has_spilled:
        minute.spilled += 1
    else:
        minute.provisioned += 1
        series.provisioned.note(minute_s, use.running)
        series.utilisation.note(minute_s, use.running / use.allocated)


def _add_provisioned(
    sink: MetricSink, dimensions: Dimensions, minutes: Mapping[int, _Minute], series: _Series
) -> None:
    """Metrics that only are there where something is provisioned."""
    for minute_s, minute in minutes.items():
        for name, count in (
            ("ProvisionedConcurrencyInvocations", minute.provisioned),
            ("ProvisionedConcurrencySpilloverInvocations", minute.spilled),
        ):
            if count:
                sink.add(NAMESPACE, name, dimensions, _COUNT, minute_s, {1.0: count})
    _add_gauge(sink, "ProvisionedConcurrentExecutions", dimensions, series.provisioned)
    _add_gauge(sink, "ProvisionedConcurrencyUtilization", dimensions, series.utilisation)


def _add_gauge(sink: MetricSink, name: str, dimensions: Dimensions, gauge: _Gauge) -> None:
    for minute_s, counts in gauge.minutes.items():
        sink.add(NAMESPACE, name, dimensions, _COUNT, minute_s, counts)
