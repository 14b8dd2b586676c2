"""Beliefs about curves: right where the truth is known, and finite whatever was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tuner.tuning_rig import Curve, power, saturating, stepped, waiting
from tuner.beliefs import Beliefs, believe
from tuner.curve_prior import LEVEL_VARIANCE, RESIDUALS, shapes
from tuner.effort import USUAL_DRAWS
from tuner.estimate import Floats
from tuner.grid import candidate_sizes
from tuner.noise import DEGREES_OF_FREEDOM, log_likelihood, usual_scale

SIZES = candidate_sizes(128, 3008)
WORLDS = 120


def measured(
    typical_ms: Mapping[int, float], n: int, scale: float, rng: np.random.Generator
) -> dict[int, list[float]]:
    """`n` durations at each size around the typical ones, with Student's noise in logarithms."""
    return {
        size: (ms * np.exp(scale * rng.standard_t(DEGREES_OF_FREEDOM, n))).tolist()
        for size, ms in typical_ms.items()
    }


def held(beliefs: Beliefs, truth_ms: Floats) -> np.ndarray:
    """At which sizes the 90 % interval of the draws holds the truth."""
    low, high = np.quantile(beliefs.duration_ms, [0.05, 0.95], axis=0)
    return (low <= truth_ms) & (truth_ms <= high)


def from_the_prior(rng: np.random.Generator) -> Floats:
    """A function as the prior expects them, of 20 ms to 2 s."""
    kind = RESIDUALS[rng.choice(len(RESIDUALS), p=[residual.weight for residual in RESIDUALS])]
    factor = np.linalg.cholesky(kind.covariance(SIZES) - LEVEL_VARIANCE)
    shape = shapes(SIZES)[rng.integers(len(shapes(SIZES)))]
    logs = rng.normal(np.log(200), 1.2) + shape + factor @ rng.standard_normal(len(SIZES))
    return np.asarray(np.exp(logs))


@pytest.mark.parametrize(
    ("tested", "n"),
    [
        pytest.param((128, 512, 1024), 2, id="a first look"),
        pytest.param((128, 256, 512, 1024, 1769, 3008), 5, id="a whole run"),
    ],
)
def test_what_was_expected_is_found_as_often_as_intervals_say(
    tested: tuple[int, ...], n: int
) -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(WORLDS):
        truth = from_the_prior(rng)
        typical = {size: float(truth[SIZES.index(size)]) for size in tested}
        usual = usual_scale(np.array(tested, dtype=np.float64), np.array(list(typical.values())))
        unusual = np.exp(rng.normal(0, 0.5))
        durations = {
            size: measured({size: typical[size]}, n, scale * unusual, rng)[size]
            for size, scale in zip(tested, usual, strict=True)
        }
        found.append(held(believe(durations, SIZES, rng), truth))

    # Sizes of one function hold or miss together: three standard errors.
    shares = np.mean(found, axis=1)
    assert np.mean(shares) == pytest.approx(0.9, abs=3 * np.std(shares) / np.sqrt(WORLDS))


@pytest.mark.parametrize(
    ("curve", "scale"),
    [
        pytest.param(saturating, 0.03, id="saturating, calm"),
        pytest.param(saturating, 0.1, id="saturating"),
        pytest.param(power, 0.1, id="power"),
        pytest.param(power, 0.25, id="power, wild"),
        pytest.param(waiting, 0.1, id="flat"),
        pytest.param(stepped, 0.1, id="stepped"),
    ],
)
def test_intervals_of_measured_sizes_hold_the_truth_of_known_curves(
    curve: Curve, scale: float
) -> None:
    tested = (128, 256, 512, 1024, 1769, 3008)
    typical = {size: curve(size) for size in tested}
    truth = np.array([curve(size) for size in SIZES])
    rng = np.random.default_rng(4)

    found = np.array(
        [held(believe(measured(typical, 5, scale, rng), SIZES, rng), truth) for _ in range(60)]
    )

    columns = [SIZES.index(size) for size in tested]
    # 360 intervals that are claimed to hold with 90 %, less three standard errors.
    assert found[:, columns].mean() >= 0.9 - 3 * np.sqrt(0.9 * 0.1 / found[:, columns].size)
    if curve is not stepped:
        assert found.mean() >= 0.9


