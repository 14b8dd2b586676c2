"""The result document of a tuning: what `tune` writes, and what pages and tables are made from.

Documents are typed, carry `schema_version` and `kind`, and state units in their names. Percentiles
here are summaries for readers; the raw samples stand beside the document in `samples.ndjson`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.apply_document import ApplyDocument
from reports.raw_files import RawFile

SCHEMA_VERSION = 1

Interval = Annotated[tuple[float, float], Field(description="lower and upper bound of 90 %")]
Objective = Literal["cost", "speed", "balanced", "slo", "knee"]
Verdict = Literal["pass", "fail", "inconclusive", "invalid", "interrupted"]
PlanKind = Literal["adaptive", "thorough", "fixed", "cold", "test"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Percentiles(_Part):
    """Durations in milliseconds; p95 is the measured order statistic, so small n says little."""

    p50: float
    p95: float


class SloEvidence(_Part):
    """What the samples of one size say of the percentile that an SLO limits.

    Both bounds are order statistics: they hold for any distribution of durations. None where the
    samples are too few for a bound.
    """

    n: int
    quantile_ms: float = Field(description="the percentile, as measured")
    lower_ms: float | None = Field(description="below the true percentile with 95 %")
    upper_ms: float | None = Field(description="above the true percentile with 95 %")
    verdict: Literal["met", "missed", "open"]


class SizeResult(_Part):
    """What was measured at one memory size."""

    memory_mb: int
    vcpu_share: float = Field(description="vCPUs that this memory buys: memory_mb / 1769")
    n: int = Field(description="warm samples that count")
    n_cold: int
    n_failed: int
    duration_ms: Percentiles | None = Field(description="warm Duration as REPORT states it")
    duration_typical_ms: float | None = Field(
        description="adaptive plan: the median of what is believed of it; fixed plan: the trimmed "
        "mean of warm Duration, without the lowest and the highest tenth, and from five samples up "
        "at least one at each end"
    )
    duration_interval_ms: Interval | None
    cold_p50_ms: float | None = Field(description="median of Init (or Restore) + Duration")
    init_p50_ms: float | None
    billed_typical_ms: float | None = Field(description="the same mean of warm billed time")
    cost_usd_per_million: float | None
    cost_interval: Interval | None = Field(description="90 % interval of cost_usd_per_million")
    max_memory_used_mb: int | None
    failure: str | None = Field(description="why this size is out: timeout, out of memory, ...")
    cold_billed_typical_ms: float | None = Field(
        default=None, description="billed time of a cold call, INIT included"
    )
    slo: SloEvidence | None = None


class CurvePoint(_Part):
    """One point of the fitted curves, with the bootstrap's 90 % band where there is one."""

    memory_mb: float
    duration_ms: float
    duration_band_ms: Interval | None = Field(description="None where samples are too few")
    cost_usd_per_million: float
    cost_band_usd_per_million: Interval | None


class FamilyScore(_Part):
    """How well one family of curves predicts a size that it has not seen."""

    family: str
    loo_error: float | None = Field(
        description="root mean square of log(predicted / measured), leaving one size out"
    )


class UnseenSize(_Part):
    """An invoked size, and what the samples of all other sizes lead to expect there."""

    memory_mb: int
    measured_ms: float = Field(description="median of its own warm durations")
    expected_ms: float
    expected_interval_ms: Interval = Field(
        description="of the median of so many calls: what is believed of the size, and their noise"
    )


class Model(_Part):
    """The curve chosen for billed time, and those that lost."""

    family: str
    formula: str
    parameters: dict[str, float]
    loo_error: float | None
    candidates: list[FamilyScore]
    duration_family: str
    curve: list[CurvePoint]
    unseen: list[UnseenSize] = Field(
        default_factory=list,
        description="adaptive plan: each size that was left out once, between the smallest and "
        "the largest",
    )


class Slo(_Part):
    """A limit on a percentile of warm durations, and whether a size keeps it."""

    percentile: float = Field(description="95 for p95")
    limit_ms: float
    samples_needed: int = Field(description="fewest samples that can show a size to keep it")
    verdict: Literal["met", "infeasible", "not separable"]


class Saving(_Part):
    """Recommendation against the current size; positive means cheaper, or faster."""

    cost_share: float
    cost_interval: Interval
    duration_share: float
    duration_interval: Interval


