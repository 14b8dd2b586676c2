"""A comparison of two load runs on a terminal, within 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.compare_findings import difference_sentence
from reports.figures import ABSENT, SPACE
from reports.load_compare_document import ComparedPart, LoadCompareDocument
from reports.load_compare_figures import (
    METRIC_WORDS,
    blocks_words,
    interval_numbers,
    signed_words,
    value_words,
    verdict_words,
)
from reports.load_compare_tables import marks_help, matrix_cell
from reports.load_compare_words import (
    headline,
    notes_of,
    support,
    title,
    validity_line,
    verdict_word,
    when,
)

if TYPE_CHECKING:
    from rich.table import Table

    from core.console import Console

_NARROW = (("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("throttled", "throt-\ntled"),
           ("failed", "failed"), ("admitted", "admit-\nted"))  # fmt: skip
_STEP_COLUMNS = 22


def show_load_comparison(console: Console, document: LoadCompareDocument) -> None:
    """Validity and what differs first, since they may explain all the rest; then the figures."""
    console.show(f"{title(document)}: {when(document)}")
    console.show(validity_line(document))
    for difference in document.differences:
        console.show(f"  {difference_sentence(difference)}")
    for line in document.profile_changes:
        console.show_lines(f"    {line}"[:80])
    console.show(f"{verdict_word(document)}: {headline(document)}")
    for sentence in support(document):
        console.show(f"  {sentence}")
    if document.parts:
        console.show("")
        console.show(_whole_table(document.parts[0]))
        for change in document.parts[0].changes:
            if differing := blocks_words(change):
                console.show(f"{METRIC_WORDS[change.metric]}: {differing}")
        if len(document.parts) > 1:
            console.show(_steps_table(document))
        console.show(marks_help(document))
    for note in notes_of(document):
        console.show(f"note: {note}")


def _new_table() -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)


def _whole_table(part: ComparedPart) -> Table:
    table = _new_table()
    table.add_column("the whole run", no_wrap=True)
    for name in ("baseline", "newer run", "change", f"95{SPACE}% interval\nby blocks"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for change in part.changes:
        table.add_row(
            METRIC_WORDS[change.metric],
            value_words(change, change.before),
            value_words(change, change.after),
            ABSENT if change.change is None else signed_words(change),
            ABSENT if change.interval is None else interval_numbers(change),
            verdict_words(change),
        )
    return table


def _steps_table(document: LoadCompareDocument) -> Table:
    table = _new_table()
    table.add_column("step", overflow="ellipsis", no_wrap=True, max_width=_STEP_COLUMNS)
    for _, heading in _NARROW:
        table.add_column(heading, justify="right", no_wrap=True)
    for part in document.parts[1:]:
        table.add_row(part.name, *(matrix_cell(part, metric) for metric, _ in _NARROW))
    return table