FEW = (128, 512, 1769)


def brute_force(
    durations_ms: Mapping[int, Sequence[float]], noise: Floats, rng: np.random.Generator
) -> Floats:
    """Log-curves from the posterior, by weighing 60,000 curves of the prior one by one."""
    kinds = rng.choice(len(RESIDUALS), 60_000, p=[residual.weight for residual in RESIDUALS])
    curves = shapes(FEW)[rng.integers(len(shapes(FEW)), size=len(kinds))]
    for number, residual in enumerate(RESIDUALS):
        factor = np.linalg.cholesky(residual.covariance(FEW) - LEVEL_VARIANCE)
        of_kind = kinds == number
        curves[of_kind] += rng.standard_normal((of_kind.sum(), len(FEW))) @ factor.T
    columns = [FEW.index(size) for size in durations_ms]
    # The level is as good as unknown: anywhere near the samples is equally likely.
    near = np.mean([np.median(np.log(column)) for column in durations_ms.values()])
    curves += (near - curves[:, columns].mean(axis=1) + rng.uniform(-1, 1, len(kinds)))[:, None]
    logs = np.zeros(len(kinds))
    for column, times in zip(columns, durations_ms.values(), strict=True):
        off = np.log(np.array(times)) - curves[:, [column]]
        logs += log_likelihood(off / noise[column]).sum(axis=1)
    weight = np.exp(logs - logs.max())
    return np.asarray(curves[rng.choice(len(curves), 4000, p=weight / weight.sum())])


@pytest.mark.parametrize(
    "durations",
    [
        pytest.param({512: [100.0, 101.0]}, id="one size"),
        pytest.param({128: [900.0, 950, 1000], 512: [250.0, 260, 700]}, id="an outlier"),
        pytest.param({128: [100.0, 300, 90], 1769: [110.0, 100, 105]}, id="two ends"),
        pytest.param({512: [49.0, 52], 1769: [50.0, 50]}, id="flat"),
    ],
)
def test_draws_are_those_of_the_posterior(durations: dict[int, list[float]]) -> None:
    beliefs = believe(durations, FEW, np.random.default_rng(1), 4000)

    expected = brute_force(durations, beliefs.noise, np.random.default_rng(2))

    spread = expected.std(axis=0)
    for share, within in ((0.05, 0.4), (0.25, 0.2), (0.5, 0.15), (0.75, 0.2), (0.95, 0.4)):
        found = np.quantile(np.log(beliefs.duration_ms), share, axis=0)
        assert (np.abs(found - np.quantile(expected, share, axis=0)) <= within * spread).all(), (
            share
        )


def test_the_scatter_of_many_samples_is_found() -> None:
    rng = np.random.default_rng(5)

    beliefs = believe(measured({512: 100.0}, 400, 0.2, rng), SIZES, rng)

    assert beliefs.noise[SIZES.index(512)] == pytest.approx(0.2, rel=0.15)
    # Other sizes of a function that scatters more than usual are expected to do so as well.
    usual = usual_scale(np.array([1024.0]), np.median(beliefs.at(1024), keepdims=True))
    assert beliefs.noise[SIZES.index(1024)] > 2 * usual[0]


def test_one_outlier_moves_little() -> None:
    calm = [100.0, 101, 99, 102, 98]

    without = believe({512: calm}, SIZES, np.random.default_rng(6)).at(512)
    with_one = believe({512: [*calm, 5000.0]}, SIZES, np.random.default_rng(6)).at(512)

    assert np.median(with_one) == pytest.approx(np.median(without), rel=0.1)


