"""Curves: each family is found where it is the truth, and unseen sizes are predicted."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.curve import FAMILIES, choose, fit, refit

SIZES = np.array([128, 256, 512, 1024, 1769, 3008], dtype=float)
EXACT = np.full(6, 0.001)

TRUTHS = [
    pytest.param("flat", lambda m: 60 + 0 * m, id="waiting only"),
    pytest.param("inverse", lambda m: 20 + 60_000 / m, id="parallel work"),
    pytest.param("saturating", lambda m: 40 + 90_000 / np.minimum(m, 1769), id="one vCPU"),
    pytest.param("saturating", lambda m: 15 + 50_000 / np.minimum(m, 700), id="an early knee"),
    pytest.param("power", lambda m: 10 + 100 * (m / 1024) ** -1.5, id="steeper than 1/m"),
    pytest.param("exponential", lambda m: 50 + 900 * np.exp(-m / 400), id="exponential"),
]


@pytest.mark.parametrize(("name", "truth"), TRUTHS)
def test_the_true_family_wins_and_predicts_sizes_between(
    name: str, truth: Callable[[np.ndarray], np.ndarray]
) -> None:
    choice = choose(SIZES, truth(SIZES), EXACT)

    assert choice is not None
    assert choice.curve.family.name == name
    assert choice.loo_error is not None
    assert choice.loo_error < 0.01
    between = np.array([200.0, 400.0, 800.0, 1500.0, 2500.0])
    assert np.allclose(choice.curve.predict(between), truth(between), rtol=0.01)


@pytest.mark.parametrize(("name", "truth"), TRUTHS)
def test_noise_of_three_per_cent_does_not_carry_curves_far_from_the_truth(
    name: str, truth: Callable[[np.ndarray], np.ndarray]
) -> None:
    del name  # with noise a simpler family may rightly win
    rng = np.random.default_rng(3)
    noisy = truth(SIZES) * np.exp(0.03 * rng.standard_normal(6))

    choice = choose(SIZES, noisy, np.full(6, 0.03))

    assert choice is not None
    assert np.allclose(choice.curve.predict(SIZES), truth(SIZES), rtol=0.15)


def test_too_few_sizes_give_no_curve() -> None:
    assert choose(SIZES[:2], np.array([2.0, 1.0]), EXACT[:2]) is None


def test_families_that_need_more_sizes_stay_without_a_score() -> None:
    choice = choose(SIZES[:3], 10 + 5000 / SIZES[:3], EXACT[:3])

    assert choice is not None
    assert choice.curve.family.name == "inverse"
    assert choice.loo_errors["saturating"] is None


def test_a_refit_stays_in_its_family() -> None:
    truth = 40 + 90_000 / np.minimum(SIZES, 1769)
    choice = choose(SIZES, truth, EXACT)
    assert choice is not None

    again = refit(choice.curve, SIZES, truth * 1.1, EXACT)

    assert again.family is choice.curve.family
    assert np.allclose(again.predict(SIZES), truth * 1.1, rtol=0.01)


@settings(max_examples=40)
@given(st.lists(st.floats(0.1, 9e5), min_size=3, max_size=6))
def test_any_durations_give_a_finite_positive_curve(durations: list[float]) -> None:
    count = len(durations)
    choice = choose(SIZES[:count], np.array(durations), np.full(count, 0.05))

    assert choice is not None
    predicted = choice.curve.predict(SIZES[:count])
    assert np.all(np.isfinite(predicted))
    assert np.all(predicted > 0)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_names_its_parameters(family: object) -> None:
    found = next(item for item in FAMILIES if item is family)
    curve = fit(found, SIZES, 40 + 90_000 / SIZES, EXACT)

    assert curve is not None
    assert set(curve.parameters) == set(found.parameters)
    assert all(name in found.formula for name in found.parameters)
