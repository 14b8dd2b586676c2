"""Markdown for step summaries and pull requests: texts that stay texts, and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.blocks import Table
from reports.figures import SPACE

# More rows than a reader looks through; the rest is folded away, as far as a summary may grow.
_MOST_ROWS = 20
_MOST_FOLDED_ROWS = 200

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
    """The first rows of a table, the others folded away, and an empty line."""
    names = [column.title for column in table.columns]
    texts = [column.is_text for column in table.columns]
    rows = [row.cells for row in table.rows]
    lines = table_lines(names, texts, rows[:_MOST_ROWS])
    folded = rows[_MOST_ROWS : _MOST_ROWS + _MOST_FOLDED_ROWS]
    if folded:
        more = "1 more row" if len(folded) == 1 else f"{len(folded)} more rows"
        lines += ["", f"<details><summary>{more}</summary>", ""]
        lines += [*table_lines(names, texts, folded), "", "</details>"]
    left_out = len(rows) - _MOST_ROWS - len(folded)
    if left_out > 0:
        lines += ["", f"{left_out:,} more rows are in the document."]
    return [*lines, ""]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(plain_line(cell) for cell in cells) + " |"
