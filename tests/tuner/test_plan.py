"""Plans: which sizes, how many calls, what they may cost."""

import re
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.prices import LambdaPrice, Tier, bundled_prices
from tests.tuner.factories import failed, lost, sample
from tuner.budget import Limits
from tuner.effort import Effort
from tuner.plan import AdaptivePlan, ColdPlan, FixedPlan, Plan, doubts
from tuner.sample import Sample
from tuner.sampler import FixedRounds
from tuner.snap_start import snap_start_most_usd, snap_start_note


def test_a_plan_of_one_size_ends_when_that_is_verified() -> None:
    assert adaptive(sizes_mb=(512,)).usual_calls == 3
    assert adaptive().usual_calls > 3


def test_the_cost_range_runs_from_one_ms_to_the_timeout_of_every_call_that_may_be_made() -> None:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    plan = FixedPlan((1024,), samples_per_size=10, parallel=1, seed=1)

    cost = plan.cost_range(price, timeout_s=3, storage_mb=512)

    assert plan.invocations == 11
    assert plan.attempts_per_size == 16
    assert cost.least_usd == pytest.approx(11 * (0.0000166667 / 1000 + 2e-7))
    # 16 calls of 3 s, and an INIT of 10 s at the first of them.
    assert cost.most_usd == pytest.approx(16 * (3 * 0.0000166667 + 2e-7) + 10 * 0.0000166667, 1e-2)


def adaptive(**changed: Any) -> AdaptivePlan:
    """A plan of at most 40 calls, which starts at 128, 512 and 1,024 MB."""
    facts: dict[str, Any] = {
        "sizes_mb": (128, 256, 512, 1024, 2048, 3008),
        "effort": Effort(most_calls=40, target_share=0.02),
        "current_mb": 512,
        "kind": "adaptive",
        "parallel": 1,
        "seed": 1,
    }
    return AdaptivePlan(**{**facts, **changed})


@pytest.mark.parametrize(
    ("changed", "least_calls", "most_usd", "limited"),
    [
        pytest.param({}, 9, 40 * 6.0 + 6 * 30, False, id="no limit"),
        pytest.param(
            {"limits": Limits(max_invocations=12)}, 9, 12 * 6.0 + 6 * 30, False, id="12 calls"
        ),
        pytest.param(
            {"limits": Limits(max_invocations=3)}, 3, 3 * 6.0 + 3 * 30, False, id="3 calls"
        ),
        pytest.param({"limits": Limits(max_usd=7.0)}, 9, 7.0, True, id="a limit on the bill"),
        pytest.param(
            {"limits": Limits(max_usd=999.0)}, 9, 40 * 6.0 + 6 * 30, False, id="one far off"
        ),
        # 5 wanted at 2 sizes: the first is there, two more may not be cold.
        pytest.param({"cold": ColdPlan(5, 2)}, 9, 52 * 6.0 + 18 * 30, False, id="cold samples"),
    ],
)
def test_an_adaptive_plan_costs_from_its_first_calls_to_all_at_the_largest_size(
    changed: dict[str, Any], least_calls: int, most_usd: float, *, limited: bool
) -> None:
    # 2 s at 3 GB for a dollar: 6 USD a call, and 30 USD for each start of up to 10 s.
    price = LambdaPrice("us-east-1", "x86_64", (Tier(0, 1.0),), 0.0, None)
    plan = replace(adaptive(), sizes_mb=(128, 256, 512, 1024, 2048, 3072), **changed)

    cost = plan.cost_range(price, timeout_s=2, storage_mb=512)

    assert cost.least_usd == pytest.approx(least_calls * (128 + 512 + 1024) / 3 / 1024 / 1000)
    assert (cost.most_usd, cost.is_limited) == (pytest.approx(most_usd), limited)


def test_an_adaptive_plan_expects_the_rest_to_cost_what_the_last_calls_did() -> None:
    price = LambdaPrice("us-east-1", "x86_64", (Tier(0, 1.0),), 0.0, None)
    calls = [
        sample(1024, billed_ms=9000.0, cold=True),
        sample(1024, billed_ms=1000.0),
        sample(512, billed_ms=4000.0),
        lost(128),
    ]
    plan = adaptive(limits=Limits(max_invocations=10))

    # 9, 1 and 2 GB-s are spent; 6 calls to come, of 1.5 GB-s each.
    assert plan.expected_usd(calls, price, storage_mb=512) == pytest.approx(12 + 6 * 1.5)


