"""What pages are built from besides figures: tiles and tables, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure: its value, what it was before where that is of interest, and a remark."""

    name: str
    before: str | None
    after: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and its unit, if it has one; texts stand left and may wrap."""

    name: str
    unit: str = ""
    is_text: bool = False

    @property
    def title(self) -> str:
        """The name with its unit, on one line."""
        return f"{self.name}, {self.unit}" if self.unit else self.name


@dataclass(frozen=True, slots=True)
class TableRow:
    """Cells in the order of the columns; the first names the row."""

    cells: Sequence[str]
    css: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what it is called; `lead` stands above it, `help` and `notes` under it."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[TableRow]
    help: str = ""
    lead: str = ""
    notes: Sequence[str] = ()
