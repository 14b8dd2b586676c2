"""The plan of a tuning, on a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from core.aws.prices import LambdaPrice
from core.console import Console
from reports.figures import listed_sizes, megabytes, told_sizes, usd
from tuner.hook_kinds.asked import HooksAsked
from tuner.plan import AdaptivePlan, FixedPlan, Plan
from tuner.side_effects import real_runs, side_effects
from tuner.slo import samples_needed
from tuner.target import Target


def show_plan(
    console: Console, target: Target, region: str, plan: Plan, price: LambdaPrice
) -> None:
    """What is going to happen and what it may cost, before it does."""
    cost = plan.cost_range(price, timeout_s=target.timeout_s, storage_mb=target.storage_mb)
    runtime = target.runtime or "container image"
    console.say(
        f"{target.said} in {region}: {runtime}, {target.arch}, "
        f"{target.memory_mb} MB now, timeout {target.timeout_s} s"
    )
    if plan.trial_mb is not None:
        console.say(
            f"trial: 1 call at {megabytes(plan.trial_mb)} first, before anything is changed"
        )
    for line in _fixed(plan) if isinstance(plan, FixedPlan) else _adaptive(plan):
        console.say(line)
    if plan.cold.wanted > 1:
        console.say(
            f"cold starts: {plan.cold.wanted} each at up to "
            f"{_counted(plan.cold.most_sizes, 'size')}, by versions of their own"
        )
    most = (
        "the limit on the bill"
        if cost.is_limited
        else "the latter if every call took its timeout"
        + (
            " and many had to be repeated"
            if plan.kind in ("fixed", "cold")
            else " at the largest size"
            if plan.kind != "test"
            else ""
        )
    )
    console.say(f"cost: from {usd(cost.least_usd)} to {usd(cost.most_usd)}, {most}")
    for note in plan.notes:
        console.say(f"note: {note}")


def warn_of_side_effects(
    console: Console, plan: Plan, max_invocations: int | None, hooks: HooksAsked
) -> None:
    """How often the function really runs; a warning where nothing is done about what it does."""
    line = side_effects(real_runs(plan, max_invocations), hooks)
    if hooks.all:
        console.say(line)
    else:
        console.warn(line)


def _fixed(plan: FixedPlan) -> Iterator[str]:
    if plan.kind == "test":
        yield f"plan: a test run, one call at each of {_counted(len(plan.sizes_mb), 'size')}"
        yield f"sizes: {told_sizes(plan.sizes_mb)}"
        return
    if plan.kind == "cold":
        yield (
            f"plan: cold starts only, {_counted(len(plan.sizes_mb), 'size')} x "
            f"{plan.samples_per_size} = {plan.invocations} invocations, each of a version of its "
            "own that is published for it"
        )
        yield f"sizes: {told_sizes(plan.sizes_mb)}"
        return
    at_once = "one at a time" if plan.parallel == 1 else f"{plan.parallel} at a time"
    yield (
        f"plan: {_counted(len(plan.sizes_mb), 'size')} x (1 cold + {plan.samples_per_size} warm) = "
        f"{plan.invocations} invocations, {at_once}"
    )
    yield f"sizes: {told_sizes(plan.sizes_mb)}"


def _adaptive(plan: AdaptivePlan) -> Iterator[str]:
    if plan.slo is not None:
        needed = samples_needed(plan.slo)
        usual = f"; to show that a size keeps {plan.slo} takes {needed} samples of it"
    elif plan.usual_calls < plan.most_calls:
        usual = f", usually about {plan.usual_calls}"
    else:
        usual = ""
    yield f"plan: {plan.kind}, up to {plan.most_calls} invocations{usual}"
    yield (
        f"sizes: starts at {listed_sizes(plan.start_mb)}; chooses among "
        f"{_counted(len(plan.sizes_mb), 'size')} from {megabytes(plan.sizes_mb[0])} to "
        f"{megabytes(plan.sizes_mb[-1])}"
    )


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def plan_document(
    target: Target,
    region: str,
    plan: Plan,
    price: LambdaPrice,
    other: dict[str, object] | None = None,
) -> str:
    """The plan as JSON, for `--dry-run --json`; `other` is that of the other architecture."""
    document: dict[str, object] = {
        "schema_version": 1,
        "kind": "tune-plan",
        "verdict": "pass",
        "exit_code": 0,
        "errors": [],
        **plan_facts(target, region, plan, price),
    }
    return json.dumps(document if other is None else {**document, "other": other}, indent=2)


def plan_facts(target: Target, region: str, plan: Plan, price: LambdaPrice) -> dict[str, object]:
    """One function and what is going to be done with it, as the JSON of a plan has it."""
    cost = plan.cost_range(price, timeout_s=target.timeout_s, storage_mb=target.storage_mb)
    return {
        "function": {
            "name": target.name,
            "arn": target.arn,
            "region": region,
            "arch": target.arch,
            "qualifier": target.qualifier,
            "version": target.version,
        },
        "current": {"memory_mb": target.memory_mb},
        "plan": {
            "kind": plan.kind,
            "sizes_mb": plan.sizes_mb,
            "samples_per_size": plan.samples_per_size,
            "parallel": plan.parallel,
            "invocations": plan.invocations,
            "trial_mb": plan.trial_mb,
            **_adaptive_facts(plan),
            "cold_samples": plan.cold.wanted,
            "cost_usd": {"least": cost.least_usd, "most": cost.most_usd},
        },
        "notes": plan.notes,
    }


def _adaptive_facts(plan: Plan) -> dict[str, object]:
    """What only an adaptive plan has: `sizes_mb` are candidates, `invocations` the most."""
    if isinstance(plan, FixedPlan):
        return {}
    return {"start_mb": plan.start_mb, "usual_invocations": plan.usual_calls}
