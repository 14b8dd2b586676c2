"""Where clients would send again what is refused: what comes of that is not predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loadgen.preflight.chain import Chain, steps_of_gate, steps_of_pool
from loadgen.preflight.simulated import Simulated
from loadgen.profile.model import Profile
from loadgen.retry.policy import longest_wait_s, policy_of, reacts_to_refusals
from loadgen.schedule import PhasePlan
from loadgen.steps import StepInfo

_LAYERS_OF_POOL = 3


@dataclass(frozen=True, slots=True)
class Resent:
    """Phases in which clients of refused requests send again, and those that get some of it later.

    `later` are phases that begin while clients still wait, and pass a layer that refused.
    """

    within: frozenset[int]
    later: frozenset[int]


def resent(
    profile: Profile, phases: Sequence[PhasePlan], steps: Sequence[StepInfo], simulated: Simulated
) -> Resent:
    """The phases of which not all requests are known."""
    waits_s = _waits_s(profile, steps)
    planned, fate = simulated.planned, simulated.met.fate
    refused = (fate > 0) & np.isin(planned.step, list(waits_s))
    within: set[int] = set()
    later: set[int] = set()
    for phase in phases:
        rows = np.flatnonzero(refused & (planned.phase == phase.index))
        if not len(rows):
            continue
        within.add(phase.index)
        until_s = phase.to_s + max(waits_s[step] for step in np.unique(planned.step[rows]).tolist())
        layers = np.unique(fate[rows]).tolist()
        behind = {step for layer in layers for step in _steps_of(simulated.chain, layer)}
        touched = np.unique(planned.phase[np.isin(planned.step, list(behind))]).tolist()
        later |= {
            each.index
            for each in phases
            if each.index in touched and phase.to_s <= each.from_s < until_s
        }
    return Resent(frozenset(within), frozenset(later - within))


def _waits_s(profile: Profile, steps: Sequence[StepInfo]) -> Mapping[int, float]:
    """By step, how long a client that reacts to refusals may wait in all."""
    found: dict[int, float] = {}
    scenarios = {scenario.name: scenario for scenario in profile.scenarios}
    for step in steps:
        scenario = scenarios.get(step.scenario)
        if scenario is not None and reacts_to_refusals(profile, scenario):
            policy = policy_of(profile, scenario)
            found[step.index] = math.inf if policy is None else longest_wait_s(policy)
    return found


def _steps_of(chain: Chain, fate: int) -> Sequence[int]:
    """The steps that pass the layer of a fate."""
    gates = len(chain.gates)
    if fate <= gates:
        return steps_of_gate(chain, fate - 1)
    return steps_of_pool(chain, (fate - 1 - gates) // _LAYERS_OF_POOL)
