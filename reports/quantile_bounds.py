"""Between which shares of all values a quantile lies: from blocks of time, as numbers.

Requests of one moment are slow together, so that a thousand of them say less than a thousand
independent ones. Blocks of time are therefore the unit: their counts at or below the estimate vary
more where latencies move with time. The method is that of surveys with clusters: the variance of
the share at the estimate, linearised as a ratio, with Student's t for the number of blocks
(Woodruff 1952; Korn and Graubard 1998), larger where neighbouring blocks are alike, and never
smaller than that of order statistics of independent requests. What differs between blocks by
design, as in a ramp, widens an interval too.

`benchmarks/percentile_intervals.py` simulates it: 95 % intervals hold 98 % and more of independent
requests, 94 to 96 % where latencies move within seconds, and less the slower they move. A bootstrap
of 8 blocks holds 84 to 92 % of independent requests, hence this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import atan, ceil, cos, floor, pi, sin, sqrt, tan
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
# Of neighbouring blocks, from so few of them: more would be a guess.
_MOST_ALIKE = 0.8
_HALVINGS = 60  # of an angle: to the last bit of a float


@dataclass(frozen=True, slots=True)
class Counts:
    """How many values of each block are in each of the slots that any block uses.

    `slots` ascend; `below` has a row for each block and one more column than there are slots: how
    many values lie below the slot, and at last all.
    """

    slots: Ints
    below: Ints

    @property
    def n(self) -> int:
        """Values of all blocks."""
        return int(self.below[:, -1].sum())

    def rank_of(self, share: float) -> int:
        """The rank of the value at or below which `share` of the values lie; 1 is the least."""
        # 0.999 * 1000 must not become rank 1000 by the last bit of a float.
        return min(max(ceil(round(share * self.n, 6)), 1), self.n)

    def slot_at(self, rank: int) -> int:
        """The place in `slots` of the value with `rank`."""
        return int(np.searchsorted(self.below.sum(axis=0)[1:], rank))

    def at_most(self, share: float) -> NDArray[np.float64]:
        """By block: how many values are among the least `share` of all; parts where they tie."""
        place = self.slot_at(self.rank_of(share))
        lower, upper = self.below[:, place], self.below[:, place + 1]
        within = (share * self.n - lower.sum()) / (upper.sum() - lower.sum())
        found: NDArray[np.float64] = lower + min(max(within, 0.0), 1.0) * (upper - lower)
        return found


def ranks_around(counts: Counts, share: float, level: float) -> tuple[int | None, int | None]:
    """The ranks that bound the quantile at `share` with probability `level`.

    None where the values do not reach as far, or where one block says nothing of others.
    """
    n, blocks = counts.n, len(counts.below)
    if blocks < 2 or not 0 < share < 1:
        return None, None
    z, t = normal_quantile(level), student_quantile(level, blocks - 1)
    spread = max(t * _spread_of_blocks(counts, share), z * sqrt(share * (1 - share) / n))
    # The skewness of a count of rare values, as a share (Cornish and Fisher 1937).
    effective = share * (1 - share) * (z / spread) ** 2
    middle = share + (1 - 2 * share) * (z**2 - 1) / (6 * effective)
    rank = counts.rank_of(share)
    low = min(floor(n * (middle - spread)), rank)
    high = max(floor(n * (middle + spread)) + 1, rank)
    return low if low >= 1 else None, high if high <= n else None


def _spread_of_blocks(counts: Counts, share: float) -> float:
    """The standard error of the share of values at or below the estimate."""
    sizes = counts.below[:, -1]
    residuals = counts.at_most(share) - share * sizes
    blocks, squares = len(sizes), float(residuals @ residuals)
    if not squares:
        return 0.0
    # Neighbours that resemble each other say less than as many others (as in an AR(1) series).
    alike = min(max(float(residuals[1:] @ residuals[:-1]) / squares, 0.0), _MOST_ALIKE)
    return sqrt(blocks / (blocks - 1) * squares * (1 + alike) / (1 - alike)) / counts.n


def normal_quantile(level: float) -> float:
    """How many standard deviations around the mean have `level` of a normal distribution."""
    return NormalDist().inv_cdf(0.5 + level / 2)


@cache
def student_quantile(level: float, freedom: int) -> float:
    """The same of Student's t with a whole number of degrees of freedom."""
    low, high = 0.0, pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return tan(low) * sqrt(freedom)


def student_share(t: float, freedom: int) -> float:
    """The probability within +-`t` of Student's t: the inverse of `student_quantile`."""
    return _within(atan(t / sqrt(freedom)), freedom)


def student_above(t: float, freedom: int) -> float:
    """The probability above `t` of Student's t: how often chance alone reaches so high."""
    return (1 - student_share(t, freedom)) / 2


def _within(angle: float, freedom: int) -> float:
    """The probability within +-t, where `angle` is atan(t / sqrt(freedom)).

    Source: Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    odd = freedom % 2
    square = cos(angle) ** 2
    term = total = 0.0
    if freedom > 1:
        term = total = cos(angle) if odd else 1.0
    for power in range(2 + odd, freedom - 1, 2):
        term *= (power - 1) / power * square
        total += term
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
