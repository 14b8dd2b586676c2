"""What modelled clients made of a load: a part of the document of a load run.

An operation is a step of a flow as its caller sees it: one request, or several where a modelled
client sends again. Response times elsewhere in the document are those of requests.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetryTimes(_Part):
    """Of operations or of attempts, in milliseconds; within 0.1 %, `max` exactly."""

    p50: float
    p95: float
    p99: float
    max: float
    n: int


class GaveUp(_Part):
    """Operations that ended because their client did not send again."""

    attempts: int = Field(description="all attempts were used")
    quota: int = Field(description="the retry quota had no tokens")
    run_ended: int = Field(description="the run ended while the client waited")


class Operations(_Part):
    """Operations of the whole run, of a step or of a phase.

    Rates are over its measured time, of what was due in it, to the second.
    """

    name: str
    operations: int = Field(description="that began: requests without those sent again")
    ok: int = Field(description="in the end")
    failed: int = Field(description="with an answer that no client sends again")
    gave_up: GaveUp
    cut: int = Field(description="their last request was in flight when the drain ended")
    requests: int = Field(description="sent for them")
    late: int = Field(description="of the requests: due after their phase, and in no rate")
    amplification: float | None = Field(description="requests sent / operations")
    offered_rps: float = Field(description="operations a second")
    wire_rps: float = Field(description="requests a second")
    goodput_rps: float = Field(description="operations a second that came to be ok")
    latency_ms: RetryTimes | None = Field(
        description="from when the first request was due to the last answer, waiting included"
    )
    ok_latency_ms: RetryTimes | None = Field(description="of those that were ok in the end")


class Attempt(_Part):
    """The requests of one attempt of all operations; 1 is the first."""

    attempt: int
    sent: int
    completed: int
    ok: int
    held: int = Field(description="kept back by the rate limiter of their client")
    held_mean_ms: float | None
    response_ms: RetryTimes | None = Field(description="from when this request was due")


class RetrySecond(_Part):
    """One second: operations by when their first request was due, requests by their own time."""

    second: int
    phase: str
    operations: int
    ok: int = Field(description="operations whose last request was due in it and was ok")
    first: int = Field(description="requests sent as the first of their operation")
    retries: int


class ModelledClients(_Part):
    """The clients of a scenario."""

    scenario: str
    mode: Literal["none", "standard", "adaptive"]
    clients: int
    max_attempts: int
    quota: int | None = Field(description="tokens of each client; null: no quota")


class RetryReport(_Part):
    """Operations, attempts and seconds; the whole and the steps are of measured phases."""

    clients: list[ModelledClients]
    whole: Operations
    steps: list[Operations]
    phases: list[Operations]
    attempts: list[Attempt]
    seconds: list[RetrySecond]
