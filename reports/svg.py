"""SVG as strings: elements, markers, error bars, bands, and labels that do not collide.

Colours and strokes are presentation attributes, because some CI servers (Jenkins) serve pages
under a policy without inline CSS; classes let a style sheet override them for the dark. Text is
always escaped. Numbers have one decimal, so the same values give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import combinations, product
from typing import Literal

Marker = Literal["circle", "square", "diamond", "cross"]
Pixels = tuple[float, float]
Mark = Callable[[Pixels], str]

FONT_PX = 12.0
# Mean width of a character in the system's sans-serif faces, in parts of the font size. Generous,
# because a label that is thought too wide only moves, while one thought too narrow collides.
_CHARACTER_SHARE = 0.58

# Between two labels of one row.
_GAP_PX = 4.0

# The look without a style sheet; `assets/page.css` overrides it by class.
INK = "#1f2328"
MUTED = "#59636e"
GROUND = "#ffffff"
GRID = "#e3e6ea"
AXIS = "#8c959f"
DATA = "#0b5cad"
RECOMMENDED = "#0f6b4f"
CURRENT = "#9a4a00"
FAILED = "#a8201a"
ADMITTED = "#a9cbea"
REFUSED = "#f6cf94"
REFUSED_LINE = "#8a4b00"
UNNAMED = "#d3d8de"
PHASE = "#f6f7f9"
OTHER_PHASE = "#eceef1"


def number(value: float) -> str:
    """Pixels with at most one decimal: 12.5, 12, never -0."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def element(name: str, attributes: Mapping[str, str | float], *children: str) -> str:
    """One element; attribute values are escaped, children are markup already."""
    written = "".join(
        f' {key}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


def text_width(text: str, font_px: float = FONT_PX) -> float:
    """About how wide `text` is drawn, in pixels."""
    return len(text) * font_px * _CHARACTER_SHARE


def text(
    at: Pixels,
    content: str,
    *,
    anchor: Literal["start", "middle", "end"] = "start",
    fill: str = MUTED,
    css: str = "c-text",
    halo: bool = False,
) -> str:
    """Escaped text with its baseline at `at`; a halo keeps it readable on top of lines."""
    attributes: dict[str, str | float] = {"x": at[0], "y": at[1], "class": css, "fill": fill}
    if anchor != "start":
        attributes["text-anchor"] = anchor
    if halo:
        attributes |= {"stroke": GROUND, "stroke-width": 4, "paint-order": "stroke"}
    return element("text", attributes, escape(content))


def line(start: Pixels, end: Pixels, css: str, stroke: str, width: float, dash: str = "") -> str:
    """A straight line."""
    attributes: dict[str, str | float] = {
        "x1": start[0],
        "y1": start[1],
        "x2": end[0],
        "y2": end[1],
        "class": css,
        "stroke": stroke,
        "stroke-width": width,
    }
    if dash:
        attributes["stroke-dasharray"] = dash
    return element("line", attributes)


def polyline(points: Sequence[Pixels], css: str, stroke: str, width: float, dash: str = "") -> str:
    """A line through all `points`."""
    attributes: dict[str, str | float] = {
        "points": _points(points),
        "class": css,
        "fill": "none",
        "stroke": stroke,
        "stroke-width": width,
        "stroke-linejoin": "round",
    }
    if dash:
        attributes["stroke-dasharray"] = dash
    return element("polyline", attributes)


def path(commands: str, css: str, stroke: str, width: float, dash: str = "") -> str:
    """A line along path commands."""
    attributes: dict[str, str | float] = {
        "d": commands,
        "class": css,
        "fill": "none",
        "stroke": stroke,
        "stroke-width": width,
    }
    if dash:
        attributes["stroke-dasharray"] = dash
    return element("path", attributes)


def band(lower: Sequence[Pixels], upper: Sequence[Pixels], css: str, fill: str) -> str:
    """The area between two lines."""
    return element(
        "polygon", {"points": _points([*lower, *reversed(upper)]), **_see_through(css, fill)}
    )


def band_path(commands: str, css: str, fill: str) -> str:
    """The area inside of path commands, looking like a band."""
    return element("path", {"d": commands, **_see_through(css, fill)})


def _see_through(css: str, fill: str) -> dict[str, str | float]:
    return {"class": css, "fill": fill, "fill-opacity": "0.15"}


def _points(points: Sequence[Pixels]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def error_bar(x: float, low_y: float, high_y: float, css: str, stroke: str) -> str:
    """A vertical interval with caps."""
    path = f"M{number(x)} {number(low_y)}V{number(high_y)}"
    caps = "".join(f"M{number(x - 3.5)} {number(y)}h7" for y in (low_y, high_y))
    return element(
        "path",
        {"d": path + caps, "class": css, "stroke": stroke, "stroke-width": 1.5, "fill": "none"},
    )


def marker(shape: Marker, at: Pixels, css: str, colour: str, radius: float = 4.0) -> str:
    """A mark whose shape tells its series apart without colour."""
    x, y = at
    if shape == "circle":
        return element(
            "circle", {"cx": x, "cy": y, "r": radius, "class": f"{css} c-fill", "fill": colour}
        )
    if shape == "cross":
        near, far = number(-2 * radius), number(2 * radius)
        path = f"M{number(x - radius)} {number(y - radius)}l{far} {far}m0 {near}l{near} {far}"
        return element(
            "path", {"d": path, "class": css, "stroke": colour, "stroke-width": 2, "fill": "none"}
        )
    corners = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    }[shape]
    points = [(x + dx * radius, y + dy * radius) for dx, dy in corners]
    return element("polygon", {"points": _points(points), "class": f"{css} c-fill", "fill": colour})


def ring(at: Pixels, css: str, stroke: str, radius: float = 8.0) -> str:
    """A circle around a mark that stands out."""
    return element(
        "circle",
        {
            "cx": at[0],
            "cy": at[1],
            "r": radius,
            "class": css,
            "fill": "none",
            "stroke": stroke,
            "stroke-width": 2,
        },
    )


def titled(content: str, *drawn: str) -> str:
    """A group that shows `content` when pointed at, with no script."""
    return element("g", {}, element("title", {}, escape(content)), *drawn)


def stretched(*drawn: str) -> str:
    """Lines and areas: when a reader zooms, they are scaled along the horizontal axis."""
    return element("g", {"class": "stretch"}, *drawn) if any(drawn) else ""


def pinned(
    x: float,
    *drawn: str,
    title: str = "",
    series: int | None = None,
    span: tuple[float, float] | None = None,
) -> str:
    """Marks, rules and labels that belong to `x`: when a reader zooms, they move as they are.

    A `title` shows when pointed at, with no script; `series` as in `of_series`. The name of a
    `span` keeps to the middle of what is seen of it.
    """
    # Finer than what is drawn: zoom multiplies it.
    attributes: dict[str, str | float] = {"data-at": f"{x:.3f}".rstrip("0").removesuffix(".")}
    if series is not None:
        attributes["data-series"] = str(series)
    if span is not None:
        attributes["data-span"] = " ".join(number(edge) for edge in span)
    named = [element("title", {}, escape(title))] if title else []
    return element("g", attributes, *named, *drawn)


def of_series(index: int | None, *drawn: str) -> str:
    """What belongs to one series, by its column in the chart's data table: a reader can hide it.

    The row's name is column 0, so series count from 1; None can not be hidden.
    """
    content = "".join(drawn)
    if index is None or not content:
        return content
    return element("g", {"data-series": str(index)}, content)


@dataclass(frozen=True, slots=True)
class Flag:
    """A label beside a vertical rule: which row above the plot, and on which side."""

    row: int
    anchor: Literal["start", "end"]
    left: float
    right: float

    @property
    def text_x(self) -> float:
        """Where its letters begin, or end: a gap away from its rule."""
        return self.left + 5 if self.anchor == "start" else self.right - 5


def place_flags(labels: Sequence[tuple[float, str]], left: float, right: float) -> list[Flag]:
    """Where the labels of vertical rules go, row 0 next to the plot, so that none touch.

    A rule rises to its label, so a label also keeps clear of rules that end in rows above it. All
    placements are tried, for there are few rules: the lowest rows win, then the right-hand side.
    """
    rows = range(len(labels))
    choices = [
        [flag for row in rows for flag in _sides(x, row, _label_width(content), left, right)]
        for x, content in labels
    ]
    xs = [x for x, _ in labels]
    return list(min(product(*choices), key=lambda flags: _badness(xs, list(flags))))


def _label_width(content: str) -> float:
    # Labels are semibold, which is wider, and stand a little off their rule.
    return text_width(content) * 1.15 + 8


def _sides(x: float, row: int, width: float, left: float, right: float) -> list[Flag]:
    both = [Flag(row, "start", x, x + width), Flag(row, "end", x - width, x)]
    inside = [flag for flag in both if flag.left >= left and flag.right <= right]
    # Where neither side has room, the label lies across its own rule.
    across = max(left, min(x, right - width))
    return inside or [Flag(row, "start", across, across + width)]


def _badness(xs: Sequence[float], flags: Sequence[Flag]) -> tuple[int, int, int, int]:
    pairs = list(combinations(zip(xs, flags, strict=True), 2))
    overlaps = sum(_overlap(one, other) for (_, one), (_, other) in pairs)
    # Worse than a higher row, but readable: labels have a halo.
    crossings = sum(_crosses(*one, *other) for one, other in pairs)
    to_the_left = sum(flag.anchor == "end" for flag in flags)
    return overlaps, crossings, sum(flag.row for flag in flags), to_the_left


def _overlap(one: Flag, other: Flag) -> bool:
    beside = one.right + _GAP_PX <= other.left or other.right + _GAP_PX <= one.left
    return one.row == other.row and not beside


def _crosses(x: float, flag: Flag, other_x: float, other: Flag) -> bool:
    """Whether the rule of the upper label runs through the lower one."""
    if flag.row == other.row:
        return False
    upper_x, lower = (x, other) if flag.row > other.row else (other_x, flag)
    return lower.left - _GAP_PX < upper_x < lower.right + _GAP_PX


def spaced_labels(
    wanted: Sequence[tuple[float, str]], first: Sequence[int] = (), gap: float = 8.0
) -> set[int]:
    """Indices of the tick labels that fit beside each other; those in `first` are asked first."""
    chosen: dict[int, tuple[float, float]] = {}
    for index in [*first, *range(len(wanted))]:
        x, content = wanted[index]
        half = text_width(content) / 2
        box = (x - half, x + half)
        clear = all(box[1] + gap <= low or high + gap <= box[0] for low, high in chosen.values())
        if index not in chosen and clear:
            chosen[index] = box
    return set(chosen)
