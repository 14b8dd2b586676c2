"""How large the error of a night's percentile is said to be, beside how large it is, by simulation.

    python benchmarks/night_errors.py [--runs 150]

Runs of 120 seconds and 3,000 log-normal requests in 8 or 16 blocks of time are made again and again
with one design: a constant rate, latencies that double slowly, or two phases of which the second
takes twice as long. The level may move with a standard deviation of 10 %, and forget itself within
2 or 10 seconds. The error is how much ln(percentile) differs between such runs. Printed is what
each method says of it, divided by it: 1.00 is right, 2.00 twice too much.

Seen with 150 runs: with a constant rate and independent requests or a level that moves within 2
seconds, all methods say 0.8 to 1.6 times the error. Where the level moves as slowly as blocks are
long, neighbours say 0.4 to 0.8 of it and the interval 0.9 to 1.2: that is a difference between
nights, which their spread has. Where latencies differ by design, the jackknife says 1.6 to 12 times
the error, the interval 3 to 40 times or nothing at all, and neighbours within a phase 0.9 to 2.2.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from reports.histogram import Histogram, merged, of_ms, quantile_interval, quantile_ms
from reports.regression.within_night import log_error

Floats = NDArray[np.float64]
Method = Callable[[list[Histogram], float, list[int]], float | None]

SHARES = (0.5, 0.95, 0.99)
SECONDS, REQUESTS, SIGMA = 120, 3_000, 0.4


@dataclass(frozen=True)
class Setting:
    """What is simulated; `drift` is a standard deviation of ln, `memory_s` how long it lasts."""

    blocks: int
    design: str = "constant"
    drift: float = 0.0
    memory_s: float = 1.0

    def __str__(self) -> str:
        moves = f", level moves within {self.memory_s:g} s" if self.drift else ""
        return f"{self.blocks} blocks, {self.design}{moves}"

    @property
    def levels(self) -> Floats:
        """What the schedule adds to ln(latency) in each second."""
        if self.design == "a ramp to twice":
            return np.linspace(0, log(2), SECONDS)
        half = np.arange(SECONDS) >= SECONDS // 2
        return half * log(2) if self.design == "two phases" else np.zeros(SECONDS)

    @property
    def phases(self) -> list[int]:
        """The phase of each block."""
        second = [block * 2 // self.blocks for block in range(self.blocks)]
        return second if self.design == "two phases" else [0] * self.blocks


SETTINGS = tuple(
    Setting(blocks, design, drift, memory_s)
    for blocks in (8, 16)
    for design, drift, memory_s in (
        ("constant", 0.0, 1.0),
        ("constant", 0.1, 2.0),
        ("constant", 0.1, 10.0),
        ("a ramp to twice", 0.0, 1.0),
        ("a ramp to twice", 0.1, 2.0),
        ("two phases", 0.0, 1.0),
    )
)


def simulated(setting: Setting, rng: np.random.Generator) -> list[Histogram]:
    """The blocks of one run."""
    keeps = exp(-1 / setting.memory_s)
    level = np.empty(SECONDS)
    level[0] = rng.standard_normal()
    for second, change in enumerate(rng.standard_normal(SECONDS - 1), 1):
        level[second] = keeps * level[second - 1] + sqrt(1 - keeps**2) * change
    counts = rng.poisson(REQUESTS / SECONDS, SECONDS)
    means = np.repeat(setting.levels + setting.drift * level, counts)
    logs = means + SIGMA * rng.standard_normal(counts.sum())
    ends = np.cumsum(counts)[np.arange(1, setting.blocks) * SECONDS // setting.blocks - 1]
    return [of_ms(block) for block in np.split(50 * np.exp(logs), ends)]


def neighbours(blocks: list[Histogram], q: float, phases: list[int]) -> float | None:
    """What the history keeps."""
    return log_error(blocks, q, phases)


def jackknife(blocks: list[Histogram], q: float, _: list[int]) -> float | None:
    """Each block left out in turn."""
    rest = [merged(blocks[:left] + blocks[left + 1 :]) for left in range(len(blocks))]
    values = np.log([quantile_ms(one, q) for one in rest])
    return sqrt((len(values) - 1) * float(values.var()))


def interval(blocks: list[Histogram], q: float, _: list[int]) -> float | None:
    """Half the width of the 95 % interval of reports."""
    found = quantile_interval(blocks, q)
    return None if found is None else log(found[1] / found[0]) / 2 / NormalDist().inv_cdf(0.975)


METHODS: dict[str, Method] = {
    "neighbours": neighbours,
    "jackknife": jackknife,
    "interval": interval,
}


def lines_of(setting: Setting, runs: int) -> Iterator[str]:
    """The true error, and the ratio of each method; how many runs had none in brackets."""
    rng = np.random.default_rng(1)
    samples = [simulated(setting, rng) for _ in range(runs)]
    yield f"\n{setting}"
    true = {q: float(np.std([log(quantile_ms(merged(s), q)) for s in samples])) for q in SHARES}
    yield "  " + f"{'true error':14}" + "".join(f"{100 * true[q]:6.1f} %      " for q in SHARES)
    for name, method in METHODS.items():
        cells = []
        for q in SHARES:
            found = [method(sample, q, setting.phases) for sample in samples]
            known = [one for one in found if one is not None]
            said = sqrt(float(np.mean(np.square(known)))) / true[q] if known else float("nan")
            without = len(found) - len(known)
            cells.append(f"{said:6.2f}" + (f" ({without:3d}) " if without else "       "))
        yield f"  {name:14}{' '.join(cells)}"


def main() -> None:
    """Prints a table for each setting."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=150)
    runs = parser.parse_args().runs
    print(f"{runs} simulated runs each: p50, p95, p99; said error / true error (runs without one)")
    for setting in SETTINGS:
        for line in lines_of(setting, runs):
            print(line, flush=True)


if __name__ == "__main__":
    main()
