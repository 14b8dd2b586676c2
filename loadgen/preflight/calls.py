"""How many calls of each function run at once, phase by phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.preflight.chain import own_places
from loadgen.preflight.concurrency import busiest_mean, mean_at_once, poisson_p99
from loadgen.preflight.levels import in_flight
from loadgen.preflight.simulated import Simulated
from loadgen.profile.model import Profile
from loadgen.schedule import PhasePlan
from reports.load_prediction import FunctionConcurrency

NO_DURATION = "its duration is not known"


@dataclass(frozen=True, slots=True)
class FunctionCalls:
    """The calls of a function in the whole plan: rows in order, and how many run at each."""

    rows: NDArray[np.int64]
    at_once: NDArray[np.int64] | None  # None: durations are not known


def function_calls(simulated: Simulated) -> dict[str, FunctionCalls]:
    """The calls of each function, by its name."""
    found: dict[str, FunctionCalls] = {}
    planned, ran = simulated.planned, simulated.ran
    for name in sorted({step.function for step in simulated.chain.steps if step.function}):
        steps = [n for n, step in enumerate(simulated.chain.steps) if step.function == name]
        rows = np.flatnonzero(np.isin(planned.step, steps) & ran)
        runs_s = planned.runs_s[rows]
        known = len(rows) > 0 and not np.isnan(runs_s).any()
        found[name] = FunctionCalls(rows, in_flight(planned.at_s[rows], runs_s) if known else None)
    return found


def calls_at_once(
    phase: PhasePlan,
    profile: Profile,
    simulated: Simulated,
    rows: NDArray[np.int64],
    functions: Mapping[str, FunctionCalls],
    why_unknown: str = "",
) -> Iterator[FunctionConcurrency]:
    """How many calls of each function run at once in the phase that has `rows`.

    `why_unknown` is why nobody knows, whatever the durations are.
    """
    planned, chain = simulated.planned, simulated.chain
    for name, function in functions.items():
        mine = np.isin(function.rows, rows)
        if not mine.any():
            continue
        calling = next(n for n, step in enumerate(chain.steps) if step.function == name)
        pool = chain.steps[calling].pool
        limit = None if pool is None else chain.pools[pool].limit + own_places(chain, calling)
        limit_name = "" if pool is None else chain.pools[pool].name
        why = why_unknown or _why_unknown(function, pool in simulated.met.unknown)
        if function.at_once is None or why:
            yield FunctionConcurrency(
                function=name,
                mean=None,
                p99=None,
                most=None,
                limit=limit,
                limit_name=limit_name,
                unknown=why,
            )
            continue
        taken = function.rows[mine]
        at_s, runs_s = planned.at_s[taken], planned.runs_s[taken]
        steady = isinstance(profile.load.phases[phase.index].rate, int | float)
        most = int(function.at_once[mine].max())
        # A phase may be too short to have as many at once as it would have in the end.
        mean = _at_most(mean_at_once(runs_s, phase.to_s - phase.from_s), most)
        peak = mean if steady else busiest_mean(at_s, runs_s, phase.from_s, phase.to_s)
        p99 = None if peak is None else float(poisson_p99(peak))
        yield FunctionConcurrency(
            function=name,
            mean=mean,
            p99=_at_most(p99, limit),
            most=most,
            limit=limit,
            limit_name=limit_name,
        )


def _at_most(value: float | None, most: int | None) -> float | None:
    return value if value is None or most is None else min(value, float(most))


def _why_unknown(function: FunctionCalls, is_pool_unknown: bool) -> str:  # noqa: FBT001
    if function.at_once is None:
        return NO_DURATION
    return "durations of functions that share its limit are not known" if is_pool_unknown else ""
