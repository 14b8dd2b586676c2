"""A comparison of two probes of limits as text: on a terminal within 80 columns, and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.compare_findings import difference_sentence
from reports.limits_compare_document import LimitsCompareDocument
from reports.limits_compare_page import validity_line
from reports.limits_compare_words import (
    compared_table,
    differences_table,
    headline,
    notes_of,
    title,
    verdict_word,
)
from reports.markdown import plain_line, short_table

if TYPE_CHECKING:
    from core.console import Console


def show_limits_comparison(console: Console, document: LimitsCompareDocument) -> None:
    """What differs first, then the verdict and what both found."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console.show(title(document))
    console.show(validity_line(document))
    for found in document.differences:
        console.show(f"  {difference_sentence(found)}")
    console.show(f"{verdict_word(document)}: {headline(document)}")
    shown = compared_table(document)
    if shown is not None:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
        for column in shown.columns:
            table.add_column(column.name.lower(), overflow="fold")
        for row in shown.rows:
            table.add_row(*row.cells)
        console.show(table)
        console.show(shown.help)
    for note in notes_of(document):
        console.show(f"note: {note}")


def render_limits_compare_markdown(document: LimitsCompareDocument) -> str:
    """The verdict line, how both ended, and the tables."""
    lines = [
        f"## {plain_line(title(document))}",
        "",
        f"**{verdict_word(document)}.** {plain_line(headline(document))}",
        "",
        plain_line(validity_line(document)),
        "",
    ]
    for table in (compared_table(document), differences_table(document)):
        if table is not None:
            lines += [f"### {table.title}", "", *short_table(table)]
            lines += [plain_line(table.help), ""] if table.help else []
    lines += [f"- {plain_line(note)}" for note in notes_of(document)]
    return "\n".join(lines).rstrip() + "\n"
