"""How a long section is laid out: named parts with panels in rows, and links to the parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.blocks import Table
from reports.figure import Figure


@dataclass(frozen=True, slots=True)
class Panel:
    """What answers one question: a chart, a table, or text under a title of its own."""

    figure: Figure | None = None
    table: Table | None = None
    title: str = ""
    sentences: Sequence[str] = ()
    points: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One panel over the whole width, or two beside each other."""

    panels: Sequence[Panel]
    css: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Panels of one subject under a heading, which links of the section lead to."""

    anchor: str
    title: str
    rows: Sequence[Row]


def part(anchor: str, slug: str, title: str, rows: Sequence[Row | None]) -> Part:
    """A part without the rows that the data lack."""
    return Part(f"{anchor}-{slug}", title, [row for row in rows if row is not None])


def shown(parts: Sequence[Part]) -> list[Part]:
    """The parts that have anything in them."""
    return [one for one in parts if one.rows]


def figure_row(figure: Figure | None) -> Row | None:
    """A chart over the whole width, if there is one."""
    return None if figure is None else Row([Panel(figure=figure)], "timelines")


def table_row(table: Table | None, help_text: str = "") -> Row | None:
    """A table over the whole width, if there is one."""
    if table is None:
        return None
    return Row([Panel(table=table, sentences=[help_text] if help_text else [])])


def beside(*panels: Panel | None, css: str = "") -> Row | None:
    """Panels beside each other; one alone has the width to itself."""
    known = [panel for panel in panels if panel is not None]
    return Row(known, css) if known else None
