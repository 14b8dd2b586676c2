"""The result document of a load run: what `loadgen run` writes, and what pages are made from.

Percentiles here are derived from the histograms in `frames.ndjson.gz` beside the document; they
are never averaged. Response time counts from the intended start of a request, so that a stalled
server cannot hide behind a waiting client (coordinated omission); service time counts from the
actual start.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.load_cost_parts import LoadCostPart
from reports.load_fairness import Fairness
from reports.load_histograms import LatencyBlock, RunHistograms
from reports.load_prediction import LoadPrediction
from reports.load_retries import RetryReport
from reports.load_search import SearchPart
from reports.load_telemetry import LoadTelemetry
from reports.load_versions import VersionReport
from reports.load_waterfall import ColdStarts, Waterfall
from reports.raw_files import RawFile

LoadVerdict = Literal[
    "pass", "failed", "inconclusive", "invalid", "refused", "interrupted", "error"
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoadPercentiles(_Part):
    """Of a latency, in milliseconds; within 0.1 % of the measured values, `max` exactly."""

    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float
    mean: float
    n: int


class Requests(_Part):
    """The books of a run: sent = completed + cut, and offered arrivals = begun + dropped."""

    offered: int = Field(description="requests due: sent, and those of dropped arrivals")
    sent: int
    completed: int = Field(description="with an outcome, whatever it was")
    cut: int = Field(description="in flight when the drain ended")
    dropped: int = Field(description="never begun, because max_in_flight was reached")
    lost: int = Field(default=0, description="of an injector that ended early: not known")


class Outcomes(_Part):
    """Completed requests by class."""

    ok: int = 0
    throttled: int = 0
    client_error: int = 0
    server_error: int = 0
    timeout: int = 0
    connection_error: int = 0
    check_failed: int = 0


class CauseCount(_Part):
    """Refused or broken requests with one cause, and how it is known."""

    outcome: str
    cause: str
    evidence: str = Field(description="the best evidence among them")
    count: int
    by_evidence: dict[str, int] = {}


class Rates(_Part):
    """Requests a second over the measured time."""

    offered_rps: float
    admitted_rps: float = Field(description="completed and not throttled")
    throttled_rps: float


class Slice(_Part):
    """The figures of the whole run, of a step or of a phase."""

    name: str
    requests: Requests
    outcomes: Outcomes
    throttled_by_cause: list[CauseCount]
    errors_by_cause: list[CauseCount]
    rates: Rates
    response_ms: LoadPercentiles | None = Field(description="of all completed requests")
    service_ms: LoadPercentiles | None
    ok_response_ms: LoadPercentiles | None = Field(description="of those with outcome ok")
    first_byte_ms: LoadPercentiles | None = None
    connect_ms: LoadPercentiles | None = None
    tls_ms: LoadPercentiles | None = None
    bytes_in: int = 0


class PhaseSlice(Slice):
    """A phase: also when it was, and whether it counts."""

    measured: bool
    from_s: float
    to_s: float
    planned: str = Field(description="in words: `50 to 300 requests/s`")
    by_step: list[int] = Field(
        default=[], description="completed requests by the place of their step in `steps`"
    )


class StepSlice(Slice):
    """A step of a scenario."""

    scenario: str
    method: str
    path: str
    blocks: list[LatencyBlock] = Field(
        default=[], description="over the measured time; empty in documents of older versions"
    )


class Second(_Part):
    """One second of the run, by the intended start of its requests."""

    second: int
    phase: str
    offered: int
    admitted: int = Field(description="completed and not throttled, so errors are among them")
    throttled: dict[str, int] = Field(description="by cause")
    errors: dict[str, int] = Field(description="by outcome class")
    dropped: int = 0
    response_p50_ms: float | None = None
    response_p95_ms: float | None = None
    response_p99_ms: float | None = None
    service_p95_ms: float | None = None
    in_flight: int = 0
    start_lag_p99_ms: float | None = None
    cpu_share: float | None = Field(default=None, description="of the busiest injector")


class CheckFailure(_Part):
    """Requests of a step that failed a check, or gave nothing to capture, for one reason."""

    step: str
    reason: str = Field(description="without secrets; rare ones are counted as other reasons")
    count: int


class ThresholdResult(_Part):
    """A threshold, what was measured, and whether it held."""

    that: str
    scope: str = Field(description="the run, or `step GET /x`, `phase hold`; windows in words")
    value: float | None = Field(description="in `unit`; None where nothing was measured")
    limit: float
    unit: Literal["ms", "share", "rps", "count"]
    ok: bool | None = Field(description="None where nothing could be judged")
    aborted: bool = False
    detail: str = ""


class ValidityReport(_Part):
    """Whether the measurement can be trusted."""

    verdict: Literal["valid", "invalid"]
    reasons: list[str]
    warnings: list[str] = []
    start_lag_p50_ms: float | None = None
    start_lag_p99_ms: float | None = None
    cpu_share_max: float | None = None
    dropped_share: float = 0.0
    injectors: int = 1
    injectors_ended_early: int = 0


class ConfiguredLimit(_Part):
    """A limit that AWS has on the path of the requests."""

    layer: str = Field(description="account, stage, method, usage_plan, ..., lambda_concurrency")
    name: str = Field(description="`GET /search`, `plan basic`, `function checkout`")
    rate_rps: float | None = None
    burst: int | None = None
    quota: int | None = None
    used: int | None = Field(default=None, description="of the quota, before the run")
    period: str | None = None
    concurrency: int | None = None
    steps: list[int] = Field(default=[], description="that pass it, by their place in `steps`")


class CalledFunction(_Part):
    """A Lambda function behind steps, as it was configured when the run began."""

    name: str
    memory_mb: int
    arch: Literal["x86_64", "arm64"]
    timeout_s: float
    steps: list[int] = Field(description="that call it, by their place in `steps`")


class TargetFacts(_Part):
    """Where the requests went; no secret is in it."""

    url: str
    api_id: str | None = None
    api_name: str | None = None
    api_kind: str | None = None
    stage: str | None = None
    region: str | None = None
    account: str | None = None
    auth: list[str] = Field(default=[], description="kinds of auth, without values")


class LoadSpent(_Part):
    """What the run cost at list prices, as far as it is known."""

    usd: float | None
    estimated_usd: float | None = Field(description="before the run")
    detail: list[str]
    parts: list[LoadCostPart] = Field(
        default=[], description="what is in the bill, as far as counts, metrics and logs tell it"
    )
    as_if: bool = Field(
        default=False, description="nothing was billed; `parts` are what AWS would have billed"
    )
    prices_date: str | None = None


class LoadProvenance(_Part):
    """What somebody needs to repeat the run."""

    tool_version: str
    command: list[str]
    started_utc: str
    finished_utc: str
    seed: int
    run_id: str
    profile_file: str
    profile_sha256: str
    profile_text: str = Field(description="as it was read; secrets come from outside")
    environment: str | None
    processes: int
    model: Literal["open", "closed"]
    arrivals: str
    endpoint: str | None = None


class LoadDocument(_Part):
    """One load run, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["load"] = "load"
    name: str
    verdict: LoadVerdict
    exit_code: int
    errors: list[str]
    notes: list[str]
    target: TargetFacts
    requests: Requests
    outcomes: Outcomes
    throttled_by_cause: list[CauseCount]
    errors_by_cause: list[CauseCount]
    statuses: dict[str, int] = Field(
        default={}, description="requests by status code; empty where no records were kept"
    )
    failures: list[CheckFailure] = Field(
        default=[], description="why checks failed, the most frequent reason first"
    )
    retries: RetryReport | None = Field(
        default=None, description="operations of modelled clients; null where there are none"
    )
    fairness: Fairness | None = Field(
        default=None, description="keys beside each other; null where no phase used several"
    )
    versions: VersionReport | None = Field(
        default=None, description="versions of functions; null where logs tell of one or none"
    )
    rates: Rates
    response_ms: LoadPercentiles | None
    service_ms: LoadPercentiles | None
    ok_response_ms: LoadPercentiles | None
    first_byte_ms: LoadPercentiles | None
    connect_ms: LoadPercentiles | None
    tls_ms: LoadPercentiles | None
    bytes_in: int
    measured_s: Annotated[float, Field(description="length of the measured phases")]
    steps: list[StepSlice]
    phases: list[PhaseSlice]
    seconds: list[Second]
    thresholds: list[ThresholdResult]
    validity: ValidityReport
    limits: list[ConfiguredLimit]
    functions: list[CalledFunction] = Field(
        default=[], description="behind the steps, as far as they could be read"
    )
    spent: LoadSpent
    provenance: LoadProvenance
    search: SearchPart | None = Field(default=None, description="of a phase that searches")
    waterfall: Waterfall | None = Field(default=None, description="None where no records were kept")
    cold_starts: ColdStarts | None = Field(
        default=None, description="None where no REPORT line was found"
    )
    prediction: LoadPrediction | None = Field(
        default=None, description="None where no limit on the path was known before the run"
    )
    telemetry: LoadTelemetry | None = Field(
        default=None, description="None where AWS was not asked, or has nothing of the target"
    )
    histograms: RunHistograms | None = Field(
        default=None, description="of the measured phases; null in documents of older versions"
    )
    raw_files: list[RawFile] = Field(
        default=[], description="beside the document, as they were when it was written"
    )
