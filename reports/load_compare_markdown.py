"""A comparison of two load runs as Markdown, short enough for the step summary of a CI job."""

from __future__ import annotations

from reports.load_compare_document import LoadCompareDocument
from reports.load_compare_tables import changes_table, differences_table, steps_table
from reports.load_compare_words import (
    headline,
    notes_of,
    support,
    title,
    validity_line,
    verdict_word,
    when,
)
from reports.markdown import plain_line, short_table


def render_load_compare_markdown(document: LoadCompareDocument) -> str:
    """Verdict, validity, what supports it, what else differs, and the tables."""
    lines = [
        f"## {plain_line(title(document))}",
        "",
        f"**{verdict_word(document)}.** {plain_line(headline(document))}",
        "",
        plain_line(validity_line(document)),
        "",
        *(f"- {plain_line(sentence)}" for sentence in support(document)),
        "",
    ]
    tables = (differences_table(document), steps_table(document), changes_table(document))
    for table in tables:
        if table is not None:
            lines += [f"### {table.title}", "", *short_table(table)]
            lines += [plain_line(table.help), ""] if table.help else []
    lines += [f"- {plain_line(note)}" for note in notes_of(document)]
    lines += ["", plain_line(when(document))]
    return "\n".join(lines).rstrip() + "\n"
