"""The plans of several functions before they are agreed to: a table, and what is to be known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.console import Console
from reports.blocks import Column, Table, TableRow
from reports.figures import fixed, listed, usd
from reports.several_document import SkippedFunction
from tuner.answer_view import drawn
from tuner.budget import Limits
from tuner.plan import CostRange
from tuner.run import most_usd
from tuner.several.events import NO_EVENT
from tuner.several.planned import Planned
from tuner.several.sources import Source
from tuner.side_effects import RealRuns, real_runs, side_effects
from tuner.view import plan_facts

_COLUMNS = (
    Column("Function", is_text=True),
    Column("Now", "MB"),
    Column("Sizes", "MB"),
    Column("Calls", "at most"),
    Column("Event", is_text=True),
    Column("Cost", "at most"),
)


@dataclass(frozen=True, slots=True)
class Plans:
    """What is going to be done with all functions, and where their names are from."""

    source: Source
    planned: Sequence[Planned]
    skipped: Sequence[SkippedFunction]
    warnings: Sequence[tuple[str, str]]

    @property
    def limits(self) -> Limits:
        """The limits that all share."""
        return self.planned[0].request.limits

    @property
    def without_event(self) -> list[str]:
        """The functions that a stack has named, and that nobody has given an event."""
        if self.source.origin is None:
            return []
        return [one.target.name for one in self.planned if one.events == NO_EVENT]

    @property
    def runs(self) -> RealRuns:
        """How often the functions run, all together."""
        runs = [real_runs(one.facts.plan, one.facts.limits.max_invocations) for one in self.planned]
        about, most = sum(run.about for run in runs), sum(run.most for run in runs)
        if self.limits.max_invocations is not None:
            most = min(most, self.limits.max_invocations)
        return RealRuns(min(about, most), most)

    @property
    def cost(self) -> CostRange:
        """What the invocations of all may cost, snapshots of SnapStart aside."""
        ranges = [_cost(one) for one in self.planned]
        whole = CostRange(
            sum(cost.least_usd for cost in ranges), sum(cost.most_usd for cost in ranges)
        )
        return whole.within(self.limits.max_usd)

    @property
    def most_usd(self) -> float:
        """What all runs may cost at most, with snapshots of SnapStart."""
        snapshots = sum(most_usd(one.facts) - _cost(one).most_usd for one in self.planned)
        return self.cost.most_usd + snapshots

    @property
    def notes(self) -> list[str]:
        """What a user should know of the plans, each once, with the functions that it is about."""
        own = [(one.target.name, note) for one in self.planned for note in one.facts.plan.notes]
        return [*self.source.notes, *grouped(own, len(self.planned))]


def show_plans(console: Console, plans: Plans, region: str) -> None:
    """Says what is going to be done and what it may cost, before anything is touched."""
    origin = "" if plans.source.origin is None else f", from {plans.source.origin}"
    count = len(plans.planned)
    functions = f"{count} function{'' if count == 1 else 's'}"
    in_turn = "" if count == 1 else ", one after the other"
    console.say(f"{functions} in {region}{origin}{in_turn}")
    for skipped in plans.skipped:
        console.say(f"skipped: {skipped.name}: {skipped.reason}")
    rows = [TableRow(_cells(one)) for one in plans.planned]
    console.say(drawn(Table("plans", _COLUMNS, rows)))
    for note in plans.notes:
        console.say(f"note: {note}")
    if plans.limits != Limits():
        console.say("limits are shared: each has an equal part of what those before it leave")
    cost = plans.cost
    limited = ", the limit on the bill" if cost.is_limited else ""
    console.say(f"cost of all: from {usd(cost.least_usd)} to {usd(cost.most_usd)}{limited}")
    for warning in grouped(plans.warnings, count):
        console.warn(warning)
    hooks = plans.planned[0].facts.hooks
    line = side_effects(plans.runs, hooks)
    if hooks.all:
        console.say(line)
    else:
        console.warn(line)


def plans_document(plans: Plans) -> str:
    """The plans as JSON, for `--dry-run --json`."""
    cost = plans.cost
    facts = [
        plan_facts(one.target, one.facts.region, one.facts.plan, one.facts.price)
        for one in plans.planned
    ]
    document = {
        "schema_version": 1,
        "kind": "tune-several-plan",
        "verdict": "pass",
        "exit_code": 0,
        "errors": [],
        "notes": plans.notes,
        "source": plans.source.origin,
        "functions": [
            {**fact, "event": one.events} for fact, one in zip(facts, plans.planned, strict=True)
        ],
        "skipped": [skipped.model_dump() for skipped in plans.skipped],
        "invocations": plans.runs.most,
        "cost_usd": {"least": cost.least_usd, "most": cost.most_usd},
    }
    return json.dumps(document, indent=2)


def grouped(told: Sequence[tuple[str, str]], functions: int) -> Iterator[str]:
    """Lines that are said of functions, each once; of all functions without their names."""
    names: dict[str, list[str]] = {}
    for name, line in told:
        of_line = names.setdefault(line, [])
        if name not in of_line:
            of_line.append(name)
    for line, of_line in names.items():
        about_all = len(of_line) == functions
        yield line if about_all else f"{listed(of_line)}: {line}"


def _cells(one: Planned) -> list[str]:
    plan = one.facts.plan
    smallest, largest = min(plan.sizes_mb), max(plan.sizes_mb)
    most = real_runs(plan, one.facts.limits.max_invocations).most
    return [
        one.target.name,
        fixed(one.target.memory_mb, 0),
        f"{smallest} to {largest}" if smallest != largest else f"{smallest}",
        fixed(most, 0),
        one.events,
        usd(most_usd(one.facts)),
    ]


def _cost(one: Planned) -> CostRange:
    target = one.target
    return one.facts.plan.cost_range(
        one.facts.price, timeout_s=target.timeout_s, storage_mb=target.storage_mb
    )
