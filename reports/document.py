"""The result document of a tuning: what `tune` writes, and what pages and tables are made from.

Documents are typed, carry `schema_version` and `kind`, and state units in their names. Percentiles
here are summaries for readers; the raw samples stand beside the document in `samples.ndjson`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Interval = Annotated[tuple[float, float], Field(description="lower and upper bound of 90 %")]
Objective = Literal["cost", "speed", "balanced"]
Verdict = Literal["pass", "inconclusive", "invalid", "interrupted"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Percentiles(_Part):
    """Durations in milliseconds; p95 is the measured order statistic, so small n says little."""

    p50: float
    p95: float


class SizeResult(_Part):
    """What was measured at one memory size."""

    memory_mb: int
    vcpu_share: float = Field(description="vCPUs that this memory buys: memory_mb / 1769")
    n: int = Field(description="warm samples that count")
    n_cold: int
    n_failed: int
    duration_ms: Percentiles | None = Field(description="warm Duration as REPORT states it")
    duration_typical_ms: float | None = Field(
        description="trimmed mean of warm Duration: without the lowest and the highest tenth, and "
        "from five samples up at least one at each end"
    )
    duration_interval_ms: Interval | None
    cold_p50_ms: float | None = Field(description="median of Init (or Restore) + Duration")
    init_p50_ms: float | None
    billed_typical_ms: float | None = Field(description="the same mean of warm billed time")
    cost_usd_per_million: float | None
    cost_interval: Interval | None = Field(description="90 % interval of cost_usd_per_million")
    max_memory_used_mb: int | None
    failure: str | None = Field(description="why this size is out: timeout, out of memory, ...")


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


class Model(_Part):
    """The curve chosen for billed time, and those that lost."""

    family: str
    formula: str
    parameters: dict[str, float]
    loo_error: float | None
    candidates: list[FamilyScore]
    duration_family: str
    curve: list[CurvePoint]


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
    samples_per_size: int
    parallel: int
    endpoint: str | None = Field(description="custom endpoint, when not AWS itself")


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
