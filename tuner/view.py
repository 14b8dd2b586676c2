"""The plan of a tuning, on a terminal and as JSON."""

from __future__ import annotations

import json

from core.aws.prices import LambdaPrice
from core.console import Console
from reports.figures import listed_sizes, usd
from tuner.plan import Plan
from tuner.target import Target


def show_plan(
    console: Console, target: Target, region: str, plan: Plan, price: LambdaPrice
) -> None:
    """What is going to happen and what it may cost, before it does."""
    cost = plan.cost_range(price, timeout_s=target.timeout_s, storage_mb=target.storage_mb)
    runtime = target.runtime or "container image"
    at_once = "one at a time" if plan.parallel == 1 else f"{plan.parallel} at a time"
    console.say(
        f"{target.name} in {region}: {runtime}, {target.arch}, "
        f"{target.memory_mb} MB now, timeout {target.timeout_s} s"
    )
    console.say(
        f"plan: {_counted(len(plan.sizes_mb), 'size')} x (1 cold + {plan.samples_per_size} warm) = "
        f"{plan.invocations} invocations, {at_once}"
    )
    console.say(f"sizes: {listed_sizes(plan.sizes_mb)}")
    console.say(
        f"cost: from {usd(cost.least_usd)} to {usd(cost.most_usd)}, "
        f"the latter if every call took its timeout and many had to be repeated"
    )
    for note in plan.notes:
        console.say(f"note: {note}")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def plan_document(target: Target, region: str, plan: Plan, price: LambdaPrice) -> str:
    """The plan as JSON, for `--dry-run --json`."""
    cost = plan.cost_range(price, timeout_s=target.timeout_s, storage_mb=target.storage_mb)
    return json.dumps(
        {
            "schema_version": 1,
            "kind": "tune-plan",
            "verdict": "pass",
            "exit_code": 0,
            "errors": [],
            "function": {"name": target.name, "arn": target.arn, "region": region},
            "current": {"memory_mb": target.memory_mb},
            "plan": {
                "sizes_mb": plan.sizes_mb,
                "samples_per_size": plan.samples_per_size,
                "parallel": plan.parallel,
                "invocations": plan.invocations,
                "cost_usd": {"least": cost.least_usd, "most": cost.most_usd},
            },
            "notes": plan.notes,
        },
        indent=1,
    )
