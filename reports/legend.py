"""The legend of a chart: marks with names, in as many rows as the width asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports import svg
from reports.svg import Pixels

ROW_PX = 18.0
_MARK_PX = 22.0
_GAP_PX = 14.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and the drawing of its mark around a centre; `series` as in `svg.of_series`."""

    name: str
    draw: Callable[[Pixels], str]
    series: int | None = None


def arrange(entries: Sequence[Entry], width: float) -> list[list[tuple[float, Entry]]]:
    """Entries with their left edges, row by row."""
    rows: list[list[tuple[float, Entry]]] = []
    x = width
    for entry in entries:
        needed = _MARK_PX + svg.text_width(entry.name)
        if not rows or x + needed > width:
            rows.append([])
            x = 2.0
        rows[-1].append((x, entry))
        x += needed + _GAP_PX
    return rows


def draw_legend(rows: Sequence[Sequence[tuple[float, Entry]]], bottom: float) -> list[str]:
    """The legend with its last baseline a little above `bottom`."""
    drawn = []
    for index, row in enumerate(rows):
        y = bottom - 4 - (len(rows) - 1 - index) * ROW_PX
        for x, entry in row:
            mark, name = entry.draw((x + 8, y - 4)), svg.text((x + _MARK_PX, y), entry.name)
            drawn.append(svg.of_series(entry.series, mark, name))
    return [svg.element("g", {"class": "legend"}, *drawn)] if drawn else []
