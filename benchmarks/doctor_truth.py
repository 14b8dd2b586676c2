"""Whether `reports doctor` is right: what it says of a history against nights that come after.

`python benchmarks/doctor_truth.py --histories 100`. Each history has 60 nights of 24 figures (eight
endpoints, three percentiles); nights differ by 3 %, a third of it shared, and 5 % of nights are bad
by 15 % on average. The doctor reads it and says how many false alarms a month to expect, and the
smallest step that it finds by the second night. Then as many nights come again, of the same truth:
how many alarm, and how often a step of that size is found.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from reports.regression.binomial_bounds import share_bounds
from reports.regression.even_nights import EvenSeries
from reports.regression.power import smallest_changes
from reports.regression.relative import judge
from reports.regression.replay import Rules, confirming_mean, replayed
from reports.regression.series import Observation, Series

ENDPOINTS, METRICS = 8, {"p50": 0.05, "p95": 0.07, "p99": 0.10}
NIGHTS, RULES = 60, Rules()
SD, SHARED, BAD, BAD_MEAN = 0.03, 0.01, 0.05, 0.15


def drawn(rng: np.random.Generator, nights: int) -> dict[str, EvenSeries]:
    """Nights of all figures, without a step."""
    shared = rng.normal(0, SHARED, nights)
    shared += np.where(rng.random(nights) < BAD, rng.exponential(BAD_MEAN, nights), 0)
    found = {}
    for endpoint in range(ENDPOINTS):
        for metric, floor in METRICS.items():
            name = f"endpoint {endpoint} / {metric}"
            y = shared + rng.normal(0, SD, nights)
            observed = [Observation(at, float(one), 0.01) for at, one in enumerate(y)]
            series = Series(name, observed, floor, group=f"endpoint {endpoint}", metric=metric)
            found[name] = EvenSeries(series, dict.fromkeys(range(nights), 0.0), {})
    return found


def found_in_two(step: float, name: str, rng: np.random.Generator) -> bool:
    """Whether a step of one figure is confirmed in its first night or in the second."""
    figures = drawn(rng, 32)
    series = {key: one.series for key, one in figures.items()}
    for last in (30, 31):
        tonight = {key: one.nights[last] for key, one in series.items()}
        previous = {key: one.nights[last - 1] for key, one in series.items()}
        tonight[name] = replace(tonight[name], y=tonight[name].y + step)
        if last == 31:
            previous[name] = replace(previous[name], y=previous[name].y + step)
        first = last - 1 - RULES.window
        before = {
            key: replace(one, nights=one.nights[first : last - 1]) for key, one in series.items()
        }
        judged = judge(tonight, before, previous=previous)[name]
        if judged.answer != "worse":
            continue
        if judged.two_nights:
            return True
        again = step + rng.normal(0, SD, RULES.reruns).mean()
        if not judged.common and again >= confirming_mean(
            judged, RULES.reruns, series[name].floor_share
        ):
            return True
    return False


def main() -> None:
    """Prints what was said, and what came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--steps", type=int, default=20, help="injected for each history")
    arguments = parser.parse_args()
    said, came, bounds, power = [], [], [], []
    name = "endpoint 0 / p95"
    sizes = []
    for number in range(arguments.histories):
        rng = np.random.default_rng([number, 5])
        history = drawn(rng, NIGHTS)
        replay = replayed(history, RULES, rng, {})
        said.append(30 * replay.failed_nights / replay.nights)
        later = replayed(drawn(rng, NIGHTS), RULES, rng, {})
        came.append(30 * later.failed_nights / later.nights)
        bounds.append([30 * one for one in share_bounds(replay.failed_nights, replay.nights)])
        smallest = smallest_changes({name: history[name]}, replay, RULES, rng)[name].two_nights
        if smallest is None:
            continue
        sizes.append(np.expm1(smallest))
        power += [found_in_two(smallest, name, rng) for _ in range(arguments.steps)]
    print(f"{arguments.histories} histories of {NIGHTS} nights, {ENDPOINTS * len(METRICS)} figures")
    print(f"  failed nights a month: said {np.mean(said):.2f}, came {np.mean(came):.2f}")
    truth = float(np.mean([*said, *came]))
    held = [low <= truth <= high for low, high in bounds]
    print(f"  their mean lay within the interval that was said in {100 * np.mean(held):.0f} %")
    print(
        f"  smallest step of {name} by the second night: {100 * np.mean(sizes):.1f} % "
        f"({100 * np.quantile(sizes, 0.05):.1f} to {100 * np.quantile(sizes, 0.95):.1f}); "
        f"found in {100 * np.mean(power):.0f} %"
    )


if __name__ == "__main__":
    main()
