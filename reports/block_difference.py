"""Two runs told apart by their blocks of time: estimate, interval, p-value, Holm's rule.

Blocks are the unit, not requests: requests of one moment are slow together, and a rank test on
requests calls a quarter of equal runs different (`benchmarks/compare_runs.py` measures it). Runs
of one schedule are compared block by block, so that a ramp, which both have, cancels.

One run against one run does not know how much runs differ from night to night: an interval says
what differs between these two runs, not that a change of the code is the cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from reports.quantile_bounds import student_quantile, student_share

Floats = NDArray[np.float64]

FEWEST_BLOCKS = 4
# Histograms are within 0.1 % of what was measured: nobody is surer than that.
_FINEST = 0.0005
# Neighbours that are more alike than this would leave less than one independent block in nine.
_MOST_ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference (of logarithms, or of shares), with its standard error."""

    value: float
    error: float
    freedom: int
    blocks: int

    @property
    def p_value(self) -> float:
        """Of no difference, two-sided."""
        share: float = student_share(abs(self.value) / self.error, self.freedom)
        return max(0.0, 1 - share)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Holds the true difference with probability `level`."""
        reach = student_quantile(level, self.freedom) * self.error
        return self.value - reach, self.value + reach


def paired(before: Floats, after: Floats, value: float | None = None) -> Estimate | None:
    """The mean of after - before, block by block; None with fewer than four blocks.

    `value` replaces the mean where the blocks carry deviations only.
    """
    differences = after - before
    if len(differences) < FEWEST_BLOCKS:
        return None
    mean = float(differences.mean()) if value is None else value
    return Estimate(mean, _error(differences), len(differences) - 1, len(differences))


def unpaired(before: Floats, after: Floats, value: float | None = None) -> Estimate | None:
    """As `paired`, for runs whose blocks have nothing to do with each other (Welch)."""
    fewest = min(len(before), len(after))
    if fewest < FEWEST_BLOCKS:
        return None
    first, second = _error(before) ** 2, _error(after) ** 2
    welch = (first + second) ** 2 / (first**2 / (len(before) - 1) + second**2 / (len(after) - 1))
    mean = float(after.mean() - before.mean()) if value is None else value
    freedom = int(welch) if isfinite(welch) else fewest - 1
    return Estimate(mean, sqrt(first + second), max(1, freedom), fewest)


def _error(values: Floats) -> float:
    """The standard error of a mean of neighbours that may be alike.

    A positive lag-1 correlation r widens it by sqrt((1 + r) / (1 - r)); 1 / n is added to r, whose
    estimate is too small by that.
    """
    n = len(values)
    deviations = values - values.mean()
    squares = float(deviations @ deviations)
    if squares == 0:
        return _FINEST
    alike = float(deviations[1:] @ deviations[:-1]) / squares + 1 / n
    alike = min(max(alike, 0.0), _MOST_ALIKE)
    return max(sqrt(squares / (n - 1) / n * (1 + alike) / (1 - alike)), _FINEST)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values such that the chance of any false alarm at 5 % is at most 5 % (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = highest
    return adjusted
