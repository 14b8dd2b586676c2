"""Whether connections are refused equally: shards that are chosen by connection are not.

A connection's admitted requests are compared with what its requests had got at the share of their
time, in two halves of the phases. Chance differs from half to half; a crowded shard does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loadgen.bucket.observation import Floats, Observation

# With fewer connections, shards chosen by connection cannot be told from a smaller bucket.
LEAST_CONNECTIONS = 16
_BIN_S = 0.25
_LEAST_EXPECTED = 3.0
# Standard deviations of the sum of products, which has mean 0 if connections are equal.
CLEAR = 4.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How many connections there were, and how unequally they are refused."""

    connections: int
    unequal: float  # standard deviations above equal treatment


def spread_over_connections(observation: Observation) -> Spread:
    """Compare the connections of all phases in which something was refused."""
    names, index = np.unique(observation.connection, return_inverse=True)
    halves = np.zeros((2, 2, len(names)))  # half, (excess, variance), connection
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
        for half in (0, 1):
            inside = number % 2 == half
            excess = np.bincount(
                mine[inside], weights=(phase.admitted - share)[inside], minlength=len(names)
            )
            variance = np.bincount(
                mine[inside], weights=(share * (1 - share))[inside], minlength=len(names)
            )
            halves[half, 0] += excess
            halves[half, 1] += variance
    return Spread(len(names), _agreement(halves))


def _agreement(halves: Floats) -> float:
    known = (halves[:, 1] > 0.5).all(axis=0)
    n = int(known.sum())
    if n < LEAST_CONNECTIONS // 2 or halves[:, 1, known].mean() < _LEAST_EXPECTED / 4:
        return 0.0
    z = halves[:, 0, known] / np.sqrt(halves[:, 1, known])
    products = z[0] * z[1]
    return float(products.sum() / np.sqrt(max(n * 1.0, 1e-9)))
