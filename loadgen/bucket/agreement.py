"""Whether a limit behaves as it is configured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from loadgen.bucket.bounds import least_burst
from loadgen.bucket.finding import BucketFinding, Range
from loadgen.bucket.observation import Observation

# Beyond the interval, what "the same" leaves open: rounding, and the limits of the method.
_RATE_SLACK_SHARE = 0.03
_BURST_SLACK_SHARE = 0.10
# How much more than a limit must be admitted until that cannot be noise.
_OVER_SHARE = 0.15

Answer = Literal["agrees", "disagrees", "unknown"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether configuration and behaviour agree, in one word and in a sentence."""

    answer: Answer
    why: str


def disagrees(
    rate_rps: float, burst: float, finding: BucketFinding, observation: Observation
) -> Agreement:
    """Compare a configured bucket with what was inferred.

    A kind that is no plain bucket can only disagree by admitting more than is configured: less has
    other reasons (other traffic, connections that meet one shard, delay).
    """
    over = admitted_over(observation, rate_rps, burst)
    if over > _OVER_SHARE:
        why = f"{over:.0%} more was admitted than rate {rate_rps:g} and burst {burst:g} allow"
        return Agreement("disagrees", why)
    if finding.kind == "no_refusal":
        return Agreement("unknown", "nothing was refused")
    if not finding.calibrated or finding.rate_rps is None or finding.burst is None:
        why = "not more was admitted than is configured; less can have other reasons than the limit"
        return Agreement("unknown", why)
    parts = [
        _apart("rate", "requests/s", rate_rps, finding.rate_rps, _RATE_SLACK_SHARE),
        _apart("burst", "requests", burst, finding.burst, _BURST_SLACK_SHARE),
    ]
    said = [part for part in parts if part]
    if said:
        return Agreement("disagrees", "; ".join(said))
    return Agreement("agrees", "rate and burst are as configured, within the intervals")


def admitted_over(observation: Observation, rate_rps: float, burst: float) -> float:
    """By which share more was admitted than a bucket of `rate_rps` and `burst` can; 0: not more.

    The excess of the worst span, over what the bucket gives in that span at most. Start times stand
    for arrivals: requests may come closer together than they left, by the spread of round trips.
    """
    admitted = observation.admitted
    admitted_s = np.sort(observation.send_s[admitted])
    if not len(admitted_s):
        return 0.0
    low, high = np.percentile(observation.rtt_s, [1, 99])
    refused = observation.rtt_s[~admitted]
    if len(refused) >= 20:  # round trips of refused requests hold no service time
        low, high = np.percentile(refused, [1, 99])
    allowed = burst + rate_rps * float(high - low) + 1.0
    excess = least_burst(admitted_s, rate_rps) - allowed
    if excess <= 0:
        return 0.0
    above = np.arange(len(admitted_s)) - rate_rps * admitted_s
    last = int((above - np.minimum.accumulate(above)).argmax())
    first = int(above[: last + 1].argmin())
    span_s = float(admitted_s[last] - admitted_s[first])
    return excess / (allowed + rate_rps * span_s)


def _apart(name: str, unit: str, configured: float, found: Range, slack_share: float) -> str | None:
    if found.value is None or found.high is None:
        return None
    slack = slack_share * configured
    # At least one token: bursts are whole, and the model cannot tell the last one.
    slack = max(slack, 1.0) if name == "burst" else slack
    if found.low - slack <= configured <= found.high + slack:
        return None
    interval = f"{found.low:.4g} to {found.high:.4g}"
    return f"{name} is {found.value:.4g} {unit} ({interval}), configured are {configured:g}"
