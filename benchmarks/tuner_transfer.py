"""Whether the constants of the adaptive plan were fitted to the curves that it is scored on.

    python benchmarks/tuner_transfer.py --curves lambda-curves.csv

Two kinds of constants were looked at on such curves: when to stop (most calls and target regret),
and how much is believed of each kind of residual. For each source they are chosen anew from a grid
by all other sources: the least regret, by curve, of those that take at most 30 calls and 42 GB-s.
Then the source that was left out is scored with the choice, beside the constants as they are, and
beside weights of residuals that nobody has looked at (all equal).

About 5 minutes with three seeds on two cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import tuner_regret
from curve_replay import Curve, read_curves

from tuner import curve_prior
from tuner.effort import DEFAULT, Effort
from tuner.objective import Goal

_MOST_CALLS, _MOST_GB_S = 30.0, 42.0


@dataclass(frozen=True, slots=True)
class Setting:
    """Constants of one replay; `equal_weights` gives all kinds of residuals the same weight."""

    effort: Effort
    equal_weights: bool = False

    def __str__(self) -> str:
        name = f"{self.effort.most_calls} calls, {self.effort.target_share:.1%}"
        return f"{name}, equal weights" if self.equal_weights else name


GRID = [
    Setting(Effort(calls, target), equal_weights)
    for equal_weights in (False, True)
    for calls, target in ((40, 0.02), (55, 0.025), (70, 0.03))
]


def replayed(curve: Curve, seed: int, *, setting: Setting) -> tuner_regret.Outcome:
    """One tuning with other constants, in a process of its own."""
    before = curve_prior.RESIDUALS
    if setting.equal_weights:
        share = 1 / len(before)
        curve_prior.RESIDUALS = tuple(replace(residual, weight=share) for residual in before)
    try:
        return tuner_regret.tuned(curve, seed, effort=setting.effort, goal=Goal("cost"))
    finally:
        curve_prior.RESIDUALS = before


def chosen_without(source: str, outcomes: dict[Setting, list[tuner_regret.Outcome]]) -> Setting:
    """The setting with the least regret on all other sources, within calls and GB-s."""

    def mean(setting: Setting, name: str) -> float:
        others = [o for o in outcomes[setting] if o.source != source]
        return statistics.fmean(float(getattr(o, name)) for o in others)

    # Of GB-s only cebert_warm has many: without it all settings are far below the limit.
    allowed = [
        setting
        for setting in outcomes
        if mean(setting, "calls") <= _MOST_CALLS and mean(setting, "gb_s") <= _MOST_GB_S
    ]
    return min(allowed or list(outcomes), key=lambda setting: mean(setting, "regret"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--curves", type=Path, required=True, metavar="FILE")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=1)
    options = parser.parse_args()
    curves = read_curves(options.curves)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    started = time.monotonic()
    outcomes: dict[Setting, list[tuner_regret.Outcome]] = {}
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for setting in GRID:
            runs = [
                tuner_regret.replayed(pool, partial(replayed, setting=setting), curves, seed)
                for seed in range(options.first_seed, options.first_seed + options.seeds)
            ]
            outcomes[setting] = [outcome for run in runs for outcome in run]
            _show(str(setting), outcomes[setting])
    _show_left_out(outcomes)
    print(f"\n{time.monotonic() - started:.0f} s")
    return 0


def _show(label: str, found: Sequence[tuner_regret.Outcome]) -> None:
    regret, calls, gb_s = (tuner_regret.mean(found, name) for name in ("regret", "calls", "gb_s"))
    print(
        f"{label:<34}{calls[0]:>7.1f} calls{gb_s[0]:>7.1f} GB-s"
        f"   regret {regret[0]:.2%} by curve, {regret[1]:.2%} by source",
        flush=True,
    )


def _show_left_out(outcomes: dict[Setting, list[tuner_regret.Outcome]]) -> None:
    as_it_is = Setting(DEFAULT)
    print(f"\n{'source left out':<20}{'as it is':>10}{'chosen by others':>18}   setting chosen")
    own_all: list[float] = []
    other_all: list[float] = []
    by_source: dict[str, tuple[float, float]] = {}
    for source in sorted({o.source for o in outcomes[as_it_is]}):
        setting = chosen_without(source, outcomes)
        own, other = (
            [o.regret for o in outcomes[which] if o.source == source]
            for which in (as_it_is, setting)
        )
        own_all += own
        other_all += other
        by_source[source] = statistics.fmean(own), statistics.fmean(other)
        print(f"{source:<20}{by_source[source][0]:>10.2%}{by_source[source][1]:>18.2%}   {setting}")
    own_mean, other_mean = (
        statistics.fmean(pair[which] for pair in by_source.values()) for which in (0, 1)
    )
    print(f"{'mean by source':<20}{own_mean:>10.2%}{other_mean:>18.2%}")
    own_mean, other_mean = statistics.fmean(own_all), statistics.fmean(other_all)
    print(f"{'mean by curve':<20}{own_mean:>10.2%}{other_mean:>18.2%}")


if __name__ == "__main__":
    sys.exit(main())
