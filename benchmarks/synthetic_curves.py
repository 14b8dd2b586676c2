"""Curves of made-up functions, as tuner_regret.py reads them: none was used to build the tuner.

    python benchmarks/synthetic_curves.py > synthetic.csv
    python benchmarks/tuner_regret.py --curves synthetic.csv

Each function waits, then works on one or several threads. CPU time is handed out in periods of
20 ms, of which a thread gets memory / 1,769 MB of a vCPU at most; what is left at the end of the
quota waits for the next period, which makes the stairs of short functions. Some collect garbage:
work grows as memory comes near to what they hold. Kinds are sources, so that each weighs alike.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_PERIOD_MS = 20.0
_MB_PER_VCPU = 1769.0
_SMALL_MB = (128, 192, 256, 384, 512, 640, 768, 1024, 1280, 1536, 1769, 2048, 2560, 3008)
_LARGE_MB = (*_SMALL_MB, 4096, 5308, 7077, 8846, 10240)
_OF_EACH_KIND = 12


@dataclass(frozen=True, slots=True)
class Work:
    """What a call does: waits, computes on `threads` with a serial share, holds memory."""

    wait_ms: float
    cpu_ms: float
    threads: int
    serial_share: float
    held_mb: float

    def duration_ms(self, memory_mb: int) -> float:
        """How long a call takes, by stairs of the CPU quota below one vCPU."""
        collected = 1 / (1 - min(self.held_mb / memory_mb, 0.9)) if self.held_mb else 1.0
        cpu_ms = self.cpu_ms * collected
        vcpus = memory_mb / _MB_PER_VCPU
        if vcpus < 1:
            quota_ms = _PERIOD_MS * vcpus
            periods = math.floor(cpu_ms / quota_ms)
            return self.wait_ms + periods * _PERIOD_MS + (cpu_ms - periods * quota_ms)
        parallel = min(vcpus, self.threads)
        return self.wait_ms + cpu_ms * (self.serial_share + (1 - self.serial_share) / parallel)


def _works(rng: np.random.Generator) -> Iterator[tuple[str, Work, tuple[int, ...]]]:
    def log(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(math.log(low), math.log(high))))

    for _ in range(_OF_EACH_KIND):
        yield "cpu", Work(log(0.5, 20), log(20, 5000), 1, 1.0, 0), _SMALL_MB
        yield "short-stairs", Work(log(0.5, 5), log(3, 60), 1, 1.0, 0), _SMALL_MB
        yield "waiting", Work(log(50, 2000), log(2, 100), 1, 1.0, 0), _SMALL_MB
        threads = int(rng.integers(2, 7))
        yield (
            "threads",
            Work(log(1, 50), log(500, 20000), threads, rng.uniform(0, 0.4), 0),
            _LARGE_MB,
        )
        yield "garbage", Work(log(1, 100), log(50, 3000), 1, 1.0, rng.uniform(60, 120)), _SMALL_MB


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=1)
    rng = np.random.default_rng(parser.parse_args().seed)
    table = csv.writer(sys.stdout)
    table.writerow(["source", "function", "arch", "memory_mb", "median_ms", "log_sigma", "n"])
    for number, (kind, work, sizes) in enumerate(_works(rng)):
        # Longer calls scatter less; functions differ in how much.
        restless = float(np.exp(rng.normal(0, 0.5)))
        # Each version meets a host of its own, faster or slower by some per cent.
        hosts = np.exp(rng.normal(0, 0.02, len(sizes)))
        for size, host in zip(sizes, hosts, strict=True):
            duration = work.duration_ms(size) * float(host)
            sigma = restless * 0.08 * (200 / max(duration, 1.0)) ** 0.25
            table.writerow([kind, number, "x86_64", size, f"{duration:.4f}", f"{sigma:.4f}", ""])
    return 0


if __name__ == "__main__":
    sys.exit(main())
