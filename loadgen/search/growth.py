"""What makes a short step look better than the rate is: a queue that grows, a bucket that empties.

A queue grows when more comes than goes: its growth is tested on the increments of the number of
requests in flight, whose sum is the growth whatever their correlation. In a queue that is stable
the increments cancel, so that the test errs on the safe side there.

A token bucket that was full lets its burst through before it refuses. What is admitted once it
refuses is its refill rate, what came through before beyond that its burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.outcome import Outcome
from loadgen.steered.segment import Sent

Floats = NDArray[np.float64]

_US = 1_000_000
_BATCHES = 16
GROWS = 3.73  # Student's t with 15 degrees of freedom, 1 in 1,000
MAY_GROW = 1.75  # 1 in 20
_LEAST_GROWTH = 0.005  # of the rate: less than that is not told from the beginning of the step
_ONSET = 5  # refusals after which a bucket is taken to be empty
_REFUSED_ENOUGH = 20
_REFUSED_SHARE = 0.04  # below it, refusals may be chance at a bucket that is not empty
_MARGIN = 1.25  # of a burst that is known from one step


@dataclass(frozen=True, slots=True)
class Growth:
    """By how much more came than went, a second, and its t value."""

    rps: float
    t: float

    def grows(self, rate_rps: float) -> bool:
        """Whether the queue grows for sure, and by more than a trifle."""
        return self.t > GROWS and self.rps > _LEAST_GROWTH * rate_rps

    def may_grow(self, rate_rps: float) -> bool:
        """Whether it looks as if it did."""
        return self.t > MAY_GROW and self.rps > _LEAST_GROWTH * rate_rps

    @property
    def shrinks(self) -> bool:
        """Whether what had queued up is still being worked off."""
        return self.t < -MAY_GROW


def growth_of(sent: Sent, settle_s: float) -> Growth | None:
    """The growth of the number in flight after `settle_s`; None where there is nothing to see."""
    from_us, to_us = sent.from_us + round(settle_s * _US), sent.to_us
    records = sent.records
    if to_us <= from_us or not len(records):
        return None
    edges = np.linspace(from_us, to_us, _BATCHES + 1)
    starts = np.asarray(records["start_us"], np.int64)
    ends = np.sort(starts + np.asarray(records["service_us"], np.int64))
    in_flight = np.searchsorted(np.sort(starts), edges) - np.searchsorted(ends, edges)
    steps = np.diff(in_flight.astype(np.float64))
    spread = float(steps.std(ddof=1))
    mean = float(steps.mean())
    t = mean / (spread / np.sqrt(_BATCHES)) if spread else 0.0
    return Growth(mean * _BATCHES / ((to_us - from_us) / _US), float(t))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit that admits `refill_rps` once `burst` has been used up."""

    refill_rps: float
    burst: float
    refused: int = 0  # requests that it is known from

    def hidden_s(self, rate_rps: float, refused_share: float, rest_s: float = 0.0) -> float:
        """How long a full bucket hides from a load that it will refuse more than a share of.

        `rest_s` is how long the bucket filled up meanwhile. Chance is in it: arrivals at random
        are by twice the root of their number fewer.
        """
        if rate_rps * (1 - refused_share) <= self.refill_rps:
            return 0.0
        over_rps = rate_rps - self.refill_rps
        tokens = self.burst * _MARGIN + min(self.refill_rps * rest_s, self.burst)
        # over * t - 2 * sqrt(rate * t) = tokens
        root = (np.sqrt(rate_rps) + np.sqrt(rate_rps + over_rps * tokens)) / over_rps
        return float(root**2)


def admitted_s(sent: Sent) -> Floats:
    """When the requests that were not refused began, in seconds of the run."""
    return np.asarray(sent.send_s[sent.outcome != Outcome.THROTTLED], np.float64)


def bucket_of(sent: Sent, earlier_s: Sequence[Floats] = ()) -> Bucket | None:
    """The bucket that refused requests of a segment, if one did.

    `earlier_s` are the times of what was admitted before it. The bucket was full when the first of
    them came; what it lacked at the first refusals, after all that came and came back, is its size.
    """
    throttled = sent.outcome == Outcome.THROTTLED
    if throttled.sum() < _REFUSED_ENOUGH:
        return None
    at_s = sent.send_s
    onset_s = float(at_s[throttled][_ONSET - 1])
    after = at_s > onset_s
    left_s = sent.to_us / _US - onset_s
    if left_s <= 0 or throttled[after].mean() < _REFUSED_SHARE:
        return None
    refill_rps = float((after & ~throttled).sum()) / left_s
    taken_s = np.concatenate([*earlier_s, at_s[~after & ~throttled], np.zeros(0)])
    return Bucket(refill_rps, _lacking(taken_s, refill_rps), int(throttled.sum()))


def _lacking(taken_s: Floats, refill_rps: float) -> float:
    """The tokens that a bucket lacks after some were taken at these times: most of all windows."""
    if not len(taken_s):
        return 0.0
    taken = np.arange(1.0, len(taken_s) + 1) - refill_rps * (taken_s - taken_s[0])
    return float(taken[-1] - (taken - 1).min())
