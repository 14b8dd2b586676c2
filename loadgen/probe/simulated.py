"""A plan of a steered load run against a simulated API, in virtual time.

Nothing is sent and nobody waits: for `--dry-run`, for tests and for benchmarks with a known truth.
Requests travel with random one-way times, are judged in the order in which they arrive, and what
the plan looks at while a segment goes on is what has come back by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from loadgen.bucket.models import Limit
from loadgen.limits import Bucket
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.probe.progress import progress_of
from loadgen.records import RECORD, Records
from loadgen.steered.orders import arrivals_of, order_of
from loadgen.steered.segment import Plan, Segment, Sent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint16]  # of loadgen.outcome.Kind

REFUSED = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE).code
_LOOK_S = 1.0
_US = 1_000_000
# What a segment costs besides its arrivals: the wait for the last answers, and the next order.
_BETWEEN_S = 0.1
_MOST_SEGMENTS = 500

Found = TypeVar("Found")


class SimulatedApi(Protocol):
    """Answers requests in the order in which they arrive; its state goes on from call to call."""

    def answer(self, at_s: Floats, step: Ints, connection: Ints, service_s: Floats) -> Codes:
        """What becomes of each request, as `Kind.code`."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """One way lasts `one_way_ms` with the standard deviation `jitter_ms` (log-normal)."""

    one_way_ms: float = 1.0
    jitter_ms: float = 0.0
    service_ms: float = 5.0  # of admitted requests; refused ones take none

    def one_way_s(self, n: int, rng: np.random.Generator) -> Floats:
        """Times of `n` trips."""
        if self.jitter_ms <= 0:
            return np.full(n, self.one_way_ms / 1000)
        spread = np.log1p((self.jitter_ms / self.one_way_ms) ** 2)
        centre = np.log(self.one_way_ms / 1000) - spread / 2
        return rng.lognormal(centre, np.sqrt(spread), n)


class OneLimit:
    """An API in which all requests meet one limit, whatever its kind."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit

    def answer(self, at_s: Floats, step: Ints, connection: Ints, service_s: Floats) -> Codes:
        """OK, or refused by some throttle."""
        admitted = self._limit.admit(at_s, connection, service_s)
        return np.where(admitted, OK.code, REFUSED).astype(np.uint16)


class ConfiguredApi:
    """An API that keeps the buckets on the path of each step exactly; all are full at first.

    A request that one of them refuses takes nothing from the others.
    """

    def __init__(self, paths: Sequence[Sequence[Bucket]]) -> None:
        self._paths = paths
        self._levels = {one.shared_key: float(one.burst) for path in paths for one in path}
        self._seen = dict.fromkeys(self._levels, 0.0)

    def answer(self, at_s: Floats, step: Ints, connection: Ints, service_s: Floats) -> Codes:
        """OK, or refused by some throttle."""
        codes = [
            OK.code if self._admits(now_s, self._paths[number]) else REFUSED
            for now_s, number in zip(at_s.tolist(), step.tolist(), strict=True)
        ]
        return np.array(codes, np.uint16)

    def _admits(self, now_s: float, path: Sequence[Bucket]) -> bool:
        levels, seen = self._levels, self._seen
        for bucket in path:
            key = bucket.shared_key
            passed = max(0.0, now_s - seen[key])
            levels[key] = min(float(bucket.burst), levels[key] + bucket.rate_rps * passed)
            seen[key] += passed
        if any(levels[bucket.shared_key] < 1.0 for bucket in path):
            return False
        for bucket in path:
            levels[bucket.shared_key] -= 1.0
        return True


@dataclass(frozen=True, slots=True)
class Simulation(Generic[Found]):
    """What a plan found, and what it sent for it."""

    found: Found
    sent: tuple[tuple[Segment, Sent], ...]

    @property
    def length_s(self) -> float:
        """From the first arrival to the end of the last segment."""
        return self.sent[-1][1].to_us / _US if self.sent else 0.0


def simulate(
    plan: Plan[Found],
    api: SimulatedApi,
    steps: Mapping[int, int],
    *,
    seed: int,
    network: Network | None = None,
    connections: int = 64,
) -> Simulation[Found]:
    """Runs `plan` to its end; `steps` has the step that each scenario sends.

    Raises:
        RuntimeError: the plan does not come to an end.
    """
    world = _World(api, steps, network or Network(), connections, np.random.default_rng(seed), seed)
    try:
        segment = next(plan)
        for _ in range(_MOST_SEGMENTS):
            segment = plan.send(world.send(segment))
    except StopIteration as end:
        return Simulation(end.value, tuple(world.sent))
    raise RuntimeError(f"the plan has more than {_MOST_SEGMENTS} segments")


