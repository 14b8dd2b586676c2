"""What becomes of planned requests: as the sandbox's gate decides, and as queueing theory says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.outcome import Cause
from loadgen.preflight.chain import Chain, Gate, Pool, StepChain
from loadgen.preflight.concurrency import busiest_mean, mean_at_once, poisson_p99
from loadgen.preflight.durations import StepDuration
from loadgen.preflight.levels import highest_deficit, in_flight, short_of_tokens
from loadgen.preflight.planned import Planned, ending_steps, planned_requests
from loadgen.preflight.simulation import ADMITTED, NOT_SENT, simulate
from loadgen.schedule import arrivals, plan_phases
from sandbox.gateway.limits.limiters import ExactLimiter
from sandbox.gateway.snapshot import Limit
from tests.loadgen.made_runs import profile_of


def planned(at_s: list[float], step: int | list[int] = 0, runs_s: float | None = None) -> Planned:
    n = len(at_s)
    steps = [step] * n if isinstance(step, int) else step
    return Planned(
        np.array(at_s, np.float64),
        np.zeros(n, np.uint16),
        np.array(steps, np.uint16),
        np.arange(n, dtype=np.int64),
        np.full(n, math.nan if runs_s is None else runs_s),
        math.inf,
    )


def gate(rate_rps: float, burst: float, cause: Cause = Cause.STAGE) -> Gate:
    return Gate(cause, cause.name.lower(), rate_rps, burst)


def chain(*gates: Gate, pool: int | None = None, **step: Any) -> Chain:
    """All steps pass `gates`, and a pool of so many places."""
    pools = () if pool is None else (Pool("function f", pool),)
    passed = StepChain(
        tuple(range(len(gates))), None if pool is None else 0, "f" if pools else None, **step
    )
    return Chain(gates, pools, (passed, passed), {})


def refusals(plan: Planned, layers: Chain) -> list[int]:
    return [int(fate) for fate in simulate(plan, layers).fate]


# -- token buckets --------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    gaps_ms=st.lists(st.integers(0, 400), min_size=1, max_size=80),
    first=st.tuples(st.integers(1, 20), st.integers(1, 6)),
    second=st.tuples(st.integers(1, 20), st.integers(1, 6)),
)
def test_two_buckets_refuse_what_those_of_the_sandbox_refuse(
    gaps_ms: list[int], first: tuple[int, int], second: tuple[int, int]
) -> None:
    at_s = (np.cumsum(gaps_ms) / 1000).tolist()
    limiters = [ExactLimiter(Limit(float(rate), burst)) for rate, burst in (first, second)]
    expected = []
    for now in at_s:
        refused = next((n for n, one in enumerate(limiters, 1) if not one.ready(now, 0)), 0)
        if not refused:
            for one in limiters:
                one.spend()
        expected.append(refused)

    gates = [gate(*first), gate(*second, Cause.ACCOUNT)]

    assert refusals(planned(at_s), chain(*gates)) == expected


def test_steps_share_a_bucket() -> None:
    assert refusals(planned([0.0, 0.1, 0.2], [0, 1, 0]), chain(gate(1.0, 2))) == [0, 0, 1]


def test_a_quota_is_used_up_by_what_is_let_through() -> None:
    layers = chain(gate(1.0, 1, Cause.USAGE_PLAN), gate(0.0, 2, Cause.QUOTA))

    # The second is refused by the rate and uses nothing of the quota.
    assert refusals(planned([0.0, 0.1, 1.0, 2.0, 9.0]), layers) == [0, 1, 0, 2, 2]


def test_a_limit_of_nothing_refuses_everything() -> None:
    assert refusals(planned([0.0, 1.0]), chain(gate(0.0, 0))) == [1, 1]


def test_a_bucket_that_never_gets_empty_is_not_looked_at() -> None:
    assert highest_deficit(np.array([0.0, 0.0, 1.0, 1.0]), rate_rps=2.0) == 2.0
    assert refusals(planned([0.0, 0.0, 1.0, 1.0]), chain(gate(2.0, 2))) == [0] * 4


# -- pools ----------------------------------------------------------------------------------------


def erlang_b(erlangs: float, places: int) -> float:
    blocked = 1.0
    for k in range(1, places + 1):
        blocked = erlangs * blocked / (k + erlangs * blocked)
    return blocked


@pytest.mark.parametrize(
    ("p50_ms", "p99_ms"), [(None, None), (60.0, 400.0)], ids=["constant", "log-normal"]
)
def test_a_pool_refuses_the_share_of_erlangs_formula(
    p50_ms: float | None, p99_ms: float | None
) -> None:
    profile = profile_of({"name": "hold", "duration": "400s", "rate": 100.0})
    duration = StepDuration(100.0, p50_ms, p99_ms, "given")
    plan = planned_requests(profile, plan_phases(profile), 5, (duration, duration))

    found = simulate(plan, chain(pool=10))

    # 100/s x 0.1 s on 10 places.
    assert np.mean(found.fate != ADMITTED) == pytest.approx(erlang_b(10.0, 10), abs=0.015)
    assert {found.layers[fate - 1].reason for fate in np.unique(found.fate) if fate} == {
        "concurrency"
    }


def test_a_pool_takes_ten_requests_a_second_for_each_place() -> None:
    found = simulate(planned([k / 50 for k in range(100)], runs_s=0.001), chain(pool=1))

    refused = found.fate[found.fate != ADMITTED]
    assert {found.layers[fate - 1].reason for fate in refused} == {"request_rate"}
    assert len(refused) == 100 - 10 - 19  # the burst of a second, and two seconds of rate


def test_a_function_grows_by_a_thousand_environments_at_once() -> None:
    found = simulate(planned([0.0] * 1500, runs_s=60.0), chain(pool=5000))

    assert np.count_nonzero(found.fate == ADMITTED) == 1000
    assert found.layers[found.fate[-1] - 1].reason == "growth"


def test_environments_that_wait_need_not_grow() -> None:
    layers = chain(pool=5000)
    warm = Chain(layers.gates, layers.pools, layers.steps, {"f": 400})

    found = simulate(planned([0.0] * 1500, runs_s=60.0), warm)

    assert np.count_nonzero(found.fate == ADMITTED) == 1400


@pytest.mark.parametrize(
    ("longest_s", "unknown"),
    [(math.inf, {0}), (3.0, {0}), (0.5, set())],
    ids=["no timeout known", "a timeout that fills it", "a timeout that leaves room"],
)
def test_without_durations_a_pool_is_unknown_unless_the_timeout_leaves_room(
    longest_s: float, unknown: set[int]
) -> None:
    found = simulate(planned([0.0, 1.0, 2.0]), chain(pool=2, longest_s=longest_s))

    assert found.unknown == unknown
    assert not found.fate.any()


def test_a_function_that_is_switched_off_refuses_all_whatever_the_durations_are() -> None:
    found = simulate(planned([0.0, 1.0]), chain(pool=0))

    assert not found.unknown
    assert found.fate.all()


def test_provisioned_places_stand_besides_those_that_are_shared() -> None:
    layers = Chain(
        (), (Pool("account", 2, is_shared=True),), (StepChain((), 0, "f"),) * 2, {"f": 3}
    )

    found = simulate(planned([0.0] * 7, runs_s=1.0), layers)

    assert np.count_nonzero(found.fate == ADMITTED) == 5


def test_provisioned_places_are_a_part_of_a_reserve() -> None:
    layers = Chain((), (Pool("function f", 4),), (StepChain((), 0, "f"),) * 2, {"f": 3})

    found = simulate(planned([0.0] * 7, runs_s=1.0), layers)

    assert np.count_nonzero(found.fate == ADMITTED) == 4


def test_the_request_rate_of_a_pool_is_known_without_durations() -> None:
    found = simulate(planned([0.0] * 15), chain(pool=1))

    assert found.unknown
    assert np.count_nonzero(found.fate) == 5


# -- flows ----------------------------------------------------------------------------------------

FLOW = [
    {"name": "cart", "post": "/carts", "capture": {"id": "$.id"}},
    {"think": "2s"},
    {"get": "/carts/${id}"},
]


def test_steps_follow_after_thinks_and_durations() -> None:
    profile = profile_of(
        {"name": "hold", "duration": "3s", "rate": 2.0},
        scenarios=[{"name": "buy", "flow": FLOW}],
        load={
            "arrivals": "uniform",
            "unit": "scenarios",
            "phases": [{"name": "hold", "duration": "3s", "rate": 1.0}],
        },
    )
    duration = StepDuration(250.0, None, None, "given")

    plan = planned_requests(profile, plan_phases(profile), 1, (duration, None))

    assert plan.at_s.tolist() == pytest.approx([0.5, 1.5, 2.5, 2.75, 3.75, 4.75])
    assert plan.step.tolist() == [0, 0, 0, 1, 1, 1]
    assert np.isnan(plan.runs_s).tolist() == [False] * 3 + [True] * 3
    assert ending_steps(profile.scenarios) == {0}


def test_a_flow_ends_with_a_refused_step_that_others_need() -> None:
    plan = planned([0.0, 0.1, 0.2, 0.3], [0, 0, 1, 1])
    plan = Planned(
        plan.at_s, plan.phase, plan.step, np.array([7, 8, 7, 8]), plan.runs_s, plan.until_s
    )
    first = StepChain((0,))
    layers = Chain((gate(0.1, 1),), (), (first, StepChain()), {}, frozenset({0}))

    assert refusals(plan, layers) == [ADMITTED, 1, ADMITTED, NOT_SENT]


def test_planned_requests_are_the_arrivals_of_the_run() -> None:
    profile = profile_of({"name": "ramp", "duration": "5s", "rate": [5, 50]})
    phases = plan_phases(profile)

    plan = planned_requests(profile, phases, 3, (None, None))

    sent = np.concatenate([chunk.at_us for chunk in arrivals(profile, phases, 3, 0, 1)])
    assert (plan.at_s * 1e6).tolist() == pytest.approx(sent.tolist())


# -- calls at once --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "p99"),
    # As scipy.stats has them.
    [(0, 0), (0.01, 0), (0.1, 1), (1, 4), (5, 11), (90, 113), (500, 553), (1001, 1075)],
)
def test_the_99th_percentile_of_a_poisson_number(mean: float, p99: int) -> None:
    assert poisson_p99(mean) == p99


def test_means_follow_littles_law() -> None:
    at_s, runs_s = np.arange(0.0, 20.0, 0.1), np.full(200, 0.5)

    assert mean_at_once(runs_s, 20.0) == pytest.approx(5.0)
    assert busiest_mean(at_s, np.where(at_s < 10, 0.1, 0.5), 0.0, 20.0) == pytest.approx(5.0)
    assert mean_at_once(runs_s, 0.05) is None


def test_calls_in_flight_are_counted_at_each_start() -> None:
    assert in_flight(np.array([0.0, 1.0, 2.0, 2.5]), np.full(4, 1.5)).tolist() == [1, 2, 2, 2]


@settings(max_examples=40)
@given(
    gaps_ms=st.lists(st.integers(0, 500), min_size=1, max_size=60),
    rate=st.integers(1, 9),
    burst=st.integers(1, 9),
    weight=st.integers(1, 3),
)
def test_no_more_units_are_used_than_a_bucket_gives(
    gaps_ms: list[int], rate: int, burst: int, weight: int
) -> None:
    at_s = np.cumsum(gaps_ms) / 1000

    short = short_of_tokens(at_s, float(rate), float(burst), float(weight))

    used = weight * np.count_nonzero(~short)
    assert used <= burst + rate * (at_s[-1] - at_s[0]) + 1e-6
