"""Fills that tell areas apart without colour: a tone, and lines or dots on it.

A pattern lives in the drawing that uses it, so its id carries that of the drawing. Two fills of a
drawing may share a hatch, so it carries the tone as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reports import svg
from reports.svg import Pixels

Hatch = Literal[
    "solid", "rising", "falling", "level", "upright", "cross", "dots", "dashes", "zigzag"
]

# Paths in a tile of `_TILE_PX`; diagonals run over its corners, so that tiles join.
_TILE_PX = 6
_PATHS = {
    "rising": "M-1 1l2 -2M0 6l6 -6M5 7l2 -2",
    "falling": "M-1 5l2 2M0 0l6 6M5 -1l2 2",
    "level": "M0 1.5h6M0 4.5h6",
    "upright": "M1.5 0v6M4.5 0v6",
    "cross": "M0 1.5h6M1.5 0v6",
    "dots": "M0.5 1.5h1.6M3.5 4.5h1.6",
    "dashes": "M0 1.5h4M3 4.5h3",
    "zigzag": "M-0.5 4.5l0.5 0.5l3 -4l3 4l0.5 -0.5",
}
_WIDTHS_PX = {"dots": 1.6}
_LINE_PX = 1.1


@dataclass(frozen=True, slots=True)
class Fill:
    """How an area looks: its tone, and the hatch on it."""

    css: str
    colour: str
    line: str = svg.INK
    hatch: Hatch = "solid"


# INIT, wherever it is drawn: a failure has the same tone, and no hatch.
INIT_FILL = Fill("c-broken", svg.FAILED, svg.GROUND, "rising")


def patterns(fills: Iterable[Fill], identifier: str) -> list[str]:
    """The definitions that `paint` refers to, each once; none where all fills are solid."""
    hatched = [fill for fill in dict.fromkeys(fills) if fill.hatch != "solid"]
    written = [_pattern(fill, identifier) for fill in hatched]
    return [svg.element("defs", {}, *written)] if written else []


def _pattern(fill: Fill, identifier: str) -> str:
    size = {"width": _TILE_PX, "height": _TILE_PX}
    lines: dict[str, str | float] = {
        "d": _PATHS[fill.hatch],
        "class": f"{fill.css}-line",
        "fill": "none",
        "stroke": fill.line,
        "stroke-width": _WIDTHS_PX.get(fill.hatch, _LINE_PX),
    }
    return svg.element(
        "pattern",
        {"id": _name(fill, identifier), **size, "patternUnits": "userSpaceOnUse"},
        svg.element("rect", {**size, "class": fill.css, "fill": fill.colour}),
        svg.element("path", lines),
    )


def _name(fill: Fill, identifier: str) -> str:
    return f"{identifier}-{fill.css.removeprefix('c-')}-{fill.hatch}"


def paint(fill: Fill, identifier: str) -> dict[str, str | float]:
    """The attributes of an element that is filled so."""
    if fill.hatch == "solid":
        return {"class": fill.css, "fill": fill.colour}
    return {"fill": f"url(#{_name(fill, identifier)})"}


def swatch(fill: Fill, identifier: str, centre: Pixels) -> str:
    """A small piece of the fill, for a legend."""
    x, y = centre
    box: dict[str, str | float] = {"x": x - 8, "y": y - 5.5, "width": 16, "height": 11}
    return svg.element("rect", {**box, **paint(fill, identifier)})
