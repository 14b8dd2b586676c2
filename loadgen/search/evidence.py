"""Whether a share is below or above its limit, as far as correlated requests can tell.

The test is a mixture of sequential probability ratios (Robbins, Annals of Mathematical Statistics
41, 1970): the evidence for "below" is the mean likelihood ratio of several shares below the limit
against the limit. By Ville's inequality it exceeds 1/alpha with a probability of at most alpha at
any time, however often one looks and whenever one stops, if the limit is reached in truth. Both
directions are tested.

Requests of one queue are correlated, so that a thousand of them tell as little as a hundred. What
they are worth is estimated from batches (Law and Kelton, Simulation Modeling and Analysis, section
9.5.3): the variance of counts between batches against that of independent requests. The logarithm
of the evidence is divided by it. Where slow requests are too few to show it, the slowest tenth
stands in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.search.finding import Verdict

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BATCHES = 16  # fewer tell too little of their variance, more are too short to be independent
_FEWEST = 6
_BELOW = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8)  # of the limit: what "below" may be
_ABOVE = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
_SLOWEST = 0.9  # quantile whose exceedance stands in for a rare criterion
# Of Student's t with 15 degrees of freedom against the normal, squared, at 1 in 500: the variance
# between batches is itself an estimate.
_INFLATION = 1.42
_MOST_FOLLOWING = 0.95  # correlation of neighbouring batches


@dataclass(frozen=True, slots=True)
class Sample:
    """Counted requests of one measured stretch of time: when each was due, whether it is bad."""

    from_s: float
    to_s: float
    at_s: Floats
    bad: Bools
    response_s: Floats

    @property
    def length_s(self) -> float:
        """How long the stretch is."""
        return self.to_s - self.from_s


@dataclass(frozen=True, slots=True)
class Evidence:
    """Counts of a criterion at a rate, and the logarithms of the evidence in both directions."""

    bad: int
    counted: int
    effect: float  # how many correlated requests are worth one
    below: float
    above: float

    @property
    def share(self) -> float | None:
        """The share of bad ones."""
        return self.bad / self.counted if self.counted else None

    @property
    def worth(self) -> float:
        """So many independent requests would tell as much."""
        return self.counted / self.effect

    def verdict(self, alpha_below: float, alpha_above: float) -> Verdict:
        """What the evidence says when it may be wrong with these probabilities."""
        if self.below >= -math.log(alpha_below):
            return "holds"
        return "breaks" if self.above >= -math.log(alpha_above) else "undecided"


def weigh(samples: Sequence[Sample], limit_share: float, *, of_latency: bool = False) -> Evidence:
    """The evidence of all stretches of one rate together.

    The slowest tenth stands in for slow requests however far the limit is: a queue that grows
    slowly shows in how they go together long before any of them is too slow.
    """
    bad = sum(int(one.bad.sum()) for one in samples)
    counted = sum(len(one.bad) for one in samples)
    effect = _effect(samples, of_latency=of_latency)
    below, above = (
        _mixture(bad, counted, effect, limit_share, factors) for factors in (_BELOW, _ABOVE)
    )
    return Evidence(bad, counted, effect, below, above)


def _mixture(
    bad: int, counted: int, effect: float, limit: float, factors: Sequence[float]
) -> float:
    """The logarithm of the mean likelihood ratio of shares against the limit."""
    others = np.array([limit * factor for factor in factors if limit * factor < 1])
    if not len(others) or not counted:
        return -math.inf
    good = counted - bad
    logs = (bad * np.log(others / limit) + good * np.log((1 - others) / (1 - limit))) / effect
    most = float(logs.max())
    return most + math.log(float(np.exp(logs - most).sum()) / len(factors))


def _effect(samples: Sequence[Sample], *, of_latency: bool) -> float:
    """How many correlated requests are worth one independent one, at least 1."""
    own = _of_batches([(one, one.bad) for one in samples])
    if not of_latency:
        return max(1.0, own)
    response = np.concatenate([np.zeros(0), *(one.response_s for one in samples)])
    if len(response) < _FEWEST:
        return 1.0
    slow_s = float(np.quantile(response, _SLOWEST))
    return max(1.0, own, _of_batches([(one, one.response_s > slow_s) for one in samples]))


def _of_batches(parts: Sequence[tuple[Sample, Bools]]) -> float:
    length_s = sum(one.length_s for one, _ in parts)
    hits: list[Floats] = [np.zeros(0)]
    sizes: list[Floats] = [np.zeros(0)]
    for one, marked in parts:
        # Batches of all stretches are about equally long; none goes over a border.
        n = max(1, round(BATCHES * one.length_s / length_s)) if length_s else 1
        edges = np.linspace(one.from_s, one.to_s, n + 1)[1:-1]
        place = np.searchsorted(edges, one.at_s, side="right")
        sizes.append(np.bincount(place, minlength=n).astype(np.float64))
        hits.append(np.bincount(place[marked], minlength=n).astype(np.float64))
    hit, size = np.concatenate(hits), np.concatenate(sizes)
    whole, batches = float(size.sum()), len(hit)
    share = hit.sum() / whole if whole else 0.0
    if batches < _FEWEST or not 0 < share < 1:
        return 1.0
    residual = hit - share * size
    squares = float((residual**2).sum())
    if not squares:
        return 1.0  # every batch has its share: less than chance would leave
    effect = squares * batches / (batches - 1) / float(whole * share * (1 - share))
    # Neighbours that go together: batches are shorter than what correlates them.
    following = float((residual[1:] * residual[:-1]).sum()) / squares
    following = min(max(following, 0.0), _MOST_FOLLOWING)
    return effect * _INFLATION * (1 + following) / (1 - following)
