"""The load-latency curve and its knee, through points whose curve is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadgen.search.curve import fit_curve, knee_of, latency_ms
from loadgen.search.finding import Curve

RATES = (10.0, 20.0, 40.0, 60.0, 70.0, 80.0, 85.0, 90.0)


def points(latencies_ms: list[float], rates: tuple[float, ...] = RATES) -> list[Curve]:
    return [
        Curve(rate, rate, rate, 0.0, 0.0, ms / 2, ms, ms * 2)
        for rate, ms in zip(rates, latencies_ms, strict=True)
    ]


def test_the_knee_of_a_single_server_is_at_half_of_its_capacity_whatever_the_noise():
    rng = np.random.default_rng(2)
    noise = np.exp(0.05 * rng.standard_normal(len(RATES)))
    # M/M/1: latency is T0 / (1 - u); rate / latency is greatest at u = 1/2.
    measured = [30.0 / (1 - rate / 100.0) * each for rate, each in zip(RATES, noise, strict=True)]
    fitted = fit_curve(points(measured))
    assert fitted is not None
    # The fit has the freedom of other orders, and so of a flatter beginning.
    assert latency_ms(fitted, np.array([50.0]))[0] == pytest.approx(60.0, rel=0.15)
    knee = knee_of(points(measured), fitted)
    assert knee.rate_rps == pytest.approx(50.0, rel=0.25)
    assert knee.low_rps <= knee.rate_rps <= knee.high_rps


@pytest.mark.parametrize(
    ("latencies_ms", "rates", "reason"),
    [
        ([30.0] * 8, RATES, "latency does not grow with the rate"),
        ([30.0, 40.0, 50.0], RATES[:3], "fewer than 5 rates"),
        (
            [30.0 / (1 - rate / 1000.0) for rate in (50.0, 80, 100, 150, 200)],
            (50.0, 80.0, 100.0, 150.0, 200.0),
            "no knee within what was tried",
        ),
    ],
    ids=["flat", "few", "far below"],
)
def test_without_a_knee_the_reason_is_told(latencies_ms, rates, reason):
    measured = points(latencies_ms, rates)
    knee = knee_of(measured, fit_curve(measured))
    assert knee.rate_rps is None
    assert reason in knee.reason


def test_refusals_and_rates_that_left_the_stable_part_have_no_say():
    measured = [30.0 / (1 - rate / 100.0) for rate in RATES]
    beyond = Curve(200.0, 90.0, 90.0, 0.5, 0.0, 1.0, 2.0, 3.0)
    queued = Curve(150.0, 90.0, 90.0, 0.0, 0.0, 4000.0, 9000.0, math.inf)
    with_both, without = fit_curve([*points(measured), beyond, queued]), fit_curve(points(measured))
    assert with_both == without
