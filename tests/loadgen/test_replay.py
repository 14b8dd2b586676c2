"""The replay against a simulated gateway, which knows who refused what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from loadgen.limits import Bucket
from loadgen.outcome import Cause
from loadgen.replay import Attribution, replay

ACCOUNT = Bucket(Cause.ACCOUNT, "account", 10_000.0, 5_000, "account")
STAGE = Bucket(Cause.STAGE, "stage prod", 80.0, 40, "stage")
SEARCH = Bucket(Cause.METHOD, "GET /search", 20.0, 10, "search")
PLAN = Bucket(Cause.USAGE_PLAN, "plan basic", 10.0, 5, "plan")
PLAN_METHOD = Bucket(Cause.USAGE_PLAN_METHOD, "POST /orders in plan basic", 2.0, 2, "plan method")

Path = tuple[Bucket, ...]
# The orders stack: products, search, create an order, read an order.
ORDERS: tuple[Path, ...] = (
    (STAGE, ACCOUNT),
    (SEARCH, ACCOUNT),
    (PLAN_METHOD, PLAN, STAGE, ACCOUNT),
    (PLAN, STAGE, ACCOUNT),
)


@dataclass(frozen=True)
class Run:
    """A run as the client saw it, and `truth`: the layer that refused each request, else 0."""

    start_s: NDArray[np.float64]
    step: NDArray[np.int64]
    truth: NDArray[np.uint8]
    paths: Sequence[Path]

    @property
    def refused(self) -> NDArray[np.bool_]:
        return self.truth > 0

    def replayed(self, jitter_s: float = 0.001, **more: NDArray[np.bool_]) -> Attribution:
        return replay(self.start_s, self.step, self.refused, self.paths, jitter_s=jitter_s, **more)


def simulate(
    paths: Sequence[Path],
    rates_rps: Sequence[float],
    *,
    length_s: float = 20.0,
    delay_spread_s: float = 0.0,
    level_share: float = 1.0,
    seed: int = 0,
) -> Run:
    """Poisson arrivals at a gateway; each takes up to `delay_spread_s` longer to get there.

    Buckets begin with `level_share` of their burst.
    """
    rng = np.random.default_rng(seed)
    counts = [rng.poisson(rate * length_s) for rate in rates_rps]
    start_s = np.concatenate([rng.uniform(0, length_s, count) for count in counts])
    step = np.repeat(np.arange(len(counts)), counts)
    order = np.argsort(start_s)
    start_s, step = start_s[order], step[order]
    arrival_s = start_s + rng.uniform(-0.5, 0.5, len(start_s)) * delay_spread_s

    levels = {b.shared_key: b.burst * level_share for path in paths for b in path}
    seen_s = dict.fromkeys(levels, 0.0)
    truth = np.zeros(len(start_s), np.uint8)
    for row in np.argsort(arrival_s):
        path = paths[step[row]]
        for bucket in path:
            key = bucket.shared_key
            filled = levels[key] + (arrival_s[row] - seen_s[key]) * bucket.rate_rps
            levels[key], seen_s[key] = min(bucket.burst, filled), arrival_s[row]
        refusing = [bucket for bucket in path if levels[bucket.shared_key] < 1]
        if refusing:
            truth[row] = refusing[0].layer
        else:
            for bucket in path:
                levels[bucket.shared_key] -= 1
    return Run(start_s, step, truth, paths)


def shares(run: Run, found: Attribution) -> tuple[float, float]:
    """Which shares of the refused requests are named rightly, and wrongly."""
    truth, named = run.truth[run.refused], found.cause[run.refused]
    wrong = (named != truth) & (named != Cause.THROTTLE)
    return float((named == truth).mean()), float(wrong.mean())


@pytest.mark.parametrize(
    "rates_rps",
    [
        pytest.param((120, 0, 0, 0), id="stage"),
        pytest.param((0, 30, 0, 0), id="method"),
        pytest.param((0, 0, 0, 15), id="usage plan"),
        pytest.param((0, 0, 6, 0), id="method of the usage plan"),
        pytest.param((120, 30, 4, 15), id="all at once"),
        pytest.param((300, 60, 8, 20), id="all at once, far above the limits"),
        pytest.param((75, 20, 2, 10), id="all near their limits"),
    ],
)
@pytest.mark.parametrize("delay_spread_s", [0.0, 0.005, 0.025])
def test_the_refusing_layer_is_named(rates_rps: Sequence[float], delay_spread_s: float) -> None:
    run = simulate(ORDERS, rates_rps, length_s=60, delay_spread_s=delay_spread_s)

    found = run.replayed(max(0.0005, delay_spread_s / 12**0.5))
    right, _ = shares(run, found)

    assert run.refused.sum() > 50
    assert right >= 0.95
    assert not found.loose


@settings(max_examples=25)
@given(
    products=st.floats(0, 300),
    search=st.floats(0, 80),
    create=st.floats(0, 6),
    read=st.floats(0, 25),
    delay_spread_s=st.floats(0, 0.025),
    seed=st.integers(0, 1000),
)
def test_hardly_any_request_is_named_wrongly(
    products: float, search: float, create: float, read: float, delay_spread_s: float, seed: int
) -> None:
    rates = (products, search, create, read)
    run = simulate(ORDERS, rates, delay_spread_s=delay_spread_s, seed=seed)
    found = run.replayed(max(0.0005, delay_spread_s / 12**0.5))

    assert not found.cause[~run.refused].any()
    if run.refused.sum() > 100:
        right, wrong = shares(run, found)
        assert right >= 0.9
        assert wrong <= 0.05


def test_exact_times_are_named_exactly() -> None:
    run = simulate(ORDERS, (120, 30, 4, 15), seed=3)

    right, wrong = shares(run, run.replayed(0.0))

    assert right > 0.98
    assert wrong < 0.005


def test_a_bucket_that_others_use_is_found_by_its_refusals() -> None:
    run = simulate([(STAGE, ACCOUNT)], [60], level_share=0.0)

    right, _ = shares(run, run.replayed())

    assert run.refused.any()
    assert right == 1.0


def test_buckets_that_begin_empty_are_learned() -> None:
    run = simulate(ORDERS, (120, 30, 4, 15), length_s=60, level_share=0.0)

    right, wrong = shares(run, run.replayed())

    assert right > 0.95
    assert wrong < 0.03


def test_limits_that_are_kept_in_parts_are_loose() -> None:
    parts = [Bucket(Cause.STAGE, "stage", 20.0, 10, f"stage {part}") for part in range(4)]
    run = simulate([(part, ACCOUNT) for part in parts], [30, 30, 30, 30], length_s=30)
    whole = Run(run.start_s, np.zeros_like(run.step), run.truth, [(STAGE, ACCOUNT)])

    found = whole.replayed()

    assert found.loose
    assert shares(whole, found)[0] > 0.99


def test_what_two_empty_buckets_leave_unclear_stays_open() -> None:
    account = Bucket(Cause.ACCOUNT, "account", 110.0, 40, "account")
    run = simulate([(STAGE, account), (account,)], [200, 60], delay_spread_s=0.03)

    found = run.replayed(0.03 / 12**0.5)

    left_open = run.refused & (found.cause == Cause.THROTTLE)
    assert left_open.sum() > 0.05 * run.refused.sum()
    assert found.share[left_open].max() < 0.6
    assert shares(run, found)[0] > 0.75


def test_without_knowing_all_limits_only_an_empty_bucket_is_named() -> None:
    time_s = np.array([0.0, 0.001, 0.002, 10.0])
    step = np.zeros(4, np.int64)
    refused = np.array([False, False, True, True])
    stage = Bucket(Cause.STAGE, "stage", 1.0, 2, "stage")
    unsure = np.zeros(4, np.bool_)

    found = replay(time_s, step, refused, [(stage,)], jitter_s=0.001, sure=unsure)
    told = replay(time_s, step, refused, [(stage,)], jitter_s=0.001)

    assert list(found.cause) == [0, 0, Cause.STAGE, Cause.THROTTLE]
    assert list(told.cause) == [0, 0, Cause.STAGE, Cause.STAGE]


def test_a_step_without_limits_stays_open() -> None:
    found = replay(np.array([0.0]), np.array([0]), np.array([True]), [()], jitter_s=0.001)

    assert list(found.cause) == [Cause.THROTTLE]
    assert list(found.share) == [0.0]


def test_a_run_without_requests_is_fine() -> None:
    empty = np.zeros(0)

    found = replay(empty, empty.astype(np.int64), empty.astype(np.bool_), ORDERS, jitter_s=0.001)

    assert len(found.cause) == 0


def test_a_limit_of_nothing_refuses_everything() -> None:
    closed = Bucket(Cause.METHOD, "GET /off", 0.0, 0, "off")
    run = simulate([(closed, ACCOUNT)], [20])

    assert run.refused.all()
    assert (run.replayed().cause == Cause.METHOD).all()
