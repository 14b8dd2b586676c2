"""Where the time of a load run goes, and its cold starts, as Markdown."""

from __future__ import annotations

from reports.load_document import LoadDocument
from reports.markdown import plain_line, short_table
from reports.waterfall_tables import parts_table
from reports.waterfall_words import cold_sentences, finding


def time_lines(document: LoadDocument) -> list[str]:
    """A sentence, the parts, how many requests they are of, and what cold starts cost."""
    lines: list[str] = []
    if document.waterfall is not None:
        table = parts_table(document.waterfall)
        lines += [plain_line(finding(document.waterfall)), "", *short_table(table)]
        lines += [*(f"- {plain_line(note)}" for note in table.notes), ""]
    if document.cold_starts is not None:
        lines += [plain_line(" ".join(cold_sentences(document.cold_starts))), ""]
    return lines
