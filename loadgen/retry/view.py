"""Modelled clients, keys and versions on a terminal, within 80 columns."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from reports.figures import part_of
from reports.load_document import LoadDocument
from reports.load_fairness import Fairness, index_words, key_line, where_words
from reports.load_retries import Attempt, Operations, RetryReport
from reports.load_retry_tables import (
    client_words,
    gave_up_count,
    retry_sentences,
    time_cells,
    times_more,
)
from reports.load_versions import (
    VersionReport,
    difference_parts,
    unknown_sentence,
    version_cells,
)


def show_clients(console: Console, document: LoadDocument) -> None:
    """What modelled clients made of a load, and how keys and versions fared beside each other."""
    if document.retries is not None:
        _show_retries(console, document.retries)
    if document.fairness is not None:
        _show_fairness(console, document.fairness)
    if document.versions is not None:
        show_versions(console, document.versions)


def _show_retries(console: Console, report: RetryReport) -> None:
    table = _table("operations of", "n", "ok", "given up", "requests\neach", "ok\np50", "ok\np95")
    several = report.steps if len(report.steps) > 1 else []
    for operations in [*several, report.whole]:
        bold = "bold" if several and operations is report.whole else ""
        table.add_row(*_operations_cells(operations), style=bold)
    console.show("")
    console.show(table)
    for sentence in retry_sentences(report):
        console.show(f"  {sentence}")
    for attempt in report.attempts if len(report.attempts) > 1 else ():
        console.show(f"  {_attempt_words(attempt)}")
    for clients in report.clients:
        console.show(f"  {client_words(clients)}")


def _operations_cells(operations: Operations) -> list[str]:
    count = operations.operations
    return [
        operations.name,
        f"{count:,}",
        part_of(operations.ok, count),
        part_of(gave_up_count(operations), count),
        times_more(operations),
        *time_cells(operations.ok_latency_ms)[:2],
    ]


def _attempt_words(one: Attempt) -> str:
    return f"attempt {one.attempt}: {one.sent:,} sent, {part_of(one.ok, one.completed)} ok"


def _show_fairness(console: Console, fairness: Fairness) -> None:
    console.show("")
    console.show(f"{len(fairness.keys)} keys at once: {index_words(fairness)}")
    console.show(f"  in {where_words(fairness)}")
    for key in fairness.keys:
        console.show(f"  {key_line(key)}")


def show_versions(console: Console, report: VersionReport) -> None:
    """Versions of functions beside each other."""
    table = _table("version", "n", "failed", "cold", "service\np50", "p95", "handler\np95")
    for one in report.versions:
        step, version, *cells = version_cells(one)
        table.add_row(f"{step}, {version}", *cells)
    console.show("")
    console.show(table)
    unknown = unknown_sentence(report)
    for difference in report.differences:
        names, failed, p95 = difference_parts(difference)
        console.show(f"  {names}:")
        console.show(f"    {failed}")
        console.show(f"    {p95}")
    if unknown:
        console.show(f"  {unknown}")


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
