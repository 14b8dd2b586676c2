"""Measured curves of Lambda functions as truths to tune against: read from a file, drawn from.

The truth of a function is its median durations, interpolated monotonically (PCHIP) in log-log
between the measured sizes. A call draws from it with noise of Student's t (2.5 degrees of freedom)
in logarithms, whose robust sigma is that of the file; the first call at a size is cold.
"""

from __future__ import annotations

import csv
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

Floats = npt.NDArray[np.float64]

COLUMNS = ("source", "function", "arch", "memory_mb", "median_ms", "log_sigma")
# How much longer the first call at a size takes, besides INIT. If it varies: by how much from
# function to function, with log(memory), and from call to call, all in logarithms.
_COLD_FACTOR = 1.3
_VARIES_BY_FUNCTION, _VARIES_WITH_MEMORY, _VARIES_BY_CALL = 0.3, 0.15, 0.15
_MIDDLE_MB = 800.0
_DEGREES_OF_FREEDOM = 2.5
# 1.4826 x median absolute deviation of t with 2.5 degrees of freedom at scale 1.
_ROBUST_SIGMA_OF_T = 1.156
# Lambda ends every call then.
_LONGEST_MS = 900_000.0
# What rounding up to whole milliseconds adds to a bill on average.
ROUNDING_MS = 0.5
LEAST_BILLED_MS = 1.0


@dataclass(frozen=True, slots=True)
class Curve:
    """What was measured of one function, by ascending size."""

    source: str
    name: str
    sizes_mb: tuple[int, ...]
    median_ms: tuple[float, ...]
    log_sigma: tuple[float, ...]


class Truth:
    """A curve between its points; the allowed range is the measured one."""

    def __init__(self, curve: Curve, *, first_calls_vary: bool = False) -> None:
        logs = np.log(curve.sizes_mb)
        self._median = PchipInterpolator(logs, np.log(curve.median_ms))
        self._logs, self._sigma = logs, np.asarray(curve.log_sigma)
        self.low_mb, self.high_mb = curve.sizes_mb[0], curve.sizes_mb[-1]
        every = np.arange(self.low_mb, self.high_mb + 1, dtype=np.float64)
        self._first: tuple[float, float] | None = None
        if first_calls_vary:
            own = np.random.default_rng(zlib.crc32(f"{curve.source} {curve.name}".encode()))
            by_function, with_memory = own.normal(0, (_VARIES_BY_FUNCTION, _VARIES_WITH_MEMORY))
            self._first = float(by_function), float(with_memory)
        self._least_cost = float(self.costs(every).min())
        self._least_ms = float(self.durations_ms(every).min())

    def durations_ms(self, memory_mb: Floats) -> Floats:
        """Typical durations at sizes."""
        return np.asarray(np.exp(self._median(np.log(memory_mb))))

    def costs(self, memory_mb: Floats) -> Floats:
        """MB-ms of a typical call, which its bill for duration is in proportion to."""
        billed_ms = np.maximum(self.durations_ms(memory_mb) + ROUNDING_MS, LEAST_BILLED_MS)
        return np.asarray(memory_mb * billed_ms)

    def cost(self, memory_mb: int) -> float:
        """MB-ms of a typical call at one size."""
        return float(self.costs(np.array([float(memory_mb)]))[0])

    def regret(self, memory_mb: int) -> float:
        """By how much a size costs more than the cheapest of the range, as a share."""
        return self.cost(memory_mb) / self._least_cost - 1

    def slower(self, memory_mb: int) -> float:
        """By how much a size takes longer than the fastest of the range, as a share."""
        return float(self.durations_ms(np.array([float(memory_mb)]))[0]) / self._least_ms - 1

    def call_ms(self, memory_mb: int, rng: np.random.Generator, *, cold: bool) -> float:
        """The duration of one call."""
        sigma = float(np.interp(math.log(memory_mb), self._logs, self._sigma))
        noise = sigma / _ROBUST_SIGMA_OF_T * float(rng.standard_t(_DEGREES_OF_FREEDOM))
        typical = float(self.durations_ms(np.array([float(memory_mb)]))[0])
        longer = self._longer(memory_mb, rng) if cold else 1.0
        return min(typical * math.exp(noise) * longer, _LONGEST_MS)

    def _longer(self, memory_mb: int, rng: np.random.Generator) -> float:
        if self._first is None:
            return _COLD_FACTOR
        by_function, with_memory = self._first
        slope = with_memory * math.log(memory_mb / _MIDDLE_MB)
        return _COLD_FACTOR * math.exp(by_function + slope + rng.normal(0, _VARIES_BY_CALL))


def read_curves(path: Path) -> list[Curve]:
    """The curves of a file in the columns `COLUMNS`, those with at least two sizes.

    Raises:
        ValueError: naming the line and what is wrong with it.
    """
    points: dict[tuple[str, str], dict[int, tuple[float, float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}:1: expected the columns {', '.join(missing)}")
        for row in reader:
            try:
                size, median = int(float(row["memory_mb"])), float(row["median_ms"])
                sigma = float(row["log_sigma"])
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}:{reader.line_num}: {error}") from error
            if not (size > 0 and 0 < median < math.inf and 0 <= sigma < math.inf):
                raise ValueError(
                    f"{path}:{reader.line_num}: expected memory_mb and median_ms above 0 and "
                    f"log_sigma from 0 (got {size}, {median}, {sigma})"
                )
            name = f"{row['function']} {row['arch']}"
            points.setdefault((row["source"], name), {})[size] = (median, sigma)
    curves = []
    for (source, name), by_size in points.items():
        sizes = tuple(sorted(by_size))
        medians = tuple(by_size[size][0] for size in sizes)
        sigmas = tuple(by_size[size][1] for size in sizes)
        if len(sizes) > 1:
            curves.append(Curve(source, name, sizes, medians, sigmas))
    return curves
