"""What is believed of curves before anything is measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.curve_prior import LEVEL_VARIANCE, RESIDUALS, Residual, shapes
from tuner.grid import candidate_sizes

grids = st.builds(
    lambda low, ratio: candidate_sizes(low, min(int(low * ratio), 10240)),
    st.integers(128, 10240),
    st.floats(1, 80),
)
KINDS = [pytest.param(residual, id=str(number)) for number, residual in enumerate(RESIDUALS)]


@settings(max_examples=40)
@given(sizes=grids)
def test_no_shape_gets_slower_with_memory_and_all_have_one_level(sizes: tuple[int, ...]) -> None:
    found = shapes(sizes)

    assert found.shape == (442, len(sizes))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=1) <= 1e-12).all()
    assert found.mean(axis=1) == pytest.approx(np.zeros(len(found)))


def test_shapes_reach_from_flat_to_steeper_than_the_memory_itself() -> None:
    found = shapes(candidate_sizes(128, 10240))
    fall = found[:, 0] - found[:, -1]

    assert fall.min() == fall[-1] == 0
    assert fall.max() > np.log(10240 / 128)


def test_the_kinds_of_residual_share_one_belief() -> None:
    assert sum(residual.weight for residual in RESIDUALS) == pytest.approx(1)


@pytest.mark.parametrize("residual", KINDS)
@settings(max_examples=40)
@given(sizes=grids)
def test_residuals_are_like_those_of_neighbours_and_never_certain(
    residual: Residual, sizes: tuple[int, ...]
) -> None:
    found = residual.covariance(sizes)

    assert found == pytest.approx(found.T)
    assert np.linalg.eigvalsh(found).min() > 0.5 * residual.jag**2
    variance = LEVEL_VARIANCE + residual.amplitude**2 + residual.jag**2
    assert np.diag(found) == pytest.approx(np.full(len(sizes), variance))
    assert (np.diff(found[0, 1:]) <= 1e-12).all()
    assert (found >= LEVEL_VARIANCE).all()
