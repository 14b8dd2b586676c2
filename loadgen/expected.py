"""How many requests a plan means, for each step, before any is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.profile.model import Phase, Profile
from loadgen.schedule import PhasePlan, duration_s, expected_requests, peak_requests_rps
from loadgen.steps import StepInfo, step_infos


@dataclass(frozen=True, slots=True)
class Expected:
    """The mean number of requests of a plan and its highest rate.

    `requests` is None where users decide (closed model); `by_step` sums to it.
    """

    requests: float | None
    peak_rps: float
    by_step: tuple[float, ...]
    duration_s: float
    searches: bool = False  # what is sent in the end is decided later: `requests` is the most


def expected(profile: Profile, phases: Sequence[PhasePlan]) -> Expected:
    """What `phases` of `profile` amount to, if every flow runs to its end."""
    steps = step_infos(profile)
    closed = any(plan.kind == "users" for plan in phases)
    return Expected(
        requests=None if closed else expected_requests(profile, phases),
        peak_rps=peak_requests_rps(profile, phases),
        by_step=tuple(
            sum(
                plan.expected * _share(profile, profile.load.phases[plan.index], step)
                for plan in phases
            )
            for step in steps
        ),
        duration_s=duration_s(phases),
        searches=any(plan.kind == "search" for plan in phases),
    )


def _share(profile: Profile, phase: Phase, step: StepInfo) -> float:
    """The share of the arrivals of `phase` that send `step`."""
    weights = {
        scenario.name: scenario.weight
        for scenario in profile.scenarios
        if phase.scenarios is None or scenario.name in phase.scenarios
    }
    return weights[step.scenario] / sum(weights.values()) if step.scenario in weights else 0.0
