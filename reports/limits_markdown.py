"""A probe of limits as Markdown, short enough for the step summary of a CI job."""

from __future__ import annotations

from reports.limits_document import LimitsDocument
from reports.limits_tables import guards_table, layers_table, phases_table
from reports.limits_words import headline, support, took_words, verdict_word
from reports.markdown import plain_line, short_table


def render_limits_markdown(document: LimitsDocument) -> str:
    """The finding, what supports it, what is configured, and what it took."""
    lines = [f"## {plain_line(f'Limits of {document.name}')}", ""]
    lines += [f"**{verdict_word(document)}.** {plain_line(headline(document))}", ""]
    said = [*document.errors, *support(document), took_words(document), *document.notes]
    lines += [f"- {plain_line(sentence)}" for sentence in said]
    lines.append("")
    for table in (layers_table(document), phases_table(document), guards_table(document)):
        if table is not None:
            lines += [f"### {table.title}", "", *short_table(table)]
            lines += [plain_line(table.help), ""] if table.help else []
    return "\n".join(lines).rstrip() + "\n"
