"""How sure a quantile of one night is: the standard error of its logarithm, by blocks of time.

What differs between blocks by design (a ramp, phases of other rates) is the same every night, and
is no error of a night. Blocks are therefore compared with their neighbours (von Neumann 1941), and
only within a phase: with the spread around the mean, a ramp to twice the latency makes the error 2
to 8 times too large, and a night of such a profile could never be told from another. What moves
more slowly than blocks follow each other is not seen here; it differs from night to night, and the
spread of the nights has it.

`benchmarks/night_errors.py` simulates it beside the jackknife and half the width of an interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log, sqrt

import numpy as np

from core import hdr
from reports.histogram import Histogram, counts_of
from reports.quantile_bounds import Counts

# Of independent requests with a log-normal spread of 0.4, which is usual for handlers, so many
# make the standard error as large as the least change that matters (5, 7 and 10 %): 100, 147, 222.
# Rounded up, so that at least five requests are slower than the quantile.
FEWEST_REQUESTS = {0.5: 100, 0.95: 200, 0.99: 500}
# Of fewer differences a variance is a guess.
_FEWEST_DIFFERENCES = 3
# Histograms are within 0.1 % of what was measured: nobody is surer than that.
_FINEST = 0.0005


def log_error(
    blocks: Sequence[Histogram], q: float, phases: Sequence[int] | None = None
) -> float | None:
    """The standard error of ln(quantile `q`) of all `blocks`, which are in their order of time.

    `phases` has a number for each block; neighbours with the same one have the same design. None
    where fewer than four blocks have requests, or where the quantile is too near to the slowest.
    """
    labels = [0] * len(blocks) if phases is None else phases
    known = [(block, label) for block, label in zip(blocks, labels, strict=True) if block.n]
    if len(known) <= _FEWEST_DIFFERENCES:
        return None
    counts = counts_of([block for block, _ in known])
    share_error = _share_error(counts, q, [label for _, label in known])
    return _as_logarithm(counts, q, share_error)


def _share_error(counts: Counts, q: float, labels: Sequence[int]) -> float:
    """The standard error of the share of requests at or below the quantile."""
    sizes = counts.below[:, -1]
    residuals = counts.at_most(q) - q * sizes
    steps = np.diff(residuals)
    alike = np.diff(np.asarray(labels)) == 0
    if alike.sum() >= _FEWEST_DIFFERENCES:
        steps = steps[alike]
    variance = len(sizes) * float(np.mean(steps**2)) / 2
    # Never surer than so many independent requests.
    return max(sqrt(variance) / counts.n, sqrt(q * (1 - q) / counts.n))


def _as_logarithm(counts: Counts, q: float, share_error: float) -> float | None:
    """The same of ln(quantile): half of how far the quantile moves over two such errors."""
    low, high = floor(counts.n * (q - share_error)), ceil(counts.n * (q + share_error))
    if low < 1 or high > counts.n:
        return None
    low_us, high_us = (
        int(hdr.highest_us(counts.slots[place : place + 1])[0])
        for place in (counts.slot_at(low), counts.slot_at(high))
    )
    return max(log(high_us / low_us) / 2, _FINEST) if low_us > 0 else None