@dataclass(slots=True)
class _World:
    """Virtual time, the network, and what is on its way."""

    api: SimulatedApi
    steps: Mapping[int, int]
    network: Network
    connections: int
    rng: np.random.Generator
    seed: int
    sent: list[tuple[Segment, Sent]] = field(default_factory=list)
    now_s: float = 0.0  # the last arrival, or the end of a pause

    def send(self, segment: Segment) -> Sent:
        begin_s = self.now_s + max(segment.rest_s, _BETWEEN_S if self.sent else 0.0)
        order = order_of(
            segment, phase=len(self.sent), from_us=round(begin_s * _US), seed=self.seed
        )
        chunk = arrivals_of(order, 0, 1)
        rows = self._requests(chunk.at_us, chunk.scenario, len(self.sent))
        end_s, stopped = begin_s + segment.length_s, None
        answered = np.zeros(len(rows.records), np.bool_)
        for look_s in _looks(begin_s, end_s):
            self._answer(rows, answered, look_s)
            if look_s < end_s and segment.watch is not None:
                back = rows.records[answered & (rows.back_s <= look_s)]
                stopped = segment.watch(progress_of(back, look_s - begin_s))
            if stopped is not None:
                end_s = look_s
                break
        begun = int(np.searchsorted(rows.send_s, end_s, side="left"))
        rows = rows.first(begun)
        self._answer(rows, answered[:begun], np.inf)
        self.now_s = end_s
        result = Sent(
            records=rows.records,
            from_us=round(begin_s * _US),
            to_us=round(end_s * _US),
            connection=rows.connection,
            stopped=stopped,
        )
        self.sent.append((segment, result))
        return result

    def _requests(self, at_us: Ints, scenario: NDArray[np.uint16], phase: int) -> _Requests:
        n = len(at_us)
        records = np.zeros(n, RECORD)
        records["intended_us"] = records["start_us"] = at_us
        records["step"] = [self.steps[int(one)] for one in scenario.tolist()]
        records["phase"], records["attempt"], records["status"] = phase, 1, 200
        there, back = (self.network.one_way_s(n, self.rng) for _ in range(2))
        send_s = at_us / _US
        connection = self.rng.integers(self.connections, size=n) + 1
        records["connection"] = connection
        return _Requests(records, send_s, send_s + there, back, connection, np.zeros(n))

    def _answer(self, rows: _Requests, answered: NDArray[np.bool_], until_s: float) -> None:
        """Lets the API answer what arrives before `until_s`, in the order in which it arrives."""
        part = np.flatnonzero(~answered & (rows.arrive_s < until_s))
        part = part[np.argsort(rows.arrive_s[part], kind="stable")]
        service_s = np.full(len(part), self.network.service_ms / 1000)
        codes = self.api.answer(
            rows.arrive_s[part],
            rows.records["step"][part].astype(np.int64),
            rows.connection[part],
            service_s,
        )
        worked_s = np.where(codes >> 12 == Outcome.THROTTLED, 0.0, service_s)
        rows.back_s[part] = rows.arrive_s[part] + worked_s + rows.return_s[part]
        times_us = np.rint((rows.back_s[part] - rows.send_s[part]) * _US)
        rows.records["service_us"][part] = times_us
        rows.records["first_byte_us"][part] = times_us
        rows.records["kind"][part] = codes
        rows.records["status"][part] = np.where(codes >> 12 == Outcome.THROTTLED, 429, 200)
        answered[part] = True


@dataclass(frozen=True, slots=True)
class _Requests:
    """The requests of a segment, in the order of their starts."""

    records: Records
    send_s: Floats
    arrive_s: Floats
    return_s: Floats
    connection: Ints
    back_s: Floats

    def first(self, n: int) -> _Requests:
        return _Requests(
            self.records[:n],
            self.send_s[:n],
            self.arrive_s[:n],
            self.return_s[:n],
            self.connection[:n],
            self.back_s[:n],
        )


def _looks(begin_s: float, end_s: float) -> list[float]:
    """When a segment is looked at: each second, and at its end."""
    count = int(np.ceil((end_s - begin_s) / _LOOK_S))
    return [*(begin_s + _LOOK_S * k for k in range(1, count)), end_s]
