"""How often nights without a change fail, and how soon a slower p95 is found, beside simple rules.

Nights of 24 figures (p50, p95, p99 of 8 endpoints) are simulated (`night_simulation.py`) and judged
by the code of `reports nightly`, with two reruns of what is suspected. In the same nights:

- previous + 10 %: a figure fails that is 10 % over the night before
- t-test, blocks: Welch on the 12 blocks of tonight and of the night before, p < 0.01
- t 0.99, 28 nights: tonight above the one-sided 99 % prediction limit of the window
- floor 7 %, 28 nights: tonight 7 % above the mean of the window

An alarm is a night that ends with exit code 3. A found one has the p95 of the slower endpoint among
its failed figures, on the first night with it or the second. Nothing is sent anywhere.

    python benchmarks/nightly_alarms.py --repetitions 40 --found 200
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
from night_simulation import METRICS, Nights, Noise, simulate
from scipy.stats import t as student
from scipy.stats import ttest_ind

sys.path.insert(0, str(Path(__file__).parents[1]))

from reports.history.history import Past
from reports.history.record import Key, NightRecord, Purpose, RunRecord, SeriesPoint
from reports.nightly.judging import judge_night
from reports.nightly.night_facts import NightFacts
from reports.nightly.plan import NightlyPlan

ENDPOINTS, BLOCKS, WINDOW = 8, 12, 28
BEFORE, NIGHTS = 30, 60  # nights that only fill the history, and nights that are judged
START = datetime(2026, 1, 1, 2, tzinfo=UTC)
KEY = Key(
    kind="load", asked_sha256="0", target="shop/prod", region="eu-west-1", arch=None, memory_mb=[]
)
PLAN = NightlyPlan.model_validate(
    {"name": "shop", "steps": [{"kind": "load", "name": "orders", "profile": "orders.yaml"}]}
)
SCENARIOS = {
    "nights differ by 3 %": Noise(bad_nights=0.0),
    "and 1 in 20 is bad": Noise(),
    "and levels drift": Noise(walk=0.003, trend=0.001),
    "nights alike, 0.6": Noise(autocorrelation=0.6),
    "quiet: 1 %": Noise(night=0.01, bad_nights=0.0),
}


# -- the toolkit ----------------------------------------------------------------------------------


def record(nights: Nights, night: int, values, purpose: Purpose = "night", turn: int = 0):
    """A run as the history has it."""
    at = (START + timedelta(days=night)).isoformat()
    points = [
        SeriesPoint(
            scope=f"GET /{endpoint}",
            metric=metric,
            unit="ms",
            value=exp(float(values[endpoint, place])),
            error_ln=float(nights.sampling[place]),
            n=nights.noise.requests,
        )
        for endpoint in range(ENDPOINTS)
        for place, metric in enumerate(METRICS)
    ]
    return RunRecord(
        run_id=f"{night}-{purpose}-{turn}",
        night_id=f"n{night:04d}",
        sequence=night + 1,
        night=at[:10],
        plan="shop",
        step="orders",
        kind="load",
        purpose=purpose,
        started_utc=at,
        finished_utc=at,
        verdict="pass",
        valid=True,
        key=KEY,
        points=points,
    )


class Toolkit:
    """`reports nightly` over simulated nights."""

    name = "reports nightly"

    def __init__(self, nights: Nights) -> None:
        self.nights = nights
        self.runs: list[RunRecord] = []
        self.records: list[NightRecord] = []
        self.reruns = 0

    def night(self, night: int) -> set[str]:
        """The failed figures of a night, which is recorded; the first nights only fill history."""
        tonight = record(self.nights, night, self.nights.y[night])
        alarms = []
        failed: set[str] = set()
        if night >= BEFORE:
            judgement = self._judged(tonight, night)
            alarms = [*judgement.alarms, *judgement.cleared]
            failed = {f"{g.scope} {g.metric}" for g in judgement.gates if g.status == "failed"}
        self.runs.append(tonight)
        at = tonight.started_utc
        self.records.append(
            NightRecord(
                night_id=tonight.night_id, sequence=night + 1, night=tonight.night, plan="shop",
                started_utc=at, finished_utc=at, verdict="pass", exit_code=0, alarms=alarms,
            )
        )  # fmt: skip
        return failed

    def _judged(self, tonight: RunRecord, night: int):
        past = Past(runs=tuple(self.runs[-2 * WINDOW :]), nights=tuple(self.records))
        facts = NightFacts(tonight.night_id, tonight.sequence, tonight.night, None, None, None)
        judge = partial(judge_night, PLAN, [tonight], past, facts, now=START)
        judgement = judge()
        if not judgement.suspects:
            return judgement
        self.reruns += judgement.suspects[0].runs
        reruns = [
            record(self.nights, night, self.nights.rerun(night), "rerun", turn)
            for turn in range(judgement.suspects[0].runs)
        ]
        return judge(confirmations=reruns)


# -- simple rules ---------------------------------------------------------------------------------


@dataclass
class Rule:
    """A rule on the values of a night and of those before it."""

    nights: Nights
    fails: Callable[[Nights, int], np.ndarray]
    reruns = 0

    def night(self, night: int) -> set[str]:
        if night < BEFORE:
            return set()
        failed = self.fails(self.nights, night)
        return {f"GET /{e} {METRICS[m]}" for e, m in np.argwhere(failed)}


def over_previous(nights: Nights, night: int):
    return nights.y[night] - nights.y[night - 1] > log(1.1)


def block_test(nights: Nights, night: int):
    """Blocks lie about the value of their night as far as sampling takes them."""

    def blocks(at: int):
        rng = np.random.default_rng([17, at])
        noise = rng.normal(size=(BLOCKS, ENDPOINTS, len(METRICS)))
        return nights.y[at] + noise * nights.sampling * sqrt(BLOCKS)

    found = ttest_ind(blocks(night), blocks(night - 1), equal_var=False, alternative="greater")
    return found.pvalue < 0.01


def prediction(nights: Nights, night: int):
    window = nights.y[night - WINDOW : night]
    reach = student.ppf(0.99, WINDOW - 1) * window.std(axis=0, ddof=1) * sqrt(1 + 1 / WINDOW)
    return nights.y[night] > window.mean(axis=0) + reach


def over_mean(nights: Nights, night: int):
    return nights.y[night] - nights.y[night - WINDOW : night].mean(axis=0) > log(1.07)


RULES = {
    Toolkit.name: Toolkit,
    "previous + 10 %": partial(Rule, fails=over_previous),
    "t-test, blocks": partial(Rule, fails=block_test),
    "t 0.99, 28 nights": partial(Rule, fails=prediction),
    "floor 7 %, 28 nights": partial(Rule, fails=over_mean),
}


# -- figures --------------------------------------------------------------------------------------


def alarms(noise: Noise, draws: int, number: int) -> dict[str, tuple[int, int]]:
    """Of nights without a change: how many alarm, and how many reruns that took, by rule."""
    found = {}
    for name, rule in RULES.items():
        nights = simulate(
            noise, np.random.default_rng([draws, 1, number]), BEFORE + NIGHTS, ENDPOINTS
        )
        judged = rule(nights)
        alarming = sum(bool(judged.night(night)) for night in range(BEFORE + NIGHTS))
        found[name] = alarming, judged.reruns
    return found


def found_after(noise: Noise, draws: int, step: float, number: int) -> dict[str, tuple[bool, bool]]:
    """Whether a step of one endpoint's p95 is found on its first night, and within two."""
    found = {}
    for name, rule in RULES.items():
        nights = simulate(noise, np.random.default_rng([draws, 2, number]), BEFORE + 6, ENDPOINTS)
        endpoint, place = number % ENDPOINTS, METRICS.index("p95")
        at = BEFORE + 4
        for values in (nights.y, nights.level):
            values[at:, endpoint, place] += log(1 + step)
        judged = rule(nights)
        failed = [judged.night(night) for night in range(BEFORE + 6)]
        first, second = (f"GET /{endpoint} p95" in failed[night] for night in (at, at + 1))
        found[name] = first, first or second
    return found


