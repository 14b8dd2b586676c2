"""The result document of a probe of limits: what `loadgen limits` writes.

A quantity has a value with an interval, or a range without one where the data allow none. What is
`calibrated` is a 90 % interval that held in simulations with known truths; what is not is a range.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.load_document import LoadSpent, TargetFacts

LimitsVerdict = Literal[
    "pass", "failed", "inconclusive", "invalid", "refused", "interrupted", "error"
]
LimitKind = Literal[
    "token_bucket",
    "sharded",
    "other_traffic",
    "delayed_synchronisation",
    "fixed_window",
    "concurrency",
    "quota",
    "block",
    "adaptive",
    "poorly_kept",
    "no_refusal",
    "unknown",
]
Answer = Literal["agrees", "disagrees", "unknown"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Quantity(_Part):
    """A rate in requests a second, or a burst in requests."""

    value: float | None = Field(description="None: the data allow no point estimate")
    low: float
    high: float | None = Field(description="None: nothing bounds it")
    calibrated: bool = Field(description="a 90 % interval; else a range that the data allow")


class FrontierPoint(_Part):
    """If the rate is `rate_rps`, the burst is at least `burst`."""

    rate_rps: float
    burst: float


class LimitFinding(_Part):
    """The limit that was met, and how it is kept."""

    kind: LimitKind
    rate_rps: Quantity | None
    burst: Quantity | None
    reasons: list[str]
    shards: int = 1
    other_share: float = Field(default=0.0, description="what others use, of the rate")
    limit: float | None = Field(default=None, description="of kinds that are no bucket")
    window_s: float | None = None
    misfit: float | None = Field(default=None, description="1: as close as noise allows")
    frontier: list[FrontierPoint] = []
    rough_rate_rps: float | None = Field(default=None, description="of the ramp alone")
    rough_burst: float | None = None


class FactorTest(_Part):
    """Whether requests that differ in one factor share the bucket."""

    factor: Literal["method", "key", "stage"]
    scenario: str
    sent: int
    admitted: int
    base_sent: int = Field(description="of the probed scenario, in the same windows")
    base_admitted: int
    llr: float = Field(description="log likelihood ratio; above 0: not shared")
    shared: bool | None = Field(description="None: it stayed open")


class BindingLayer(_Part):
    """Whose bucket it is."""

    layer: str = Field(
        description="account, stage, ..., application, lambda_concurrency, unclear, unknown"
    )
    candidates: list[str] = []
    evidence: Literal["behaviour", "configuration", "answers", "none"]
    tests: list[FactorTest] = []


class LayerComparison(_Part):
    """A limit of the path: what is configured, and what the probe says of it."""

    layer: str
    name: str
    binds: bool
    rate_rps: float | None = Field(description="as configured; None: unknown, or there is none")
    burst: int | None
    answer: Answer
    why: str


class AccountQuota(_Part):
    """The account's throttle as Service Quotas has it."""

    rate_rps: float
    burst: int | None


class ProbePhase(_Part):
    """A phase of the probe."""

    name: str
    purpose: str
    from_s: float
    to_s: float
    rate_rps: float = Field(description="planned, of the probed scenario")
    sent: int
    admitted: int
    refused: int
    failed: int
    others_sent: int = Field(default=0, description="of other scenarios")
    p95_ms: float | None = Field(description="service time of what was ok")


class ProbeBin(_Part):
    """A piece of time, of the probed scenario; `model` is what the fitted limit admits.

    `drift_low` and `drift_high` bound what is admitted less `model`, added up from the beginning to
    the end of this piece, by chance alone: all pieces at once stay inside in 90 % of probes.
    """

    from_s: float
    to_s: float
    sent: int
    admitted: int
    model: float | None
    drift_low: float | None = None
    drift_high: float | None = None


class ProbeCounts(_Part):
    """Requests of a probe. `base_admitted` is held against 7 x burst + 15 s x rate."""

    sent: int
    admitted: int
    refused: int
    base_admitted: int
    layer_admitted: int
    canary_admitted: int
    canary_refused: int
    lost: int | None = Field(
        default=None, description="arrivals that were dropped or cut; None: of older versions"
    )
    allowed: float | None = Field(description="7 x burst + 15 s x rate; None: not known")


class ProbeGuard(_Part):
    """A guard, its limit and how near the probe came."""

    name: str
    limit: str
    reached: str


class ProbedScenario(_Part):
    """Whose limit was looked for."""

    scenario: str
    method: str
    path: str
    stage: str | None
    with_key: bool
    canary: str | None


class LimitsProvenance(_Part):
    """What somebody needs to repeat the probe."""

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
    endpoint: str | None = None


class LimitsDocument(_Part):
    """One probe, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["limits"] = "limits"
    name: str
    verdict: LimitsVerdict
    exit_code: int
    errors: list[str]
    notes: list[str]
    target: TargetFacts
    probed: ProbedScenario
    finding: LimitFinding
    binding: BindingLayer
    comparisons: list[LayerComparison]
    account_quota: AccountQuota | None = Field(
        default=None, description="None: not read; GetAccount counts where the two differ"
    )
    counts: ProbeCounts
    phases: list[ProbePhase]
    bins: list[ProbeBin]
    guards: list[ProbeGuard]
    statuses: dict[str, int]
    length_s: float
    spent: LoadSpent
    provenance: LimitsProvenance
