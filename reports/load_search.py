"""What a search for the highest rate found, as documents have it.

Rates are in `unit`. `low_rps` is the highest rate that was seen to hold the SLO, `high_rps` the
lowest that was seen to break it, `rate_rps` the best estimate between; None is what the search
could not say.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SearchVerdict = Literal["holds", "breaks", "undecided", "unusable"]
SearchRole = Literal["bracket", "narrow", "again", "from_above"]
SearchEnded = Literal[
    "found",
    "undecided",
    "holds_everywhere",
    "breaks_everywhere",
    "unstable",
    "budget",
    "requests",
    "generator",
    "errors",
    "refused",
    "stopped",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SearchShare(_Part):
    """How one condition stood at a rate, as the share of requests that speak against it."""

    that: str
    share: float | None = Field(description="None where no request counted")
    limit_share: float = Field(description="the condition holds below it")
    counted: int
    worth: float = Field(description="so many independent requests would tell as much")
    verdict: SearchVerdict


class SearchStep(_Part):
    """A rate that was held for a while."""

    role: SearchRole
    rate_rps: float
    from_s: float = Field(description="since the beginning of the run")
    length_s: float
    settle_s: float = Field(description="of it, left out of the test")
    requests: int
    verdict: SearchVerdict
    reason: str
    shares: list[SearchShare]
    goodput_rps: float | None = Field(description="ok answers that came in the step")
    throttled_share: float | None
    failed_share: float | None
    p50_ms: float | None = Field(description="response time of ok requests")
    p95_ms: float | None
    p99_ms: float | None


class SearchCurve(_Part):
    """`base_ms * (1 + weight * u ** order / (1 - u))`, `u = rate / capacity_rps`: p95 by rate."""

    base_ms: float
    weight: float
    order: float
    capacity_rps: float
    error_share: float = Field(description="median distance of the points from it")


class SearchKnee(_Part):
    """Where rate divided by p95 is greatest, with its 90 % interval."""

    rate_rps: float | None
    low_rps: float | None
    high_rps: float | None
    reason: str = Field(description="why there is none")


class SearchPart(_Part):
    """A search from its bounds to its answer."""

    phase: str
    unit: Literal["requests", "scenarios"]
    slo: list[str]
    assumed: list[str] = Field(description="conditions that the SLO needs and does not have")
    bounds_rps: tuple[float, float]
    step_s: float
    confidence: float
    resolution: float
    ended: SearchEnded
    detail: str
    rate_rps: float | None
    low_rps: float | None
    high_rps: float | None
    limited_by: str | None
    hysteresis: Literal["none", "seen", "unknown"]
    hysteresis_detail: str
    refill_rps: float | None = Field(description="admitted while the rest was refused")
    burst: float | None = Field(description="what came through before that, beyond it")
    steps: list[SearchStep]
    curve: SearchCurve | None
    knee: SearchKnee
    requests: int
    took_s: float
