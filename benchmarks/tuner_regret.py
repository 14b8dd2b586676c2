"""How good a size `tune` chooses on real curves, and what finding it takes, beside others.

    python benchmarks/tuner_regret.py --curves lambda-curves.csv

The file has the columns source, function, arch, memory_mb, median_ms and log_sigma, one line for
each measured size of a function; benchmarks/curve_replay.py says what is replayed of it. Scored is
the regret: cost, memory x (duration + 0.5 ms of rounding), at the chosen size over the least cost
in the measured range, minus one; averaged over curves, and over sources with equal weight.

`tune` rows run the sampler and the recommendation of the command: same code, same settings. The
peer is the rule of the usual power tuning (6 sizes, so many calls at each, the first included,
trimmed mean, cheapest of the sizes), run here; Parrotfish's row was measured with its own code and
defaults on lambda-curves.csv of the development data, and is quoted.

The second table asks whether `tune` knows how good it is: how often the 90 % interval of its
recommendation's cost holds the true cost, how often the true best size is among those that it
cannot tell apart, how often the true regret is below its 90 % bound; and the regret it expects.

About 4 minutes with three seeds on two cores.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from curve_replay import Curve, Truth, read_curves

from core.aws.prices import LambdaPrice, Tier
from tuner.adaptive import Adaptive
from tuner.believed import believed
from tuner.effort import DEFAULT, THOROUGH, Effort
from tuner.evidence import drawn
from tuner.grid import candidate_sizes
from tuner.objective import Goal
from tuner.recommend import recommend
from tuner.sample import Sample
from tuner.worth import Worth

_POWER_TUNING_MB = (128, 256, 512, 1024, 1536, 3008)
_TRIMMED_SHARE = 0.2
_USD_PER_GB_S = 0.0000166667
# For duration alone, as tuners usually count: with the request fee, sizes differ by less.
_PRICE = LambdaPrice("us-east-1", "x86_64", (Tier(0, _USD_PER_GB_S),), 0.0, None)
_MB_MS_PER_MILLION_USD = 1024 * 1000 / _USD_PER_GB_S / 1e6


@dataclass(frozen=True, slots=True)
class Outcome:
    """One tuning of one curve; shares, and truths as 0 or 1. None where it claims nothing."""

    source: str
    regret: float
    slower: float
    calls: float
    gb_s: float
    expected_regret: float | None = None
    bound_holds: float | None = None
    interval_holds: float | None = None
    best_is_tied: float | None = None
    tied_share: float | None = None


Method = Callable[[Curve, int], Outcome]


def tuned(
    curve: Curve, seed: int, *, effort: Effort, goal: Goal, first_calls_vary: bool = False
) -> Outcome:
    """One tuning by the sampler and the recommendation of `tune`."""
    truth = Truth(curve, first_calls_vary=first_calls_vary)
    noise, rng = np.random.default_rng([seed, 1]), random.Random(seed)
    worth = Worth(goal, _PRICE, storage_mb=512)
    candidates = candidate_sizes(
        truth.low_mb, truth.high_mb, least_step_ratio=effort.least_step_ratio
    )
    sampler = Adaptive(candidates, worth, effort)
    samples: list[Sample] = []
    while sizes := sampler.next_round(samples, (), rng):
        for size in sizes:
            cold = all(sample.memory_mb != size for sample in samples)
            samples.append(_sample(size, truth.call_ms(size, noise, cold=cold), cold=cold))
    known = believed(samples, candidates, worth, np.random.default_rng([seed, 2]), draws=2048)
    taken = recommend(
        drawn(samples, known, known.mix, worth), candidates, goal, candidates[0], joint=True
    )
    if taken is None or taken.cost_interval is None or taken.regret_bound_share is None:
        raise RuntimeError(f"no recommendation for {curve.name}")
    low, high = (usd * _MB_MS_PER_MILLION_USD for usd in taken.cost_interval)
    regret = truth.regret(taken.memory_mb)
    by_goal = truth.slower if goal.objective == "speed" else truth.regret
    least = min(by_goal(size) for size in candidates)
    return Outcome(
        source=curve.source,
        regret=regret,
        slower=truth.slower(taken.memory_mb),
        calls=len(samples),
        gb_s=_gb_s(samples),
        expected_regret=taken.regret_share,
        bound_holds=by_goal(taken.memory_mb) <= taken.regret_bound_share + 1e-9,
        interval_holds=low <= truth.cost(taken.memory_mb) <= high,
        best_is_tied=any(by_goal(size) <= least + 1e-9 for size in taken.tied_mb),
        tied_share=len(taken.tied_mb) / len(candidates),
    )


def _sample(size: int, duration_ms: float, *, cold: bool) -> Sample:
    return Sample(
        memory_mb=size,
        version="1",
        round=1,
        started_utc="",
        request_id="",
        outcome="measured",
        cold=cold,
        duration_ms=duration_ms,
        billed_ms=math.ceil(duration_ms),
    )


def _gb_s(samples: Sequence[Sample]) -> float:
    return sum(s.memory_mb / 1024 * (s.duration_ms or 0) / 1000 for s in samples)


def power_tuned(curve: Curve, seed: int, *, calls: int, first_calls_vary: bool = False) -> Outcome:
    """The usual power-tuning rule with `calls` at each of its sizes in the range."""
    truth = Truth(curve, first_calls_vary=first_calls_vary)
    noise = np.random.default_rng([seed, 3])
    sizes = [size for size in _POWER_TUNING_MB if truth.low_mb <= size <= truth.high_mb]
    if not sizes:
        sizes = [truth.low_mb, truth.high_mb]
    samples = [
        _sample(size, truth.call_ms(size, noise, cold=number == 0), cold=number == 0)
        for size in sizes
        for number in range(calls)
    ]
    cheapest = min(sizes, key=lambda size: size * _trimmed_mean(samples, size))
    return Outcome(
        source=curve.source,
        regret=truth.regret(cheapest),
        slower=truth.slower(cheapest),
        calls=len(samples),
        gb_s=_gb_s(samples),
    )


def _trimmed_mean(samples: Sequence[Sample], size: int) -> int:
    billed = sorted(s.billed_ms or 0.0 for s in samples if s.memory_mb == size)
    cut = int(len(billed) * _TRIMMED_SHARE)
    return math.ceil(statistics.fmean(billed[cut : len(billed) - cut]))


def by_source(outcomes: Sequence[Outcome], name: str) -> dict[str, float]:
    """The mean of a field over the curves and seeds of each source."""
    values: dict[str, list[float]] = {}
    for outcome in outcomes:
        value = getattr(outcome, name)
        if value is not None:
            values.setdefault(outcome.source, []).append(float(value))
    return {source: statistics.fmean(found) for source, found in sorted(values.items())}


def mean(outcomes: Sequence[Outcome], name: str) -> tuple[float, float]:
    """The mean of a field over curves, and over sources with equal weight."""
    sources = by_source(outcomes, name)
    every = [float(value) for o in outcomes if (value := getattr(o, name)) is not None]
    return statistics.fmean(every), statistics.fmean(sources.values())


def show(label: str, runs: Sequence[Sequence[Outcome]]) -> None:
    """One row: means over all seeds, and the regret of each seed."""
    pooled = [outcome for run in runs for outcome in run]
    regret, calls, gb_s = (mean(pooled, name) for name in ("regret", "calls", "gb_s"))
    slower = mean(pooled, "slower")
    each = ", ".join("{:.1%}/{:.1%}".format(*mean(run, "regret")) for run in runs)
    print(
        f"{label:<26}{calls[0]:>7.1f}{gb_s[0]:>8.1f}{regret[0]:>10.2%}{regret[1]:>10.2%}"
        f"{slower[0]:>10.0%}   {each}",
        flush=True,
    )


def show_sources(labels: Sequence[str], rows: Sequence[Sequence[Outcome]]) -> None:
    print("\nmean regret by source, with calls and GB-s")
    print(f"{'source':<20}" + "".join(f"{label:>28}" for label in labels))
    tables = [
        [by_source(outcomes, name) for name in ("regret", "calls", "gb_s")] for outcomes in rows
    ]
    for source in tables[0][0]:
        cells = [
            f"{regret[source]:.1%} ({calls[source]:.0f}; {gb_s[source]:.3g})"
            for regret, calls, gb_s in tables
        ]
        print(f"{source:<20}" + "".join(f"{cell:>28}" for cell in cells))


_CLAIMS = (
    ("interval_holds", "90 % interval of the recommendation's cost holds the true cost"),
    ("best_is_tied", "the true best size is among those that cannot be told apart"),
    ("tied_share", "  share of the candidate sizes that these are"),
    ("bound_holds", "the true regret is below its 90 % bound"),
    ("expected_regret", "expected regret"),
)


def show_claims(labels: Sequence[str], rows: Sequence[Sequence[Outcome]]) -> None:
    print("\nwhat tune claims, by curve / by source")
    print(f"{'':<64}" + "".join(f"{label:>18}" for label in labels))
    for name, words in _CLAIMS:
        cells = ["{:.1%} / {:.1%}".format(*mean(outcomes, name)) for outcomes in rows]
        print(f"{words:<64}" + "".join(f"{cell:>18}" for cell in cells))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--curves", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seeds", type=int, default=3, help="how many replays of all curves")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--objective", choices=("cost", "speed"), default="cost")
    parser.add_argument(
        "--first-calls-vary",
        action="store_true",
        help="how much longer they take varies by function, memory and call",
    )
    parser.add_argument("--only", choices=("tune", "thorough", "peers"), action="append")
    options = parser.parse_args()
    try:
        curves = read_curves(options.curves)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    goal = Goal(options.objective)
    vary = options.first_calls_vary
    ours_by = partial(tuned, goal=goal, first_calls_vary=vary)
    methods: dict[str, tuple[str, Method]] = {
        "tune": ("tune", partial(ours_by, effort=DEFAULT)),
        "thorough": ("thorough", partial(ours_by, effort=THOROUGH)),
        **{
            f"power tuning, {calls} each": (
                "peers",
                partial(power_tuned, calls=calls, first_calls_vary=vary),
            )
            for calls in (50, 10, 5)
        },
    }
    wanted = options.only or ["tune", "thorough", "peers"]
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    print(f"{len(curves)} curves, seeds {seeds[0]} to {seeds[-1]}, objective {goal.objective}\n")
    print(
        f"{'':<26}{'':>7}{'':>8}{'regret':>10}{'regret':>10}{'slower':>10}   regret by seed,\n"
        f"{'method':<26}{'calls':>7}{'GB-s':>8}{'by curve':>10}{'by source':>10}{'than best':>10}"
        "   curve/source"
    )
    started, rows = time.monotonic(), {}
    # One thread for each process: matrices of forty sizes gain nothing from more. It is read when
    # numpy is imported, so these processes start afresh.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for label, (group, method) in methods.items():
            if group in wanted:
                runs = [replayed(pool, method, curves, seed) for seed in seeds]
                show("tune --thorough" if label == "thorough" else label, runs)
                rows[label] = [outcome for run in runs for outcome in run]
    if "peers" in wanted:
        quoted = f"{'59':>7}{'124':>8}{'10.5%':>10}{'20.9%':>10}{'':>10}"
        print(f"{'Parrotfish (quoted)':<26}{quoted}   its own code, on the development data")
    if rows:
        show_sources(list(rows), list(rows.values()))
    ours = {label: found for label, found in rows.items() if label in ("tune", "thorough")}
    if ours:
        show_claims(list(ours), list(ours.values()))
    print(f"\n{time.monotonic() - started:.0f} s")
    return 0


def replayed(
    pool: ProcessPoolExecutor, method: Method, curves: Sequence[Curve], seed: int
) -> list[Outcome]:
    """All curves once; each has random numbers of its own."""
    seeds = [seed * 100_000 + number for number in range(len(curves))]
    return list(pool.map(method, curves, seeds, chunksize=4))


if __name__ == "__main__":
    sys.exit(main())
