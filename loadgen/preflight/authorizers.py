"""Lambda authorizers without a cache: a call for each request, and a place of concurrency with it.

Nobody knows here what comes of such a call, so its refusals are in no share: API Gateway makes a
500 of them. Where they are possible, what follows from them is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.limits import Limits
from loadgen.preflight.chain import Chain
from loadgen.preflight.levels import in_flight, of_steps
from loadgen.preflight.path_reading import Path
from loadgen.preflight.planned import Planned

# API Gateway waits no longer for an authorizer ("Amazon API Gateway quotas", 2026).
LONGEST_S = 29.0


@dataclass(frozen=True, slots=True)
class AuthorizerUse:
    """An authorizer that is called for every request.

    `most` is how many of its calls run at once at most, of p99 where that is known and else of the
    mean; None without durations. `limit` is what its function has for itself, or shares; None:
    not known. `may_refuse` are the phases in which it may find no place.
    """

    name: str
    most: int | None
    limit: int | None
    may_refuse: frozenset[int]


def authorizer_uses(
    limits: Limits, path: Path, planned: Planned, chain: Chain
) -> list[AuthorizerUse]:
    """The authorizers on the paths of the steps that no cache answers for."""
    found = []
    for number, authorizer in path.authorizers.items():
        if authorizer.kind != "lambda" or authorizer.ttl_s or authorizer.function is None:
            continue
        steps = steps_behind(limits, number)
        rows = of_steps(planned.step, steps)
        past = path.history.get((authorizer.function, authorizer.qualifier))
        call_s = LONGEST_S if past is None else max(past.mean_ms, past.p99_ms or 0.0) / 1000
        calls = _Calls(planned.at_s[rows], np.full(len(rows), call_s), planned.phase[rows])
        reserve = path.reserves.get(authorizer.function)
        known = authorizer.function in path.reserves
        limit = limits.account_concurrency if reserve is None else reserve
        beside = calls if reserve is not None else calls.and_others(planned, chain)
        phases = set(np.unique(calls.phase).tolist())
        if known and limit is not None:
            phases &= beside.phases_beyond(limit)
        most = calls.most if past is not None else None
        found.append(
            AuthorizerUse(authorizer.name, most, limit if known else None, frozenset(phases))
        )
    return found


def steps_behind(limits: Limits, authorizer_id: str) -> list[int]:
    """The steps whose requests an authorizer looks at."""
    return [
        path.step
        for path in limits.steps
        if path.hit is not None and path.hit.authorizer_id == authorizer_id
    ]


def unread_steps(limits: Limits, path: Path) -> Sequence[int]:
    """The steps behind an authorizer that could not be read."""
    return [
        step.step
        for step in limits.steps
        if step.hit is not None
        and step.hit.authorizer_id is not None
        and step.hit.authorizer_id not in path.authorizers
    ]


@dataclass(frozen=True, slots=True)
class _Calls:
    """Calls in the order in which they begin."""

    at_s: NDArray[np.float64]
    runs_s: NDArray[np.float64]
    phase: NDArray[np.uint16]

    @property
    def most(self) -> int:
        return int(in_flight(self.at_s, self.runs_s).max()) if len(self.at_s) else 0

    def phases_beyond(self, limit: int) -> set[int]:
        if not len(self.at_s):
            return set()
        return set(np.unique(self.phase[in_flight(self.at_s, self.runs_s) > limit]).tolist())

    def and_others(self, planned: Planned, chain: Chain) -> _Calls:
        """These and the calls of all functions without a reserve, with whom they share a limit."""
        shared = [
            number
            for number, step in enumerate(chain.steps)
            if step.pool is not None and chain.pools[step.pool].is_shared
        ]
        rows = of_steps(planned.step, shared)
        runs_s = planned.runs_s[rows]
        bound = np.array([step.longest_s for step in chain.steps])
        runs_s = np.where(np.isnan(runs_s), bound[planned.step[rows]], runs_s)
        at_s = np.concatenate([self.at_s, planned.at_s[rows]])
        order = np.argsort(at_s, kind="stable")
        return _Calls(
            at_s[order],
            np.concatenate([self.runs_s, runs_s])[order],
            np.concatenate([self.phase, planned.phase[rows]])[order],
        )
