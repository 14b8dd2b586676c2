"""From samples to what is known of each size: by its own samples, or by all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.aws.prices import bundled_prices
from tests.tuner.factories import drawn as simulated
from tests.tuner.factories import sample
from tuner.believed import believed
from tuner.estimate import REPLICATES, typical
from tuner.evidence import DRAWN_TAILS, calls_of, drawn, resampled, with_calls
from tuner.objective import Goal, SloLimit
from tuner.recommend import SizeEvidence
from tuner.sample import Sample
from tuner.worth import Worth

SIZES = (128, 256, 512, 1024)
PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")
WORTH = Worth(Goal("cost"), PRICE, 512)
WITHIN = Worth(Goal("slo", slo=SloLimit(95, 500)), PRICE, 512)


def samples_of(*sizes: int, n: int = 5) -> list[Sample]:
    return simulated(lambda size: 51_200 / size, sizes, n=n, sigma=0.05, seed=1)


def own(samples: list[Sample], worth: Worth = WORTH) -> list[SizeEvidence]:
    return resampled(samples, worth, np.random.default_rng(1))


def of_all(samples: list[Sample], worth: Worth = WORTH) -> list[SizeEvidence]:
    known = believed(samples, SIZES, worth, np.random.default_rng(1))
    return drawn(samples, known, known.warm, worth)


def test_each_size_stands_for_itself_where_its_own_samples_are_asked() -> None:
    samples = samples_of(512, 128)

    small, large = own(samples)

    assert (small.memory_mb, large.memory_mb, small.n) == (128, 512, 5)
    assert large.duration_ms == typical([s.duration_ms or 0 for s in samples_of(512)])
    assert large.cost_usd == pytest.approx(PRICE.invocation_usd(512, large.billed_ms))
    assert large.cost_replicates.shape == (REPLICATES,)
    low, high = np.quantile(large.cost_replicates, DRAWN_TAILS)
    assert low < large.cost_usd < high


@pytest.mark.parametrize(("n", "known"), [(1, False), (4, False), (5, True)])
def test_few_samples_of_a_size_have_no_interval(n: int, *, known: bool) -> None:
    (found,) = own(samples_of(512, n=n))

    assert (found.tails is not None) == known
    assert (calls_of([found]) is not None) == known


def test_no_time_at_all_is_billed_for_a_millisecond() -> None:
    (found,) = own([sample(512, 0.0, billed_ms=0.0)] * 5)

    assert found.billed_ms == 1.0
    assert found.duration_ms > 0
    assert (found.duration_replicates > 0).all()
    assert found.cost_usd == pytest.approx(PRICE.invocation_usd(512, 1))


def test_sizes_that_were_not_invoked_are_known_by_the_others() -> None:
    found = of_all(samples_of(128, 512))

    assert [(item.memory_mb, item.n) for item in found] == [(128, 5), (256, 0), (512, 5), (1024, 0)]
    assert found[1].duration_ms == pytest.approx(200, rel=0.15)
    assert found[2].duration_ms == pytest.approx(100, rel=0.1)
    assert all(item.tails == DRAWN_TAILS for item in found)
    for item in found:
        low, high = np.quantile(item.cost_replicates, DRAWN_TAILS)
        assert low <= item.cost_usd <= high


def test_a_limit_is_looked_at_where_there_are_samples_and_one_is_set() -> None:
    samples = samples_of(128, 512, n=6)

    assert [item.slo for item in of_all(samples)] == [None] * len(SIZES)
    within = of_all(samples, WITHIN)
    assert [item.slo.n if item.slo else None for item in within] == [6, None, 6, None]
    assert [item.slo.n if item.slo else None for item in own(samples, WITHIN)] == [6, 6]


def test_calls_are_as_wide_as_the_intervals_that_they_stand_for() -> None:
    evidence = own(samples_of(128, 512, n=20))

    calls = calls_of(evidence)

    assert calls is not None
    assert calls.sizes_mb == (128, 512)
    assert evidence[0].tails is not None
    wide = np.quantile(np.log(evidence[0].cost_replicates), evidence[0].tails)
    stands_for = np.quantile(np.log(calls.cost_usd[:, 0]), DRAWN_TAILS)
    assert np.ptp(stands_for) == pytest.approx(np.ptp(wide), rel=0.15)


def test_one_size_that_is_not_known_well_keeps_all_from_being_mixed() -> None:
    assert calls_of(own([*samples_of(128), sample(512)])) is None
    assert calls_of([]) is None


def test_mixed_calls_take_the_place_of_cost_and_latency_alone() -> None:
    evidence = own(samples_of(128, 512))
    calls = calls_of(evidence)
    assert calls is not None
    dearer = replace(calls, cost_usd=calls.cost_usd * 3, latency_ms=calls.latency_ms * 2)

    for before, after in zip(evidence, with_calls(evidence, dearer), strict=True):
        assert after.cost_usd == pytest.approx(3 * before.cost_usd, rel=0.05)
        assert after.duration_ms == pytest.approx(2 * before.duration_ms, rel=0.05)
        assert after.billed_ms == before.billed_ms
        assert (after.memory_mb, after.n) == (before.memory_mb, before.n)
        assert after.tails == DRAWN_TAILS
