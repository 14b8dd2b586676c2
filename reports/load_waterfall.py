"""Where the time of a load run's requests goes, and what cold starts cost, as documents have it.

A group's parts are means over its requests, so that they add up; percentiles of parts do not. What
could not be told apart is one bigger part under its own name, and a part of which nothing is known
is not there.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PartName = Literal[
    "queue",
    "dns",
    "tcp",
    "tls",
    "network",
    "gateway",
    "authorizer",
    "integration",
    "init",
    "handler",
    "network_api_function",
    "network_api",
    "gateway_function",
    "integration_function",
    "request",
    "no_answer",
    "response",
]

# In the order of time; a bigger part stands where what is in it would.
LABELS: dict[PartName, str] = {
    "queue": "client queue",
    "dns": "DNS",
    "tcp": "TCP",
    "tls": "TLS",
    "network": "network",
    "network_api_function": "network, API and function",
    "network_api": "network and API",
    "gateway": "gateway overhead",
    "authorizer": "authorizer",
    "gateway_function": "gateway and function",
    "integration": "integration overhead",
    "integration_function": "integration, not split",
    "init": "INIT or restore",
    "handler": "handler",
    "request": "request, not split",
    "no_answer": "no answer",
    "response": "response",
}

# What a bigger part has in it, for those who wonder where the smaller ones are.
BIGGER: dict[PartName, str] = {
    "network_api_function": "from the request to the first byte: no log line tells more",
    "network_api": "from the request to the first byte, without the function",
    "gateway_function": "the gateway's latency: its log has no integration latency",
    "integration_function": "the integration's latency: no REPORT line belongs to it",
    "request": "from start to end: this client knows no more",
    "no_answer": "until the client gave up, or the connection broke",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimePart(_Part):
    """One part of the response time of a group."""

    part: PartName
    mean_ms: float = Field(ge=0)
    share: float = Field(description="of the group's response time")
    from_metrics: bool = Field(
        default=False, description="a difference of medians that CloudWatch has of the whole window"
    )


class TimeGroup(_Part):
    """A group of requests: how long they took, and the parts of it.

    `response_ms` is the mean of the `split` requests, and the sum of their parts and the residual.
    """

    requests: int = Field(description="in the group")
    from_ms: float = Field(description="the quickest response of the group")
    to_ms: float
    group_ms: float = Field(description="mean response time of the whole group")
    split: int = Field(description="requests that the parts are of")
    response_ms: float
    parts: list[TimePart]
    residual_ms: float = Field(
        description="response time less all parts; below 0 where clocks and rounding overlap"
    )
    unmatched_share: float | None = Field(
        description="of the group: without a log line, or a REPORT line where there must be one; "
        "None where the run has no log line at all"
    )
    ran_on: int = Field(
        default=0, description="whose function worked longer than the integration waited"
    )


class StepTimes(_Part):
    """The two groups of one step."""

    step: str
    scenario: str
    requests: int
    median: TimeGroup
    slowest: TimeGroup


class Waterfall(_Part):
    """Where the time of the median request goes, and that of the slowest 1 % as a group."""

    source: Literal["logs", "xray", "metrics", "client"] = Field(
        description="what tells more than the client knows by itself"
    )
    of: Literal["completed", "ok"] = Field(
        description="ok where more than 1 % of the completed requests are not"
    )
    requests: int
    median: TimeGroup = Field(description="response times between p45 and p55")
    slowest: TimeGroup = Field(description="the slowest 1 %, at least one request")
    steps: list[StepTimes]
    notes: list[str] = []


class ColdPercentiles(_Part):
    """Of response times, in milliseconds."""

    p50: float
    p95: float
    p99: float
    n: int


class ColdMinute(_Part):
    """Cold starts of a minute of the run, by when requests were sent; all phases."""

    minute: int = Field(description="from 0")
    requests: int = Field(description="with a REPORT line")
    cold: int
    share: float


class ColdBin(_Part):
    """Cold starts of some seconds of the run, by when requests were sent; all phases."""

    from_s: float
    to_s: float
    requests: int = Field(description="with a REPORT line")
    cold: int


class InitBin(_Part):
    """Cold starts whose INIT or restore took so long; bounds have equal ratios."""

    from_ms: float
    to_ms: float = Field(description="and less than that")
    count: int


class ColdStep(_Part):
    """Cold starts of a step, in the measured phases."""

    step: str
    scenario: str
    requests: int
    cold: int
    share: float
    with_ms: ColdPercentiles
    without_ms: ColdPercentiles | None = Field(description="None where all were cold")


class ColdStarts(_Part):
    """How many requests met a cold start, and what that cost; of requests with a REPORT line."""

    completed: int = Field(description="in the measured phases")
    requests: int = Field(description="of them with a REPORT line, of which all this is")
    cold: int = Field(description="with INIT or restore")
    restored: int = Field(description="of them from a snapshot")
    ahead: int = Field(description="of them with an INIT that was over before the request came")
    share: float
    elsewhere: int | None = Field(
        default=None,
        description="cold starts in the functions' logs that no request of the run is known to "
        "have met: of timeouts, or of other callers; None where logs have no totals",
    )
    init_ms: ColdPercentiles | None = Field(description="of INIT or restore of the cold ones")
    with_ms: ColdPercentiles
    without_ms: ColdPercentiles | None
    p99_cost_ms: float | None = Field(description="p99 with cold requests less p99 without")
    minutes: list[ColdMinute]
    steps: list[ColdStep]
    slowest: int | None = Field(
        default=None, description="how many the slowest 1 % of them are, by response time"
    )
    slowest_cold: int | None = Field(default=None, description="of the slowest 1 %")
    bins: list[ColdBin] = Field(default=[], description="at most 60, of equal length")
    init_bins: list[InitBin] = Field(default=[], description="of INIT or restore of the cold ones")
