"""What a figure draws, as values: for those who draw it again where no SVG can be shown.

Values come from the table under the chart; its axes, and what is a line, an area, a point or a
rule, are read off the drawing, which says so for the page's script as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree  # reads what `reports.svg` drew, and nothing else

from reports import frame, svg
from reports.figure import Data, Figure
from reports.figures import MINUS
from reports.frame import Axis
from reports.palette import light_names
from reports.plot_marks import Label, Level, Marks, Rule, axis_of, marks_of

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
    levels: Sequence[Level] = ()
    labels: Sequence[Label] = ()


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
    sizes = _column_of_sizes(data)
    marks = marks_of(root) if is_plot else Marks()
    return Plot(
        title=figure.title,
        finding=_text(root, "desc") or figure.help,
        x_name=_x_name(root) or data.columns[0].title,
        y_name=_y_name(root) or data.columns[sorted(drawn)[0]].title,
        row_names=[row.cells[sizes] for row in data.rows],
        rows_are_places=sizes == 0,
        unit=data.columns[sorted(drawn)[0]].unit,
        xs=[row.x for row in data.rows],
        x=axis_of(root.get("data-x")),
        y=axis_of(root.get("data-y")),
        steps=root.get("data-rows") == "step",
        series=series,
        rules=marks.rules,
        levels=marks.levels,
        labels=marks.labels,
    )


def _text(root: ElementTree.Element, tag: str) -> str:
    found = root.find(tag)
    return "" if found is None else found.text or ""


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


def _column_of_sizes(data: Data) -> int:
    """The column that names points: that of sizes where they have one of their own, else the first.

    A chart of cost against duration has the durations first.
    """
    names = [column.name for column in data.columns]
    return next((names.index(name) for name in ("Size", "Memory") if name in names), 0)


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
    if look == "line" and root is not None and root.get("data-rows") == "point" and _sparse(values):
        # Straight lines between few rows would not be the curve that the drawing has.
        look = "points"
    colour = "data" if root is None else _colour(index, root)
    spans = _spans(index, data) if look == "points" else ()
    return Series(data.columns[index].name, values, look, colour, spans)


def _sparse(values: Sequence[float | None]) -> bool:
    return 2 * sum(value is not None for value in values) < len(values)


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
