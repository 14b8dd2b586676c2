"""What is certain from admitted requests alone, without a model of how a limit is kept.

A bucket that admitted N requests in a span of t seconds has burst >= N - rate * t; the largest
such burst over all spans is a bound for each rate, and their line is the frontier.
"""

from __future__ import annotations

import numpy as np

from loadgen.bucket.finding import Bound
from loadgen.bucket.observation import Floats, Observation


def least_burst(admitted_s: Floats, rate_rps: float) -> float:
    """The least burst with which a bucket of `rate_rps` admits requests at those times."""
    if not len(admitted_s):
        return 0.0
    # Before the i-th request i tokens are gone, after it i + 1; rate * t of them have come.
    above = np.arange(len(admitted_s)) - rate_rps * admitted_s
    return float((above + 1 - np.minimum.accumulate(above)).max())


def frontier(observation: Observation, points: int = 9) -> tuple[Bound, ...]:
    """The least burst for rates from nothing to where a burst of one request is enough.

    Start times stand for arrival times.
    """
    admitted_s = np.sort(observation.send_s[observation.admitted])
    if not len(admitted_s):
        return ()
    fastest = max((phase.admitted_rps for phase in observation.phases), default=0.0)
    rates = fastest * np.linspace(0.0, 1.0, points)
    return tuple(Bound(float(rate), least_burst(admitted_s, float(rate))) for rate in rates)


def least_rate(observation: Observation, most_burst: float) -> float:
    """The least rate of a bucket whose burst is at most `most_burst`; 0: nothing is certain."""
    return max(
        (
            phase.admitted_rps - most_burst / phase.length_s
            for phase in observation.phases
            if phase.length_s > 0
        ),
        default=0.0,
    )
