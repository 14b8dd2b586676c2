"""The bill of a month: tiers by hand, and what must hold for any cost and traffic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.prices import LambdaPrice
from tests.tuner.month_rig import ARM, X86, cost, without_interval
from tuner.bill import Bill, SizeCost
from tuner.recommend import SizeEvidence

TAILS = (0.05, 0.95)


def bill(
    requests: float,
    *,
    memory_mb: int = 1024,
    billed_ms: float = 1000.0,
    price: LambdaPrice = X86,
    storage_mb: int = 512,
) -> Bill:
    usd = price.invocation_usd(memory_mb, billed_ms, storage_mb=storage_mb)
    return Bill(SizeCost(memory_mb, usd, np.array([usd]), TAILS), requests, price, storage_mb)


@pytest.mark.parametrize(
    ("made", "usd"),
    [
        pytest.param(bill(3e6), 3 * (16.6667 + 0.2), id="3 million GB-s in the first tier"),
        pytest.param(bill(6e9), 100_000.2 + 1_200, id="all of the first tier"),
        pytest.param(
            bill(7e9), 100_000.2 + 15_000 + 1_400, id="1 billion GB-s into the second tier"
        ),
        pytest.param(
            bill(2e10), 100_000.2 + 135_000 + 66_667 + 4_000, id="5 billion into the third tier"
        ),
        # 7e9 s x 1 GB x 3.09e-8: storage has one tier.
        pytest.param(
            bill(7e9, storage_mb=1536), 100_000.2 + 15_000 + 1_400 + 216.3, id="1 GB more of /tmp"
        ),
        # Each request is 1.25 GB-s: 7.5e9 in all, of which 1.5e9 in the second tier.
        pytest.param(
            bill(6e9, memory_mb=2560, billed_ms=500),
            100_000.2 + 22_500 + 1_200,
            id="tiers are of GB-seconds, not of requests",
        ),
        pytest.param(
            bill(1e10, price=ARM), 100_000.5 + 30_000.25 + 2_000, id="arm64 bends at 7.5 billion"
        ),
        pytest.param(bill(0), 0, id="no requests"),
    ],
)
def test_a_month_is_billed_through_the_tiers(made: Bill, usd: float) -> None:
    assert made.usd == pytest.approx(usd)


requests = st.floats(1, 1e12)
memories = st.integers(128, 10_240)
times_ms = st.floats(1, 900_000)


@given(requests, memories, times_ms, st.sampled_from([512, 2048]))
def test_it_is_the_price_list_that_is_billed(
    count: float, memory_mb: int, billed_ms: float, storage_mb: int
) -> None:
    made = bill(count, memory_mb=memory_mb, billed_ms=billed_ms, storage_mb=storage_mb)
    billed_s = billed_ms / 1000 * count
    storage_usd = max(0, storage_mb - 512) / 1024 * billed_s * 3.09e-8
    compute_usd = X86.duration_usd(memory_mb / 1024 * billed_s)

    assert made.usd == pytest.approx(compute_usd + count * X86.request_usd + storage_usd, rel=1e-9)
    assert made.gb_s == pytest.approx(memory_mb / 1024 * billed_s, rel=1e-6)


@given(memories, times_ms, requests, requests)
def test_more_requests_never_cost_less(
    memory_mb: int, billed_ms: float, one: float, other: float
) -> None:
    few, many = sorted((one, other))

    made = bill(few, memory_mb=memory_mb, billed_ms=billed_ms)

    assert made.usd <= made.usd_of(many) * (1 + 1e-12)


@given(requests, memories, times_ms, st.floats(0.5, 1), st.floats(1, 2))
def test_the_interval_of_a_bill_is_the_bill_of_the_costs_interval(
    count: float, memory_mb: int, billed_ms: float, down: float, up: float
) -> None:
    """Whichever tiers it spans: a bill never falls as the cost of a request rises."""
    fee = X86.request_usd
    compute = X86.invocation_usd(memory_mb, billed_ms) - fee
    costs = fee + compute * np.linspace(down, up, 21)
    made = Bill(SizeCost(memory_mb, fee + compute, costs, TAILS), count, X86, 512)

    def usd(cost_usd: float) -> float:
        return Bill(SizeCost(memory_mb, cost_usd, costs, None), count, X86, 512).usd

    assert made.interval_usd == pytest.approx((usd(costs[1]), usd(costs[19])))
    assert made.interval_usd[0] <= made.interval_usd[1] * (1 + 1e-12)  # type: ignore[index] # known


def test_a_saving_compares_the_rows_that_belong_together() -> None:
    """A slow day makes both sizes dearer: it says nothing of the difference."""
    day = np.linspace(0.5, 1.5, 101)
    small = SizeCost(128, 2e-6, 2e-6 * day, TAILS)
    large = SizeCost(1024, 1e-6, 2e-6 * day - 1e-6, TAILS)

    row = Bill(large, 1e6, X86, 512).against(Bill(small, 1e6, X86, 512))

    assert row.saving_usd == pytest.approx(1)
    assert row.saving_interval_usd == pytest.approx((1, 1))


def test_the_interval_of_a_saving_leaves_out_what_the_more_uncertain_size_does() -> None:
    draws = np.linspace(1e-6, 2e-6, 1001)
    now = SizeCost(128, 3e-6, np.full(1001, 3e-6), TAILS)
    few = SizeCost(1024, 1.5e-6, draws, (0.02, 0.98))

    row = Bill(few, 1e6, X86, 512).against(Bill(now, 1e6, X86, 512))

    assert row.saving_interval_usd == pytest.approx((1.02, 1.98))


def test_the_current_size_saves_nothing_of_itself() -> None:
    now = Bill(cost(128, 900), 1e6, X86, 512)

    row = now.against(now)

    assert (row.saving_usd, row.saving_interval_usd) == (0, (0, 0))


@pytest.mark.parametrize("which", ["this size", "the current size"])
def test_with_too_few_samples_there_is_a_bill_and_no_interval(which: str) -> None:
    one, other = cost(1024, 100), cost(128, 900)
    if which == "this size":
        one = without_interval(one)
    else:
        other = without_interval(other)

    row = Bill(one, 1e6, X86, 512).against(Bill(other, 1e6, X86, 512))

    assert row.usd > 0
    assert row.saving_usd == pytest.approx(other.cost_usd * 1e6 - one.cost_usd * 1e6)
    assert row.saving_interval_usd is None


def test_without_the_current_size_there_is_no_saving() -> None:
    row = Bill(cost(1024, 100), 1e6, X86, 512).against(None)

    assert (row.saving_usd, row.saving_interval_usd) == (None, None)


def test_the_cost_of_a_size_is_what_its_samples_say() -> None:
    draws = np.array([1e-6, 2e-6])
    evidence = SizeEvidence(
        memory_mb=1024,
        n=5,
        duration_ms=99.0,
        billed_ms=100.0,
        cost_usd=1.5e-6,
        duration_replicates=draws,
        billed_replicates=draws,
        cost_replicates=draws,
        tails=(0.03, 0.97),
    )

    known = SizeCost.of(evidence)

    assert (known.memory_mb, known.cost_usd, known.tails) == (1024, 1.5e-6, (0.03, 0.97))
    assert known.draws_usd is draws