class Recommendation(_Part):
    """The size to take, and those that the data cannot tell apart from it."""

    memory_mb: int
    tied_mb: list[int] = Field(description="sizes not shown to be over 1 % worse, itself included")
    objective: Objective
    weight: float | None = Field(description="weight of cost, for the balanced objective")
    saving: Saving | None
    reasons: list[str]
    cost_usd_per_million: float | None = None
    cost_interval: Interval | None = None
    duration_ms: float | None = Field(default=None, description="typical warm duration")
    duration_interval_ms: Interval | None = None
    regret_share: float | None = Field(
        default=None,
        description="by how much it is expected to be worse than the unknown best",
    )
    regret_bound_share: float | None = Field(
        default=None, description="at most so much worse, with 90 %"
    )
    knee_share: float | None = Field(default=None, description="for the knee: 0.1 for 10 %")


class CurrentSize(_Part):
    """The function's setting when the run began."""

    memory_mb: int
    cost_usd_per_million: float | None
    duration_p50_ms: float | None


class Spent(_Part):
    """What the run itself cost, by the billed durations that AWS printed."""

    invocations: int
    gb_seconds: float
    usd: float
    unmeasured_invocations: int = Field(description="calls without a REPORT line, not in usd")


class Trial(_Part):
    """The call of the function as it was, before anything was changed; it is no sample."""

    memory_mb: int
    cold: bool
    duration_ms: float | None = Field(description="None where there was no REPORT line")
    billed_ms: float | None
    max_memory_used_mb: int | None
    error_type: str | None = Field(description="what the function said of its failure, if it did")


class Budget(_Part):
    """The limits that the user set on a run, and which of them ended it."""

    max_invocations: int | None = None
    max_usd: float | None = None
    max_seconds: float | None = None
    ended_by: Literal["max_invocations", "max_usd", "max_seconds"] | None = None


class ColdSize(_Part):
    """A mix of cold and warm calls at one size; times in ms, cost for one million calls."""

    memory_mb: int
    n_cold: int
    init_ms: float | None = Field(description="INIT (or restore) of a cold call")
    cold_ms: float = Field(description="INIT and Duration of a cold call: what a caller waits")
    cold_billed_ms: float = Field(description="billed time of a cold call, INIT included")
    mean_ms: float = Field(description="mean latency over cold and warm calls")
    cost_usd_per_million: float
    cost_interval: Interval
    cold_cost_usd_per_million: float | None = Field(
        default=None, description="of a million cold calls, restores of snapshots included"
    )


class ColdMix(_Part):
    """Costs and latencies when a share of the calls is cold."""

    cold_share: float
    source: str = Field(description="given, or where it was read from and over which time")
    sizes: list[ColdSize]


class MonthlySize(_Part):
    """The bill of one month at one size, by list prices with tiers, without free tier."""

    memory_mb: int
    usd: float
    interval_usd: Interval | None = Field(description="None where samples are too few")
    saving_usd: float | None = Field(
        description="against the current size; negative when dearer; None where that is not known"
    )
    saving_interval_usd: Interval | None


class AlwaysOn(_Part):
    """A server or container that runs all month and could do the same work."""

    name: str
    vcpu: float
    memory_gb: float
    count: int = Field(description="how many are needed for the mean load at the target share")
    usd: float = Field(description="a month, on demand")
    equal_at_requests_per_month: float | None = Field(
        description="from this many requests on, as many of them as are needed cost less than "
        "Lambda; None: never for good"
    )


class Monthly(_Part):
    """What the function costs in a month at the user's traffic."""

    requests_per_month: float
    source: str = Field(description="given, or where it was read from and over which time")
    sizes: list[MonthlySize]
    break_even_requests: float | None = Field(
        description="after so many requests the saving has paid for the tuning; None: no saving"
    )
    break_even_days: float | None
    always_on: list[AlwaysOn]
    always_on_prices: str | None = Field(default=None, description="source and date")
    notes: list[str] = Field(default_factory=list)


class ArchSize(_Part):
    """One size of one architecture; `pareto` when no other is both cheaper and faster."""

    arch: Literal["x86_64", "arm64"]
    memory_mb: int
    n: int
    duration_ms: float
    duration_interval_ms: Interval
    cost_usd_per_million: float
    cost_interval: Interval
    pareto: bool


