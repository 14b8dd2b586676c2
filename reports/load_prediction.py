"""What was predicted of a load before it was sent, and beside it what was found: a document part.

Shares are of requests, from 0 to 1. None is what nobody knows; `unknown` says why.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RefusedBy(_Part):
    """A layer that refuses requests of a phase."""

    layer: str = Field(description="account, stage, method, usage_plan, ..., lambda_concurrency")
    name: str
    reason: Literal["rate", "quota", "concurrency", "request_rate", "growth"]
    share: float


class FunctionConcurrency(_Part):
    """How many calls of a function run at once in a phase."""

    function: str
    mean: float | None = Field(description="rate of admitted calls x mean duration (Little's law)")
    p99: float | None = Field(description="of a Poisson number, at most the limit")
    most: int | None = Field(description="at any start of a call, in the simulation")
    limit: int | None
    limit_name: str
    unknown: str = ""


class DownstreamUse(_Part):
    """What a phase needs of a limit that the profile names."""

    name: str
    needed_rps: float | None = Field(description="units a second")
    limit_rps: float | None
    needed_at_once: float | None = Field(description="units in use at once, the most")
    limit_at_once: int | None
    short_share: float | None = Field(description="of requests that run there and find too little")
    unknown: str = ""


class PhaseFound(_Part):
    """What the run measured in the same phase."""

    throttled_share: float | None
    cause: str | None = Field(description="of most refusals; `none` without any")
    off_by: float | None = Field(
        default=None, description="measured minus predicted throttled share, if comparable"
    )
    not_compared: str = Field(
        default="", description="why prediction and measurement are not of the same load"
    )
    concurrency: dict[str, float] = Field(
        default={}, description="by function: the most at once, by the metric of its minutes"
    )


class PhasePrediction(_Part):
    """A phase before it was sent."""

    name: str
    from_s: float
    to_s: float
    measured: bool
    planned: str
    requests: int | None
    rate_rps: float | None = Field(description="mean rate of requests")
    throttled_share: float | None = Field(description="by the layers that are known")
    if_nobody_retries: bool = Field(
        default=False, description="`refused_by` is of first requests: clients would send again"
    )
    binds: str | None = Field(description="the layer that refuses most; `none`, or None: unknown")
    binds_name: str = ""
    refused_by: list[RefusedBy] = []
    unknown: list[str] = Field(default=[], description="layers of which nobody knows if they bind")
    concurrency: list[FunctionConcurrency] = []
    downstream: list[DownstreamUse] = []
    found: PhaseFound | None = None


class QuotaUse(_Part):
    """The quota of a key: before, through the run, and in production."""

    name: str
    limit: int
    period: str
    used_before: int | None
    left_before: int | None
    read_utc: str = Field(description="when AWS was asked; it counts with a delay")
    requests: int | None = Field(description="of the plan, with this key")
    uses: int | None = Field(description="of them what is admitted, as predicted")
    left_after: int | None
    runs_out_s: float | None = Field(default=None, description="in the run, from its beginning")
    per_day: float | None = Field(default=None, description="requests a day in production")
    per_day_source: str = ""
    needed_per_period: float | None = Field(default=None, description="at that pace")
    runs_out_utc: str | None = Field(
        default=None, description="when what is left is used up; None: it lasts, or is unknown"
    )
    period_ends_on: str = Field(default="", description="the last day of the period (UTC)")
    counted: int | None = Field(default=None, description="requests of the run that it let pass")
    refused: int | None = Field(default=None, description="requests of the run that it refused")
    used_after: int | None = Field(default=None, description="by AWS, after the run")
    left_now: int | None = None
    read_after_utc: str | None = None


class CostPart(_Part):
    """A part of the cost at list prices; None is not known."""

    name: Literal["API Gateway", "Lambda", "logs", "data transfer"]
    least_usd: float | None
    most_usd: float | None
    detail: str


class PredictedCost(_Part):
    """What the load costs; the sums are of the parts that are known."""

    least_usd: float | None
    most_usd: float | None
    parts: list[CostPart]
    not_in_it: list[str]
    spent_usd: float | None = Field(default=None, description="after the run, at most")


class KnownDuration(_Part):
    """How long the function of a step is taken to run."""

    step: str
    mean_ms: float
    p50_ms: float | None
    p99_ms: float | None
    source: str


class LoadPrediction(_Part):
    """All that was predicted of a load."""

    phases: list[PhasePrediction]
    quotas: list[QuotaUse] = []
    cost: PredictedCost | None = None
    durations: list[KnownDuration] = []
    notes: list[str] = []
