"""The answer on a terminal: verdict, table by size, model and bill, within 80 columns."""

from __future__ import annotations

import json

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.aws.prices import LambdaPrice
from core.console import Console
from reports.document import SizeResult, TuneDocument
from reports.figures import decimals_for, listed_sizes, megabytes, usd
from reports.tune_facts import unseen_error
from reports.tune_findings import cautions, headline, support, verdict_word
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


def show_document(console: Console, document: TuneDocument) -> None:
    """The whole answer: on stdout, or on stderr where stdout carries JSON."""
    console.show(f"{verdict_word(document)}: {headline(document)}")
    for sentence in support(document):
        console.show(f"  {sentence}")
    if any(size.n or size.n_failed or size.failure for size in document.sizes):
        console.show(_table(document))
    for line in _footer(document):
        console.show(line)


def _table(document: TuneDocument) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    headings = (
        "MB|vCPU|n|p50\nms|p95\nms|cold\nms|billed\nms|$ per\nmillion|90 %\ninterval|used\nMB"
    )
    for heading in headings.split("|"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    taken = document.recommendation
    for size in sorted(document.sizes, key=lambda item: item.memory_mb):
        best = taken is not None and size.memory_mb == taken.memory_mb
        table.add_row(*_cells(size), _remark(size, document), style="bold" if best else "")
    return table


def _cells(size: SizeResult) -> list[str]:
    interval = size.cost_interval
    return [
        str(size.memory_mb),
        f"{size.vcpu_share:.2f}",
        str(size.n),
        _short(size.duration_ms.p50 if size.duration_ms else None),
        _short(size.duration_ms.p95 if size.duration_ms else None),
        _short(size.cold_p50_ms),
        _short(size.billed_typical_ms),
        _short(size.cost_usd_per_million),
        f"{_short(interval[0])}-{_short(interval[1])}" if interval else "-",
        str(size.max_memory_used_mb) if size.max_memory_used_mb is not None else "-",
    ]


def _short(value: float | None) -> str:
    """Three significant digits, or all of the whole part: 2.06, 75.4, 1067."""
    if value is None:
        return "-"
    return f"{value:.{min(decimals_for(value), 4)}f}"


def _remark(size: SizeResult, document: TuneDocument) -> str:
    taken = document.recommendation
    words = []
    if taken is not None and size.memory_mb == taken.memory_mb:
        words.append("best")
    elif taken is not None and size.memory_mb in taken.tied_mb:
        words.append("tied")
    if size.memory_mb == document.current.memory_mb:
        words.append("now")
    if size.failure is not None:
        words.append("failed")
    elif size.n_failed:
        words.append(f"{size.n_failed} failed")
    elif not size.n:
        words.append("not measured")
    return ", ".join(words)


def _footer(document: TuneDocument) -> list[str]:
    lines = [
        f"{megabytes(size.memory_mb)} failed: {size.failure}"
        for size in document.sizes
        if size.failure is not None
    ]
    model = document.model
    if model is not None:
        lines.append(f"model: {model.family}, {model.formula}")
        if model.loo_error is not None:
            lines[-1] += f", typically {unseen_error(model.loo_error)} off at unseen sizes"
    spent = document.spent
    unmeasured = spent.unmeasured_invocations
    lines.append(
        f"spent: {spent.invocations} invocations, {spent.gb_seconds:.3g} GB-s, {usd(spent.usd)} "
        + (f"and the cost of {unmeasured} without a REPORT " if unmeasured else "")
        + f"(prices of {document.prices.table_date})"
    )
    lines += [f"note: {note}" for note in [*cautions(document), *document.notes]]
    return lines
