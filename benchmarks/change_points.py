"""How well change points date a step, and how often they see one that is not there.

Simulated nights, one figure of a step: `python benchmarks/change_points.py --series 200`. Beside it
a t-scan (the largest two-sample t over all splits, its limit from simulations of the same noise
without a change, so that it asks for the same false alarms) and the rule of many jobs, 10 % over
the night before. Noise: nights differ with 3 %; in the second kind 5 % of nights are bad, by 15 %
on average; in the third each night resembles the one before (correlation 0.2).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.regression.change_points import change_points

Floats = NDArray[np.float64]
Rule = Callable[[Floats, np.random.Generator], list[int]]
NIGHTS, AT, LEAST = 90, 45, 5


@dataclass(frozen=True)
class Noise:
    """How nights differ, as ln(value)."""

    name: str
    sd: float = 0.03
    bad_share: float = 0.0
    bad_mean: float = 0.15
    alike: float = 0.0

    def nights(self, rng: np.random.Generator) -> Floats:
        """A series without a change."""
        y = rng.normal(0, self.sd, NIGHTS)
        for at in range(1, NIGHTS if self.alike else 0):
            y[at] = self.alike * y[at - 1] + np.sqrt(1 - self.alike**2) * y[at]
        bad = rng.random(NIGHTS) < self.bad_share
        found: Floats = y + np.where(bad, rng.exponential(self.bad_mean, NIGHTS), 0)
        return found


NOISES = (Noise("even"), Noise("bad nights", bad_share=0.05), Noise("alike", alike=0.2))


def energy(p_limit: float, permutations: int) -> Rule:
    """The toolkit's."""
    return lambda y, rng: [
        change.index
        for change in change_points(y.tolist(), rng, p_limit=p_limit, permutations=permutations)
    ]


def largest_t(y: Floats) -> tuple[float, int]:
    """The largest |t| of two samples over all splits, and where."""
    n = len(y)
    cuts = np.arange(LEAST, n - LEAST + 1)
    sums, squares = np.cumsum(y), np.cumsum(y**2)
    before, after = sums[cuts - 1] / cuts, (sums[-1] - sums[cuts - 1]) / (n - cuts)
    within = squares[-1] - cuts * before**2 - (n - cuts) * after**2
    t = np.abs(after - before) / np.sqrt(within / (n - 2) * (1 / cuts + 1 / (n - cuts)))
    at = int(np.argmax(t))
    return float(t[at]), int(cuts[at])


def t_scan(limit: float) -> Rule:
    """At most one change, where the largest t is above `limit`."""

    def rule(y: Floats, _: np.random.Generator) -> list[int]:
        t, at = largest_t(y)
        return [at] if t > limit else []

    return rule


def over_previous(y: Floats, _: np.random.Generator) -> list[int]:
    """Each night more than 10 % above the one before."""
    return [int(at) + 1 for at in np.flatnonzero(np.diff(y) > np.log(1.1))]


def measure(rule: Rule, noise: Noise, step: float, series: int, at: int) -> str:
    """One cell: false alarms without a step, else how often and how exactly it is dated."""
    found, errors, seconds, more = 0, [], 0.0, 0
    for number in range(series):
        y = noise.nights(np.random.default_rng([number, 7]))
        y[at:] += np.log1p(step)
        rng = np.random.default_rng(number)
        begun = time.perf_counter()
        places = rule(y, rng)
        seconds += time.perf_counter() - begun
        if places:
            found += 1
            errors.append(min(abs(place - at) for place in places))
            more += len(places) > 1
    took = f"{1000 * seconds / series:6.1f} ms"
    if not step:
        return f"false {100 * found / series:5.1f} %{'':38}{took}"
    near = 100 * sum(error <= 1 for error in errors) / max(found, 1)
    return (
        f"found {100 * found / series:5.1f} %, {np.mean(errors or [0]):4.1f} nights off, "
        f"{near:3.0f} % within 1, {100 * more / max(found, 1):3.0f} % more than one {took}"
    )


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--at", type=int, default=AT, help="the night of the step, of 90")
    arguments = parser.parse_args()
    for noise in NOISES:
        null = [largest_t(noise.nights(np.random.default_rng([s, 9])))[0] for s in range(2000)]
        rules = {
            "E-divisive, p 0.05": energy(0.05, 199),
            "E-divisive, p 0.01": energy(0.01, 499),
            "t-scan, 5 % by simulation": t_scan(float(np.quantile(null, 0.95))),
            "10 % over the night before": over_previous,
        }
        print(f"\n{noise.name}: {arguments.series} series of {NIGHTS} nights")
        for step in (0.0, 0.05, 0.10):
            for name, rule in rules.items():
                text = measure(rule, noise, step, arguments.series, arguments.at)
                print(f"  {100 * step:3.0f} %  {name:28}{text}", flush=True)


if __name__ == "__main__":
    main()
