"""Where the rate is likely to be, from all rates that were held so far.

The log odds of bad requests are taken to be a straight line in the logarithm of the rate, which
meets the limit at the rate that is looked for. The posterior of that rate and of the slope is
summed up on a grid; each step counts for as many requests as its correlated ones are worth. The
line is a model: it says where to look and gives the estimate, and no interval comes from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.search.evidence import Evidence

_RATES = 301
# Of a queue with percentile T, the log odds grow by about rate x T for each e-fold of the rate: 10
# to 60 where it is near its capacity. Limits that refuse are steeper, noisy latencies flatter.
_SLOPES = np.exp(np.linspace(np.log(3.0), np.log(300.0), 33))
_USUAL_SLOPE, _SLOPE_SPREAD = math.log(25.0), 1.2  # of the prior, in logarithms
_MOST_WORTH = 60.0  # of one step: the line is not as exact as more would make it


@dataclass(frozen=True, slots=True)
class Point:
    """One rate: how many of how many independent requests were bad, and how many may be."""

    rate_rps: float
    bad: float
    worth: float
    limit_share: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The likely rate and the standard deviation of its logarithm."""

    rate_rps: float
    spread: float


def point_of(rate_rps: float, evidence: Sequence[tuple[Evidence, float]]) -> Point | None:
    """The criterion that is nearest to breaking, of evidence with its limits."""
    found, most = None, -math.inf
    for one, limit_share in evidence:
        if not one.counted:
            continue
        worth = min(one.worth, _MOST_WORTH)
        bad = (one.share or 0.0) * worth
        distance = _odds((bad + 0.5) / (worth + 1)) - _odds(limit_share)
        if distance > most:
            found, most = Point(rate_rps, bad, worth, limit_share), distance
    return found


def estimate(points: Sequence[Point], low_rps: float, high_rps: float) -> Estimate:
    """The likely rate between two rates."""
    at = np.linspace(math.log(low_rps), math.log(high_rps), _RATES)
    logs = -0.5 * ((np.log(_SLOPES) - _USUAL_SLOPE) / _SLOPE_SPREAD) ** 2
    whole = np.zeros((len(_SLOPES), len(at))) + logs[:, None]
    for one in points:
        distance = _SLOPES[:, None] * (math.log(one.rate_rps) - at)[None, :]
        odds = np.clip(_odds(one.limit_share) + distance, -30.0, 30.0)
        # ln p = -ln(1 + e^-odds), ln(1 - p) = -ln(1 + e^odds)
        whole -= one.bad * np.logaddexp(0.0, -odds) + (one.worth - one.bad) * np.logaddexp(0, odds)
    weights = _weights(whole)
    mean = float((weights * at).sum())
    spread = math.sqrt(max(float((weights * (at - mean) ** 2).sum()), 0.0))
    return Estimate(math.exp(mean), spread)


def _weights(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(logs - logs.max()).sum(axis=0)
    return np.asarray(weights / weights.sum(), np.float64)


def _odds(share: float) -> float:
    return math.log(share / (1 - share))