def test_more_samples_say_more_of_their_own_size_and_of_its_neighbours() -> None:
    """On average: a neighbour also depends on which kind of residual the samples look like."""

    def spread(n: int) -> Floats:
        found = []
        for seed in range(10):
            rng = np.random.default_rng(seed)
            beliefs = believe(measured({512: 100.0, 3008: 50.0}, n, 0.1, rng), SIZES, rng)
            found.append(np.log(beliefs.duration_ms).std(axis=0))
        return np.asarray(np.mean(found, axis=0))

    few, many = spread(2), spread(50)

    for size in (465, 512, 567):
        assert many[SIZES.index(size)] < few[SIZES.index(size)]
    assert many[SIZES.index(128)] > many[SIZES.index(465)] > many[SIZES.index(512)]


def test_the_same_seed_gives_the_same_draws_and_the_order_of_sizes_does_not_matter() -> None:
    durations = {128: [800.0, 810.0], 1024: [100.0, 120.0]}
    backwards = dict(reversed(durations.items()))

    first, again, other = (
        believe(given, SIZES, np.random.default_rng(seed)).duration_ms
        for given, seed in ((durations, 1), (backwards, 1), (durations, 2))
    )

    assert (first == again).all()
    assert (first != other).any()


WARM = (128, 512, 1024)
COLUMNS = [SIZES.index(size) for size in WARM]


def first_calls_longer(curve: Curve, by: Callable[[int], float]) -> dict[int, list[float]]:
    """One first call at each warm size, and at one that has no other."""
    return {size: [by(size) * curve(size)] for size in (*WARM, 256)}


def spread_and_error(
    curve: Curve, cold_ms: Mapping[int, list[float]] | None
) -> tuple[Floats, Floats]:
    """How wide beliefs of log-durations are (G), and how far off, by two warm calls at each size.

    On average over ten runs.
    """
    truth = np.log([curve(size) for size in SIZES])
    spread, error = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        warm = measured({size: curve(size) for size in WARM}, 2, 0.05, rng)
        logs = np.log(believe(warm, SIZES, rng, cold_ms=cold_ms).duration_ms)
        spread.append(logs.std(axis=0))
        error.append(np.abs(np.median(logs, axis=0) - truth))
    return np.asarray(np.mean(spread, axis=0)), np.asarray(np.mean(error, axis=0))


@pytest.mark.parametrize(
    "cold_ms", [pytest.param({}, id="none"), pytest.param({512: []}, id="none at a size")]
)
def test_without_first_calls_nothing_changes(cold_ms: dict[int, list[float]]) -> None:
    warm = {128: [800.0, 810.0], 1024: [100.0, 120.0]}

    without = believe(warm, SIZES, np.random.default_rng(1))
    found = believe(warm, SIZES, np.random.default_rng(1), cold_ms=cold_ms)

    assert (found.duration_ms == without.duration_ms).all()
    assert (found.noise == without.noise).all()


@pytest.mark.parametrize("curve", [saturating, power, waiting])
def test_a_first_call_narrows_what_is_believed_of_a_size_without_warm_ones(curve: Curve) -> None:
    spread, _ = spread_and_error(curve, None)
    spread_with, error_with = spread_and_error(curve, first_calls_longer(curve, lambda _: 1.3))

    column = SIZES.index(256)
    assert spread_with[column] < 0.7 * spread[column]
    assert error_with[column] < 0.1


def test_a_first_call_shows_a_step_that_nobody_expects_from_warm_ones_around_it() -> None:
    _, error = spread_and_error(stepped, None)
    _, error_with = spread_and_error(stepped, first_calls_longer(stepped, lambda _: 1.3))

    column = SIZES.index(256)
    assert error_with[column] < 0.7 * error[column]


def test_more_first_calls_at_a_size_narrow_its_interval_up_to_what_they_can_say() -> None:
    warm = measured({512: 60.0, 1024: 30.0}, 20, 0.1, np.random.default_rng(1))

    def spread(calls: int) -> float:
        cold = {512: [80.0] * 20, 1024: [40.0] * 20, 128: [320.0, 350.0, 290.0] * calls}
        draws = [
            believe(warm, SIZES, np.random.default_rng(seed), 2048, cold_ms=cold).at(128)
            for seed in range(5)
        ]
        return float(np.mean([np.log(column).std() for column in draws]))

    none, few, many = (spread(calls) for calls in (0, 1, 50))

    assert none > few > many
    # How much longer they take differs from size to size: no number of them tells it.
    assert many > 0.1


