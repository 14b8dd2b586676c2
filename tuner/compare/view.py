"""A comparison on the terminal, within 80 columns."""

from __future__ import annotations

from core.console import Console
from reports.compare_document import CompareDocument
from reports.compare_findings import (
    compare_headline,
    compare_support,
    compare_title,
    compare_verdict_word,
    difference_sentence,
    nothing_differs,
)
from reports.compare_tables import sizes_table
from tuner.answer_view import show_part


def show_comparison(console: Console, document: CompareDocument) -> None:
    """What differs first, since it may explain all the rest; then the verdict and its figures."""
    before, after = document.before, document.after
    console.show(f"{compare_title(document)}, {before.started_utc} and {after.started_utc}")
    for difference in document.differences:
        console.show(f"  {difference_sentence(difference)}")
    same = nothing_differs(document)
    if same:
        console.show(f"  {same}")
    console.show(f"{compare_verdict_word(document)}: {compare_headline(document)}")
    for sentence in compare_support(document):
        console.show(f"  {sentence}")
    table = sizes_table(document)
    if table is not None:
        show_part(console, table)
    for note in document.notes:
        console.show(f"note: {note}")
