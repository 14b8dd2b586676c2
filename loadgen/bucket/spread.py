"""Whether connections are refused equally: shards that are chosen by connection are not.

A connection's admitted requests are compared with what its requests had got at the share of their
time. Requests have to meet connections at random: a client that prefers the one that was free last
sends after a refusal on the connection of that refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loadgen.bucket.observation import Floats, Observation

# With fewer connections, shards chosen by connection cannot be told from a smaller bucket.
LEAST_CONNECTIONS = 16
# Standard deviations above what chance gives.
CLEAR = 4.5
_BIN_S = 0.25
_LEAST_VARIANCE = 0.5  # of the admitted requests of a connection; less is no sample


@dataclass(frozen=True, slots=True)
class Spread:
    """How many connections there were, and how unequally they are refused."""

    connections: int
    unequal: float  # standard deviations above equal treatment


def spread_over_connections(observation: Observation) -> Spread:
    """Compare the connections of all phases in which something was refused."""
    names, index = np.unique(observation.connection, return_inverse=True)
    excess, variance = np.zeros(len(names)), np.zeros(len(names))
    begin = 0
    for phase in observation.phases:
        mine = index[begin : begin + len(phase.send_s)]
        begin += len(phase.send_s)
        if phase.refused < 4:
            continue
        number = np.floor((phase.send_s - phase.from_s) / _BIN_S).astype(np.int64)
        number -= number.min()
        sent = np.bincount(number)
        share = (np.bincount(number, weights=phase.admitted) / np.maximum(sent, 1))[number]
        # The share is of these very requests, so that their spread about it is less.
        spread = share * (1 - share) * (1 - 1 / sent[number])
        excess += np.bincount(mine, weights=phase.admitted - share, minlength=len(names))
        variance += np.bincount(mine, weights=spread, minlength=len(names))
    return Spread(len(names), _unequal(excess, variance))


def _unequal(excess: Floats, variance: Floats) -> float:
    """Sum of squares of the standardised excesses, in its standard deviations."""
    known = variance > _LEAST_VARIANCE
    n = int(known.sum())
    if n < LEAST_CONNECTIONS // 2:
        return 0.0
    squares = float((excess[known] ** 2 / variance[known]).sum())
    return float((squares - n) / np.sqrt(2 * n))
