"""The answer of a probe on a terminal, within 80 columns."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from reports.figures import significant, usd
from reports.limits_document import LimitsDocument
from reports.limits_words import (
    answer_words,
    configured_words,
    headline,
    layer_words,
    support,
    took_words,
    verdict_word,
)


def show_limits(console: Console, document: LimitsDocument) -> None:
    """The whole answer: on stdout, or on stderr where stdout carries JSON."""
    console.show(f"{verdict_word(document)}: {headline(document)}")
    for error in document.errors:
        console.show(f"  {error}")
    for sentence in support(document):
        console.show(f"  {sentence}")
    if document.comparisons:
        console.show("")
        console.show(_layers_table(document))
    if document.phases:
        console.show("")
        console.show(_phases_table(document))
    console.show("")
    console.show(took_words(document))
    if document.statuses:
        counts = [f"{status} x {count:,}" for status, count in document.statuses.items()]
        console.show(f"status codes: {', '.join(counts)}")
    spent = document.spent.usd
    cost = "not known" if spent is None else usd(0) if spent == 0 else f"at most {usd(spent)}"
    console.show(f"cost: {cost}")
    for note in document.notes:
        console.show(f"note: {note}")


def _layers_table(document: LimitsDocument) -> Table:
    table = _table("layer")
    table.add_column("configured", overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("what the probe says", overflow="fold")
    for entry in document.comparisons:
        name = entry.name if entry.rate_rps is not None else layer_words(entry.layer)
        table.add_row(
            name,
            configured_words(entry),
            "binds" if entry.binds else "",
            answer_words(entry),
            style="bold" if entry.answer == "disagrees" else "",
        )
    return table


def _phases_table(document: LimitsDocument) -> Table:
    table = _table("phase")
    for heading in ("from s", "for s", "sent/s", "sent", "admitted", "refused", "p95 ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for phase in document.phases:
        length_s = phase.to_s - phase.from_s
        table.add_row(
            phase.name,
            f"{phase.from_s:.1f}",
            f"{length_s:.1f}",
            significant(phase.sent / length_s) if length_s > 0 else "-",
            f"{phase.sent:,}",
            f"{phase.admitted:,}",
            f"{phase.refused:,}",
            "-" if phase.p95_ms is None else significant(phase.p95_ms),
        )
    return table


def _table(first: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    return table
