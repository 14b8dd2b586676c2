"""How many calls run at once: Little's law, and how far chance takes a Poisson number above it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_P99 = 0.99
_Z99 = 2.3263478740408408
# From this mean on the normal approximation is within one of the exact quantile.
_LARGE = 500.0
# Of phases whose rate changes, the busiest so many seconds count.
_WINDOW_S = 10.0


def poisson_p99(mean: float) -> int:
    """The smallest number that a Poisson variate exceeds in at most 1 % of all cases."""
    if mean <= 0:
        return 0
    if mean > _LARGE:
        # Cornish-Fisher with the skewness 1/sqrt(mean) (Abramowitz and Stegun, 26.2.49).
        return math.ceil(mean + _Z99 * math.sqrt(mean) + (_Z99**2 - 1) / 6 - 0.5)
    term = total = math.exp(-mean)
    number = 0
    while total < _P99 and number < 10 * _LARGE:
        number += 1
        term *= mean / number
        total += term
    return number


def mean_at_once(runs_s: NDArray[np.float64], length_s: float) -> float | None:
    """Little's law: arrivals a second x mean time; None of phases too short to have a mean."""
    return None if length_s < 1.0 else float(runs_s.sum()) / length_s


def busiest_mean(
    at_s: NDArray[np.float64], runs_s: NDArray[np.float64], from_s: float, to_s: float
) -> float | None:
    """The mean number at once over the busiest ten seconds of a phase (all of a shorter one)."""
    length_s = to_s - from_s
    if length_s < 1.0:
        return None
    seconds = max(1, math.floor(length_s))
    second = np.clip((at_s - from_s).astype(np.int64), 0, seconds - 1)
    work = np.bincount(second, weights=runs_s, minlength=seconds)
    width = min(seconds, int(_WINDOW_S))
    sums = np.convolve(work, np.ones(width), mode="valid")
    return float(sums.max()) / width
