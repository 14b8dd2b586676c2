"""Machines that always run: counted and priced by hand, and equal to Lambda where they say so."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.always_on import Server
from reports.document import SizeResult
from tests.tuner.month_rig import size
from tuner.servers import Demand, LambdaBill, alternatives, demand_of

# A month at one request a second: 730 hours.
PER_SECOND = 2_628_000
MOST = 1e12

# At 60 %, one vCPU serves 10 of these in a second, and one GB of memory 12.
DEMAND = Demand(cpu_s=0.06, held_gb_s=0.05, process_gb=0.1, vcpu=0.25)
TASK = Server("Fargate", "fargate", vcpu=1, memory_gb=2, hour_usd=0.1)


def lambda_bill(usd_per_request: float) -> LambdaBill:
    return LambdaBill(lambda requests: requests * usd_per_request, (0, MOST))


FREE = lambda_bill(1e-6)


@pytest.mark.parametrize(
    ("server", "demand", "per_second", "count"),
    [
        pytest.param(TASK, DEMAND, 0.01, 2, id="two, so that one may stop"),
        pytest.param(TASK, DEMAND, 19.9, 2, id="two are just enough"),
        pytest.param(TASK, DEMAND, 20.1, 3, id="rounded up"),
        pytest.param(replace(TASK, vcpu=4), DEMAND, 23.9, 2, id="2 GB carry 24 a second, less"),
        pytest.param(replace(TASK, vcpu=4), DEMAND, 24.1, 2, id="on two servers: 48"),
        pytest.param(replace(TASK, vcpu=4), DEMAND, 48.1, 3, id="memory decides"),
        pytest.param(
            replace(TASK, kind="burstable", sustained_share=0.2, memory_gb=8),
            DEMAND,
            10,
            3,
            id="a baseline of 20 % carries 3.3 a second",
        ),
        pytest.param(
            replace(TASK, kind="burstable", sustained_share=0.9, memory_gb=8),
            DEMAND,
            19.9,
            2,
            id="a high baseline carries no more than 60 %",
        ),
        pytest.param(
            replace(TASK, kind="ec2", vcpu=8),
            DEMAND,
            36.1,
            3,
            id="EC2 keeps half a GB for its system: 18 a second",
        ),
        pytest.param(TASK, replace(DEMAND, held_gb_s=0), 20.1, 3, id="memory that is held for 0 s"),
    ],
)
def test_as_many_are_counted_as_the_mean_load_takes(
    server: Server, demand: Demand, per_second: float, count: int
) -> None:
    [found] = alternatives([server], demand, per_second * PER_SECOND, FREE)

    assert found.count == count
    assert found.usd == pytest.approx(count * server.hour_usd * 730)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(replace(TASK, vcpu=0.2), id="a request would take longer than on Lambda"),
        pytest.param(replace(TASK, memory_gb=0.09), id="no room for one process"),
        pytest.param(replace(TASK, kind="ec2", memory_gb=0.55), id="none beside the system"),
    ],
)
def test_a_machine_that_is_too_small_is_no_alternative(server: Server) -> None:
    assert alternatives([server], DEMAND, 1e6, FREE) == []


def test_the_cheapest_of_each_kind_is_told_and_the_smallest_of_equals() -> None:
    servers = [
        TASK,
        replace(TASK, name="dearer", hour_usd=0.2),
        replace(TASK, name="twice the machine", vcpu=2, memory_gb=4, hour_usd=0.2),
        replace(TASK, name="EC2 steady", kind="ec2", hour_usd=0.05),
        replace(TASK, name="EC2 burstable", kind="burstable", sustained_share=0.2, hour_usd=0.01),
    ]

    few = alternatives(servers, DEMAND, 1e6, FREE)
    many = alternatives(servers, DEMAND, 395 * PER_SECOND, FREE)

    assert [found.name for found in few] == ["EC2 burstable", "EC2 steady", "Fargate"]
    assert [(found.name, found.count) for found in many] == [
        ("EC2 burstable", 119),
        ("EC2 steady", 40),
        ("Fargate", 40),
    ]


def test_a_larger_machine_is_told_where_it_costs_less() -> None:
    servers = [TASK, replace(TASK, name="twice the machine", vcpu=2, memory_gb=4, hour_usd=0.19)]

    [found] = alternatives(servers, DEMAND, 395 * PER_SECOND, FREE)

    assert (found.name, found.count) == ("twice the machine", 20)


@pytest.mark.parametrize(
    ("usd_per_request", "equal_at"),
    [
        # Two tasks are 146 USD and serve 52.56 M; a third comes at 219 USD.
        pytest.param(10e-6, 14.6e6, id="two are paid for long before a third is needed"),
        # At 52.56 M Lambda is 157.68 USD: less than three tasks. At 78.84 M 236.52: less than four.
        # At 105.12 M it is 315.36: less than five (365). 8 tasks serve 210.24 M: 630.72 < 657.
        # 9 serve 236.52 M: 709.56 < 730. 10: 788.4 < 803. 11: 867.24 < 876. 12: 946.08 < 949.
        # 13 serve 341.64 M: 1,024.92 > 14 tasks, 1,022. Lambda passes 13 tasks (949) at 316.33 M.
        pytest.param(3e-6, 949 / 3e-6, id="steps stay below for good only from 13 on"),
        pytest.param(2.7e-6, None, id="a full task costs more for each request than Lambda"),
    ],
)
def test_where_machines_become_cheaper_for_good(
    usd_per_request: float, equal_at: float | None
) -> None:
    [found] = alternatives([TASK], DEMAND, 1e6, lambda_bill(usd_per_request))

    assert found.equal_at_requests_per_month == (
        None if equal_at is None else pytest.approx(equal_at)
    )


def test_a_volume_from_which_higher_tiers_make_lambda_the_cheaper_one_is_no_answer() -> None:
    """10 USD for a million up to 100 million requests, then 1 USD: servers lose from 300 M on."""
    bill = LambdaBill(
        lambda requests: min(requests, 1e8) * 10e-6 + max(0, requests - 1e8) * 1e-6, (0, 1e8, MOST)
    )

    [few] = alternatives([TASK], DEMAND, 5e7, bill)
    [many] = alternatives([TASK], DEMAND, 1e10, bill)

    assert few.equal_at_requests_per_month == pytest.approx(14.6e6)
    assert many.usd > bill.usd(1e10)
    assert many.equal_at_requests_per_month is None


cpu_seconds = st.floats(1e-4, 1)
hourly_usd = st.floats(0.001, 10)


def rivals(cpu_s: float, hour_usd: float, dearer: float) -> tuple[Demand, Server, LambdaBill]:
    """A machine in full use, and Lambda that costs `dearer` times as much for each request."""
    demand, server = replace(DEMAND, cpu_s=cpu_s, held_gb_s=0), replace(TASK, hour_usd=hour_usd)
    return demand, server, lambda_bill(dearer * hour_usd * cpu_s / 3600 / 0.6)


@given(
    cpu_seconds,
    hourly_usd,
    st.floats(1.02, 1000),
    st.lists(st.floats(1.001, 30), min_size=1, max_size=4),
)
def test_from_that_volume_on_machines_never_cost_more(
    cpu_s: float, hour_usd: float, dearer: float, factors: list[float]
) -> None:
    demand, server, bill = rivals(cpu_s, hour_usd, dearer)

    def servers_usd(requests: float) -> float:
        [there] = alternatives([server], demand, requests, bill)
        return there.usd

    [found] = alternatives([server], demand, 1e6, bill)

    equal = found.equal_at_requests_per_month
    assert equal is not None
    assert bill.usd(equal) == pytest.approx(servers_usd(equal * (1 - 1e-9)))
    assert bill.usd(equal * (1 - 1e-9)) < servers_usd(equal * (1 - 1e-9))
    for factor in factors:
        assert servers_usd(equal * factor) <= bill.usd(equal * factor) * (1 + 1e-6)


@given(cpu_seconds, hourly_usd, st.floats(0.01, 0.99))
def test_where_a_machine_in_full_use_costs_more_there_is_no_such_volume(
    cpu_s: float, hour_usd: float, dearer: float
) -> None:
    demand, server, bill = rivals(cpu_s, hour_usd, dearer)

    [found] = alternatives([server], demand, MOST, bill)

    assert found.equal_at_requests_per_month is None
    assert found.usd > bill.usd(MOST)


# One CPU-bound request: 180 ms of CPU. Lambda gives 128 MB 7.2 % of a core.
CPU_BOUND = (size(128, 2488), size(1024, 311), size(1769, 180))


@pytest.mark.parametrize(
    ("sizes", "recommended", "cpu_ms"),
    [
        # 128 / 1769 x (2488 + 20): the share of one more period of 20 ms may be in it.
        pytest.param(CPU_BOUND, 2, 181.47, id="the tightest bound of all sizes holds"),
        pytest.param(CPU_BOUND[2:], 0, 200, id="one size alone: its share of billed time"),
        # 128 / 1769 x 20 is one period's share: 1.45 ms.
        pytest.param((size(128, 2), size(1024, 2)), 1, 1.592, id="calls shorter than a period"),
        pytest.param((size(1769, 2),), 0, 6, id="no more than all cores that it sees"),
        pytest.param(
            (size(128, 10, failure="timeout"), *CPU_BOUND),
            3,
            181.47,
            id="failed sizes tell nothing",
        ),
    ],
)
def test_a_requests_cpu_time_is_bounded_by_its_share(
    sizes: tuple[SizeResult, ...], recommended: int, cpu_ms: float
) -> None:
    demand = demand_of(sizes[recommended], sizes)

    assert demand is not None
    assert demand.cpu_s * 1000 == pytest.approx(cpu_ms, rel=2e-3)


def test_a_request_holds_the_memory_that_was_used_for_as_long_as_it_is_billed() -> None:
    demand = demand_of(size(1024, 500, used_mb=256), [])

    assert demand is not None
    assert demand.held_gb_s == pytest.approx(0.125)
    assert demand.process_gb == pytest.approx(0.25)
    assert demand.vcpu == pytest.approx(1024 / 1769)


def test_without_the_memory_used_there_is_no_demand() -> None:
    assert demand_of(size(1024, 500, used_mb=None), CPU_BOUND) is None


@given(st.floats(1, 1e5), st.floats(0.01, 1), st.sampled_from([128, 512, 1769, 5000, 10240]))
def test_the_bound_is_never_below_what_a_throttled_call_can_use(
    cpu_ms: float, busy_share: float, memory_mb: int
) -> None:
    """A call runs on one core until its share of each 20 ms is used up, then waits for the next."""
    quota_ms = min(memory_mb / 1769, 1) * 20
    periods = math.ceil(cpu_ms / quota_ms) - 1
    billed_ms = (periods * 20 + cpu_ms - periods * quota_ms) / busy_share

    demand = demand_of(size(memory_mb, billed_ms), [])

    assert demand is not None
    assert demand.cpu_s * 1000 >= cpu_ms * (1 - 1e-9)
