"""The plan of a load run: what is going to happen, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.console import Console
from loadgen.cost import CostRange
from loadgen.expected import Expected
from loadgen.profile.model import Bursts, Profile
from loadgen.schedule import PhasePlan
from reports.figures import rate, seconds, usd
from reports.load_document import ConfiguredLimit, TargetFacts
from reports.load_words import limit_words

# What applies to all requests together can be compared with the rate of all requests.
_OF_ALL = ("account", "stage")
# The names of the other limits say by themselves what they are: `stage prod`, `plan basic`.
_LIMITS_OF = {
    "method": "method ",
    "quota": "quota of ",
    "lambda_concurrency": "Lambda concurrency of ",
}


def show_plan(
    console: Console,
    target: TargetFacts,
    profile: Profile,
    phases: Sequence[PhasePlan],
    plan: Expected,
    cost: CostRange,
    limits: Sequence[ConfiguredLimit],
    *,
    seed: int,
    notes: Sequence[str] = (),
    is_answer: bool = False,
) -> None:
    """What is going to happen, what it may cost and what may refuse it, before it does.

    `is_answer`: it is what was asked for, and not only talk before the answer.
    """
    say = console.show if is_answer else console.say
    say(f"target: {_target_words(target)}")
    say(f"load: {_load_words(profile, seed)}")
    for phase in phases:
        say(f"  {_phase_words(phase)}")
    say(f"plan: {_plan_words(plan)}")
    say(f"cost: {cost_words(cost)}")
    for line in cost.detail:
        say(f"  {line}")
    if limits:
        say("limits on the path:")
    for limit in limits:
        say(f"  {_limit_words(limit, plan)}")
    for note in notes:
        say(f"note: {note}")


def _target_words(target: TargetFacts) -> str:
    words = target.url
    if target.api_id is not None:
        kind = f"{target.api_kind.upper()} API" if target.api_kind else "API"
        name = target.api_name or target.api_id
        stage = f", stage {target.stage}" if target.stage else ""
        region = f", {target.region}" if target.region else ""
        words += f" ({kind} {name}{stage}{region})"
    return f"{words}, auth {' and '.join(target.auth)}" if target.auth else words


def _load_words(profile: Profile, seed: int) -> str:
    load = profile.load
    processes = "1 process" if load.processes == 1 else f"{load.processes} processes"
    if load.model == "closed":
        return f"closed model, seed {seed}, {processes}"
    arrivals = load.arrivals
    how = f"bursts of {arrivals.size}" if isinstance(arrivals, Bursts) else arrivals
    return (
        f"open model, {how} arrivals, seed {seed}, {processes}, "
        f"at most {load.max_in_flight:,} in flight"
    )


def _phase_words(phase: PhasePlan) -> str:
    counted = "" if phase.measured or phase.kind == "pause" else ", not measured"
    when = f"{seconds(phase.from_s)} to {seconds(phase.to_s)}"
    if phase.to_s == phase.from_s:
        when = f"at {seconds(phase.from_s)}"
    if phase.kind == "search":
        return f"from {seconds(phase.from_s)} on: {phase.name}, {phase.words}"
    if phase.kind == "pause":
        return f"{when}: {phase.name}, nothing is sent"
    return f"{when}: {phase.name}, {phase.words}{counted}"


def _plan_words(plan: Expected) -> str:
    length = seconds(round(plan.duration_s, 1))
    if plan.requests is None:
        return f"{length}; how many requests depends on how fast the API answers"
    many = f"{plan.requests:,.0f}"
    requests = "1 request" if many == "1" else f"{many} requests"
    if plan.searches:
        return f"{length} and a search; at most {requests}, at most {rate(plan.peak_rps)}"
    return f"about {requests} in {length}, at most {rate(plan.peak_rps)}"


def cost_words(cost: CostRange) -> str:
    """A range of costs, or that it is not known."""
    if cost.least_usd is None or cost.most_usd is None:
        return "not known"
    if cost.most_usd == 0:
        return usd(0)
    if cost.least_usd == cost.most_usd:
        return f"up to {usd(cost.most_usd)}"
    return f"from {usd(cost.least_usd)} to {usd(cost.most_usd)}"


def _limit_words(limit: ConfiguredLimit, plan: Expected) -> str:
    words = _LIMITS_OF.get(limit.layer, "") + limit_words(limit)
    below = limit.rate_rps is not None and limit.rate_rps < plan.peak_rps
    if below and limit.layer in _OF_ALL:
        words += f" (below the peak of {rate(plan.peak_rps)})"
    return words


def plan_document(
    target: TargetFacts,
    profile: Profile,
    phases: Sequence[PhasePlan],
    plan: Expected,
    cost: CostRange,
    limits: Sequence[ConfiguredLimit],
    *,
    notes: Sequence[str] = (),
) -> str:
    """The plan as JSON, for `--dry-run --json`."""
    return json.dumps(
        {
            "schema_version": 1,
            "kind": "load-plan",
            "verdict": "pass",
            "exit_code": 0,
            "errors": [],
            "name": profile.name,
            "target": target.model_dump(mode="json"),
            "plan": {
                "model": profile.load.model,
                "duration_s": plan.duration_s,
                "requests": plan.requests,
                "peak_rps": plan.peak_rps,
                "cost_usd": {"least": cost.least_usd, "most": cost.most_usd},
                "cost_detail": cost.detail,
                "phases": [
                    {
                        "name": phase.name,
                        "from_s": phase.from_s,
                        "to_s": phase.to_s,
                        "measured": phase.measured,
                        "planned": phase.words,
                    }
                    for phase in phases
                ],
            },
            "limits": [limit.model_dump(mode="json") for limit in limits],
            "notes": list(notes),
        },
        indent=1,
    )
