"""A tuning as Markdown, short enough for the step summary of a CI job."""

from __future__ import annotations

from reports.blocks import Table
from reports.document import TuneDocument
from reports.markdown import plain_line, short_table
from reports.tune_facts import spent_sentence
from reports.tune_findings import cautions, headline, support, verdict_word
from reports.tune_next import next_step
from reports.tune_parts import tables_of
from reports.tune_table import sizes_table
from reports.tune_ties import ties_sentence
from reports.tune_validity import validity_line


def render_tune_markdown(document: TuneDocument) -> str:
    """The verdict line, what supports it, the table by size, and those that only some runs have."""
    lines = [f"## Memory tuning of {plain_line(document.function.name)}", ""]
    lines += [f"> **{plain_line(caution)}**\n" for caution in cautions(document)]
    lines += [f"**{verdict_word(document)}.** {plain_line(headline(document))}", ""]
    lines += [f"- {plain_line(sentence)}" for sentence in _details(document)]
    lines += ["", *short_table(sizes_table(document))]
    for table in tables_of(document):
        lines += _part(table)
    lines.append(plain_line(spent_sentence(document)))
    return "\n".join(lines).rstrip() + "\n"


def _details(document: TuneDocument) -> list[str]:
    ties = ties_sentence(document)
    told = [validity_line(document), *([ties] if ties else []), *support(document)]
    return [*told, next_step(document), *document.notes]


def _part(table: Table) -> list[str]:
    lead = [plain_line(table.lead), ""] if table.lead else []
    help_text = [plain_line(table.help), ""] if table.help else []
    notes = [*(f"- {plain_line(note)}" for note in table.notes), ""] if table.notes else []
    title = f"### {plain_line(table.title)}"
    return [title, "", *lead, *short_table(table), *help_text, *notes]
