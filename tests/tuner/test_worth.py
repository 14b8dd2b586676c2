"""What calls cost by how long they take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.prices import bundled_prices
from tuner.objective import Goal
from tuner.worth import Worth

PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")


def worth(storage_mb: int = 512) -> Worth:
    return Worth(Goal("cost"), PRICE, storage_mb)


@given(
    sizes=st.lists(st.integers(128, 10240), min_size=1, max_size=5),
    billed_ms=st.floats(1, 9e5),
    storage_mb=st.sampled_from([512, 513, 10240]),
)
def test_costs_are_those_of_the_price_list(
    sizes: list[int], billed_ms: float, storage_mb: int
) -> None:
    draws = np.array([[billed_ms] * len(sizes), [billed_ms / 2] * len(sizes)])

    found = worth(storage_mb).cost_usd(sizes, draws)

    expected = [
        [PRICE.invocation_usd(size, billed, storage_mb=storage_mb) for size in sizes]
        for billed in (billed_ms, billed_ms / 2)
    ]
    assert found == pytest.approx(np.array(expected))


def test_billed_time_is_rounded_up_and_so_half_a_millisecond_longer_on_average() -> None:
    durations = np.random.default_rng(1).uniform(50, 150, 10_000)

    found = worth().billed_ms(durations)

    assert found.mean() == pytest.approx(np.ceil(durations).mean(), abs=0.02)


@pytest.mark.parametrize(("duration_ms", "billed_ms"), [(0.01, 1.0), (0.5, 1.0), (0.8, 1.3)])
def test_at_least_a_millisecond_is_billed(duration_ms: float, billed_ms: float) -> None:
    assert worth().billed_ms(np.array([duration_ms])) == pytest.approx([billed_ms])
