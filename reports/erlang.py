"""How many executions run at once, and how many environments idle, at a rate of Poisson arrivals.

With enough environments, executions at once are Poisson distributed around rate x duration whatever
the distribution of durations (M/G/infinity; Little's law gives the mean). Calls go to the warm
environment that was used last, so that the k-th environment serves what the first k - 1 do not:
the overflow of Erlang's loss formula (Cooper, Introduction to Queueing Theory, 1981, section 3.3).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

QUANTILE = 0.99  # of the time, in which so many executions at once are not exceeded
# Beyond that, executions at once are as good as normal, and the loss formula is not needed.
_LARGEST = 200_000


def blocked_shares(load: float, most: int) -> Floats:
    """Shares of calls that find 0, 1, ..., `most` environments all busy; `load` is in Erlangs.

    Erlang's B by its stable recurrence 1/B(k) = 1 + k / (load B(k-1)).
    """
    shares = np.empty(most + 1)
    shares[0] = inverse = 1.0
    for busy in range(1, most + 1):
        inverse = 1.0 + busy / load * inverse if load > 0 else math.inf
        shares[busy] = 1.0 / inverse
        if not shares[busy]:
            shares[busy:] = 0.0
            break
    return shares


def concurrency_at(load: float, quantile: float) -> int:
    """Executions at once that are not exceeded in this share of the time (0 to 1)."""
    if load <= 0:
        return 0
    sigma = math.sqrt(load)
    if load > _LARGEST:
        from statistics import NormalDist

        return math.ceil(load + NormalDist().inv_cdf(quantile) * sigma)
    first = max(0, math.floor(load - 12 * sigma))
    counts = np.arange(first, math.ceil(load + 12 * sigma + 12) + 1)
    # ln n! of the first count, and from there on by ln n! = ln (n - 1)! + ln n.
    factorials = (
        math.lgamma(first + 1.0)
        + np.cumsum(np.log(np.maximum(counts, 1)))
        - (math.log(first) if first else 0.0)
    )
    logs = counts * math.log(load) - load - factorials
    return int(counts[np.searchsorted(np.cumsum(np.exp(logs)), quantile)])


def environments_for(load: float, most_blocked_share: float) -> int:
    """The fewest environments that leave at most this share of calls to others."""
    if load <= 0:
        return 0
    needed, inverse = 0, 1.0
    while 1.0 / inverse > most_blocked_share:
        needed += 1
        inverse = 1.0 + needed / load * inverse
    return needed


def cold_share(rate_rps: float, duration_s: float, idle_s: float) -> float:
    """The share of calls that start an environment, in a steady state.

    An environment is taken away after `idle_s` without a call. The k-th one is called at the rate
    that the first k - 1 leave over and the first k do not; that stream is taken for Poisson, so
    that a gap is longer than `idle_s` with probability exp(-rate x idle_s). AWS gives no figure
    for how long environments stay, and replaces them now and then besides.
    """
    load = rate_rps * duration_s
    if load <= 0:
        return 0.0
    most = concurrency_at(load, 1 - 1e-12) + 10
    blocked = blocked_shares(load, most)
    own_rps = rate_rps * (blocked[:-1] - blocked[1:])
    cold_rps = own_rps * np.exp(-own_rps * idle_s)
    return float(min(1.0, cold_rps.sum() / rate_rps))