@pytest.mark.parametrize("curve", [saturating, power, waiting, stepped])
def test_first_calls_that_take_far_longer_do_not_mislead_where_warm_ones_are(curve: Curve) -> None:
    """Five times as long, and ten times at small sizes, where code is loaded slowly."""
    cold = first_calls_longer(curve, lambda size: 10.0 if size <= 256 else 5.0)

    _, error = spread_and_error(curve, None)
    _, error_with = spread_and_error(curve, cold)

    assert (error_with[COLUMNS] <= error[COLUMNS] + 0.05).all()
    assert error_with[COLUMNS].max() < 0.12


def test_first_calls_do_not_say_how_warm_ones_scatter() -> None:
    warm = {size: [100.0, 101.0, 99.0] for size in WARM}
    cold = {size: [900.0] for size in WARM}

    without = believe(warm, SIZES, np.random.default_rng(1))
    found = believe(warm, SIZES, np.random.default_rng(1), cold_ms=cold)

    assert found.noise[COLUMNS] == pytest.approx(without.noise[COLUMNS], rel=0.1)


def test_beliefs_of_some_sizes_are_a_part_of_all() -> None:
    beliefs = believe({512: [100.0, 110.0]}, FEW, np.random.default_rng(1))

    part = beliefs.without([512, 777])

    assert part.sizes_mb == (128, 1769)
    assert (part.at(1769) == beliefs.at(1769)).all()
    assert (part.noise == beliefs.noise[[0, 2]]).all()


times = st.floats(0, 9e5)
columns = st.lists(times, min_size=1, max_size=50) | st.builds(
    lambda time, n: [time] * n, times, st.integers(1, 50)
)


@settings(max_examples=50)
@given(
    grid=st.sampled_from([SIZES, (512,), (512, 513), candidate_sizes(128, 10240), FEW]),
    data=st.data(),
)
def test_whatever_was_measured_draws_are_positive_and_finite(
    grid: tuple[int, ...], data: st.DataObject
) -> None:
    tested = data.draw(st.sets(st.sampled_from(grid), min_size=1, max_size=8))
    durations = {size: data.draw(columns) for size in sorted(tested)}
    started = data.draw(st.sets(st.sampled_from(grid), max_size=4))
    cold = {size: data.draw(columns) for size in sorted(started)}

    beliefs = believe(durations, grid, np.random.default_rng(1), cold_ms=cold)

    assert beliefs.duration_ms.shape == (USUAL_DRAWS, len(grid))
    for values in (beliefs.duration_ms, beliefs.noise):
        assert np.isfinite(values).all()
        assert (values > 0).all()


@pytest.mark.parametrize(
    "durations",
    [
        pytest.param({128: [100.0] * 1000, 512: [100.0] * 1000}, id="a thousand times the same"),
        pytest.param({size: [1e5 / size] * 50 for size in SIZES}, id="no scatter at any size"),
        pytest.param({128: [0.0] * 3, 512: [0.0] * 3}, id="no time at all"),
        pytest.param({128: [0.01] * 9, 142: [9e5] * 9, 157: [0.01] * 9}, id="a tower"),
        pytest.param({128: [], 512: [100.0]}, id="a size without a sample"),
        pytest.param({128: [0.01, 9e5, 9e5], 3008: [9e5, 0.01]}, id="anything goes"),
    ],
)
def test_extremes_are_believed_as_well_as_others(durations: dict[int, list[float]]) -> None:
    beliefs = believe(durations, SIZES, np.random.default_rng(1))

    assert np.isfinite(beliefs.duration_ms).all()
    assert (beliefs.duration_ms > 0).all()
    for size, column in durations.items():
        if len(set(column)) == 1:
            assert np.median(beliefs.at(size)) == pytest.approx(max(column[0], 0.01), rel=0.5)
