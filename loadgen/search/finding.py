"""What a search found: each rate that was tried and the interval; the curve through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["holds", "breaks", "undecided", "unusable"]
Role = Literal["bracket", "narrow", "again", "from_above"]
# Why a search ended. `found`: it is as narrow as asked; `undecided`: more could not be told apart.
Ended = Literal[
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
Hysteresis = Literal["none", "seen", "unknown"]


@dataclass(frozen=True, slots=True)
class Shares:
    """How one criterion stood at a rate: bad of counted requests, and how many those are worth."""

    that: str
    share: float | None  # None: nothing was counted
    limit_share: float
    counted: int
    worth: float  # so many independent requests would tell as much
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Curve:
    """What was measured at a rate, for the load-latency curve; latencies in ms of ok requests."""

    rate_rps: float
    goodput_rps: float  # ok answers that ended, a second
    admitted_rps: float
    throttled_share: float
    failed_share: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Tried:
    """One rate that was held for a while; `settle_s` of `length_s` were left out."""

    role: Role
    rate_rps: float
    from_s: float
    length_s: float
    settle_s: float
    requests: int
    verdict: Verdict
    reason: str  # why: the criterion, a queue that grows, what makes it unusable
    shares: tuple[Shares, ...]
    curve: Curve | None
    growth_rps: float | None = None  # by how much more came than went, a second


@dataclass(frozen=True, slots=True)
class Knee:
    """Where rate divided by latency is greatest (Kleinrock's power), with its interval."""

    rate_rps: float | None
    low_rps: float | None
    high_rps: float | None
    reason: str  # why there is none


@dataclass(frozen=True, slots=True)
class Fitted:
    """`base_ms * (1 + weight * u ** order / (1 - u))` with `u = rate / capacity_rps`, a percentile
    of the response time by rate."""

    percentile: str
    base_ms: float
    weight: float
    order: float
    capacity_rps: float
    error_share: float  # typical distance of points from the curve


@dataclass(frozen=True, slots=True)
class SearchFinding:
    """The answer of a search; rates are in the unit of the profile.

    `low_rps` is the highest rate that was seen to hold, `high_rps` the lowest that was seen to
    break; with the confidence asked for, the highest rate that holds lies between. `rate_rps` is
    the best estimate of it. Each is None where the search cannot say it.
    """

    ended: Ended
    detail: str
    rate_rps: float | None
    low_rps: float | None
    high_rps: float | None
    limited_by: str | None  # the criterion that breaks at `high_rps`
    hysteresis: Hysteresis
    hysteresis_detail: str
    burst: float | None  # tokens that hid a limit at the beginning of steps
    refill_rps: float | None  # what was admitted while the rest was refused
    tried: tuple[Tried, ...] = ()
    assumed: tuple[str, ...] = ()  # criteria that the SLO did not have
    requests: int = 0
    took_s: float = 0.0
