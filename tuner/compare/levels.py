"""What two runs say of the typical warm duration at each size, as logarithms; pure.

The scale of the noise is learned from both runs together, as `tuner/noise.py` does from one: with
two or three calls at a size nothing else tells it. Slow calls count less, by Student's weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.noise import VARIANCE_FACTOR, scales, usual_scale, weights

if TYPE_CHECKING:
    from tuner.estimate import Floats

Durations = Mapping[int, Sequence[float]]

_ROUNDS = 4
# A duration of zero has no logarithm; REPORT prints hundredths of a millisecond.
_LEAST_MS = 0.01


@dataclass(frozen=True, slots=True)
class Level:
    """The typical duration at one size in one run: its logarithm (of ms), and the variance."""

    log_ms: float
    variance: float
    n: int


@dataclass(frozen=True, slots=True)
class LevelPair:
    """One size that both runs measured."""

    memory_mb: int
    before: Level
    after: Level

    @property
    def log_ratio(self) -> float:
        """The logarithm of what the duration became, as a multiple of what it was."""
        return self.after.log_ms - self.before.log_ms

    @property
    def variance(self) -> float:
        """How far the calls leave `log_ratio` open, hosts aside."""
        return self.before.variance + self.after.variance


def level_pairs(before_ms: Durations, after_ms: Durations) -> list[LevelPair]:
    """The sizes that both runs have warm durations of, ascending."""
    sizes = sorted(
        {size for size, found in before_ms.items() if found}
        & {size for size, found in after_ms.items() if found}
    )
    if not sizes:
        return []
    levels = _levels([(size, run[size]) for size in sizes for run in (before_ms, after_ms)])
    return [
        LevelPair(size, levels[2 * place], levels[2 * place + 1])
        for place, size in enumerate(sizes)
    ]


def _levels(groups: Sequence[tuple[int, Sequence[float]]]) -> list[Level]:
    """The level of each group of durations, given with its size."""
    counts = np.array([len(found) for _, found in groups])
    owner = np.repeat(np.arange(len(groups)), counts)
    logs = np.log(np.maximum(np.concatenate([found for _, found in groups]), _LEAST_MS))
    memory_mb = np.array([size for size, _ in groups], dtype=np.float64)

    def total(values: Floats) -> Floats:
        sums = np.bincount(owner, weights=values, minlength=len(groups))
        return np.asarray(sums, dtype=np.float64)

    weight = np.ones_like(logs)
    variance = np.zeros(len(groups))
    for _ in range(_ROUNDS):
        centre = total(weight * logs) / total(weight)
        squares = total(weight * (logs - centre[owner]) ** 2)
        scale, _ = scales(usual_scale(memory_mb, np.exp(centre)), squares, counts)
        weight = weights(logs - centre[owner], variance[owner], scale[owner])
        variance = VARIANCE_FACTOR * scale**2 / total(weight)
    centre = total(weight * logs) / total(weight)
    return [
        Level(float(log_ms), float(spread), int(count))
        for log_ms, spread, count in zip(centre, variance, counts, strict=True)
    ]
