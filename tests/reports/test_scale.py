"""Scales and ticks, for any values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.scale import (
    LinearScale,
    LogScale,
    log_domain,
    log_ticks,
    nice_span,
    nice_ticks,
    nice_top,
)

values = st.floats(1e-6, 1e9)
shares = st.floats(0, 1)


@given(low=values, factor=st.floats(1.01, 1e6), one=shares, other=shares)
def test_scales_keep_the_order_of_values(low, factor, one, other):
    high = low * factor
    smaller, larger = sorted(low + (high - low) * share for share in (one, other))
    for scale in (LinearScale(low, high, 0, 500), LogScale(low, high, 0, 500)):
        assert 0 <= scale.position(smaller) <= scale.position(larger) <= 500


@given(low=values, factor=st.floats(1.01, 1e6))
def test_the_ends_of_the_domain_are_the_ends_of_the_axis(low, factor):
    for kind in (LinearScale, LogScale):
        scale = kind(low, low * factor, 300, 20)
        assert scale.position(low) == pytest.approx(300)
        assert scale.position(low * factor) == pytest.approx(20)


def test_equal_ratios_are_equal_distances_on_a_log_scale():
    scale = LogScale(128, 2048, 0, 400)
    assert [scale.position(size) for size in (128, 256, 512, 1024, 2048)] == pytest.approx(
        [0, 100, 200, 300, 400]
    )


def test_values_outside_are_drawn_on_the_edge():
    linear, log = LinearScale(0, 10, 100, 0), LogScale(1, 10, 100, 0)
    assert (linear.position(-5), linear.position(15)) == (100, 0)
    assert (log.position(0), log.position(-1), log.position(11)) == (100, 100, 0)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [(LinearScale, 5, 5), (LinearScale, 6, 5), (LogScale, 0, 5), (LogScale, 3, 3)],
)
def test_an_impossible_domain_is_refused(kind, low, high):
    with pytest.raises(ValueError, match=f"got {low} and {high}"):
        kind(low, high, 0, 1)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-3, 1e6))
def test_ticks_are_ascending_inside_and_few(low, span):
    ticks = nice_ticks(low, low + span)
    tolerance = span * 1e-6
    assert 2 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert all(low - tolerance <= tick <= low + span + tolerance for tick in ticks)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 12.4, [0, 2.5, 5, 7.5, 10]),
        (0, 3000, [0, 1000, 2000, 3000]),
    ],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert nice_ticks(low, high) == pytest.approx(expected)


@given(values)
def test_an_axis_from_zero_holds_its_highest_value_without_wasting_half(highest):
    top = nice_top(highest)
    assert highest < top <= highest * 1.6


def test_an_axis_of_nothing_but_zeros_still_has_a_length():
    assert nice_top(0.0) == 1.0


@given(lowest=values, factor=st.floats(1, 1e6))
def test_a_log_domain_holds_its_values_and_ends_at_ticks(lowest, factor):
    low, high = log_domain(lowest, lowest * factor)
    assert low < lowest <= lowest * factor < high
    for end in (low, high):
        mantissa = end / 10 ** math.floor(math.log10(end) + 1e-9)
        assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6
    assert 2 <= len(log_ticks(low, high)) <= 14


@given(low=values, factor=st.floats(1.001, 1e3))
def test_an_axis_that_need_not_begin_at_zero_holds_both_values_closely(low, factor):
    high = low * factor
    first, last = nice_span(low, high)
    assert first <= low * (1 + 1e-9)
    assert last >= high * (1 - 1e-9)
    assert last - first <= 2 * (high - low)


def test_equal_values_have_an_axis_too():
    assert nice_span(5, 5) == (0.0, nice_top(5))
