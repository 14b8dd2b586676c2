"""What a figure draws, as values: for those who draw it again where no SVG can be shown.

Values come from the table under the chart; its axes, and what is a line, an area, a point or a
rule, are read off the drawing, which says so for the page's script as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal
from xml.etree import ElementTree  # reads what `reports.svg` drew, and nothing else

from reports import frame, svg
from reports.figure import Data, Figure
from reports.figures import MINUS
from reports.frame import Axis
from reports.palette import light_names

Look = Literal["line", "points", "area", "bars"]

_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTERVAL = re.compile(r"(\S+) to (\S+)")


@dataclass(frozen=True, slots=True)
class Series:
    """One column of the data: a value or none for each row; `spans` are intervals around points.

    `colour` is its name in the style sheet.
    """

    name: str
    values: Sequence[float | None]
    look: Look
    colour: str
    spans: Sequence[tuple[float, float] | None] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A vertical line at a place, and what it marks."""

    x: float
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure without its drawing; without axes its rows are bars.

    Where rows are no places of the horizontal axis (sizes on an axis of durations), they have names
    of their own.
    """

    title: str
    finding: str
    x_name: str
    y_name: str
    row_names: Sequence[str]
    rows_are_places: bool
    unit: str
    xs: Sequence[float | None]
    x: Axis | None
    y: Axis | None
    steps: bool
    series: Sequence[Series]
    rules: Sequence[Rule] = ()


def plot_of(figure: Figure) -> Plot | None:
    """The plot of a figure; None where it has no data or no numbers."""
    if figure.data is None or not figure.data.rows or not figure.drawings:
        return None
    root = ElementTree.fromstring(  # noqa: S314 - our own drawing
        _FORBIDDEN.sub("", figure.drawings[0])
    )
    data, is_plot = figure.data, "data-plot" in root.attrib
    drawn = _drawn(root) or _alike(data)
    series = [
        found
        for index in sorted(drawn)
        if (found := _series(index, data, root if is_plot else None)) is not None
    ]
    if not series:
        return None
    across = _column_across(data)
    return Plot(
        title=figure.title,
        finding=_text(root, "desc") or figure.help,
        x_name=_x_name(root) or data.columns[across].title,
        y_name=_y_name(root) or data.columns[sorted(drawn)[0]].title,
        row_names=[row.cells[0] for row in data.rows],
        rows_are_places=across == 0,
        unit=data.columns[sorted(drawn)[0]].unit,
        xs=[row.x for row in data.rows],
        x=_axis(root.get("data-x")),
        y=_axis(root.get("data-y")),
        steps=root.get("data-rows") == "step",
        series=series,
        rules=list(_rules(root)) if is_plot else [],
    )


def _text(root: ElementTree.Element, tag: str) -> str:
    found = root.find(tag)
    return "" if found is None else found.text or ""


def _axis(text: str | None) -> Axis | None:
    if text is None:
        return None
    kind, low, high = text.split()
    return Axis("log" if kind == "log" else "linear", float(low), float(high))


def _x_name(root: ElementTree.Element) -> str:
    """What stands under the horizontal axis (`reports.frame.x_axis`)."""
    if "data-plot" not in root.attrib:
        return ""
    y = svg.number(float(root.attrib["data-plot"].split()[3]) + frame.X_NAME_PX)
    found = (one for one in root.iter("text") if one.get("y") == y)
    named = (one.text or "" for one in found if one.get("text-anchor") == "middle")
    return next(named, "")


def _y_name(root: ElementTree.Element) -> str:
    """What stands above the vertical axis (`reports.frame.ValueAxis`)."""
    found = (one for one in root.iter("text") if "c-strong" in one.get("class", "").split())
    return next((one.text or "" for one in found), "")


def _drawn(root: ElementTree.Element) -> set[int]:
    """The columns that the drawing shows."""
    return {int(found) for one in root.iter() if (found := one.get("data-series"))}


def _column_across(data: Data) -> int:
    """The column that the horizontal axis has: mostly that of the names of the rows."""
    for index in range(1, len(data.columns)):
        pairs = [(row.x, _value(row.cells[index])) for row in data.rows]
        if all(x is not None and value is not None and _near(x, value) for x, value in pairs):
            return index
    return 0


def _near(x: float, shown: float) -> bool:
    """Whether `shown` may be `x`, rounded to three digits."""
    return abs(x - shown) <= 0.006 * abs(x)


def _alike(data: Data) -> set[int]:
    """Where the drawing tells of no series: the first column of numbers, and those of its unit."""
    numeric = [
        index
        for index in range(1, len(data.columns))
        if any(_value(row.cells[index]) is not None for row in data.rows)
        and not data.columns[index].is_text
    ]
    return {index for index in numeric if data.columns[index].unit == data.columns[numeric[0]].unit}


def _series(index: int, data: Data, root: ElementTree.Element | None) -> Series | None:
    """A column as a series; None where it has no numbers."""
    if index >= len(data.columns):
        return None
    values = [_value(row.cells[index]) for row in data.rows]
    if all(value is None for value in values):
        return None
    look = "bars" if root is None else _look(index, root)
    colour = "data" if root is None else _colour(index, root)
    spans = _spans(index, data) if look == "points" else ()
    return Series(data.columns[index].name, values, look, colour, spans)


def _value(cell: str) -> float | None:
    """The number that a cell begins with, whatever unit follows; no interval is one."""
    text = cell.replace(MINUS, "-").strip()
    found = _NUMBER.match(text)
    if found is None or _INTERVAL.match(text):
        return None
    return float(found[0].replace(",", ""))


def _spans(index: int, data: Data) -> list[tuple[float, float] | None]:
    """The intervals beside a column, where the next one has them."""
    if index + 1 >= len(data.columns) or "interval" not in data.columns[index + 1].name:
        return []
    return [_span(row.cells[index + 1]) for row in data.rows]


def _span(cell: str) -> tuple[float, float] | None:
    found = _INTERVAL.match(cell)
    low, high = (_value(end) for end in found.groups()) if found else (None, None)
    return None if low is None or high is None else (low, high)


def _groups(index: int, root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """What the drawing has of a series, but not its entry in the legend."""
    legend = {
        id(inner) for one in root.iter("g") if one.get("class") == "legend" for inner in one.iter()
    }
    for one in root.iter():
        if one.get("data-series") == str(index) and id(one) not in legend:
            yield one


def _look(index: int, root: ElementTree.Element) -> Look:
    if any(one.get("data-layer") == str(index) for one in root.iter()):
        return "area"
    groups = list(_groups(index, root))
    lines = any(
        inner.tag in ("polyline", "path")
        for group in groups
        if group.get("data-at") is None
        for inner in group.iter()
    )
    pinned = any(group.get("data-at") is not None for group in groups)
    return "points" if pinned and not lines else "line"


def _colour(index: int, root: ElementTree.Element) -> str:
    """The name of the first colour that a series is drawn with."""
    names = light_names()
    patterns = {
        f"url(#{one.get('id')})": inner.get("fill", "")
        for one in root.iter("pattern")
        for inner in one.iter("rect")
    }
    layers = (one for one in root.iter() if one.get("data-layer") == str(index))
    for group in (*_groups(index, root), *layers):
        for inner in group.iter():
            for attribute in ("stroke", "fill"):
                colour = inner.get(attribute, "")
                name = names.get(patterns.get(colour, colour))
                if name not in (None, "ground"):
                    return str(name)
    return "data"


def _rules(root: ElementTree.Element) -> Iterator[Rule]:
    """Vertical lines with a name that belong to no series: a size, a knee, a limit."""
    left, right, _, _ = (float(edge) for edge in root.attrib["data-plot"].split())
    axis = _axis(root.get("data-x"))
    for one in root.iter("g"):
        at, line, text = one.get("data-at"), one.find("line"), one.find("text")
        if at is None or one.get("data-series") or line is None or text is None or axis is None:
            continue
        share = (float(at) - left) / (right - left)
        colour = light_names().get(line.get("stroke", ""), "ink")
        yield Rule(_at(axis, share), text.text or "", colour)


def _at(axis: Axis, share: float) -> float:
    if axis.kind == "log":
        return exp(log(axis.low) + share * (log(axis.high) - log(axis.low)))
    return axis.low + share * (axis.high - axis.low)
