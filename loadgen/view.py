"""The answer of a load run on a terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from loadgen.preflight.view import show_comparison
from loadgen.retry.view import show_clients
from loadgen.search.view import search_view
from loadgen.telemetry.view import telemetry_lines
from loadgen.threshold_words import measured_words, state_word
from loadgen.waterfall.view import show_times
from reports.figures import part_of, percent, short_time, significant, usd
from reports.load_document import (
    CauseCount,
    LoadDocument,
    Outcomes,
    PhaseSlice,
    Slice,
)
from reports.load_findings import cautions, headline, support, verdict_word
from reports.load_latency import response_of, stands_apart
from reports.load_words import (
    cause_word,
    class_word,
    failed_count,
    known_words,
)

_CLOCKS = (
    "times: ms, of all completed requests; response counts from when a request was due, service "
    "from when it was sent"
)
_OK_CLOCKS = (
    "times: ms, from when a request was due; ok: of those that were ok, all: of refused and failed "
    "ones too"
)
_MOST_FAILURES = 10  # that are shown


def show_document(console: Console, document: LoadDocument) -> None:
    """The whole answer: on stdout, or on stderr where stdout carries JSON."""
    console.show(f"{verdict_word(document)}: {headline(document)}")
    for sentence in support(document):
        console.show(f"  {sentence}")
    for table in _tables(document):
        console.show("")
        console.show(table)
    show_clients(console, document)
    show_times(console, document)
    show_comparison(console, document.prediction)
    if document.telemetry is not None and (lines := telemetry_lines(document.telemetry)):
        console.show("")
        for line in lines:
            console.show(line)
    console.show("")
    if document.statuses:
        counts = [f"{status} x {count:,}" for status, count in document.statuses.items()]
        console.show(f"status codes: {', '.join(counts)}")
    for line in _footer(document):
        console.show(line)


def _tables(document: LoadDocument) -> Iterator[Table]:
    if document.search is not None and document.search.steps:
        yield search_view(document.search)
    if document.requests.sent:
        yield _steps_table(document)
    if document.throttled_by_cause or document.errors_by_cause:
        yield _causes_table(document)
    if document.failures:
        yield _failures_table(document)
    if len(_phases_shown(document)) > 1:
        yield _phases_table(document)
    if document.thresholds:
        yield _thresholds_table(document)


def _steps_table(document: LoadDocument) -> Table:
    table, apart = _table("step"), stands_apart(document)
    for heading in (*_COUNTS, *(_OK_TIMES if apart else _TIMES)):
        table.add_column(heading, justify="right", no_wrap=True)
    for step in document.steps:
        table.add_row(step.name, *_figures(step, apart=apart))
    if len(document.steps) != 1:
        table.add_row("all", *_figures(document, apart=apart), style="bold")
    return table


_COUNTS = ("n", "ok", "throttled", "failed")
_TIMES = ("p50", "response\np95", "p99", "service\np95")
_OK_TIMES = ("ok\np50", "ok\np95", "ok\np99", "all\np95")


def _figures(part: Slice | LoadDocument, *, apart: bool) -> list[str]:
    outcomes: Outcomes = part.outcomes
    response = response_of(part, apart=apart)
    beside = part.response_ms if apart else part.service_ms
    return [
        f"{part.requests.completed:,}",
        f"{outcomes.ok:,}",
        f"{outcomes.throttled:,}",
        f"{failed_count(outcomes):,}",
        _ms(response.p50 if response else None),
        _ms(response.p95 if response else None),
        _ms(response.p99 if response else None),
        _ms(beside.p95 if beside else None),
    ]


def _phases_table(document: LoadDocument) -> Table:
    table = _table("phase")
    table.add_column("planned", overflow="fold")
    apart = stands_apart(document)
    last = "ok\np95" if apart else "response\np95"
    for heading in ("offered\n/s", "admitted\n/s", "throttled\n/s", "failed", last):
        table.add_column(heading, justify="right", no_wrap=True)
    for phase in _phases_shown(document):
        planned = phase.planned
        if not phase.measured and phase.requests.sent:
            planned += ", not measured"
        table.add_row(phase.name, planned, *_phase_figures(phase, apart=apart))
    return table


def _phases_shown(document: LoadDocument) -> list[PhaseSlice]:
    """The phases without those of a search, which has a table of its own."""
    search = document.search
    if search is None:
        return document.phases
    return [
        phase
        for phase in document.phases
        if phase.name != search.phase and not phase.name.startswith(f"{search.phase}: ")
    ]


def _phase_figures(phase: Slice, *, apart: bool) -> list[str]:
    if not phase.requests.offered:
        return ["-"] * 5
    response = response_of(phase, apart=apart)
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
            known_words(cause),
        )
    return table


def _failures_table(document: LoadDocument) -> Table:
    table = _table("failed checks of")
    table.add_column("reason", overflow="fold")
    table.add_column("count", justify="right", no_wrap=True)
    for failure in document.failures[:_MOST_FAILURES]:
        table.add_row(failure.step, failure.reason, f"{failure.count:,}")
    rest = document.failures[_MOST_FAILURES:]
    if rest:
        more = f"{len(rest)} more reasons, in the result"
        table.add_row("", more, f"{sum(failure.count for failure in rest):,}")
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
    clocks = _OK_CLOCKS if stands_apart(document) else _CLOCKS
    lines = [clocks] if document.requests.sent else []
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
