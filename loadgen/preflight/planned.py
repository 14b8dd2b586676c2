"""The requests of a plan one by one: when each is due, of which phase and step, before any is sent.

The arrivals are those that a run with the same seed has. Later steps of a flow follow after the
times to think and, where they are known, the durations of the steps before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.preflight.durations import StepDuration
from loadgen.profile.model import Profile, RangeBetween, RangeExponential, Scenario, Think
from loadgen.schedule import Chunk, PhasePlan, arrivals
from loadgen.steps import method_and_path

Floats = NDArray[np.float64]

# A plan with more is looked at only so far: half a minute of work, and half a gigabyte.
MOST_REQUESTS = 6_000_000
_THINKS = 2  # the stream of random numbers of a seed; schedule.py has 0 and 1


@dataclass(frozen=True, slots=True)
class Planned:
    """Requests as columns, in the order in which they are due.

    `flow` numbers the run of a flow that a request belongs to. `runs_s` is how long the function
    of its step runs, NaN where that is not known. `until_s` is how far the plan was looked at.
    """

    at_s: Floats
    phase: NDArray[np.uint16]
    step: NDArray[np.uint16]
    flow: NDArray[np.int64]
    runs_s: Floats
    until_s: float

    def __len__(self) -> int:
        return len(self.at_s)


@dataclass(frozen=True, slots=True)
class _Item:
    """A step of a scenario that sends a request, and the pauses before it."""

    step: int
    thinks: tuple[Think, ...]


def planned_requests(
    profile: Profile,
    phases: Sequence[PhasePlan],
    seed: int,
    durations: Sequence[StepDuration | None],
    longest_s: Mapping[int, float] | None = None,
) -> Planned:
    """The requests of an open model; none of users, who send as they are answered.

    `longest_s` are timeouts of functions by step: no call runs for longer.
    """
    rng = np.random.default_rng((seed, _THINKS))
    items = _items(profile.scenarios)
    parts: list[tuple[Floats, NDArray[np.uint16], NDArray[np.uint16], NDArray[np.int64]]] = []
    count, flows, until_s = 0, 0, np.inf
    for chunk in arrivals(profile, phases, seed, 0, 1):
        for scenario, flow in enumerate(items):
            mine = np.flatnonzero(chunk.scenario == scenario)
            if len(mine):
                parts += _of_flow(chunk, mine, flow, flows, durations, rng)
                count += len(mine) * len(flow)
        flows += len(chunk.at_us)
        if count > MOST_REQUESTS:
            until_s = float(chunk.at_us[-1]) / 1e6
            break
    return _in_order(parts, durations, longest_s or {}, until_s, rng)


def _of_flow(
    chunk: Chunk,
    mine: NDArray[np.int64],
    flow: Sequence[_Item],
    before: int,
    durations: Sequence[StepDuration | None],
    rng: np.random.Generator,
) -> list[tuple[Floats, NDArray[np.uint16], NDArray[np.uint16], NDArray[np.int64]]]:
    at_s = chunk.at_us[mine] / 1e6
    found = []
    for item in flow:
        for think in item.thinks:
            at_s = at_s + _think_s(think, len(mine), rng)
        step = np.full(len(mine), item.step, np.uint16)
        found.append((at_s, chunk.phase[mine], step, before + mine.astype(np.int64)))
        known = durations[item.step]
        at_s = at_s + (0.0 if known is None else known.mean_ms / 1000)
    return found


def _in_order(
    parts: Sequence[tuple[Floats, NDArray[np.uint16], NDArray[np.uint16], NDArray[np.int64]]],
    durations: Sequence[StepDuration | None],
    longest_s: Mapping[int, float],
    until_s: float,
    rng: np.random.Generator,
) -> Planned:
    if not parts:
        return Planned(
            np.zeros(0),
            np.zeros(0, np.uint16),
            np.zeros(0, np.uint16),
            np.zeros(0, np.int64),
            np.zeros(0),
            until_s,
        )
    at_s, phase, step, flow = (np.concatenate(column) for column in zip(*parts, strict=True))
    # What is due at once comes in the order of steps and arrivals.
    order = np.lexsort((step, flow, at_s))
    at_s, phase, step, flow = at_s[order], phase[order], step[order], flow[order]
    runs_s = np.full(len(at_s), np.nan)
    for number, known in enumerate(durations):
        mine = np.flatnonzero(step == number)
        if known is not None and len(mine):
            draws_s = known.draws_s(len(mine), rng)
            runs_s[mine] = np.minimum(draws_s, longest_s.get(number, np.inf))
    return Planned(at_s, phase, step, flow, runs_s, until_s)


def _items(scenarios: Sequence[Scenario]) -> list[list[_Item]]:
    found: list[list[_Item]] = []
    number = 0
    for scenario in scenarios:
        items: list[_Item] = []
        thinks: list[Think] = []
        for step in scenario.flow:
            if step.think is not None:
                thinks.append(step.think)
            if method_and_path(step) is not None:
                items.append(_Item(number, tuple(thinks)))
                thinks, number = [], number + 1
        found.append(items)
    return found


def ending_steps(scenarios: Sequence[Scenario]) -> frozenset[int]:
    """The steps after whose refusal a flow ends: they capture what later steps need."""
    found, number = set[int](), 0
    for scenario in scenarios:
        for step in scenario.flow:
            if method_and_path(step) is not None:
                if step.capture:
                    found.add(number)
                number += 1
    return frozenset(found)


def _think_s(think: Think, n: int, rng: np.random.Generator) -> Floats:
    match think:
        case RangeBetween(between=(low, high)):
            return rng.uniform(low, high, n)
        case RangeExponential(exponential=mean):
            return rng.exponential(mean, n)
        case _:
            return np.full(n, think)
