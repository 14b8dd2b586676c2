"""Executions at once, environments, and cold starts, against tables and a simulation."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.erlang import blocked_shares, cold_share, concurrency_at, environments_for

LOADS = st.floats(0.01, 3000)


@pytest.mark.parametrize(
    ("load", "environments", "share"),
    # Tables of Erlang's loss formula.
    [(1.0, 1, 0.5), (1.0, 5, 0.003067), (5.0, 10, 0.018385), (20.0, 30, 0.008457)],
)
def test_blocked_shares_are_those_of_the_tables(
    load: float, environments: int, share: float
) -> None:
    assert blocked_shares(load, environments)[-1] == pytest.approx(share, rel=1e-3)


@given(LOADS)
def test_more_environments_leave_less_to_others(load: float) -> None:
    shares = blocked_shares(load, 200)

    assert shares[0] == 1.0
    assert (np.diff(shares) <= 0).all()


@given(LOADS, st.floats(0.001, 0.5))
def test_the_environments_for_a_share_are_just_enough(load: float, share: float) -> None:
    needed = environments_for(load, share)

    shares = blocked_shares(load, needed)
    assert shares[-1] <= share < shares[-2] * (1 + 1e-9)


@pytest.mark.parametrize("load", [0.2, 3.0, 40.0, 900.0, 150_000.0, 250_000.0])
def test_concurrency_is_a_quantile_of_the_poisson_distribution(load: float) -> None:
    found = concurrency_at(load, 0.99)

    drawn = np.random.default_rng(1).poisson(load, 200_000)
    assert (drawn <= found).mean() >= 0.988
    assert (drawn < found).mean() <= 0.992
    assert concurrency_at(load, 0.5) == pytest.approx(load, abs=math.sqrt(load) / 10 + 1)


def simulated_cold_share(rate_rps: float, duration_s: float, idle_s: float, calls: int) -> float:
    """Calls take the environment that became free last; exponential durations."""
    rng = np.random.default_rng(2)
    now_s, cold, counted = 0.0, 0, calls // 5
    busy: list[float] = []
    free: list[float] = []
    gaps, durations = rng.exponential(1 / rate_rps, calls), rng.exponential(duration_s, calls)
    for call in range(calls):
        now_s += gaps[call]
        while busy and busy[0] <= now_s:
            free.append(heapq.heappop(busy))
        while free and free[0] < now_s - idle_s:
            free.pop(0)
        if free:
            free.pop()
        elif call >= counted:
            cold += 1
        heapq.heappush(busy, now_s + durations[call])
    return cold / (calls - counted)


@pytest.mark.parametrize(
    ("rate_rps", "duration_s", "idle_s"), [(1.0, 0.2, 30.0), (20.0, 0.5, 20.0), (0.01, 0.5, 300.0)]
)
def test_the_cold_share_is_that_of_a_simulation(
    rate_rps: float, duration_s: float, idle_s: float
) -> None:
    simulated = simulated_cold_share(rate_rps, duration_s, idle_s, 40_000)

    assert cold_share(rate_rps, duration_s, idle_s) == pytest.approx(simulated, rel=0.15)


def test_nothing_runs_where_nothing_comes() -> None:
    assert concurrency_at(0.0, 0.99) == environments_for(0.0, 0.01) == 0
    assert cold_share(0.0, 1.0, 60.0) == 0.0
