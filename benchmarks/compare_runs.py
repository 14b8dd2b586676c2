"""How often `reports compare` calls two equal load runs different, and what it finds.

Pairs of runs with known truths are simulated: log-normal latencies in blocks of time, in each of
several ways in which requests of one moment are slow together. Beside the comparison by blocks: a
rank test on all requests (Mann-Whitney, as asv compares samples of two runs). Then whole
comparisons of runs with five endpoints, by the same code as the command.
Nothing is sent anywhere.

    python benchmarks/compare_runs.py --pairs 2000 --whole 200
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

sys.path.insert(0, str(Path(__file__).parents[1]))

from reports.block_difference import paired
from reports.load_compare_judge import FLOORS
from reports.load_comparison import compare_loads
from tests.reports.compared_loads import SIGMA, Told, Truth, block_levels, run_of

QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
ASV_P = 0.002


@dataclass(frozen=True)
class Scenario:
    """How requests of a block belong together; `run_sd`: of ln(latency), from run to run."""

    name: str
    step: Told
    run_sd: float = 0.0


SCENARIOS = (
    Scenario("independent requests", Told()),
    Scenario("blocks differ by 4 %", Told(block_sd=0.04)),
    Scenario("a ramp, blocks by 4 %", Told(block_sd=0.04, ramp=2.5)),
    Scenario("drift of 3 %, alike 0.7", Told(block_sd=0.03, alike=0.7)),
    Scenario("runs differ by 3.3 %", Told(), run_sd=0.033),
)


def requests(scenario: Scenario, blocks: int, slower: float, rng: np.random.Generator):
    """A row of latencies for each block of a run, sorted."""
    levels = block_levels(scenario.step, blocks, rng) + rng.normal(0, scenario.run_sd)
    noise = SIGMA * rng.normal(size=(blocks, scenario.step.n))
    return np.sort(np.exp(log(50 * slower) + levels[:, None] + noise), axis=1)


def log_quantiles(rows: np.ndarray, q: float) -> np.ndarray:
    """Of each block, at rank ceil(q n) as histograms have it."""
    return np.log(rows[:, int(np.ceil(round(q * rows.shape[1], 6))) - 1])


@dataclass
class Counts:
    """Of pairs of runs."""

    alarms: int = 0
    told: int = 0
    covered: int = 0
    pairs: int = 0


def judge(before: np.ndarray, after: np.ndarray, q: float, floor: float, truth: float, to: Counts):
    """One metric of a pair, alone: 95 % interval, and whether the change matters."""
    found = paired(log_quantiles(before, q), log_quantiles(after, q))
    if found is None:
        raise ValueError("too few blocks")
    low, high = found.interval()
    to.pairs += 1
    to.covered += low <= truth <= high
    to.alarms += not low <= 0 <= high
    to.told += not low <= 0 <= high and abs(found.value) >= log(1 + floor)


def one_metric(pairs: int, blocks: int, seed: int) -> None:
    """Alarms of equal runs, and how often +10 % is found, for each scenario and quantile."""
    print(
        f"\n{blocks} blocks of {Told().n} ok requests, {pairs} pairs; % of pairs, one metric alone"
    )
    print(f"{'':25}{'':5}{'equal runs':>34}{'10 % slower':>26}")
    print(
        f"{'scenario':25}{'':5}{'covered':>9}{'p < .05':>9}{'+ floor':>9}{'rank':>7}"
        f"{'p < .05':>10}{'+ floor':>9}{'rank':>7}"
    )
    for scenario in SCENARIOS:
        rng = np.random.default_rng(seed)
        equal = {name: Counts() for name, _ in QUANTILES}
        slower = {name: Counts() for name, _ in QUANTILES}
        ranks = [0, 0]
        for _ in range(pairs):
            first, second, third = (requests(scenario, blocks, by, rng) for by in (1.0, 1.0, 1.1))
            for name, q in QUANTILES:
                judge(first, second, q, FLOORS[name], 0.0, equal[name])
                judge(first, third, q, FLOORS[name], log(1.1), slower[name])
            for index, other in enumerate((second, third)):
                ranks[index] += mannwhitneyu(first.ravel(), other.ravel()).pvalue < ASV_P
        for name, _ in QUANTILES:
            a, b = equal[name], slower[name]
            by_rank = [
                f"{100 * count / pairs:7.1f}" if name == "p50" else " " * 7 for count in ranks
            ]
            print(
                f"{scenario.name if name == 'p50' else '':25}{name:5}"
                f"{100 * a.covered / pairs:9.1f}{100 * a.alarms / pairs:9.1f}"
                f"{100 * a.told / pairs:9.1f}{by_rank[0]}"
                f"{100 * b.alarms / pairs:10.1f}{100 * b.told / pairs:9.1f}{by_rank[1]}"
            )


def whole_runs(pairs: int, blocks: int, seed: int) -> None:
    """Verdicts of whole comparisons: five endpoints, with shares and rates, by Holm's rule."""
    base = Told(block_sd=0.03, throttled=8, failed=1)
    steps = [
        replace(base, name=f"GET /{letter}", median_ms=median)
        for letter, median in zip("abcde", (20, 40, 60, 90, 150), strict=True)
    ]
    one = [replace(steps[0], median_ms=22.0), *steps[1:]]
    every = [replace(step, median_ms=step.median_ms * 1.1) for step in steps]
    print(f"\n{blocks} blocks, five endpoints, {pairs} pairs; % of pairs by verdict")
    for name, after in (
        ("equal runs", steps),
        ("one endpoint 10 % slower", one),
        ("all 10 % slower", every),
    ):
        verdicts: dict[str, int] = {}
        for index in range(pairs):
            first = run_of(Truth(seed + 2 * index, tuple(steps), blocks))
            second = run_of(Truth(seed + 2 * index + 1, tuple(after), blocks))
            verdict = compare_loads(first, second, ("a", "b")).verdict
            verdicts[verdict] = verdicts.get(verdict, 0) + 1
        told = ", ".join(f"{key} {100 * n / pairs:.1f}" for key, n in sorted(verdicts.items()))
        print(f"{name:26}{told}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--whole", type=int, default=200)
    parser.add_argument("--blocks", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    for blocks in chosen.blocks:
        one_metric(chosen.pairs, blocks, chosen.seed)
    for blocks in chosen.blocks:
        if chosen.whole:
            whole_runs(chosen.whole, blocks, chosen.seed)
    print(f"\n{time.monotonic() - began:.0f} s, seed {chosen.seed}")


if __name__ == "__main__":
    main()
