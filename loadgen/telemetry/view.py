"""What AWS saw of a run, on a terminal: a few lines within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from reports.figures import milliseconds, part_of, short_time
from reports.load_telemetry import (
    CoverageState,
    FunctionTelemetry,
    LoadTelemetry,
    LogMatch,
    MetricSpread,
)

_STATES: dict[CoverageState, str] = {
    "covered": "CloudWatch counts {counted:,} requests, as the run does",
    "late": "CloudWatch counts {counted:,} of {answered:,} requests so far: not enough to tell",
    "fewer": "CloudWatch counts {counted:,} of {answered:,} requests: not enough to tell",
    "shared": "CloudWatch counts {counted:,} requests, the run {answered:,}: others are among them",
    "none": "CloudWatch counts no request of the stage",
    "unknown": "CloudWatch: not known",
}
_OF_FUNCTION: dict[CoverageState, str] = {
    "covered": "nothing was timed",
    "late": "not all calls are published yet",
    "fewer": "fewer calls than ok answers",
    "shared": "others called it too",
    "none": "no calls are published",
    "unknown": "not known",
}
_SOURCES = {"access_log": "access log", "reports": "REPORT lines", "xray": "X-Ray"}
_MOST_FUNCTIONS = 2


def telemetry_lines(part: LoadTelemetry) -> list[str]:
    """The block of the answer, at most eight lines; notes have their own place."""
    return [*_metrics(part), *(_log_words(match) for match in part.logs)]


def _metrics(part: LoadTelemetry) -> Iterator[str]:
    coverage, gateway = part.coverage, part.gateway
    if gateway is None:
        return
    words = _STATES[coverage.state]
    yield words.format(counted=coverage.counted or 0, answered=coverage.answered)
    if gateway.latency_ms is not None:
        yield f"  API latency: {_times(gateway.latency_ms)}"
    if gateway.integration_ms is not None:
        yield f"  integration: {_times(gateway.integration_ms)}"
    for function in part.functions[:_MOST_FUNCTIONS]:
        yield f"  {_function_words(function)}"


def _function_words(function: FunctionTelemetry) -> str:
    name = function.function + (f":{function.qualifier}" if function.qualifier else "")
    if function.invocations is None or function.duration_ms is None:
        return f"{name}: {_OF_FUNCTION[function.state]}"
    words = [f"{name}: p50 {short_time(function.duration_ms.p50)}"]
    words.append(f"p95 {short_time(function.duration_ms.p95)}")
    if function.concurrency is not None:
        words.append(f"{function.concurrency:,} at once")
    if function.throttles:
        words.append(f"{function.throttles:,} throttled")
    return ", ".join(words)


def _times(spread: MetricSpread) -> str:
    return (
        f"p50 {milliseconds(spread.p50)}, p95 {milliseconds(spread.p95)}, "
        f"p99 {milliseconds(spread.p99)}"
    )


def _log_words(match: LogMatch) -> str:
    name = _SOURCES[match.source]
    if not match.wanted:
        return f"{name}: {match.why or 'nothing to look up'}"
    if match.source == "xray":
        # Most requests are not sampled, and others may have been traced in the same seconds.
        return f"{name}: {match.matched:,} of {match.wanted:,} traces are of this run"
    words = f"{name}: {match.matched:,} of {match.wanted:,} found"
    words += f" ({part_of(match.matched, match.wanted)})"
    return f"{words}: {match.why}" if match.why else words
