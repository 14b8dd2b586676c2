"""A load run on a terminal: the plan before it, and the answer after it, within 80 columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from loadgen.cost import CostRange
from loadgen.expected import Expected
from loadgen.profile.model import Bursts, Profile
from loadgen.schedule import PhasePlan
from loadgen.threshold_words import measured_words, state_word
from reports.figures import part_of, percent, rate, seconds, short_time, significant, usd
from reports.load_document import (
    CauseCount,
    ConfiguredLimit,
    LoadDocument,
    LoadPercentiles,
    Outcomes,
    Slice,
    TargetFacts,
)
from reports.load_findings import cautions, headline, support, verdict_word
from reports.load_words import (
    cause_word,
    class_word,
    evidence_words,
    failed_count,
    limit_words,
)

_CLOCKS = (
    "times: ms, of all completed requests; response counts from when a request was due, service "
    "from when it was sent"
)
# What applies to all requests together can be compared with the rate of all requests.
_OF_ALL = ("account", "stage")
# The names of the other limits say by themselves what they are: `stage prod`, `plan basic`.
_LIMITS_OF = {
    "method": "method ",
    "quota": "quota of ",
    "lambda_concurrency": "Lambda concurrency of ",
}


# -- before ---------------------------------------------------------------------------------------


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
) -> None:
    """What is going to happen, what it may cost and what may refuse it, before it does."""
    console.say(f"target: {_target_words(target)}")
    console.say(f"load: {_load_words(profile, seed)}")
    for phase in phases:
        console.say(f"  {_phase_words(phase)}")
    console.say(f"plan: {_plan_words(plan)}")
    console.say(f"cost: {cost_words(cost)}")
    for line in cost.detail:
        console.say(f"  {line}")
    if limits:
        console.say("limits on the path:")
    for limit in limits:
        console.say(f"  {_limit_words(limit, plan)}")


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
    if phase.kind == "pause":
        return f"{when}: {phase.name}, nothing is sent"
    return f"{when}: {phase.name}, {phase.words}{counted}"


def _plan_words(plan: Expected) -> str:
    length = seconds(round(plan.duration_s, 1))
    if plan.requests is None:
        return f"{length}; how many requests depends on how fast the API answers"
    return f"about {plan.requests:,.0f} requests in {length}, at most {rate(plan.peak_rps)}"


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
        },
        indent=1,
    )


# -- after ----------------------------------------------------------------------------------------


def show_document(console: Console, document: LoadDocument) -> None:
    """The whole answer: on stdout, or on stderr where stdout carries JSON."""
    console.show(f"{verdict_word(document)}: {headline(document)}")
    for sentence in support(document):
        console.show(f"  {sentence}")
    for table in _tables(document):
        console.show("")
        console.show(table)
    console.show("")
    for line in _footer(document):
        console.show(line)


def _tables(document: LoadDocument) -> Iterator[Table]:
    if document.requests.sent:
        yield _steps_table(document)
    if document.throttled_by_cause or document.errors_by_cause:
        yield _causes_table(document)
    if len(document.phases) > 1:
        yield _phases_table(document)
    if document.thresholds:
        yield _thresholds_table(document)


def _steps_table(document: LoadDocument) -> Table:
    table = _table("step")
    for heading in _FIGURES:
        table.add_column(heading, justify="right", no_wrap=True)
    for step in document.steps:
        table.add_row(step.name, *_figures(step))
    if len(document.steps) != 1:
        table.add_row("all", *_figures(document), style="bold")
    return table


_FIGURES = (
    "n", "ok", "throttled", "failed", "p50", "response\np95", "p99", "service\np95",
)  # fmt: skip


def _figures(part: Slice | LoadDocument) -> list[str]:
    outcomes: Outcomes = part.outcomes
    response, service = part.response_ms, part.service_ms
    return [
        f"{part.requests.completed:,}",
        f"{outcomes.ok:,}",
        f"{outcomes.throttled:,}",
        f"{failed_count(outcomes):,}",
        _ms(response.p50 if response else None),
        _ms(response.p95 if response else None),
        _ms(response.p99 if response else None),
        _ms(service.p95 if service else None),
    ]


def _phases_table(document: LoadDocument) -> Table:
    table = _table("phase")
    table.add_column("planned", overflow="fold")
    for heading in ("offered\n/s", "admitted\n/s", "throttled\n/s", "failed", "response\np95"):
        table.add_column(heading, justify="right", no_wrap=True)
    for phase in document.phases:
        planned = phase.planned
        if not phase.measured and phase.requests.sent:
            planned += ", not measured"
        table.add_row(phase.name, planned, *_phase_figures(phase))
    return table


def _phase_figures(phase: Slice) -> list[str]:
    if not phase.requests.offered:
        return ["-"] * 5
    response: LoadPercentiles | None = phase.response_ms
    return [
        significant(phase.rates.offered_rps),
        significant(phase.rates.admitted_rps),
        significant(phase.rates.throttled_rps),
        f"{failed_count(phase.outcomes):,}",
        _ms(response.p95 if response else None),
    ]


def _causes_table(document: LoadDocument) -> Table:
    table = _table("refused or failed")
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("how that is known", overflow="fold")
    for cause in [*document.throttled_by_cause, *document.errors_by_cause]:
        table.add_row(
            _cause_words(cause),
            f"{cause.count:,}",
            part_of(cause.count, document.requests.completed),
            evidence_words(cause.by_evidence or {cause.evidence: cause.count}),
        )
    return table


def _cause_words(cause: CauseCount) -> str:
    if cause.outcome == "throttled":
        return f"throttled: {cause_word(cause.cause)}"
    name = class_word(cause.outcome)
    return name if cause.cause in ("none", "unknown") else f"{name}: {cause_word(cause.cause)}"


def _thresholds_table(document: LoadDocument) -> Table:
    table = _table("threshold")
    table.add_column("over", overflow="fold")
    table.add_column("measured", justify="right", overflow="fold")
    table.add_column("", overflow="fold")
    for result in document.thresholds:
        words = result.detail if result.aborted and result.detail else state_word(result)
        # Where there is no value, the reason stands in its place.
        if result.detail and result.value is not None and not result.aborted:
            words += f"; {result.detail}"
        bold = "bold" if result.ok is False else ""
        table.add_row(result.that, result.scope, measured_words(result), words, style=bold)
    return table


def _table(first: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    return table


def _ms(value: float | None) -> str:
    return "-" if value is None else significant(value)


def _footer(document: LoadDocument) -> list[str]:
    lines = [_CLOCKS] if document.requests.sent else []
    lines.append(f"generator: {_generator_words(document)}")
    spent = document.spent
    lines.append(f"cost: {'not known' if spent.usd is None else _at_most(spent.usd)}")
    lines += [f"  {line}" for line in spent.detail]
    lines += [f"warning: {warning}" for warning in document.validity.warnings]
    lines += [f"note: {note}" for note in [*cautions(document), *document.notes]]
    return lines


def _generator_words(document: LoadDocument) -> str:
    health, requests = document.validity, document.requests
    lag, cpu = health.start_lag_p99_ms, health.cpu_share_max
    parts = [
        f"start lag p99 {short_time(lag)}" if lag is not None else "start lag not measured",
        f"CPU at most {percent(cpu)} of a core" if cpu is not None else "CPU not measured",
        f"{requests.dropped:,} dropped",
        f"{requests.cut:,} cut",
    ]
    if requests.lost:
        parts.append(f"{requests.lost:,} lost")
    if health.injectors > 1:
        parts.append(f"{health.injectors} processes")
    return ", ".join(parts)


def _at_most(spent_usd: float) -> str:
    return usd(0) if spent_usd == 0 else f"at most {usd(spent_usd)}"


def show_written(console: Console, paths: Sequence[str]) -> None:
    """Where the files of a run are."""
    for path in paths:
        console.say(f"written: {path}")