def show(scenario: str, noise: Noise, arguments: argparse.Namespace, pool) -> None:
    quiet = list(pool.map(partial(alarms, noise, arguments.seed), range(arguments.repetitions)))
    steps = {
        step: list(
            pool.map(partial(found_after, noise, arguments.seed, step), range(arguments.found))
        )
        for step in arguments.steps
    }
    total = NIGHTS * len(quiet)
    print(f"\n{scenario}")
    for name in RULES:
        share = sum(one[name][0] for one in quiet) / total
        reruns = sum(one[name][1] for one in quiet) / total
        parts = [f"  {name:<22}{share:>7.1%}"]
        for found in steps.values():
            first, two = (sum(one[name][k] for one in found) / len(found) for k in (0, 1))
            parts.append(f"{first:>8.0%}{two:>7.0%}")
        parts.append(f"{reruns:>9.2f}" if name == Toolkit.name else "")
        print("".join(parts), flush=True)


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=40, help="histories without a change")
    parser.add_argument("--found", type=int, default=200, help="histories with a step")
    parser.add_argument("--steps", type=float, nargs="+", default=[0.05, 0.10, 0.20])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", action="append", help="begins with this; repeatable")
    arguments = parser.parse_args(given)
    began = time.monotonic()
    print(
        f"{ENDPOINTS * len(METRICS)} figures; {arguments.repetitions} x {NIGHTS} nights without a"
    )
    print(f"{arguments.found} histories with a step of one p95")
    head = "".join(f"{f'+{step:.0%}':>8}{'in 2':>7}" for step in arguments.steps)
    print(f"\n{'':<24}{'alarms':>7}{head}   reruns")
    with ProcessPoolExecutor(2) as pool:
        for scenario, noise in SCENARIOS.items():
            wanted = arguments.scenario or [""]
            if any(scenario.startswith(begin) for begin in wanted):
                show(scenario, noise, arguments, pool)
    print("\nalarms: share of nights without a change that fail; reruns: a night; in 2: within two")
    print(f"nights; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
