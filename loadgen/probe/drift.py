"""How far admitted requests may be from the limit that was found, by chance alone.

What a limit like the found one admits is simulated many times: with the recorded starts, with
one-way times drawn from those seen, and with a rate and a burst drawn from their intervals. Each
time it is held against what the found limit admits, as the real requests are. A bucket corrects
itself, so these differences do not wander: what leaves the band is not explained by the limit.
"""

from __future__ import annotations

from math import exp, log

import numpy as np

from loadgen.bucket.arrivals import one_way_deviations
from loadgen.bucket.finding import BucketFinding, Range
from loadgen.bucket.models import Limit, RandomShards, TokenBucket
from loadgen.bucket.observation import Bools, Floats, Ints, Observation

REPEATS = 99
LEVEL = 0.90  # all of a probe stays within the band with this probability
_HALF_WIDTHS = 1.645  # standard deviations in half a 90 % interval
# Of a difference: whole tokens alone make it vary by so much, even where no repeat does.
_LEAST_SPREAD = 0.5


def modelled(observation: Observation, found: BucketFinding | None, seed: int) -> Bools | None:
    """Which requests the limit that was found admits; None where it has no point estimate."""
    known = _point(found)
    if found is None or known is None:
        return None
    return _limit(known[0], known[1], found.shards, np.random.default_rng(seed)).admit(
        observation.send_s
    )


def drift_band(
    observation: Observation,
    found: BucketFinding | None,
    number: Ints,
    model: Floats,
    seed: int,
) -> tuple[Floats, Floats] | None:
    """The lowest and the highest of admitted less modelled requests, added up by bin.

    `number` is the bin of each request, `model` what the found limit admits in each bin. None where
    rate and burst have no 90 % intervals.
    """
    known = _point(found)
    if found is None or known is None or not found.calibrated:
        return None
    rng = np.random.default_rng(seed)
    one_way_s = one_way_deviations(observation.rtt_s[~observation.admitted])
    rate_spread, burst_spread = _log_spread(found.rate_rps), _log_spread(found.burst)
    drifts = []
    for _ in range(REPEATS):
        rate = known[0] * exp(rate_spread * rng.standard_normal())
        burst = known[1] * exp(burst_spread * rng.standard_normal())
        came = _seen_again(observation, _limit(rate, burst, found.shards, rng), one_way_s, rng)
        drifts.append(np.bincount(number[came], minlength=len(model)) - model)
    return _band(np.cumsum(np.array(drifts), axis=1))


def _point(found: BucketFinding | None) -> tuple[float, float] | None:
    """Rate and burst of a bucket, or of several equal ones, if there are values of both."""
    if found is None or found.rate_rps is None or found.burst is None:
        return None
    rate, burst = found.rate_rps.value, found.burst.value
    if rate is None or burst is None or found.kind not in ("token_bucket", "sharded"):
        return None
    return rate, burst


def _limit(rate_rps: float, burst: float, shards: int, rng: np.random.Generator) -> Limit:
    if shards > 1:
        return RandomShards(rate_rps, burst, shards, rng)
    return TokenBucket(rate_rps, max(1.0, burst))


def _log_spread(found: Range | None) -> float:
    if found is None or found.high is None or found.low <= 0:
        return 0.0
    return log(found.high / found.low) / 2 / _HALF_WIDTHS


def _seen_again(
    observation: Observation, limit: Limit, one_way_s: Floats, rng: np.random.Generator
) -> Bools:
    """The same starts, met by `limit` behind a network like the one seen."""
    send_s = observation.send_s
    at_s = send_s + rng.choice(one_way_s, len(send_s)) if len(one_way_s) else send_s
    order = np.argsort(at_s, kind="stable")
    admitted = np.empty(len(send_s), np.bool_)
    admitted[order] = limit.admit(at_s[order])
    return admitted


def _band(drifts: Floats) -> tuple[Floats, Floats]:
    """As wide everywhere, in standard deviations, as keeps the share LEVEL of the rows inside."""
    middle = drifts.mean(axis=0)
    spread = np.maximum(drifts.std(axis=0, ddof=1), _LEAST_SPREAD)
    farthest = (np.abs(drifts - middle) / spread).max(axis=1)
    width = float(np.quantile(farthest, LEVEL)) * spread
    return middle - width, middle + width
