"""What AWS saw of a load run, as documents have it: metrics, and how far logs could be joined.

Figures of the whole run are null unless CloudWatch has all of it and nothing else: a sum that lacks
a minute, or a percentile with the requests of somebody else in it, would be a wrong number. What
each minute has is kept as it was read.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CoverageState = Literal["covered", "late", "fewer", "shared", "none", "unknown"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricCoverage(_Part):
    """Whether the published counts are those of the run.

    covered: they are. late: fewer, and more may come. fewer: fewer, though nothing comes any more.
    shared: other requests are among them. none: nothing was published. unknown: not read.
    """

    state: CoverageState
    answered: int = Field(description="requests that were answered, by the client's count")
    unanswered: int = Field(description="sent without an answer; the API may have counted them")
    counted: int | None = Field(default=None, description="by CloudWatch, in the run's minutes")
    covered_share: float | None = Field(
        default=None, description="of the answered ones that CloudWatch counts; at most 1"
    )
    settled: bool = Field(default=False, description="whether nothing more is expected to come")


class MetricSpread(_Part):
    """A time in ms over a window, with percentiles as CloudWatch computes them."""

    p50: float
    p90: float
    p95: float
    p99: float
    mean: float
    max: float
    n: int


class GatewayMinute(_Part):
    """One minute of the stage; latency is the gateway's with all behind it."""

    at_utc: str
    count: int
    client_errors: int = Field(description="4xx, throttled requests among them")
    server_errors: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    integration_p50_ms: float | None
    integration_p95_ms: float | None
    integration_p99_ms: float | None


class GatewayTelemetry(_Part):
    """AWS/ApiGateway; the figures of the whole run are null unless it is `covered`."""

    client_errors: int | None
    server_errors: int | None
    latency_ms: MetricSpread | None
    integration_ms: MetricSpread | None
    minutes: list[GatewayMinute]


class FunctionMinute(_Part):
    """One minute of a function."""

    at_utc: str
    invocations: int
    errors: int
    throttles: int
    concurrency: int | None = Field(description="the most calls at once")
    spillover: int = Field(description="calls beyond the provisioned concurrency")
    duration_p50_ms: float | None
    duration_p95_ms: float | None
    duration_p99_ms: float | None


class VersionTelemetry(_Part):
    """One version behind a weighted alias; null as for the whole function."""

    version: str
    invocations: int | None
    errors: int | None
    duration_ms: MetricSpread | None


class ReportTotals(_Part):
    """All REPORT lines of a function in the time of the run, whoever called it."""

    lines: int
    cold: int = Field(description="with INIT or a restore")
    duration_p50_ms: float
    duration_p95_ms: float
    duration_p99_ms: float
    duration_mean_ms: float | None = None
    init_p50_ms: float | None = Field(description="INIT or restore, of cold calls")
    billed_mean_ms: float | None = Field(
        default=None, description="billed duration of a call, with what is billed of its start"
    )
    billed_start_mean_ms: float | None = Field(
        default=None, description="of it what is billed of INIT or restore, over all calls"
    )


class FunctionTelemetry(_Part):
    """AWS/Lambda of a function behind the steps; totals are null unless it is `covered`."""

    function: str
    qualifier: str | None = None
    steps: list[str]
    state: CoverageState = Field(description="as for the coverage of the whole run")
    answered: int = Field(description="ok answers of its steps, by the client's count")
    invocations: int | None = None
    errors: int | None = None
    throttles: int | None = None
    concurrency: int | None = Field(default=None, description="the most calls at once")
    spillover: int | None = None
    duration_ms: MetricSpread | None = None
    minutes: list[FunctionMinute] = []
    versions: list[VersionTelemetry] = []
    reports: ReportTotals | None = Field(default=None, description="null where no log was read")


class LogMatch(_Part):
    """How many requests were found in one kind of log."""

    source: Literal["access_log", "reports", "xray"]
    wanted: int = Field(description="requests that were looked up")
    matched: int
    matched_share: float | None = Field(description="null where none was looked up")
    lines: int = Field(description="that were read; of others too")
    why: str = Field(default="", description="why some or all are missing, where that is known")


class LoadTelemetry(_Part):
    """What AWS saw of the run."""

    started_unix_s: float = Field(description="times of records count from here")
    ended_unix_s: float
    read_utc: str
    waited_s: float
    coverage: MetricCoverage
    gateway: GatewayTelemetry | None = None
    functions: list[FunctionTelemetry] = []
    logs: list[LogMatch] = Field(default=[], description="empty where logs were not asked for")
    sampled_share: float = Field(
        default=1.0, description="of the requests that were looked up at all, spread over the run"
    )
    notes: list[str] = []
