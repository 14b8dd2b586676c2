"""A first idea of a burst, good enough to plan the next phases by: a simulation on a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_GRID = 40
# A bucket of more than so many seconds of its rate is not drained by the ramp.
_LONGEST_S = 4.0


def rough_burst(
    send_s: Sequence[NDArray[np.float64]],
    admitted: Sequence[NDArray[np.bool_]],
    rate_rps: float,
) -> float:
    """The burst that explains best how many were admitted by the end of each phase, in tokens.

    A bucket of `rate_rps`, full at first, is fed the requests of all phases at their send times,
    once for each of 40 bursts from 1 token to 4 s of the rate.
    """
    most = max(_LONGEST_S * rate_rps, 2.0)
    bursts = np.geomspace(1.0, most, _GRID)
    level, last = bursts.copy(), 0.0
    loss = np.zeros(_GRID)
    simulated = np.zeros(_GRID)
    observed = 0
    for times, came_through in zip(send_s, admitted, strict=True):
        for now in times.tolist():
            level += rate_rps * max(now - last, 0.0)
            np.minimum(level, bursts, out=level)
            last = max(now, last)
            passed = level >= 1.0
            level -= passed
            simulated += passed
        observed += int(came_through.sum())
        loss += (simulated - observed) ** 2
    best = loss <= loss.min() + 0.5
    return float(np.exp(np.log(bursts[best]).mean()))
