"""Limits on percentiles: how they are read, and bounds that hold whatever the distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tuner.objective import SloLimit
from tuner.slo import bound_ranks, parse_slo, samples_needed, slo_evidence, too_few_note

P95 = SloLimit(95, 300)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("p95 < 300ms", SloLimit(95, 300)),
        ("p99<1.5s", SloLimit(99, 1500)),
        ("p50 < 80 ms", SloLimit(50, 80)),
        ("p99.9 < 2s", SloLimit(99.9, 2000)),
        (" P90<0.5S ", SloLimit(90, 500)),
    ],
)
def test_limits_are_read(text: str, limit: SloLimit) -> None:
    assert parse_slo(text) == limit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "300ms",
        "p95",
        "p95 < 300",
        "p95 > 300ms",
        "p\uff19\uff15 < 300ms",
        "p95 <= 300ms",
        "p95 < 0ms",
        "p95 < -1ms",
        "p95 < 901s",
        "p49 < 300ms",
        "p100 < 300ms",
        "p99.99 < 300ms",
        "p95 < 300ms, p99 < 1s",
    ],
)
def test_what_is_no_limit_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"--slo: expected a percentile .*\(got "):
        parse_slo(text)


@given(st.sampled_from([50.0, 90.0, 95.0, 99.0, 99.9]), st.integers(1, 900_000))
def test_a_limit_reads_as_it_is_written(percentile: float, limit_ms: int) -> None:
    limit = SloLimit(percentile, limit_ms)

    assert parse_slo(f"p{percentile:g} < {limit_ms} ms") == limit


@given(st.text(max_size=12))
def test_any_text_is_a_limit_or_an_input_error(text: str) -> None:
    try:
        limit = parse_slo(text)
    except InputError:
        return
    assert limit.limit_ms > 0


@pytest.mark.parametrize(
    ("percentile", "needed"), [(50, 5), (90, 29), (95, 59), (99, 299), (99.9, 2995)]
)
def test_a_percentile_needs_so_many_samples(percentile: float, needed: int) -> None:
    limit = SloLimit(percentile, 300)

    assert samples_needed(limit) == needed
    assert bound_ranks(needed, limit.share)[1] == needed
    assert bound_ranks(needed - 1, limit.share)[1] is None


def test_a_plan_with_too_few_samples_for_a_percentile_says_so() -> None:
    assert too_few_note(P95, 59) is None
    assert "p95 < 300 ms: it takes at least 59 samples of a size, and the plan has 58" in (
        too_few_note(P95, 58) or ""
    )


def test_ranks_are_those_of_the_tables() -> None:
    """Ranks by hand: of 93 samples one may be above p95, of 299 nothing may be above p99."""
    assert bound_ranks(93, 0.95)[1] == 92
    assert bound_ranks(4, 0.5) == (None, None)
    assert bound_ranks(5, 0.5) == (1, 5)
    assert bound_ranks(10, 0.5) == (2, 9)


@pytest.mark.parametrize("n", [20, 59, 100, 177])
@pytest.mark.parametrize("draw", ["exponential", "standard_cauchy", "uniform"])
def test_bounds_hold_on_each_side_in_95_percent_for_any_distribution(n: int, draw: str) -> None:
    rng = np.random.default_rng(3)
    truth = {
        "exponential": -np.log(0.05),
        "standard_cauchy": np.tan(np.pi * 0.45),
        "uniform": 0.95,
    }[draw]
    drawn = np.sort(getattr(rng, draw)(size=(4000, n)), axis=1)

    lower, upper = bound_ranks(n, 0.95)

    # Three standard errors of 4,000 repetitions.
    assert lower is not None
    assert np.mean(drawn[:, lower - 1] < truth) >= 0.95 - 0.0103
    assert upper is not None or n < 59
    if upper is not None:
        assert np.mean(drawn[:, upper - 1] > truth) >= 0.95 - 0.0103


@pytest.mark.parametrize(
    ("durations", "verdict"),
    [
        pytest.param([100.0] * 59, "met", id="all below, enough"),
        pytest.param([100.0] * 58, "open", id="all below, one too few"),
        pytest.param([100.0] * 58 + [400.0], "open", id="one above of 59"),
        pytest.param([100.0] * 92 + [400.0], "met", id="one above of 93"),
        pytest.param([300.0] * 59, "missed", id="at the limit is not below it"),
        pytest.param([400.0] * 5, "missed", id="five above"),
        pytest.param([400.0] * 2, "open", id="two say nothing"),
        pytest.param([100.0] * 10 + [400.0] * 3, "missed", id="three above of 13"),
        pytest.param([100.0] * 10 + [400.0], "open", id="one above of 11"),
    ],
)
def test_samples_keep_a_limit_miss_it_or_leave_it_open(
    durations: list[float], verdict: str
) -> None:
    assert slo_evidence(durations, P95).verdict == verdict


def test_the_percentile_as_measured_is_an_order_statistic() -> None:
    found = slo_evidence([float(value) for value in range(100, 0, -1)], P95)

    assert (found.n, found.quantile_ms, found.lower_ms, found.upper_ms) == (100, 95, 91, 99)
