"""Markdown for step summaries and pull requests: texts that stay texts, and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.figures import SPACE

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


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(plain_line(cell) for cell in cells) + " |"
