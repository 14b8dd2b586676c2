"""Bars of stacked parts: what a few totals are made of, each bar as long as the others.

Shares, not lengths, are what bars are compared by: totals may differ a hundredfold and stand in
words above them. A name stands under each part that has the room for it, and in the legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports import svg
from reports.frame import Canvas, root
from reports.hatch import Fill, paint, patterns, swatch
from reports.legend import ROW_PX, Entry, arrange, draw_legend

# As wide as the charts over time; their height follows from bars and legend.
FULL = Canvas(1116, 0, "c-full")
MIDDLE = Canvas(700, 0, "c-middle", hidden=True)
SMALL = Canvas(344, 0, "c-small", hidden=True)

_TITLE_PX = 18.0
_BAR_PX = 28.0
_NAMES_PX = 18.0
_BETWEEN_PX = 14.0
_ABOVE_LEGEND_PX = 6.0
_SIDE_PX = 2.0
_GAP_PX = 1.0  # the ground between two parts, which tells them apart without colour
_LEAST_PX = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: its size, how it looks, and what it says when pointed at."""

    name: str
    size: float
    fill: Fill
    hover: str


@dataclass(frozen=True, slots=True)
class Bar:
    """What is made of parts, in the order in which they stand."""

    title: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class PartsChart:
    """All that a chart shows; `finding` says it in words for those who do not see it.

    `order` has the names of all parts, as the legend lists those that are there.
    """

    title: str
    finding: str
    bars: Sequence[Bar]
    order: Sequence[str]


def draw_parts_chart(chart: PartsChart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    fills = _fills(chart)
    entries = [_entry(name, fill, identifier) for name, fill in fills.items()]
    legend = arrange(entries, canvas.width)
    bar_px = _TITLE_PX + _BAR_PX + _NAMES_PX
    height = len(chart.bars) * (bar_px + _BETWEEN_PX) + _ABOVE_LEGEND_PX + len(legend) * ROW_PX
    canvas = replace(canvas, height=round(height))
    drawn = patterns(fills.values(), identifier)
    for index, bar in enumerate(chart.bars):
        drawn += _bar(bar, index * (bar_px + _BETWEEN_PX), canvas.width, identifier)
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *drawn,
        *draw_legend(legend, canvas.height),
    )


def _fills(chart: PartsChart) -> dict[str, Fill]:
    """How each part that takes any room looks, in the order of the legend."""
    found = {piece.name: piece.fill for bar in chart.bars for piece in bar.pieces if piece.size > 0}
    return {name: found[name] for name in chart.order if name in found}


def _entry(name: str, fill: Fill, identifier: str) -> Entry:
    return Entry(name, lambda centre: swatch(fill, identifier, centre))


def _bar(bar: Bar, top: float, width: float, identifier: str) -> list[str]:
    drawn = [svg.text((_SIDE_PX, top + 13), bar.title, fill=svg.INK, css="c-text c-strong")]
    total = sum(piece.size for piece in bar.pieces)
    room = width - 2 * _SIDE_PX
    x = _SIDE_PX
    for piece in bar.pieces:
        length = room * piece.size / total if total > 0 else 0.0
        if length >= _LEAST_PX:
            drawn.append(_piece(piece, (x, top + _TITLE_PX), length, identifier))
            if svg.text_width(piece.name) + 6 <= length:
                place = (x + length / 2, top + _TITLE_PX + _BAR_PX + 14)
                drawn.append(svg.text(place, piece.name, anchor="middle"))
        x += length
    return drawn


def _piece(piece: Piece, at: svg.Pixels, length: float, identifier: str) -> str:
    box: dict[str, str | float] = {
        "x": at[0],
        "y": at[1],
        "width": max(length - _GAP_PX, _LEAST_PX),
        "height": _BAR_PX,
    }
    return svg.titled(piece.hover, svg.element("rect", {**box, **paint(piece.fill, identifier)}))
