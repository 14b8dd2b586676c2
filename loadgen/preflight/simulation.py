"""Sends the requests of a plan through the layers on their path, without sending anything.

Token buckets are as API Gateway's are taken to be: a request is refused by the first one in order
that has no token, and then takes none from any; what all let through takes one from each. Behind
them a pool refuses what it has no room for: nothing waits (M/G/c/c). A pool also takes at most ten
requests a second for each of its places, and a function grows by at most 1,000 environments in
10 s. How AWS keeps its limits is best-effort, so this is what they say and not what they let slip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from loadgen.outcome import Cause
from loadgen.preflight.chain import (
    GROWTH_PER_10_S,
    Chain,
    own_places,
    steps_of_gate,
    steps_of_pool,
)
from loadgen.preflight.levels import highest_deficit, in_flight, of_steps
from loadgen.preflight.planned import Planned
from loadgen.preflight.rooms import EPSILON, Growth, OwnPlaces, Room, request_rps

NOT_SENT = -1
ADMITTED = 0

Reason = Literal["rate", "concurrency", "request_rate", "growth"]


@dataclass(frozen=True, slots=True)
class Layer:
    """Something that refuses; `reason` says by which of its limits."""

    cause: Cause
    name: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Met:
    """What became of each planned request: `fate` is 0 for admitted, k for refused by layer k - 1.

    -1 was not sent, because a step before it was refused that it depends on. Of the pools in
    `unknown` nobody knows when they are full: durations of their functions are missing.
    """

    layers: tuple[Layer, ...]
    fate: NDArray[np.int16]
    unknown: frozenset[int]


def simulate(planned: Planned, chain: Chain) -> Met:
    """What becomes of the requests of a plan."""
    layers = [Layer(gate.cause, gate.name, "rate") for gate in chain.gates]
    for pool in chain.pools:
        cause = Cause.LAMBDA_CONCURRENCY
        layers += [
            Layer(cause, pool.name, "concurrency"),
            Layer(cause, pool.name, "request_rate"),
            Layer(cause, pool.name, "growth"),
        ]
    bounded_s = _bounded(planned, chain)
    unknown = frozenset(
        number
        for number, _ in enumerate(chain.pools)
        if _may_be_full(planned, chain, bounded_s, number)
    )
    fate = np.zeros(len(planned), np.int16)
    walk = _Walk(planned, chain, bounded_s, unknown)
    if len(walk.rows):
        fate[walk.rows] = walk.fates()
    return Met(tuple(layers), fate, unknown)


def _bounded(planned: Planned, chain: Chain) -> NDArray[np.float64]:
    """Durations, and where they are not known the timeouts: infinite, if nobody knows those."""
    longest_s = np.array([step.longest_s for step in chain.steps])
    unknown = np.isnan(planned.runs_s)
    return np.where(unknown, longest_s[planned.step], planned.runs_s)


def _may_be_full(planned: Planned, chain: Chain, bounded_s: NDArray[np.float64], pool: int) -> bool:
    """Whether durations are missing that decide whether a pool is full.

    Where even calls that last until the timeout leave room, nothing is missing.
    """
    rows = of_steps(planned.step, steps_of_pool(chain, pool))
    if not chain.pools[pool].limit or not np.isnan(planned.runs_s[rows]).any():
        return False
    return _most(planned, bounded_s, rows) > chain.pools[pool].limit


class _Walk:
    """The requests that something may refuse, one after the other."""

    def __init__(
        self,
        planned: Planned,
        chain: Chain,
        bounded_s: NDArray[np.float64],
        unknown: frozenset[int],
    ) -> None:
        self._planned = planned
        self._bounded_s = bounded_s
        self._chain = chain
        self._gates = [
            number
            for number, gate in enumerate(chain.gates)
            if highest_deficit(self._times(steps_of_gate(chain, number)), gate.rate_rps)
            > gate.burst + EPSILON
        ]
        self._full = [
            number
            for number, pool in enumerate(chain.pools)
            if number not in unknown and self._most_at_once(number) > pool.limit
        ]
        self._rated = [
            number
            for number, pool in enumerate(chain.pools)
            if highest_deficit(
                self._times(steps_of_pool(chain, number)),
                request_rps(pool.limit + self._beside(number)),
            )
            > request_rps(pool.limit + self._beside(number)) + EPSILON
        ]
        self._growing = self._functions_that_grow(unknown)
        touched = [number for number, step in enumerate(chain.steps) if self._touches(number)]
        # Later steps of a flow end with it.
        flows_end = chain.ending & set(touched)
        self._ending = chain.ending if flows_end else frozenset()
        self.rows = np.arange(len(planned)) if flows_end else of_steps(planned.step, touched)

    def _own_places(self) -> tuple[list[OwnPlaces | None], dict[str, OwnPlaces]]:
        """The places that functions have besides their pool, by step and by function."""
        by_name: dict[str, OwnPlaces] = {}
        by_step: list[OwnPlaces | None] = []
        for number, step in enumerate(self._chain.steps):
            places = own_places(self._chain, number) if step.pool in self._full else 0
            name = step.function or ""
            by_step.append(by_name.setdefault(name, OwnPlaces(places)) if places else None)
        return by_step, by_name

    def _beside(self, pool: int) -> int:
        """All places that functions have besides a pool."""
        steps = steps_of_pool(self._chain, pool)
        places = {self._chain.steps[step].function: own_places(self._chain, step) for step in steps}
        return sum(places.values())

    def _times(self, steps: Sequence[int]) -> NDArray[np.float64]:
        return self._planned.at_s[of_steps(self._planned.step, steps)]

    def _most_at_once(self, pool: int) -> int:
        rows = of_steps(self._planned.step, steps_of_pool(self._chain, pool))
        return _most(self._planned, self._bounded_s, rows)

    def _functions_that_grow(self, unknown: frozenset[int]) -> dict[str, int]:
        """The functions that may need more environments than come at once, with the warm ones."""
        found: dict[str, int] = {}
        for name in {step.function for step in self._chain.steps if step.function is not None}:
            mine = [n for n, step in enumerate(self._chain.steps) if step.function == name]
            if any(self._chain.steps[n].pool in (None, *unknown) for n in mine):
                continue
            warm = self._chain.warm.get(name, 0)
            rows = of_steps(self._planned.step, mine)
            if np.isnan(self._planned.runs_s[rows]).any():
                continue
            if _most(self._planned, self._bounded_s, rows) - warm > GROWTH_PER_10_S:
                found[name] = warm
        return found

    def _touches(self, number: int) -> bool:
        step = self._chain.steps[number]
        return (
            any(gate in self._gates for gate in step.gates)
            or (step.pool is not None and step.pool in (*self._full, *self._rated))
            or step.function in self._growing
        )

    def fates(self) -> list[int]:
        """What becomes of each of `rows`. One loop, since it runs for every request."""
        planned, chain, rows = self._planned, self._chain, self.rows
        n_gates = len(chain.gates)
        rates = [gate.rate_rps for gate in chain.gates]
        bursts = [float(gate.burst) for gate in chain.gates]
        levels, seen = list(bursts), [0.0] * n_gates
        rooms = [Room(pool.limit, self._beside(number)) for number, pool in enumerate(chain.pools)]
        owns, beside = self._own_places()
        growth = {
            name: Growth(0 if name in beside else warm) for name, warm in self._growing.items()
        }
        paths = [tuple(g for g in step.gates if g in self._gates) for step in chain.steps]
        full, rated, ending = set(self._full), set(self._rated), self._ending
        pools = [
            step.pool
            if step.pool in full or step.pool in rated or step.function in growth
            else None
            for step in chain.steps
        ]
        functions = [growth.get(step.function or "") for step in chain.steps]
        over = set[int]()
        fates: list[int] = []
        columns = planned.at_s[rows], planned.step[rows], planned.flow[rows], planned.runs_s[rows]
        for now, step, flow, runs_s in zip(*(each.tolist() for each in columns), strict=True):
            if over and flow in over:
                fates.append(NOT_SENT)
                continue
            fate = ADMITTED
            route = paths[step]
            for gate in route:
                level = levels[gate] + (now - seen[gate]) * rates[gate]
                seen[gate] = now
                burst = bursts[gate]
                levels[gate] = level = burst if level > burst else level
                if level < 1.0 - EPSILON:
                    fate = gate + 1
                    break
            if not fate:
                for gate in route:
                    levels[gate] -= 1.0
                pool, own = pools[step], owns[step]
                if pool is not None and (own is None or not own.take(now, runs_s)):
                    reason = rooms[pool].enter(
                        now, runs_s, functions[step], counts=pool in full, is_rated=pool in rated
                    )
                    fate = n_gates + 3 * pool + reason if reason else ADMITTED
            if fate and step in ending:
                over.add(flow)
            fates.append(fate)
        return fates


def _most(planned: Planned, runs_s: NDArray[np.float64], rows: NDArray[np.int64]) -> int:
    return int(in_flight(planned.at_s[rows], runs_s[rows]).max()) if len(rows) else 0
