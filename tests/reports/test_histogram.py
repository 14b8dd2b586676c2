"""Histograms of documents: merged exactly, quantiles within 0.1 %, intervals that hold them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.histogram import (
    Histogram,
    decoded,
    encoded,
    merged,
    of_ms,
    quantile_interval,
    quantile_intervals,
    quantile_ms,
    requests_needed,
    spectrum,
    spectrum_band,
    spectrum_shares,
)
from reports.quantile_bounds import normal_quantile, student_quantile

LATENCIES_MS = st.lists(st.floats(0.001, 60_000), min_size=1, max_size=60)
BLOCKS_MS = st.lists(LATENCIES_MS, min_size=1, max_size=6)


def blocks_of(count: int, size: int, *, drift: float = 0.0, seed: int = 1) -> list[Histogram]:
    """Log-normal latencies around 50 ms; blocks are `drift` apart, as standard deviation of ln."""
    rng = np.random.default_rng(seed)
    levels = drift * rng.standard_normal(count)
    return [of_ms(50 * np.exp(level + 0.4 * rng.standard_normal(size))) for level in levels]


def at_rank(values: Sequence[float], q: float) -> float:
    return sorted(values)[max(math.ceil(round(q * len(values), 6)), 1) - 1]


# -- histograms -----------------------------------------------------------------------------------


@given(BLOCKS_MS)
def test_histograms_merge_exactly_and_in_any_order(blocks: list[list[float]]) -> None:
    parts = [of_ms(block) for block in blocks]
    whole = of_ms([value for block in blocks for value in block])

    assert merged(parts) == merged(reversed(parts)) == whole
    assert merged([merged(parts[:2]), *parts[2:]]) == whole


@given(LATENCIES_MS)
def test_what_is_written_into_a_document_is_read_again(values: list[float]) -> None:
    histogram = of_ms(values)
    text = encoded(histogram)

    assert text is not None
    assert decoded(text) == histogram
    assert histogram.n == len(values)


@given(LATENCIES_MS, st.floats(0, 1))
def test_quantiles_are_at_most_a_thousandth_above_the_measured_value(
    values: list[float], q: float
) -> None:
    exact = round(at_rank(values, q) * 1000) / 1000
    assert exact <= quantile_ms(of_ms(values), q) + 1e-9 <= exact * 1.001 + 2e-9


def test_an_empty_histogram_has_no_text_and_no_quantiles() -> None:
    empty = merged([])
    assert (empty.n, encoded(empty), spectrum(empty)) == (0, None, [])
    assert empty == of_ms([])
    with pytest.raises(ValueError, match="no quantiles"):
        quantile_ms(empty, 0.5)


@pytest.mark.parametrize("text", ["", "nonsense", "AAAA", "HISTFAAAAA=="])
def test_damaged_text_is_no_histogram(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        decoded(text)


# -- intervals ------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(BLOCKS_MS, st.floats(0.05, 0.95))
def test_an_interval_holds_its_estimate_and_does_not_care_for_the_order_of_blocks(
    blocks: list[list[float]], q: float
) -> None:
    parts = [of_ms(block) for block in blocks]
    interval = quantile_interval(parts, q)

    assert interval == quantile_interval(parts[::-1], q)
    if interval is not None:
        assert interval[0] <= quantile_ms(merged(parts), q) <= interval[1]


@pytest.mark.parametrize(
    ("blocks", "q", "known"),
    [
        pytest.param(blocks_of(8, 100), 0.5, True, id="enough"),
        pytest.param(blocks_of(8, 1), 0.5, False, id="eight requests"),
        pytest.param(blocks_of(8, 20), 0.99, False, id="too few for a p99"),
        pytest.param(blocks_of(1, 5000), 0.5, False, id="one block"),
        pytest.param([*blocks_of(1, 5000), of_ms([])], 0.5, False, id="one block with requests"),
        pytest.param([], 0.5, False, id="no block"),
        pytest.param(blocks_of(8, 100), 1.0, False, id="the maximum has no bound"),
    ],
)
def test_too_few_requests_or_blocks_have_no_interval(
    blocks: list[Histogram], q: float, *, known: bool
) -> None:
    assert (quantile_interval(blocks, q) is not None) == known


def test_blocks_that_differ_widen_an_interval_and_a_higher_level_does_too() -> None:
    def width(blocks: list[Histogram], level: float = 0.95) -> float:
        low, high = quantile_interval(blocks, 0.95, level) or (0, math.inf)
        return math.log(high / low)

    steady, moving = blocks_of(8, 2000), blocks_of(8, 2000, drift=0.1)
    assert width(moving) > 2 * width(steady)
    assert width(steady, 0.99) > width(steady)


def test_an_interval_of_equal_requests_is_one_slot() -> None:
    low, high = quantile_interval([of_ms([20.0] * 50)] * 8, 0.5) or (0, 0)
    assert low == high == pytest.approx(20, rel=1e-3)


def test_several_quantiles_at_once_are_those_of_one_at_a_time() -> None:
    blocks = blocks_of(9, 300)
    assert quantile_intervals(blocks, (0.5, 0.9)) == [
        quantile_interval(blocks, 0.5),
        quantile_interval(blocks, 0.9),
    ]


def test_four_times_the_requests_are_needed_for_half_the_width() -> None:
    n = requests_needed(1000, (99.0, 101.0))
    assert n == pytest.approx(1000, rel=0.001)
    assert requests_needed(1000, (98.0, 102.0)) == pytest.approx(4 * n, rel=0.01)


@pytest.mark.parametrize(
    ("moves", "least"), [(0.0, 0.93), (0.1, 0.88)], ids=["independent", "blocks differ"]
)
@pytest.mark.parametrize("count", [8, 16])
def test_intervals_hold_the_truth_about_as_often_as_they_say(
    count: int, moves: float, least: float
) -> None:
    shares, runs = (0.5, 0.95, 0.99), 60
    sigma = math.hypot(0.4, moves)
    truth = [50 * math.exp(sigma * NormalDist().inv_cdf(share)) for share in shares]
    held = [
        interval is not None and interval[0] <= ms <= interval[1]
        for seed in range(runs)
        for ms, interval in zip(
            truth,
            quantile_intervals(blocks_of(count, 400, drift=moves, seed=seed), shares),
            strict=True,
        )
    ]
    assert sum(held) / len(held) >= least


def test_neighbours_that_are_alike_widen_an_interval() -> None:
    blocks = [of_ms(50 * level * np.linspace(0.5, 1.5, 200)) for level in (1, 1.1) * 4]
    drifting = sorted(blocks, key=lambda block: quantile_ms(block, 0.5))
    low, high = quantile_interval(blocks, 0.5) or (0, 0)
    wider_low, wider_high = quantile_interval(drifting, 0.5) or (0, 0)
    assert wider_low < low
    assert wider_high > high


@pytest.mark.parametrize(
    ("freedom", "at_95", "at_99"),
    [
        (1, 12.7062, 63.6567),
        (2, 4.30265, 9.92484),
        (3, 3.18245, 5.84091),
        (7, 2.36462, 3.49948),
        (8, 2.30600, 3.35539),
        (15, 2.13145, 2.94671),
        (120, 1.97993, 2.61742),
    ],
)
def test_students_t_is_that_of_the_tables(freedom: int, at_95: float, at_99: float) -> None:
    assert student_quantile(0.95, freedom) == pytest.approx(at_95, rel=3e-6)
    assert student_quantile(0.99, freedom) == pytest.approx(at_99, rel=3e-6)
    assert student_quantile(0.95, freedom) > normal_quantile(0.95)


# -- the spectrum ---------------------------------------------------------------------------------


def test_a_spectrum_has_short_names_and_ends_at_the_maximum() -> None:
    shares = spectrum_shares(1000)
    assert shares[:4] == [0, 0.1, 0.2, 0.3]
    assert {0.5, 0.75, 0.9, 0.95, 0.99, 0.995} <= set(shares)
    assert shares[-1] == 0.999
    assert shares == sorted(set(shares))


@given(st.integers(1, 10**9))
def test_a_spectrum_of_a_billion_requests_has_about_a_hundred_points(n: int) -> None:
    shares = spectrum_shares(n)
    assert len(shares) <= 101
    assert shares[-1] == pytest.approx(1 - 1 / n)
    assert shares == sorted(set(shares))


def test_a_band_holds_the_spectrum_and_the_intervals_within_it() -> None:
    blocks = blocks_of(8, 1000)
    points, band = spectrum(merged(blocks)), spectrum_band(blocks)
    assert [bounds.q for bounds in band] == [q for q, _ in points]
    for (q, ms), bounds in zip(points, band, strict=True):
        assert (bounds.low_ms or 0) <= ms <= (bounds.high_ms or math.inf)
        interval = quantile_interval(blocks, q)
        if interval is not None and bounds.low_ms is not None and bounds.high_ms is not None:
            assert bounds.low_ms <= interval[0] <= interval[1] <= bounds.high_ms
    assert band[-1].high_ms is None
