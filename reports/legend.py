"""The legend of a chart: marks with names, in as many rows as the width asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports import svg
from reports.svg import Mark, Pixels

ROW_PX = 18.0
_MARK_PX = 22.0
_GAP_PX = 16.0
# Shares of the size of the letters, of a wide font (DejaVu Sans), so that names stand at even gaps.
_NARROW, _WIDE = " ijl.,:;'|I", "mwMW%@"
_NARROW_SHARE, _SLIM_SHARE, _WIDE_SHARE = 0.32, 0.42, 0.96
_SLIM = "tfr()-/"
_CAPITAL_SHARE, _SHARE = 0.75, 0.64


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and the drawing of its mark around a centre; `series` as in `svg.of_series`."""

    name: str
    draw: Callable[[Pixels], str]
    series: int | None = None


def stroke(css: str, colour: str, width: float, dash: str = "") -> Mark:
    """The mark of a line: a piece of it."""

    def draw(centre: Pixels) -> str:
        x, y = centre
        return svg.line((x - 9, y), (x + 9, y), css, colour, width, dash)

    return draw


def arrange(entries: Sequence[Entry], width: float) -> list[list[tuple[float, Entry]]]:
    """Entries with their left edges, row by row."""
    rows: list[list[tuple[float, Entry]]] = []
    x = width
    for entry in entries:
        needed = _MARK_PX + _name_px(entry.name)
        if not rows or x + needed > width:
            rows.append([])
            x = 2.0
        rows[-1].append((x, entry))
        x += needed + _GAP_PX
    return rows


def _name_px(name: str) -> float:
    """How wide a name is drawn at most, letter by letter: a row of them shows each error."""
    return svg.FONT_PX * sum(_share(letter) for letter in name)


def _share(letter: str) -> float:
    if letter in _NARROW:
        return _NARROW_SHARE
    if letter in _SLIM:
        return _SLIM_SHARE
    return _WIDE_SHARE if letter in _WIDE else _CAPITAL_SHARE if letter.isupper() else _SHARE


def draw_legend(rows: Sequence[Sequence[tuple[float, Entry]]], bottom: float) -> list[str]:
    """The legend with its last baseline a little above `bottom`."""
    drawn = []
    for index, row in enumerate(rows):
        y = bottom - 4 - (len(rows) - 1 - index) * ROW_PX
        for x, entry in row:
            mark, name = entry.draw((x + 8, y - 4)), svg.text((x + _MARK_PX, y), entry.name)
            drawn.append(svg.of_series(entry.series, mark, name))
    return [svg.element("g", {"class": "legend"}, *drawn)] if drawn else []
