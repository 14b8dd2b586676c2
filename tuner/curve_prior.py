"""What is believed of a curve of duration against memory before anything was measured; pure.

A curve is, in logarithms, a level that can be anything, plus one of 442 shapes, plus a residual.
The shapes are capped power laws: a share of the time that memory does not change (waiting), the
rest falling with a power of memory until the code cannot use more. The residuals say how far real
curves depart from such a shape: smoothly, or size by size in steps (scheduler periods, JIT, hosts).

All weights but those of the residuals are equal: learned ones did not choose better sizes of
functions from sources that they were not learned on (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from tuner.estimate import Floats


# Shares of the duration (at the cap) that no memory shortens.
_WAIT_SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7)
# 1 is CPU time shared by memory; more where a small size also swaps caches or collects garbage,
# less where part of the work does not follow the CPU.
_EXPONENTS = (0.7, 0.85, 1.0, 1.15, 1.35, 1.7, 2.2)
# Where more memory ceases to help: below one vCPU, at it (1,769 MB), at two, or never.
_CAPS_MB = (256.0, 400.0, 640.0, 1000.0, 1400.0, 1769.0, 2600.0, 3600.0, 10240.0)

# The level is as good as unknown: a factor of e^5 up or down is one standard deviation.
LEVEL_VARIANCE = 25.0


@dataclass(frozen=True, slots=True)
class Residual:
    """How curves depart from their shape, as a Gaussian process over log(memory).

    `amplitude` is its standard deviation, `length` the distance in log(memory) over which it
    changes, `jag` what each size has on its own; all three in natural logarithms.
    """

    weight: float
    amplitude: float
    length: float
    jag: float
    kernel: Literal["smooth", "rough"]

    def covariance(self, sizes_mb: Sequence[int]) -> Floats:
        """The covariance (G, G) of log-durations at `sizes_mb` around a shape, level included."""
        logs = np.log(np.asarray(sizes_mb, dtype=np.float64))
        distance = np.abs(logs[:, None] - logs[None, :]) / self.length
        if self.kernel == "smooth":  # Matern 3/2: once differentiable
            scaled = np.sqrt(3.0) * distance
            correlation = (1 + scaled) * np.exp(-scaled)
        else:  # Ornstein-Uhlenbeck: continuous, with kinks everywhere
            correlation = np.exp(-distance)
        own = np.diag(np.full(len(logs), self.jag**2))
        return np.asarray(LEVEL_VARIANCE + self.amplitude**2 * correlation + own)


# The third and fourth are JIT compilers, scheduler periods and hosts that differ; the last is for
# durations that have next to nothing to do with memory.
RESIDUALS: tuple[Residual, ...] = (
    Residual(0.30, 0.03, 1.0, 0.01, "smooth"),
    Residual(0.39, 0.10, 1.0, 0.03, "smooth"),
    Residual(0.15, 0.30, 1.0, 0.10, "smooth"),
    Residual(0.15, 0.40, 0.3, 0.10, "rough"),
    Residual(0.01, 0.80, 1.0, 0.50, "rough"),
)


@lru_cache(maxsize=64)
def covariances(sizes_mb: tuple[int, ...]) -> tuple[Floats, ...]:
    """The covariance (G, G) of each of `RESIDUALS`, in their order."""
    return tuple(residual.covariance(sizes_mb) for residual in RESIDUALS)


@lru_cache(maxsize=64)
def shapes(sizes_mb: tuple[int, ...]) -> Floats:
    """All shapes (K, G) as log-durations, each with mean 0 over the sizes; the last one is flat."""
    memory = np.asarray(sizes_mb, dtype=np.float64)
    rows = [np.zeros(len(memory))]
    for wait in _WAIT_SHARES:
        for exponent in _EXPONENTS:
            for cap in _CAPS_MB:
                rows.append(np.log(wait + (1 - wait) * np.maximum(cap / memory, 1.0) ** exponent))
    table = np.stack(rows[1:] + rows[:1])
    return np.asarray(table - table.mean(axis=1, keepdims=True))
