"""Machines that always run and could do a function's work: how many, for how much; pure.

What a request takes of a machine is bounded above, since a REPORT line does not tell CPU time from
waiting. So a comparison errs towards Lambda.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.aws.always_on import Server
from core.aws.limits import vcpu_share
from reports.document import AlwaysOn, SizeResult

HOURS_PER_MONTH = 730
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600

# The mean load takes at most this share of vCPUs and memory: the rest is for peaks and queues.
TARGET_SHARE = 0.60
# One in each of two zones: the work goes on when one of them stops.
LEAST_SERVERS = 2
# What the operating system and an agent take of an EC2 instance; Fargate's memory is the task's.
EC2_SYSTEM_GB = 0.5

# Lambda hands CPU out in periods of 20 ms. A call reaches into one more, on average, than it is
# long, and may use up the whole share of its first and its last.
_CPU_PERIOD_MS = 20.0
# An environment shows at most so many more cores than its share (2 below 3,009 MB, 6 at 10,240).
_CORES_ABOVE_SHARE = 2.0


@dataclass(frozen=True, slots=True)
class Demand:
    """What one request takes of a machine, at most.

    `held_gb_s` is its memory x the time that it holds it, `process_gb` the memory of one process,
    and `vcpu` what the machine must have so that a request alone takes no longer than on Lambda.
    """

    cpu_s: float
    held_gb_s: float
    process_gb: float
    vcpu: float


@dataclass(frozen=True, slots=True)
class LambdaBill:
    """Lambda's bill in USD by requests a month: straight between the `bends` where tiers begin."""

    usd: Callable[[float], float]
    bends: tuple[float, ...]


def demand_of(size: SizeResult, sizes: Iterable[SizeResult]) -> Demand | None:
    """The demand of a request that runs at `size`; None where its memory or time is not known.

    The work is the same at all `sizes`, so the lowest of their bounds on its CPU time holds.
    """
    if size.billed_typical_ms is None or size.max_memory_used_mb is None:
        return None
    used_gb = size.max_memory_used_mb / 1024
    cpu_ms = min(
        _most_cpu_ms(other.memory_mb, other.billed_typical_ms)
        for other in (size, *sizes)
        if other.billed_typical_ms is not None and other.failure is None
    )
    return Demand(
        cpu_s=cpu_ms / 1000,
        held_gb_s=used_gb * size.billed_typical_ms / 1000,
        process_gb=used_gb,
        vcpu=vcpu_share(size.memory_mb),
    )


def _most_cpu_ms(memory_mb: int, billed_ms: float) -> float:
    """The CPU time that calls of `billed_ms` can have had at most, on average."""
    share = vcpu_share(memory_mb)
    return min(share * (billed_ms + _CPU_PERIOD_MS), (share + _CORES_ABOVE_SHARE) * billed_ms)


def alternatives(
    servers: Sequence[Server], demand: Demand, requests_per_month: float, bill: LambdaBill
) -> list[AlwaysOn]:
    """The cheapest way of each kind to serve `requests_per_month`, cheapest first."""
    fleets = [fleet for server in servers if (fleet := _Fleet.of(server, demand)) is not None]
    best: dict[str, _Fleet] = {}
    for fleet in sorted(fleets, key=lambda item: item.order(requests_per_month)):
        best.setdefault(fleet.server.kind, fleet)
    return [
        AlwaysOn(
            name=fleet.server.name,
            vcpu=fleet.server.vcpu,
            memory_gb=fleet.server.memory_gb,
            count=fleet.count(requests_per_month),
            usd=fleet.usd(requests_per_month),
            equal_at_requests_per_month=_equal_at(fleet, requests_per_month, bill),
        )
        for fleet in best.values()
    ]


@dataclass(frozen=True, slots=True)
class _Fleet:
    """As many servers of one kind as are needed, each for `capacity` requests a month."""

    server: Server
    capacity: float

    @classmethod
    def of(cls, server: Server, demand: Demand) -> _Fleet | None:
        """None where one request does not fit, or would take longer than on Lambda."""
        memory_gb = server.memory_gb - (0 if server.kind == "fargate" else EC2_SYSTEM_GB)
        if memory_gb < demand.process_gb or server.vcpu < demand.vcpu:
            return None
        vcpu = server.vcpu * min(TARGET_SHARE, server.sustained_share)
        rates = [vcpu / demand.cpu_s]
        if demand.held_gb_s > 0:
            # Little's law: memory in use = rate x the memory and time of one request.
            rates.append(memory_gb * TARGET_SHARE / demand.held_gb_s)
        return cls(server, min(rates) * SECONDS_PER_MONTH)

    @property
    def server_usd(self) -> float:
        """One server for a month."""
        return self.server.hour_usd * HOURS_PER_MONTH

    def count(self, requests: float) -> int:
        return max(LEAST_SERVERS, math.ceil(requests / self.capacity))

    def usd(self, requests: float) -> float:
        return self.count(requests) * self.server_usd

    def order(self, requests: float) -> tuple[float, float]:
        """Cheapest first; of equals the smallest, whose number follows a load closest."""
        return round(self.usd(requests), 2), self.server.vcpu


def _equal_at(fleet: _Fleet, requests_now: float, bill: LambdaBill) -> float | None:
    """From how many requests a month on the fleet costs less than Lambda; None: never for good.

    Servers come one by one, so their bill has steps. The answer is where Lambda's bill passes the
    fleet's for good: later steps stay below it.
    """
    per_request_usd = fleet.server_usd / fleet.capacity
    # With one server more than are needed on average, no step is above the line.
    for_good = _crossing(
        lambda requests: bill.usd(requests) - per_request_usd * requests - fleet.server_usd,
        bill.bends,
    )
    if for_good is None:
        return None
    # A hair below, so that rounding does not count one server more where the two just meet.
    fixed_usd = fleet.usd(for_good * (1 - 1e-9))
    equal = _crossing(lambda requests: bill.usd(requests) - fixed_usd, bill.bends)
    if equal is None or (requests_now > equal and fleet.usd(requests_now) > bill.usd(requests_now)):
        # Lambda's higher tiers have made it the cheaper one again.
        return None
    return equal


def _crossing(line: Callable[[float], float], bends: Sequence[float]) -> float | None:
    """Where `line`, straight between `bends`, first comes up to 0; None where it never does."""
    for left, right in pairwise(bends):
        low, high = line(left), line(right)
        if low >= 0:
            return left
        if high >= 0:
            return left + (right - left) * -low / (high - low)
    return None
