"""What one real call of the function says before a run; pure."""

from __future__ import annotations

import math

from core.errors import ToolError
from reports.figures import usd
from tuner.facts import RunFacts
from tuner.preflight.finding import Finding, problem
from tuner.trial import trial_line

NAME = "trial"


def check_trial(facts: RunFacts, outcome: str | ToolError | None) -> Finding:
    """The call in `facts`; `outcome` is what is doubtful of it, or why a run would end with it."""
    if isinstance(outcome, ToolError):
        return problem(NAME, outcome)
    if outcome is not None:
        return Finding(NAME, "warning", outcome.removeprefix("trial: "))
    trial = facts.trial
    if trial is None:
        return Finding(NAME, "note", "stopped before it could start")
    found = trial_line(trial)
    if trial.duration_ms is not None:
        # As Lambda bills a warm call: the duration, rounded up to a millisecond.
        warm_usd = facts.cost_usd(trial.memory_mb, math.ceil(trial.duration_ms))
        found += f"; a million such calls cost {usd(warm_usd * 1e6)}"
    return Finding(NAME, "ok", found)


def check_cost(facts: RunFacts) -> Finding:
    """What a run may cost."""
    target, plan = facts.target, facts.plan
    cost = plan.cost_range(facts.price, timeout_s=target.timeout_s, storage_mb=target.storage_mb)
    return Finding(
        "run",
        "ok",
        f"up to {plan.invocations} calls after the trial, from {usd(cost.least_usd)} to "
        f"{usd(cost.most_usd)} if every call took its timeout",
    )
