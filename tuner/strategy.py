"""Which plan the options call for, which sampler the plan, and where cold samples are wanted."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from tuner.adaptive import Adaptive
from tuner.cold import cold_sizes
from tuner.cold_only import ColdRounds
from tuner.effort import DEFAULT, THOROUGH, Effort
from tuner.facts import RunFacts
from tuner.options import TuneRequest
from tuner.plan import AdaptivePlan, ColdPlan, FixedPlan, Plan
from tuner.sampler import FixedRounds, Sampler
from tuner.sizes import choose_candidates, choose_sizes
from tuner.target import Target

# Further cold samples: at the recommended size, at today's, and at the nearest that tie with it.
MOST_COLD_SIZES = 4
# What adaptive plans invoke of their candidates (benchmarks/tuner_regret.py).
_USUAL_SIZES = 8


def make_plan(request: TuneRequest, target: Target) -> Plan:
    """What the run is going to do.

    Raises:
        InputError: when sizes and limits contradict each other.
    """
    options = request.options
    # A test run is such a call at each size.
    trial_mb = None if options.skip_trial or request.plan == "test" else target.memory_mb
    if request.plan not in ("adaptive", "thorough"):
        sizes, notes = choose_sizes(
            sizes=request.sizes_mb,
            min_memory_mb=options.min_memory_mb,
            max_memory_mb=options.max_memory_mb,
            current_mb=target.memory_mb,
        )
        # Never two calls at one size at once, so more workers than sizes would have nothing to do.
        parallel = min(options.parallel, len(sizes))
        cold = ColdPlan(request.cold_samples, min(MOST_COLD_SIZES, len(sizes)))
        max_usd = request.limits.max_usd
        return FixedPlan(
            sizes_mb=sizes,
            samples_per_size=request.samples,
            parallel=parallel,
            seed=request.seed,
            notes=notes,
            cold=cold,
            max_usd=max_usd,
            trial_mb=trial_mb,
            kind=request.plan,
            discard_first=request.calls.discard_first,
        )
    effort = _effort(request)
    candidates, notes = choose_candidates(
        min_memory_mb=options.min_memory_mb,
        max_memory_mb=options.max_memory_mb,
        current_mb=target.memory_mb,
        least_step_ratio=effort.least_step_ratio,
    )
    return AdaptivePlan(
        sizes_mb=candidates,
        effort=effort,
        current_mb=target.memory_mb,
        kind=request.plan,
        parallel=min(options.parallel, len(candidates)),
        seed=request.seed,
        limits=request.limits,
        slo=request.goal.slo,
        notes=notes,
        cold=ColdPlan(request.cold_samples, min(MOST_COLD_SIZES, len(candidates))),
        trial_mb=trial_mb,
        discard_first=request.calls.discard_first,
    )


def _effort(request: TuneRequest) -> Effort:
    effort = DEFAULT if request.plan == "adaptive" else THOROUGH
    # About so many sizes are invoked.
    discarded = request.calls.discard_first * _USUAL_SIZES
    if request.goal.slo is None:
        return replace(effort, most_calls=effort.most_calls + discarded)
    from tuner.slo_search import most_calls

    return replace(effort, most_calls=most_calls(request.goal.slo) + discarded)


def sampler_of(facts: RunFacts) -> Sampler:
    """The strategy for spending the run's invocations."""
    plan = facts.plan
    if isinstance(plan, FixedPlan):
        rounds = FixedRounds(plan.sizes_mb, plan.samples_per_size, plan.attempts_per_size)
        return ColdRounds(rounds) if plan.kind == "cold" else rounds
    # Not at the top: it imports numpy, which is not needed before the plan is agreed to.
    from tuner.worth import Worth

    worth = Worth(
        facts.goal,
        facts.price,
        facts.target.storage_mb,
        facts.usage.cold_share,
        facts.target.runtime,
        facts.payloads.weights,
    )
    if plan.slo is not None:
        from tuner.slo_search import SloSampler

        return SloSampler(plan.sizes_mb, worth, plan.slo, plan.current_mb)
    return Adaptive(
        plan.sizes_mb, worth, plan.bounded_effort, plan.current_mb, payloads=facts.payloads
    )


def sizes_for_cold(
    recommended_mb: int, tied_mb: Collection[int], current_mb: int, measured_mb: Collection[int]
) -> tuple[int, ...]:
    """Where further cold samples are taken: few sizes, since each sample is a published version."""
    found = cold_sizes(recommended_mb, tied_mb, current_mb, measured_mb)

    def importance(size: int) -> tuple[bool, float]:
        return size not in (recommended_mb, current_mb), abs(math.log(size / recommended_mb))

    return tuple(sorted(sorted(found, key=importance)[:MOST_COLD_SIZES]))
