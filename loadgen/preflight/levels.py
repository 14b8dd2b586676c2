"""How full a token bucket or a pool would be, if nothing were refused: all requests at once.

What never gets full when everything is let through refuses nothing when less is: such layers need
no further look, which is most of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def highest_deficit(at_s: Floats, rate_rps: float, weight: float = 1.0) -> float:
    """The most tokens that are missing from a bucket after a request, by Lindley's recursion.

    D(i) = max(0, D(i-1) - rate x gap) + weight, which is S(i) - min over j <= i of what the sum
    was before j (Lindley 1952; Asmussen, Applied Probability and Queues, 2003, III.6).
    """
    if not len(at_s):
        return 0.0
    before = np.arange(len(at_s)) * weight - rate_rps * (at_s - at_s[0])
    return float(np.max(before - np.minimum.accumulate(before))) + weight


def in_flight(start_s: Floats, runs_s: Floats) -> NDArray[np.int64]:
    """How many run just after each start, itself included; `start_s` is in order."""
    ended = np.searchsorted(np.sort(start_s + runs_s), start_s, side="right")
    return np.arange(1, len(start_s) + 1) - ended


def short_of_tokens(
    at_s: Floats, rate_rps: float, burst: float, weight: float
) -> NDArray[np.bool_]:
    """Which requests find less than `weight` tokens; those take none."""
    short = np.zeros(len(at_s), np.bool_)
    if highest_deficit(at_s, rate_rps, weight) <= burst:
        return short
    level, seen = burst, float(at_s[0])
    for row, now in enumerate(at_s.tolist()):
        level = min(burst, level + (now - seen) * rate_rps)
        seen = now
        if level < weight:
            short[row] = True
        else:
            level -= weight
    return short


def of_steps(step: NDArray[np.uint16], steps: Sequence[int]) -> NDArray[np.int64]:
    """The rows of requests of `steps`."""
    return np.flatnonzero(np.isin(step, list(steps)))
