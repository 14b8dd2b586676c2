"""Several tunings as Markdown: the summary, then each of them."""

from __future__ import annotations

from reports.figures import closed
from reports.markdown import plain_line, short_table
from reports.several_document import SeveralDocument
from reports.several_tables import several_title, summary_table, together, unmeasured
from reports.tune_markdown import render_tune_markdown


def render_several_markdown(document: SeveralDocument) -> str:
    """The table of all functions, why some were not measured, and the tunings."""
    lines = [f"# {several_title(document)}", "", *short_table(summary_table(document))]
    lines += [
        f"- {plain_line(f'{name}: {word}: {reason}')}"
        for name, word, reason in unmeasured(document)
    ]
    lines += [f"- {plain_line(note)}" for note in document.notes]
    lines += ["", plain_line(closed(together(document)))]
    parts = ["\n".join(lines).rstrip() + "\n"]
    parts += [
        render_tune_markdown(result.document)
        for result in document.functions
        if result.document is not None
    ]
    return "\n".join(parts)
