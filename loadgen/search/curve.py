"""The load-latency curve of a search, and its knee.

The curve is `base * (1 + weight * u ** order / (1 - u))` with `u = rate / capacity`: the form that
waiting times of one server and of many have (Sakasegawa, An approximation formula, Annals of the
Institute of Statistical Mathematics 29, 1977, where the order is sqrt(2 (c + 1)) - 1 for c
servers). It is fitted to the logarithms of a percentile of the response time, with a loss that a
few outliers do not move.

The knee is where rate divided by latency is greatest: from there on, one percent more load costs
more than one percent more latency (Kleinrock, Power and deterministic rules of thumb, ICC 1979).
Its interval is that of refits with points weighted at random (Rubin's Bayesian bootstrap, Annals of
Statistics 9, 1981).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loadgen.search.finding import Curve, Fitted, Knee, SearchFinding

Floats = NDArray[np.float64]

_FEWEST = 5  # rates, for a curve with four parameters
_FLAT = 1.15  # latencies that grow by less over all rates have no curve
_REFITS = 40
_SPREAD_SHARE = 0.9
_POOR = 0.5  # typical distance from the curve above which it is none
_SHED_SHARE = 0.05  # of refused or failed requests: what is left is no longer all the load
_MOST_TIMES = 10.0  # the lowest latency; what is above it has left the stable part


def curve_of(finding: SearchFinding) -> tuple[Fitted | None, Knee]:
    """The curve through what a search measured, and its knee; of what changed, neither."""
    if finding.ended == "unstable":
        return None, Knee(None, None, None, "the API changed while it was searched")
    points = [one.curve for one in finding.tried if one.curve is not None]
    fitted = fit_curve(points)
    return fitted, knee_of(points, fitted)


def fit_curve(points: Sequence[Curve]) -> Fitted | None:
    """The curve of p95 by rate; None where the points do not show one."""
    usable = _usable(points)
    if len({one.rate_rps for one in usable}) < _FEWEST:
        return None
    rates, latencies = _columns(usable)
    if latencies.max() < _FLAT * latencies.min():
        return None
    fitted = _fit(rates, latencies, np.ones(len(rates)))
    return fitted if fitted is not None and fitted.error_share < _POOR else None


def latency_ms(fitted: Fitted, rates_rps: Floats) -> Floats:
    """The latency on the curve at some rates below its capacity."""
    return np.asarray(
        _curve(rates_rps, fitted.base_ms, fitted.weight, fitted.order, fitted.capacity_rps),
        np.float64,
    )


def knee_of(points: Sequence[Curve], fitted: Fitted | None) -> Knee:
    """The knee, if it lies among the rates that were tried."""
    if fitted is None:
        return Knee(None, None, None, _why_no_curve(points))
    usable = _usable(points)
    rates, latencies = _columns(usable)
    knee = _knee(fitted)
    if not rates.min() <= knee <= rates.max():
        return Knee(None, None, None, "no knee within what was tried")
    rng = np.random.default_rng(len(rates))  # the same points have the same interval
    found = []
    for _ in range(_REFITS):
        weights = rng.dirichlet(np.ones(len(rates))) * len(rates)
        refit = _fit(rates, latencies, weights, start=fitted)
        if refit is not None:
            found.append(_knee(refit))
    if len(found) < _REFITS // 2:
        return Knee(None, None, None, "the points do not agree on a knee")
    tail = (1 - _SPREAD_SHARE) / 2
    low, high = np.quantile(found, (tail, 1 - tail)).tolist()
    return Knee(knee, min(low, knee), max(high, knee), "")


def _why_no_curve(points: Sequence[Curve]) -> str:
    usable = _usable(points)
    if len({one.rate_rps for one in usable}) < _FEWEST:
        return f"fewer than {_FEWEST} rates have latencies that a curve can be fitted to"
    _, latencies = _columns(usable)
    if latencies.max() < _FLAT * latencies.min():
        return "no knee within what was tried: latency does not grow with the rate"
    return "the latencies follow no curve"


def _usable(points: Sequence[Curve]) -> list[Curve]:
    """Points at which the API served what was offered, and had not left its stable part."""
    stable = [
        one
        for one in points
        if one.p95_ms and one.throttled_share < _SHED_SHARE and one.failed_share < _SHED_SHARE
    ]
    least_ms = min((one.p95_ms or 0.0 for one in stable), default=0.0)
    return [one for one in stable if (one.p95_ms or 0.0) <= _MOST_TIMES * least_ms]


def _columns(points: Sequence[Curve]) -> tuple[Floats, Floats]:
    rates = np.array([one.rate_rps for one in points], np.float64)
    return rates, np.array([one.p95_ms for one in points], np.float64)


def _curve(rates: Floats, base: float, weight: float, order: float, capacity: float) -> Floats:
    used = np.minimum(rates / capacity, 0.999)
    return np.asarray(base * (1 + weight * used**order / (1 - used)), np.float64)


def _fit(
    rates: Floats, latencies: Floats, weights: Floats, start: Fitted | None = None
) -> Fitted | None:
    from scipy.optimize import least_squares  # slow to load

    most, logs = float(rates.max()), np.log(latencies)

    def parameters(values: Floats) -> tuple[float, float, float, float]:
        base, weight, order, beyond = np.exp(values).tolist()
        return base, weight, order, most * (0.9 + beyond)

    def residuals(values: Floats) -> Floats:
        fitted = np.log(_curve(rates, *parameters(values)))
        return np.asarray((fitted - logs) * np.sqrt(weights), np.float64)

    first = [float(logs.min()), np.log(0.5), np.log(2.0), np.log(0.2)]
    if start is not None:
        beyond = max(start.capacity_rps / most - 0.9, 1e-3)
        first = np.log([start.base_ms, start.weight, start.order, beyond]).tolist()
    low = [float(logs.min()) - 2, np.log(1e-3), np.log(1.0) - 1e-6, np.log(1e-3)]
    high = [float(logs.max()), np.log(50.0), np.log(12.0), np.log(20.0)]
    first = np.clip(first, np.array(low) + 1e-4, np.array(high) - 1e-4)
    found = least_squares(
        residuals,
        first,
        bounds=(low, high),
        loss="soft_l1",
        f_scale=0.1,
        max_nfev=200 if start is None else 40,
    )
    if not np.isfinite(found.cost):
        return None
    base, weight, order, capacity = parameters(found.x)
    error = float(np.median(np.abs(np.log(_curve(rates, base, weight, order, capacity)) - logs)))
    return Fitted("p95", base, weight, order, capacity, error)


def _knee(fitted: Fitted) -> float:
    rates = np.linspace(0.01, 0.995, 400) * fitted.capacity_rps
    return float(rates[int(np.argmax(rates / latency_ms(fitted, rates)))])
