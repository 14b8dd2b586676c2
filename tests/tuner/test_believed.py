"""Warm, cold and mixed calls, believed from one run's samples."""

from __future__ import annotations

import numpy as np
import pytest

from core.aws.prices import bundled_prices
from tests.tuner.factories import failed, lost, sample
from tuner.believed import Believed, believed
from tuner.objective import Goal
from tuner.sample import Sample
from tuner.worth import Worth

SIZES = (128, 256, 512, 1024, 2048)
PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")


def ask(samples: list[Sample], cold_share: float | None = None, seed: int = 1) -> Believed:
    return believed(samples, SIZES, worth(cold_share), np.random.default_rng(seed))


def worth(cold_share: float | None = None) -> Worth:
    return Worth(Goal("cost"), PRICE, 512, cold_share)


def waiting() -> list[Sample]:
    """60 ms at every size when warm; a cold start gets faster by more than memory gets larger."""

    def init_ms(size: int) -> float:
        return 4000 * (128 / size) ** 1.5

    return [
        *(sample(size, 60.0 + n / 10) for size in (128, 512, 2048) for n in range(4)),
        *(
            sample(size, 60.0, cold=True, init_ms=init_ms(size), billed_ms=init_ms(size) + 60)
            for size in (128, 512, 2048)
        ),
    ]


def test_without_a_share_of_cold_calls_the_warm_ones_decide() -> None:
    found = ask(waiting())

    assert found.mix is found.warm
    assert found.cold is None
    assert SIZES[found.choice(worth(), None)] == 128


def test_a_share_of_cold_calls_moves_cost_latency_and_choice() -> None:
    found = ask(waiting(), cold_share=0.5)

    assert found.cold is not None
    cost = 0.5 * found.warm.cost_usd + 0.5 * found.cold.cost_usd
    assert found.mix.cost_usd == pytest.approx(cost)
    waits, warm_only = (np.median(c.latency_ms, axis=0) for c in (found.mix, found.warm))
    assert (waits > warm_only).all()
    assert SIZES[found.choice(worth(0.5), None)] > 128


def test_a_share_without_a_cold_sample_says_nothing() -> None:
    found = ask([sample(128), sample(512, 50.0)], cold_share=0.5)

    assert found.cold is None
    assert found.mix is found.warm


def test_only_warm_measurements_at_the_sizes_asked_for_count() -> None:
    warm = [sample(128, 100.0), sample(128, 101.0), sample(512, 50.0)]
    others = [
        sample(512, 9000.0, after_error=True),
        sample(300, 9000.0),
        failed(128),
        lost(512),
    ]

    alone, among_others = ask(warm), ask([*warm, *others])

    assert (alone.beliefs.duration_ms == among_others.beliefs.duration_ms).all()


def test_regrets_are_by_draw_and_the_best_of_each_has_none() -> None:
    found = ask(waiting()).regrets(worth())

    assert found.shape == (512, len(SIZES))
    assert found.min(axis=1) == pytest.approx(np.zeros(512))
