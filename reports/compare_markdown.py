"""A comparison of two tunings as Markdown, short enough for the step summary of a CI job."""

from __future__ import annotations

from reports.compare_document import CompareDocument
from reports.compare_findings import (
    compare_headline,
    compare_support,
    compare_title,
    compare_verdict_word,
    nothing_differs,
)
from reports.compare_tables import differences_table, sizes_table
from reports.markdown import plain_line, short_table


def render_compare_markdown(document: CompareDocument) -> str:
    """The verdict line, what supports it, what else differs, and the table by size."""
    lines = [f"## {plain_line(compare_title(document))}", ""]
    lines += [
        f"**{compare_verdict_word(document)}.** {plain_line(compare_headline(document))}",
        "",
    ]
    said = [*compare_support(document), *document.notes]
    lines += [f"- {plain_line(sentence)}" for sentence in said]
    lines.append("")
    for table in (differences_table(document.differences), sizes_table(document)):
        if table is not None:
            lines += [f"### {table.title}", "", *short_table(table)]
            lines += [plain_line(table.help), ""] if table.help else []
    lines.append(plain_line(nothing_differs(document)))
    return "\n".join(lines).rstrip() + "\n"