def test_where_a_plan_starts_is_known_before() -> None:
    assert adaptive().start_mb == (128, 512, 1024)
    assert adaptive().start_calls == 9
    assert adaptive().bounded_effort.most_calls == 40
    assert adaptive(limits=Limits(max_invocations=20)).bounded_effort.most_calls == 20


def priced(*billed_ms: float) -> float:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    return sum(price.invocation_usd(1024, ms) for ms in billed_ms)


@pytest.mark.parametrize(
    ("calls", "expected_usd"),
    [
        pytest.param(
            [sample(1024, billed_ms=5000.0, cold=True), sample(1024, billed_ms=100.0)],
            priced(5000, *[100] * 10),
            id="one cold and ten warm",
        ),
        pytest.param(
            [sample(1024, billed_ms=300.0), lost(1024)], priced(*[300] * 11), id="one lost"
        ),
        pytest.param([lost(1024), lost(1024)], 0, id="nothing known"),
        pytest.param(
            [failed(1024), failed(1024)], priced(*[failed(1024).billed_ms or 0] * 2), id="given up"
        ),
    ],
)
def test_the_cost_is_expected_from_one_cold_and_one_warm_call(
    calls: list[Sample], expected_usd: float
) -> None:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    plan = FixedPlan((1024,), samples_per_size=10, parallel=1, seed=1)

    assert plan.expected_usd(calls, price, storage_mb=512) == pytest.approx(expected_usd)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        pytest.param(FixedPlan((128, 512), 5, 1, 1), [], id="enough"),
        pytest.param(FixedPlan((512,), 5, 1, 1), ["with one size"], id="one size"),
        pytest.param(
            FixedPlan((128, 512), 4, 1, 1), ["--samples 4 .* at least 5"], id="few samples"
        ),
        pytest.param(FixedPlan((512,), 1, 1, 1), ["with one size", "--samples 1"], id="both"),
        pytest.param(adaptive(), [], id="adaptive"),
        pytest.param(adaptive(sizes_mb=(512,)), ["with one size"], id="adaptive, one size"),
        pytest.param(
            adaptive(limits=Limits(max_invocations=5)),
            ["--max-invocations leaves 5 calls .* takes 6"],
            id="adaptive, few calls",
        ),
    ],
)
def test_a_plan_that_can_only_be_inconclusive_says_so(plan: Plan, said: list[str]) -> None:
    found = doubts(plan, fewest_samples=5)

    assert len(found) == len(said)
    for pattern, note in zip(said, found, strict=True):
        assert re.search(f"can only be inconclusive: .*{pattern}", note)


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        # 2 GB for 10,800 s at 0.0000015046, and 2 GB restored at 0.0001397998.
        pytest.param("python3.13", r"about \$0\.0325 \(3 hours.* \$0\.00028.*2026", id="python"),
        pytest.param(None, "free for Java", id="an image may be Java"),
    ],
)
def test_what_snap_start_costs_besides_is_said(runtime: str | None, said: str) -> None:
    assert re.search(said, snap_start_note(FixedPlan((512, 1536), 10, 1, 1), runtime) or "")


def test_snap_start_is_free_for_java() -> None:
    assert snap_start_note(FixedPlan((512,), 10, 1, 1), "java21") is None


def test_of_an_adaptive_plan_the_snapshots_of_the_first_sizes_are_known() -> None:
    said = snap_start_note(adaptive(), "python3.13")

    assert said is not None
    assert "for each of the first sizes costs about $0.0264" in said
    assert "up to $0.11 for all that may be published" in said


def test_snapshots_of_cold_samples_are_in_what_may_be_paid_at_most() -> None:
    """4 times 50 versions of 3,008 MB, and 8 that may be published to make up for others."""
    plan = adaptive(cold=ColdPlan(50, 4))

    assert 9 < snap_start_most_usd(plan, "python3.13") < 11
    assert snap_start_most_usd(plan, "java21") == 0


@given(st.integers(1, 1000), st.randoms(use_true_random=False))
def test_no_sampler_spends_more_than_the_plan_has_said(n: int, random: Random) -> None:
    plan = FixedPlan((128,), samples_per_size=min(n, 30), parallel=1, seed=1)
    sampler = FixedRounds(plan.sizes_mb, plan.samples_per_size, plan.attempts_per_size)
    taken: list[Sample] = []

    while sampler.next_round(taken, (), random):
        taken.append(sample(128, cold=random.random() < 0.9))

    assert plan.samples_per_size <= len(taken) <= plan.attempts_per_size
