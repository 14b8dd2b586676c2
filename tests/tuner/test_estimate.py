"""Typical values and intervals: known numbers, and intervals that hold what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.estimate import interval, interval_quantiles, typical, typical_replicates


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([5.0], 5.0, id="one"),
        pytest.param([1.0, 2.0, 3.0, 6.0], 3.0, id="four are not trimmed"),
        pytest.param([1.0, 2.0, 3.0, 4.0, 600.0], 3.0, id="five lose one at each end"),
        pytest.param([1.0, *[10.0] * 7, 600.0], 10.0, id="nine lose one at each end"),
        pytest.param([*[10.0] * 8, 1.0, 1000.0], 10.0, id="ten lose one at each end"),
        pytest.param([*range(1, 21)], 10.5, id="twenty lose two at each end"),
    ],
)
def test_the_typical_value_leaves_out_a_tenth_at_each_end(
    values: list[float], expected: float
) -> None:
    assert typical(values) == pytest.approx(expected)


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50))
def test_the_typical_value_lies_within_the_data(values: list[float]) -> None:
    assert min(values) * (1 - 1e-9) <= typical(values) <= max(values) * (1 + 1e-9)


def test_replicates_resample_the_quantities_of_a_call_together() -> None:
    columns = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])

    replicates = typical_replicates(columns, np.random.default_rng(1), 50)

    assert replicates.shape == (50, 2)
    assert np.allclose(replicates[:, 1], 10 * replicates[:, 0])


def test_small_samples_get_wider_quantiles() -> None:
    lows = [interval_quantiles(n)[0] for n in (3, 5, 10, 100, 10_000)]

    assert lows == sorted(lows)
    assert lows[-1] == pytest.approx(0.05, abs=1e-3)


def test_four_samples_have_no_interval() -> None:
    assert interval(np.array([1.0, 2.0]), 4) is None
    assert interval(np.array([1.0, 2.0]), 5) is not None


@pytest.mark.parametrize(
    ("noise", "n"),
    [
        pytest.param("normal", 5, id="log-normal, as few as have an interval"),
        pytest.param("heavy", 5, id="heavy tails, as few as have an interval"),
        pytest.param("normal", 10, id="log-normal, the default number of samples"),
        pytest.param("heavy", 10, id="log-Student-t with 2.5 degrees of freedom"),
        pytest.param("heavy", 30, id="heavy tails, more samples"),
    ],
)
def test_ninety_per_cent_intervals_hold_the_truth_about_that_often(noise: str, n: int) -> None:
    rng = np.random.default_rng(7)

    def draw(count: int) -> np.ndarray:
        deviates = rng.standard_normal(count) if noise == "normal" else rng.standard_t(2.5, count)
        return np.exp(0.1 * deviates)

    # What the estimator aims at: the same share left out at each end of very many values.
    many = np.sort(draw(1_000_000))
    left_out = round(len(many) * max(1, n // 10) / n)
    truth = float(many[left_out:-left_out].mean())
    hits = 0
    for _ in range(400):
        values = draw(n)
        bounds = interval(typical_replicates(values[:, None], rng, 400)[:, 0], n)
        assert bounds is not None
        hits += bounds[0] <= truth <= bounds[1]

    assert 0.85 <= hits / 400 <= 0.95
