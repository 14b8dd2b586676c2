"""The curve that an adaptive answer shows, with its band, beside the families."""

from __future__ import annotations

import numpy as np
import pytest

from reports.document import Model
from tests.tuner.factories import drawn as simulated
from tests.tuner.factories import sample
from tests.tuner.tuning_rig import CANDIDATES, COST, PRICE, Curve, power, saturating, waiting
from tuner.bands import believed_model
from tuner.believed import believed
from tuner.evidence import drawn
from tuner.sample import Sample
from tuner.worth import Worth

INVOKED = (128, 256, 512, 1024, 3008)


def model_of(samples: list[Sample], candidates: tuple[int, ...] = CANDIDATES) -> Model | None:
    worth = Worth(COST, PRICE, 512)
    known = believed(samples, candidates, worth, np.random.default_rng(1))
    evidence = drawn(samples, known, known.warm, worth)
    return believed_model(samples, evidence, PRICE, 512, np.random.default_rng(2))


@pytest.mark.parametrize("curve", [saturating, power, waiting])
def test_the_curve_follows_the_truth_and_its_band_holds_it(curve: Curve) -> None:
    model = model_of(simulated(curve, INVOKED, n=4, sigma=0.02, seed=3))

    assert model is not None
    assert [point.memory_mb for point in model.curve] == list(CANDIDATES)
    held = 0
    for point in model.curve:
        true_ms = curve(point.memory_mb)
        assert point.duration_ms == pytest.approx(true_ms, rel=0.1)
        assert point.duration_band_ms is not None
        low, high = point.duration_band_ms
        assert low < point.duration_ms < high
        held += low <= true_ms <= high
        billed_usd = PRICE.invocation_usd(point.memory_mb, point.duration_ms + 0.5)
        assert point.cost_usd_per_million == pytest.approx(billed_usd * 1e6, rel=0.01)
        assert point.cost_band_usd_per_million is not None
        low, high = point.cost_band_usd_per_million
        assert low < point.cost_usd_per_million < high
    assert held >= 0.85 * len(CANDIDATES)


def test_how_well_sizes_are_predicted_from_the_others_is_told_for_each_family() -> None:
    model = model_of(simulated(saturating, INVOKED, n=4, sigma=0.02, seed=3))

    assert model is not None
    errors = {score.family: score.loo_error for score in model.candidates}
    own = errors.pop(model.family)
    assert set(errors) == {"flat", "inverse", "saturating", "power", "exponential"}
    assert own is not None
    assert own == model.loo_error
    assert errors["flat"] is not None
    assert own < 0.1 < errors["flat"]


def test_sizes_that_were_left_out_lie_where_the_others_expect_them() -> None:
    held = told = 0
    for seed in range(6):
        model = model_of(simulated(saturating, INVOKED, n=3, sigma=0.05, seed=seed))

        assert model is not None
        assert [size.memory_mb for size in model.unseen] == [256, 512, 1024]
        for size in model.unseen:
            low, high = size.expected_interval_ms
            assert low < size.expected_ms < high
            held += low <= size.measured_ms <= high
            told += 1
    assert held >= 0.8 * told


@pytest.mark.parametrize("sizes", [(512,), (128, 3008)])
def test_of_fewer_than_three_invoked_sizes_no_curve_is_shown(sizes: tuple[int, ...]) -> None:
    assert model_of([sample(size) for size in sizes]) is None


@pytest.mark.parametrize(
    "durations",
    [
        pytest.param([0.0, 0.0, 0.0], id="no time at all"),
        pytest.param([100.0, 100.0, 100.0], id="all the same"),
        pytest.param([0.01, 9e5, 0.01], id="a tower"),
    ],
)
def test_odd_durations_have_a_curve_as_well(durations: list[float]) -> None:
    samples = [sample(size, ms) for size, ms in zip((128, 512, 3008), durations, strict=True)] * 40

    model = model_of(samples)

    assert model is not None
    assert model.loo_error is not None
    for point in model.curve:
        assert np.isfinite(point.duration_ms)
        assert point.duration_ms > 0
        assert point.cost_usd_per_million > 0
