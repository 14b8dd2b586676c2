"""Markdown for step summaries and pull requests: texts that stay texts, and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.blocks import Table
from reports.figures import SPACE

# A summary that is too long is cut off by those who show it.
_MOST_ROWS = 20

# What would start markup, a link, an HTML tag, a mention or a new cell.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&$])")


def plain_line(content: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(content.replace(SPACE, " ").split()))


def table_lines(
    names: Sequence[str], texts: Sequence[bool], rows: Sequence[Sequence[str]]
) -> list[str]:
    """A table; columns that are no text stand right."""
    rule = "|" + "".join("---|" if is_text else "---:|" for is_text in texts)
    return [_row(names), rule, *(_row(cells) for cells in rows)]


def short_table(table: Table) -> list[str]:
    """The first rows of a table, how many more there are, and an empty line."""
    shown = [row.cells for row in table.rows[:_MOST_ROWS]]
    names = [column.title for column in table.columns]
    lines = table_lines(names, [column.is_text for column in table.columns], shown)
    hidden = len(table.rows) - len(shown)
    return [*lines, *(["", f"{hidden} more rows are in the document."] if hidden else []), ""]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(plain_line(cell) for cell in cells) + " |"
