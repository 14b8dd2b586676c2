"""How often a run really runs the function, and what is said of that before it does; pure."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.hook_kinds.asked import HooksAsked
from tuner.plan import FixedPlan, Plan


@dataclass(frozen=True, slots=True)
class RealRuns:
    """How many invocations are to be expected, and how many there can be."""

    about: int
    most: int


def real_runs(plan: Plan, max_invocations: int | None = None) -> RealRuns:
    """All invocations of a run: its trial, its plan, and further cold ones."""
    if isinstance(plan, FixedPlan):
        about, most = plan.invocations, len(plan.sizes_mb) * plan.attempts_per_size
    else:
        about, most = plan.usual_calls, plan.most_calls
    trial = int(plan.trial_mb is not None)
    about += trial + plan.cold.most_sizes * (plan.cold.wanted - 1)
    most += trial + plan.cold.most_calls
    if max_invocations is not None:
        most = min(most, max_invocations)
    return RealRuns(min(about, most), most)


def side_effects(runs: RealRuns, hooks: HooksAsked) -> str:
    """What happens as often as the function runs, in a line; with what could put it right."""
    often = f"about {runs.about:,} runs, at most {runs.most:,}"
    if runs.about == runs.most:
        often = f"{runs.most:,} run{'s' if runs.most > 1 else ''}"
    if hooks.pre and hooks.post:
        around = ", each between --pre and --post"
    elif hooks.pre or hooks.post:
        around = ", each after --pre" if hooks.pre else ", each before --post"
    else:
        around = ": see --pre, --post"
    return f"side effects of {often}{around}"
