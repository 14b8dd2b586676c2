"""A tuning as Markdown, short enough for the step summary of a CI job."""

from __future__ import annotations

from reports.document import TuneDocument
from reports.figures import listed_sizes
from reports.markdown import plain_line, table_lines
from reports.tune_facts import spent_sentence
from reports.tune_findings import cautions, headline, support, tied_sizes, verdict_word
from reports.tune_table import HEADINGS, table_of


def render_tune_markdown(document: TuneDocument) -> str:
    """The verdict line, what supports it, and the table by size."""
    lines = [f"## Memory tuning of {plain_line(document.function.name)}", ""]
    lines += [f"> **{plain_line(caution)}**\n" for caution in cautions(document)]
    lines += [f"**{verdict_word(document)}.** {plain_line(headline(document))}", ""]
    lines += [f"- {plain_line(sentence)}" for sentence in _details(document)]
    lines += ["", *_table(document), "", plain_line(spent_sentence(document))]
    return "\n".join(lines).rstrip() + "\n"


def _details(document: TuneDocument) -> list[str]:
    tied = tied_sizes(document)
    ties = [f"{listed_sizes(tied)} cannot be told apart by these data."] if tied else []
    return [*ties, *support(document), *document.notes]


def _table(document: TuneDocument) -> list[str]:
    names = [
        f"{heading.name}, {heading.unit}" if heading.unit else heading.name for heading in HEADINGS
    ]
    rows = [[*row.cells, ", ".join(row.remarks)] for row in table_of(document)]
    return table_lines([*names, "Remark"], [False] * len(names) + [True], rows)
