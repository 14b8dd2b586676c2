"""A tuning as Markdown, short enough for the step summary of a CI job."""

from __future__ import annotations

import re

from reports.document import TuneDocument
from reports.figures import SPACE, listed_sizes
from reports.tune_facts import spent_sentence
from reports.tune_findings import cautions, headline, support, tied_sizes, verdict_word
from reports.tune_table import HEADINGS, table_of

# What would start markup, a link, an HTML tag, a mention or a new cell.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&$])")


def render_tune_markdown(document: TuneDocument) -> str:
    """The verdict line, what supports it, and the table by size."""
    lines = [f"## Memory tuning of {_plain(document.function.name)}", ""]
    lines += [f"> **{_plain(caution)}**\n" for caution in cautions(document)]
    lines += [f"**{verdict_word(document)}.** {_plain(headline(document))}", ""]
    lines += [f"- {_plain(sentence)}" for sentence in _details(document)]
    lines += ["", *_table(document), "", _plain(spent_sentence(document))]
    return "\n".join(lines).rstrip() + "\n"


def _details(document: TuneDocument) -> list[str]:
    tied = tied_sizes(document)
    ties = [f"{listed_sizes(tied)} cannot be told apart by these data."] if tied else []
    return [*ties, *support(document), *document.notes]


def _table(document: TuneDocument) -> list[str]:
    names = [
        f"{heading.name}, {heading.unit}" if heading.unit else heading.name for heading in HEADINGS
    ]
    head = ["| " + " | ".join([*names, "Remark"]) + " |", "|" + "---:|" * len(names) + "---|"]
    return head + [
        "| " + " | ".join([*row.cells, _plain(", ".join(row.remarks))]) + " |"
        for row in table_of(document)
    ]


def _plain(content: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(content.replace(SPACE, " ").split()))