class ArchComparison(_Part):
    """The same work on x86_64 and arm64."""

    functions: dict[str, str] = Field(description="function or version by architecture")
    sizes: list[ArchSize]
    best_arch: Literal["x86_64", "arm64"]
    best_mb: int
    cost_saving_share: float = Field(description="of the best of one against that of the other")
    cost_saving_interval: Interval
    duration_saving_share: float
    duration_saving_interval: Interval
    separable: bool = Field(description="whether the data tell the two apart by the objective")


class PayloadResult(_Part):
    """One event of a mix, by its name; n are its warm calls at all sizes."""

    name: str
    weight: float = Field(description="relative to the other payloads, as given")
    n: int
    factor: float | None = Field(
        description="durations with it, relative to the mean over the mix; None without a call"
    )
    duration_p50_ms: float | None = Field(description="at the recommended size, where it was met")
    cost_usd_per_million: float | None = Field(description="at the recommended size")
    best_mb: int | None = Field(
        description="the best size by its own calls, of those with two or more"
    )


class CallRules(_Part):
    """What the user set of how calls are made and counted."""

    allowed_errors: list[str] = Field(default_factory=list)
    discard_share: float | None = None
    discard_first: int = 0
    sleep_s: float = 0.0
    outputs_kept: bool = False


class FunctionFacts(_Part):
    """The function as it was measured."""

    name: str
    arn: str
    runtime: str | None
    arch: Literal["x86_64", "arm64"]
    code_sha256: str
    timeout_s: int
    ephemeral_storage_mb: int
    region: str
    account: str | None
    settings_fingerprint: str | None = Field(
        default=None,
        description="of all settings besides memory, description and code; one for each function",
    )


class PriceFacts(_Part):
    """Which prices the costs were computed with."""

    table_date: str
    source: str
    gb_second_usd: float
    request_usd: float
    storage_gb_second_usd: float | None = Field(description="None where it is not known")


class Provenance(_Part):
    """What somebody needs to repeat the run."""

    tool_version: str
    command: list[str]
    started_utc: str
    finished_utc: str
    seed: int
    run_id: str
    payload_sha256: str
    payload_bytes: int
    samples_per_size: int | None = Field(description="None when the plan was adaptive")
    parallel: int
    plan: PlanKind = "fixed"
    candidates_mb: list[int] | None = Field(
        default=None, description="the sizes that an adaptive plan chose among"
    )
    endpoint: str | None = Field(description="custom endpoint, when not AWS itself")
    qualifier: str | None = Field(
        default=None, description="the version or alias that was tuned; None for the function"
    )
    version: str | None = Field(default=None, description="the version that was tuned")
    git_commit: str | None = Field(
        default=None, description="of the working copy in which the command ran"
    )


class TuneDocument(_Part):
    """One tuning, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["tune"] = "tune"
    verdict: Verdict
    exit_code: int
    errors: list[str]
    notes: list[str] = Field(description="what is unknown, unusual or worth knowing")
    function: FunctionFacts
    current: CurrentSize
    recommendation: Recommendation | None
    sizes: list[SizeResult]
    model: Model | None
    spent: Spent
    prices: PriceFacts
    provenance: Provenance
    budget: Budget | None = None
    slo: Slo | None = None
    cold: ColdMix | None = None
    monthly: Monthly | None = None
    arch: ArchComparison | None = None
    payloads: list[PayloadResult] = Field(
        default_factory=list, description="with several payloads; the answer is for their mix"
    )
    calls: CallRules | None = Field(default=None, description="None where nothing was set")
    applied: ApplyDocument | None = Field(default=None, description="what --apply did")
    trial: Trial | None = Field(default=None, description="None with --skip-trial; it is in spent")
    raw_files: list[RawFile] = Field(
        default_factory=list, description="the samples beside the document, when it was written"
    )
    # Whoever wrote the document, its page links to nothing else.
    visualization_url: str | None = Field(
        default=None,
        pattern=r"^https://lambda-power-tuning\.show/#[A-Za-z0-9+/=]+(;[A-Za-z0-9+/=]+){2}$",
        description="the measured sizes as a chart of aws-lambda-power-tuning: median warm "
        "duration, and cost of one invocation",
    )
