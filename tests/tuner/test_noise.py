"""How durations scatter: the constants of Student's t, and scales that are learned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from tuner.noise import (
    DEGREES_OF_FREEDOM,
    ROBUST_SIGMA_OF_T,
    VARIANCE_FACTOR,
    log_likelihood,
    scales,
    usual_scale,
    weights,
)

STUDENT = stats.t(DEGREES_OF_FREEDOM)


def usual(memory_mb: float, duration_ms: float) -> float:
    return float(usual_scale(np.array([memory_mb]), np.array([duration_ms]))[0])


def test_the_constants_are_those_of_students_t() -> None:
    def squared_slope(x: float) -> float:
        slope = -(DEGREES_OF_FREEDOM + 1) * x / (DEGREES_OF_FREEDOM + x**2)
        return float(slope**2 * STUDENT.pdf(x))

    information, _ = integrate.quad(squared_slope, -np.inf, np.inf)

    assert pytest.approx(1 / information) == VARIANCE_FACTOR
    assert pytest.approx(1.4826 * STUDENT.ppf(0.75), rel=0.01) == ROBUST_SIGMA_OF_T


def test_the_likelihood_is_that_of_students_t_up_to_a_constant() -> None:
    at = np.linspace(-30, 30, 61)

    found = log_likelihood(at)

    assert found - found[30] == pytest.approx(STUDENT.logpdf(at) - STUDENT.logpdf(0))


@given(memory_mb=st.integers(128, 10240), duration_ms=st.floats(0, 9e5), longer=st.floats(1, 1e4))
def test_longer_durations_usually_scatter_less(
    memory_mb: int, duration_ms: float, longer: float
) -> None:
    found = usual(memory_mb, duration_ms)

    assert 0.01 < found < 1
    assert usual(memory_mb, duration_ms * longer) <= found * (1 + 1e-12)


@pytest.mark.parametrize(
    ("duration_ms", "felt"),
    [
        pytest.param(20.0, 2.07, id="a period of the quota"),
        pytest.param(300.0, 1.44, id="fading"),
        pytest.param(600.0, 1.0, id="many periods"),
        pytest.param(60_000.0, 1.0, id="a minute"),
    ],
)
def test_the_cpu_quota_is_felt_by_short_calls_of_small_sizes(
    duration_ms: float, felt: float
) -> None:
    assert usual(128, duration_ms) / usual(1024, duration_ms) == pytest.approx(felt, rel=0.01)
    assert usual(1024, duration_ms) == usual(3008, duration_ms)


def test_a_scale_without_samples_to_tell_it_is_the_usual_one() -> None:
    expected = np.array([0.1, 0.05])

    found, factor = scales(expected, squares=np.zeros(2), counts=np.ones(2))

    assert found == pytest.approx(expected)
    assert factor == pytest.approx(1)


def test_many_samples_outweigh_what_is_usual_at_their_size_and_are_heard_at_others() -> None:
    expected, true = np.array([0.05, 0.05]), 0.2
    counts = np.array([1000.0, 1.0])

    found, factor = scales(expected, squares=np.array([999 * true**2, 0.0]), counts=counts)

    assert found[0] == pytest.approx(true, rel=0.01)
    assert factor == pytest.approx(16, rel=0.01)
    assert found[1] == pytest.approx(true, rel=0.01)


def test_equal_samples_leave_a_scale_above_zero() -> None:
    found, factor = scales(np.array([0.05]), squares=np.zeros(1), counts=np.array([50.0]))

    assert 0 < found[0] < 0.05
    assert 0 < factor < 1


def test_a_sample_counts_less_the_further_off_it_is_and_never_nothing() -> None:
    scale = np.full(5, 0.1)

    found = weights(np.array([0.0, 0.1, -0.1, 1.0, 10.0]), np.zeros(5), scale)

    assert found[0] == pytest.approx((DEGREES_OF_FREEDOM + 1) / DEGREES_OF_FREEDOM)
    assert found[1] == found[2]
    assert found[0] > found[1] > found[3] > found[4] > 0
