"""Simulated APIs in virtual time, whose rates are known, and what runs a plan against them.

For tests and benchmarks: no run of a load needs this.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.records import RECORD
from loadgen.steered.orders import arrivals_of, order_of
from loadgen.steered.segment import Found, Plan, Segment, Sent

Floats = NDArray[np.float64]
_US = 1_000_000
_LOOK_S = 0.2  # from the end of a segment to the next one
THROTTLED = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE)
BROKEN = Kind(Outcome.CONNECTION_ERROR, Cause.REFUSED, Evidence.WIRE)
OK = Kind(Outcome.OK)


class System(Protocol):
    """What requests meet."""

    def serve(self, at_s: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Latencies in seconds and kinds of requests that come at some times, in order."""
        ...


@dataclass
class Queue:
    """`servers` servers with exponential service times of a mean of 1 / `rate_rps`, one queue."""

    rate_rps: float
    servers: int
    rng: np.random.Generator
    drift_per_s: float = 0.0  # by how much of itself the rate of servers changes
    slow_factor: float = 1.0  # of servers while a queue is long, until it is empty again
    slow_above: int = 1_000_000
    _free: list[float] = field(default_factory=list)
    _slow: bool = False

    def __post_init__(self) -> None:
        self._free = [0.0] * self.servers

    def serve(self, at_s: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """First come, first served."""
        times = self.rng.standard_exponential(len(at_s)) / self.rate_rps
        latency, free = np.empty(len(at_s)), self._free
        for number, (at, time) in enumerate(zip(at_s.tolist(), times.tolist(), strict=True)):
            wait = max(free[0] - at, 0.0)
            if self._slow and wait == 0.0:
                self._slow = False
            elif wait * self.rate_rps * self.servers > self.slow_above:
                self._slow = True
            if self._slow:
                time *= self.slow_factor
            if self.drift_per_s:
                time /= max(1 + self.drift_per_s * at, 0.05)
            end = at + wait + time
            heapq.heapreplace(free, end)
            latency[number] = wait + time
        return latency, np.zeros(len(at_s), np.int64)

    def p_limit_rps(self, share: float, limit_s: float) -> float:
        """The rate at which `share` of all requests take longer than `limit_s`."""
        low, high = 0.0, self.rate_rps * self.servers
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.above(middle, limit_s) < share else (low, middle)
        return low

    def above(self, rate_rps: float, limit_s: float) -> float:
        """The share of requests in M/M/c that take longer than `limit_s` (Gross and Harris)."""
        c, mu = self.servers, self.rate_rps
        load = rate_rps / mu
        term, whole = 1.0, 1.0
        for k in range(1, c):
            term *= load / k
            whole += term
        last = term * load / c / (1 - load / c)
        waits = last / (whole + last)
        theta = c * mu - rate_rps
        served = np.exp(-mu * limit_s)
        if abs(theta - mu) < 1e-9 * mu:
            return float((1 - waits) * served + waits * (1 + mu * limit_s) * served)
        both = (theta * served - mu * np.exp(-theta * limit_s)) / (theta - mu)
        return float((1 - waits) * served + waits * both)


@dataclass
class TokenBucket:
    """Refuses what finds no token; what it lets through takes `latency_s`."""

    refill_rps: float
    burst: float
    rng: np.random.Generator
    latency_s: float = 0.02
    _tokens: float = -1.0
    _at_s: float = 0.0

    def serve(self, at_s: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Each takes a token, or is refused."""
        tokens, last = (self.burst, 0.0) if self._tokens < 0 else (self._tokens, self._at_s)
        refused = np.zeros(len(at_s), np.bool_)
        for number, at in enumerate(at_s.tolist()):
            tokens = min(self.burst, tokens + (at - last) * self.refill_rps)
            last = at
            if tokens < 1:
                refused[number] = True
            else:
                tokens -= 1
        self._tokens, self._at_s = tokens, last
        latency = self.latency_s * np.exp(0.2 * self.rng.standard_normal(len(at_s)))
        return np.where(refused, 0.001, latency), np.where(refused, THROTTLED.code, OK.code)


@dataclass
class Flat:
    """Always as fast."""

    rng: np.random.Generator
    latency_s: float = 0.02
    quota: int = 1_000_000_000  # requests, after which all are refused
    breaks_above_rps: float = 1e9  # above it, nobody answers
    _served: int = 0

    def serve(self, at_s: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """None waits for another."""
        latency = self.latency_s * np.exp(0.2 * self.rng.standard_normal(len(at_s)))
        kinds = np.zeros(len(at_s), np.int64)
        over = np.arange(len(at_s)) + self._served >= self.quota
        kinds[over] = THROTTLED.code
        self._served += len(at_s)
        if len(at_s) > 1 and len(at_s) / (at_s[-1] - at_s[0]) > self.breaks_above_rps:
            kinds[:] = BROKEN.code
        return latency, kinds


@dataclass
class Generator:
    """What sends: how late, how much at once at most, and how fast at most."""

    lag_s: float = 0.0005
    most_rps: float = 1e9  # above it, requests begin later and later
    max_in_flight: int = 10_000


def play(
    plan: Plan[Found],
    system: System,
    seed: int,
    generator: Generator | None = None,
    stop_after: int = 10_000,
) -> Found:
    """Runs a plan against a simulated API; a run is stopped after so many segments."""
    generator = generator or Generator()
    segment = next(plan)
    ended_s = 0.0
    for number in range(stop_after + 1):
        from_s = ended_s + max(segment.rest_s, _LOOK_S)
        sent = _send(segment, number, from_s, system, seed, generator)
        if number == stop_after:
            sent = Sent(sent.records, sent.from_us, sent.to_us, sent.connection, stopped="a guard")
        last = sent.records["start_us"] + sent.records["service_us"]
        ended_s = max(sent.to_us, int(last.max()) if len(last) else 0) / _US
        try:
            segment = plan.send(sent)
        except StopIteration as end:
            found: Found = end.value
            return found
    raise AssertionError("the plan goes on after it was stopped")


def _send(
    segment: Segment, number: int, from_s: float, system: System, seed: int, generator: Generator
) -> Sent:
    order = order_of(segment, phase=number, from_us=round(from_s * _US), seed=seed)
    due_us = arrivals_of(order, 0, 1).at_us
    rate_rps = segment.expected / segment.length_s
    behind = max(0.0, rate_rps / generator.most_rps - 1)
    start_us = due_us + round(generator.lag_s * _US)
    start_us += np.asarray((due_us - order["from_us"]) * behind, np.int64)
    latency_s, kinds = system.serve(start_us / _US)
    records = np.zeros(len(due_us), RECORD)
    records["intended_us"], records["start_us"], records["kind"] = due_us, start_us, kinds
    records["service_us"] = np.rint(latency_s * _US)
    kept = _in_flight(start_us / _US, latency_s) < generator.max_in_flight
    return Sent(
        records=records[kept],
        from_us=order["from_us"],
        to_us=order["to_us"],
        connection=np.zeros(int(kept.sum()), np.int64),
        dropped=int((~kept).sum()),
    )


def _in_flight(at_s: Floats, latency_s: Floats) -> NDArray[np.int64]:
    ended = np.searchsorted(np.sort(at_s + latency_s), at_s)
    return np.asarray(np.arange(len(at_s)) - ended, np.int64)
