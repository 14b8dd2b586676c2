"""The document's part of telemetry: figures of the run only where they are the run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from core.aws.function_metrics import FunctionMetrics
from core.aws.gateway_metrics import GatewayMetrics
from core.aws.metric_data import Spread
from loadgen.telemetry.client import ClientCounts
from loadgen.telemetry.metrics import FunctionSeen, RunMetrics
from loadgen.telemetry.subject import CalledFunction, Subject
from reports.load_telemetry import (
    FunctionMinute,
    FunctionTelemetry,
    GatewayMinute,
    GatewayTelemetry,
    LoadTelemetry,
    LogMatch,
    MetricCoverage,
    MetricSpread,
    ReportTotals,
    VersionTelemetry,
)


def telemetry_part(
    subject: Subject,
    client: ClientCounts,
    metrics: RunMetrics | None,
    *,
    started_s: float,
    ended_s: float,
    read_s: float,
    waited_s: float,
    logs: Sequence[LogMatch],
    reports: Mapping[CalledFunction, ReportTotals | None],
    sampled_share: float,
    notes: Sequence[str],
) -> LoadTelemetry:
    """The part; `metrics` None where they were not to be read. All times are Unix times."""
    seen = {one.called: one for one in metrics.functions} if metrics else {}
    coverage = MetricCoverage(
        state="unknown", answered=client.answered, unanswered=client.unanswered
    )
    return LoadTelemetry(
        started_unix_s=started_s,
        ended_unix_s=ended_s,
        read_utc=_utc(read_s),
        waited_s=waited_s,
        coverage=metrics.coverage if metrics else coverage,
        gateway=_gateway(metrics),
        functions=[
            _function(called, subject, seen.get(called), reports.get(called))
            for called in subject.functions
        ],
        logs=list(logs),
        sampled_share=sampled_share,
        notes=list(dict.fromkeys([*notes, *(metrics.notes if metrics else ())])),
    )


def _utc(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")


def _gateway(metrics: RunMetrics | None) -> GatewayTelemetry | None:
    if metrics is None or metrics.gateway is None:
        return None
    found: GatewayMetrics = metrics.gateway
    covered = metrics.coverage.state == "covered"
    return GatewayTelemetry(
        client_errors=found.client_errors if covered else None,
        server_errors=found.server_errors if covered else None,
        latency_ms=_spread(found.latency) if covered else None,
        integration_ms=_spread(found.integration) if covered else None,
        minutes=[
            GatewayMinute(
                at_utc=_utc(minute.at_s),
                count=minute.count,
                client_errors=minute.client_errors,
                server_errors=minute.server_errors,
                latency_p50_ms=minute.latency_p50_ms,
                latency_p95_ms=minute.latency_p95_ms,
                latency_p99_ms=minute.latency_p99_ms,
                integration_p50_ms=minute.integration_p50_ms,
                integration_p95_ms=minute.integration_p95_ms,
                integration_p99_ms=minute.integration_p99_ms,
            )
            for minute in found.minutes
        ],
    )


def _function(
    called: CalledFunction,
    subject: Subject,
    seen: FunctionSeen | None,
    reports: ReportTotals | None,
) -> FunctionTelemetry:
    found = seen.metrics if seen else None
    covered = seen is not None and seen.state == "covered"
    whole = found if covered else None
    return FunctionTelemetry(
        function=called.calls.function,
        qualifier=called.calls.qualifier,
        steps=[subject.step_names[step] for step in called.steps],
        state=seen.state if seen else "unknown",
        answered=seen.answered if seen else 0,
        invocations=whole.invocations if whole else None,
        errors=whole.errors if whole else None,
        throttles=whole.throttles if whole else None,
        concurrency=whole.concurrency if whole else None,
        spillover=whole.spillover if whole else None,
        duration_ms=_spread(whole.duration) if whole else None,
        minutes=_minutes(found),
        versions=[
            VersionTelemetry(
                version=version,
                invocations=of_version.invocations if covered else None,
                errors=of_version.errors if covered else None,
                duration_ms=_spread(of_version.duration) if covered else None,
            )
            for version, of_version in (seen.versions.items() if seen else ())
        ],
        reports=reports,
    )


def _minutes(found: FunctionMetrics | None) -> list[FunctionMinute]:
    return [
        FunctionMinute(
            at_utc=_utc(minute.at_s),
            invocations=minute.invocations,
            errors=minute.errors,
            throttles=minute.throttles,
            concurrency=minute.concurrency,
            spillover=minute.spillover,
            duration_p50_ms=minute.duration_p50_ms,
            duration_p95_ms=minute.duration_p95_ms,
            duration_p99_ms=minute.duration_p99_ms,
        )
        for minute in (found.minutes if found else ())
    ]


def _spread(found: Spread | None) -> MetricSpread | None:
    if found is None:
        return None
    return MetricSpread(
        p50=found.p50_ms,
        p90=found.p90_ms,
        p95=found.p95_ms,
        p99=found.p99_ms,
        mean=found.mean_ms,
        max=found.max_ms,
        n=found.n,
    )
