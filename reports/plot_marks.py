"""What a drawing marks besides its series: rules, levels and names, read off the SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from xml.etree import ElementTree

from reports.frame import Axis
from reports.palette import light_names

# How far the name of a level may stand from its line.
_NEAR_PX = 14.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A vertical line at a place, and what it marks."""

    x: float
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line that what is drawn is held against, such as a threshold."""

    y: float
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words above a part of the horizontal axis, such as the name of a phase."""

    x: float
    name: str


@dataclass(frozen=True, slots=True)
class Marks:
    """All that is marked in one plot."""

    rules: Sequence[Rule] = ()
    levels: Sequence[Level] = ()
    labels: Sequence[Label] = ()


def marks_of(root: ElementTree.Element) -> Marks:
    """What the plot of a drawing marks."""
    x, y = axis_of(root.get("data-x")), axis_of(root.get("data-y"))
    if x is None or y is None:
        return Marks()
    edges = [float(edge) for edge in root.attrib["data-plot"].split()]
    left, right, top, bottom = edges
    pins = [
        (_at(x, (float(at) - left) / (right - left)), one)
        for one in root.iter("g")
        if (at := one.get("data-at")) is not None and one.get("data-series") is None
    ]
    return Marks(
        list(_rules(pins)),
        [
            Level(_at(y, (bottom - level_y) / (bottom - top)), name, colour)
            for level_y, name, colour in _levels(root, left, right)
        ],
        list(_labels(pins)),
    )


def axis_of(text: str | None) -> Axis | None:
    """An axis as `reports.frame.Axis` writes it; None where there is none."""
    if text is None:
        return None
    kind, low, high = text.split()
    return Axis("log" if kind == "log" else "linear", float(low), float(high))


def _at(axis: Axis, share: float) -> float:
    if axis.kind == "log":
        return exp(log(axis.low) + share * (log(axis.high) - log(axis.low)))
    return axis.low + share * (axis.high - axis.low)


def _rules(pins: Sequence[tuple[float, ElementTree.Element]]) -> Iterator[Rule]:
    """Vertical lines with a name that belong to no series: a size, a knee."""
    for x, one in pins:
        line, text = one.find("line"), one.find("text")
        if line is not None and text is not None:
            yield Rule(x, text.text or "", light_names().get(line.get("stroke", ""), "ink"))


def _labels(pins: Sequence[tuple[float, ElementTree.Element]]) -> Iterator[Label]:
    """Names that stand alone above a part of the axis."""
    for x, one in pins:
        text = one.find("text")
        if text is not None and "c-phase-name" in text.get("class", ""):
            yield Label(x, text.text or "")


def _levels(
    root: ElementTree.Element, left: float, right: float
) -> Iterator[tuple[float, str, str]]:
    """Lines over the whole width that are neither grid nor axis: pixels, name and colour."""
    names = [one for one in root.iter("text") if "c-label" in one.get("class", "").split()]
    for line in root.iter("line"):
        ends = [float(line.get(name, "nan")) for name in ("x1", "x2", "y1", "y2")]
        whole = abs(ends[0] - left) < 1 and abs(ends[1] - right) < 1 and ends[2] == ends[3]
        if not whole or {"c-grid", "c-axis"} & set(line.get("class", "").split()):
            continue
        near = [one for one in names if abs(float(one.get("y", "nan")) - ends[2]) <= _NEAR_PX]
        name = (near[0].text or "") if near else ""
        yield ends[2], name, light_names().get(line.get("stroke", ""), "ink")
