"""Cost against duration, with the Pareto front: what can be had for what.

Down is cheaper and left is faster. The front is a staircase, because between two of its sizes
nothing is known to be had. A fitted curve runs through the plane from the smallest size to the
largest; where it leaves the plot, it is cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from reports import svg
from reports.frame import (
    BELOW_PX,
    RIGHT_PX,
    Y_LABEL_PX,
    Axis,
    Canvas,
    PlotArea,
    ValueAxis,
    root,
    tick_texts,
    x_axis,
    x_ticks,
)
from reports.label_places import Box, label_box, place_labels
from reports.legend import ROW_PX, Entry, arrange, draw_legend, stroke
from reports.svg import Mark, Marker, Pixels

Value = tuple[float, float]
Standing = Literal["", "taken", "current", "both"]
# Nobody sees what is further out, and huge numbers trouble renderers.
_FARTHEST_PX = 5000.0


@dataclass(frozen=True, slots=True)
class Group:
    """Points that look alike; `series` is their column in the chart's data."""

    name: str
    series: int
    shape: Marker = "circle"
    css: str = "c-data"
    colour: str = svg.DATA


@dataclass(frozen=True, slots=True)
class Spot:
    """A size: its duration and cost, their intervals where known, and how it stands out.

    Without a group nothing was measured there: its figures come from the curve.
    """

    at: Value
    group: Group | None
    name: str
    hover: str
    duration_interval: Value | None = None
    cost_interval: Value | None = None
    on_front: bool = False
    standing: Standing = ""


@dataclass(frozen=True, slots=True)
class Trail:
    """A fitted curve by ascending memory, without a band: in this plane it would fold over itself.

    Cost and duration of a size rise and fall together, and a curve turns where more memory no
    longer helps.
    """

    name: str
    series: int
    points: Sequence[Value]


@dataclass(frozen=True, slots=True)
class ParetoChart:
    """All that a chart shows; `finding` says it in words for those who do not see it."""

    title: str
    finding: str
    x_label: str
    y_label: str
    spots: Sequence[Spot]
    trail: Trail | None = None

    @property
    def groups(self) -> list[Group]:
        """Those that have a spot, in the order of their columns."""
        found = {spot.group.series: spot.group for spot in self.spots if spot.group is not None}
        return [found[series] for series in sorted(found)]

    @property
    def front(self) -> list[Spot]:
        """The spots on the front, from fast to cheap."""
        return sorted((spot for spot in self.spots if spot.on_front), key=lambda spot: spot.at)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plot's edges in pixels and its two axes."""

    left: float
    right: float
    top: float
    bottom: float
    x: Axis
    y: Axis
    identifier: str

    def place(self, at: Value) -> Pixels:
        """Where a duration and a cost lie, outside of the plot as well."""
        x = _along(self.x, at[0], self.left, self.right)
        return x, _along(self.y, at[1], self.bottom, self.top)


def draw_pareto_chart(chart: ParetoChart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    times = ValueAxis(chart.x_label, _shown(chart, 0), from_zero=False)
    costs = ValueAxis(chart.y_label, _shown(chart, 1), from_zero=False)
    legend = arrange(_legend_entries(chart), canvas.width)
    # Half of the last label of the axis lies beyond it.
    left, right = costs.room_px(), canvas.width - max(RIGHT_PX, times.room_px() / 2)
    top, bottom = Y_LABEL_PX + 6, canvas.height - BELOW_PX - len(legend) * ROW_PX
    x, y = times.scale(left, right), costs.scale(bottom, top)
    frame = _Frame(left, right, top, bottom, times.domain, costs.domain, identifier)
    ticks = x.ticks()
    wanted = [(x.position(t), text) for t, text in zip(ticks, tick_texts(ticks), strict=True)]
    name = f"{times.label} (log scale)" if times.is_log else times.label
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *costs.draw(y, left, right),
        *x_axis(left, right, bottom, name),
        *x_ticks(wanted, bottom, ()),
        svg.stretched(*_trail(chart.trail, frame), _front(chart, frame), *_times(chart, frame)),
        *(_mark(spot, chart, frame) for spot in chart.spots),
        *_labels(chart, frame),
        *draw_legend(legend, canvas.height),
        area=PlotArea(left, right, top, bottom, frame.x, frame.y),
    )


def _shown(chart: ParetoChart, part: Literal[0, 1]) -> list[float]:
    """The values and ends of intervals that an axis must hold: not the curve, which is cut."""
    values: list[float] = []
    for spot in chart.spots:
        interval = spot.cost_interval if part else spot.duration_interval
        values += [spot.at[part], *(interval or ())]
    return values


def _along(axis: Axis, value: float, start: float, end: float) -> float:
    share = (value - axis.low) / (axis.high - axis.low)
    if axis.kind == "log":
        least = max(value, axis.low * 1e-9)
        share = math.log(least / axis.low) / math.log(axis.high / axis.low)
    return max(-_FARTHEST_PX, min(_FARTHEST_PX, start + share * (end - start)))


def _trail(trail: Trail | None, frame: _Frame) -> list[str]:
    """The curve, cut at the plot's edges."""
    if trail is None or len(trail.points) < 2:
        return []
    clip = f"{frame.identifier}-plot"
    box: dict[str, str | float] = {
        "x": frame.left,
        "y": frame.top,
        "width": frame.right - frame.left,
        "height": frame.bottom - frame.top,
    }
    places = [frame.place(value) for value in trail.points]
    line = svg.polyline(places, "c-data", svg.DATA, 1.75)
    path = svg.element("clipPath", {"id": clip}, svg.element("rect", box))
    cut = svg.element("g", {"clip-path": f"url(#{clip})"}, line)
    return [svg.element("defs", {}, path), svg.of_series(trail.series, cut)]


def _front(chart: ParetoChart, frame: _Frame) -> str:
    places = [frame.place(spot.at) for spot in chart.front]
    if len(places) < 2:
        return ""
    steps = [places[0]]
    for before, after in pairwise(places):
        steps += [(after[0], before[1]), after]
    return svg.polyline(steps, "c-taken", svg.RECOMMENDED, 1.5, "5 3")


def _times(chart: ParetoChart, frame: _Frame) -> list[str]:
    """The horizontal arms of all crosses, which a zoom makes longer."""
    drawn = []
    for spot in chart.spots:
        if spot.duration_interval is None:
            continue
        css, colour = _colours(spot)
        ends = [frame.place((end, spot.at[1])) for end in spot.duration_interval]
        drawn.append(
            svg.of_series(_series(spot, chart), svg.line(ends[0], ends[1], css, colour, 1))
        )
    return drawn


def _mark(spot: Spot, chart: ParetoChart, frame: _Frame) -> str:
    x, y = place = frame.place(spot.at)
    css, colour = _colours(spot)
    marks = []
    if spot.cost_interval is not None:
        low, high = (frame.place((spot.at[0], end)) for end in spot.cost_interval)
        marks.append(svg.line(low, high, css, colour, 1))
    if spot.group is None:
        marks.append(svg.ring((x, y), css, colour, 3.5))
    else:
        marks.append(svg.marker(spot.group.shape, place, css, colour))
    if spot.standing in ("taken", "both"):
        marks.append(svg.ring(place, "c-taken", svg.RECOMMENDED))
    if spot.standing in ("current", "both"):
        marks.append(_box(place))
    return svg.pinned(x, *marks, title=spot.hover, series=_series(spot, chart))


def _series(spot: Spot, chart: ParetoChart) -> int | None:
    if spot.group is not None:
        return spot.group.series
    return chart.trail.series if chart.trail is not None else None


def _colours(spot: Spot) -> tuple[str, str]:
    if spot.group is None:
        return "c-second", svg.MUTED
    return spot.group.css, spot.group.colour


def _box(place: Pixels) -> str:
    """The outline around today's size: a square, since that of the recommended one is round."""
    x, y = place
    return svg.element(
        "rect",
        {
            "x": x - 8,
            "y": y - 8,
            "width": 16,
            "height": 16,
            "class": "c-current",
            "fill": "none",
            "stroke": svg.CURRENT,
            "stroke-width": 2,
        },
    )


def _labels(chart: ParetoChart, frame: _Frame) -> list[str]:
    """Sizes by name: those that stand out, then the front, then as many others as have room.

    Only the first may lie across the arms of a cross.
    """
    named = [spot for spot in chart.spots if spot.standing]
    others = sorted((spot for spot in chart.spots if not spot.standing), key=_rank)
    dots = [_dot(spot, frame) for spot in chart.spots]
    placed = _placed(named, dots, frame)
    # Better across a point than without a name: it has a halo.
    nameless = [spot for spot in named if spot not in [found for found, _ in placed]]
    placed += _placed(nameless, [label_box(at, spot.name) for spot, at in placed], frame)
    arms = [arm for spot in chart.spots for arm in _arms(spot, frame)]
    taken = [label_box(at, spot.name) for spot, at in placed]
    placed += _placed(others, [*dots, *arms, *taken], frame)
    return [
        svg.pinned(frame.place(spot.at)[0], _text(at, spot), series=_series(spot, chart))
        for spot, at in placed
    ]


def _rank(spot: Spot) -> tuple[bool, Value]:
    return not spot.on_front, spot.at


def _placed(
    spots: Sequence[Spot], taken: Sequence[Box], frame: _Frame
) -> list[tuple[Spot, Pixels]]:
    bounds = Box(frame.left + 2, frame.top, frame.right, frame.bottom - 2)
    wanted = [(frame.place(spot.at), spot.name) for spot in spots]
    places = place_labels(wanted, taken, bounds)
    return [(spot, at) for spot, at in zip(spots, places, strict=True) if at is not None]


def _text(at: Pixels, spot: Spot) -> str:
    looks = {"taken": ("c-taken", svg.RECOMMENDED), "current": ("c-current", svg.CURRENT)}
    looks["both"] = looks["taken"]
    if spot.standing in looks:
        css, colour = looks[spot.standing]
        return svg.text(at, spot.name, fill=colour, css=f"{css} c-label", halo=True)
    return svg.text(at, spot.name, css="c-vcpu c-label", halo=True)


def _dot(spot: Spot, frame: _Frame) -> Box:
    x, y = frame.place(spot.at)
    return Box(x - 5, y - 5, x + 5, y + 5)


def _arms(spot: Spot, frame: _Frame) -> list[Box]:
    """The arms of a cross, for names to keep clear of."""
    x, y = frame.place(spot.at)
    boxes = []
    if spot.cost_interval is not None:
        low, high = (frame.place((spot.at[0], end)) for end in spot.cost_interval)
        boxes.append(Box(x - 1, high[1], x + 1, low[1]))
    if spot.duration_interval is not None:
        fast, slow = (frame.place((end, spot.at[1])) for end in spot.duration_interval)
        boxes.append(Box(fast[0], y - 1, slow[0], y + 1))
    return boxes


def _legend_entries(chart: ParetoChart) -> list[Entry]:
    entries = [Entry(group.name, _group_mark(group), group.series) for group in chart.groups]
    if chart.trail is not None and len(chart.trail.points) > 1:
        mark = stroke("c-data", svg.DATA, 1.75)
        entries.append(Entry(chart.trail.name, mark, chart.trail.series))
    if len(chart.front) > 1:
        entries.append(Entry("Pareto front", _front_mark))
    return entries


def _group_mark(group: Group) -> Mark:
    def draw(centre: Pixels) -> str:
        x, y = centre
        cross = [
            svg.line((x - 7, y), (x + 7, y), group.css, group.colour, 1),
            svg.line((x, y - 7), (x, y + 7), group.css, group.colour, 1),
        ]
        return "".join([*cross, svg.marker(group.shape, centre, group.css, group.colour)])

    return draw


def _front_mark(centre: Pixels) -> str:
    x, y = centre
    steps = [(x - 8, y - 5), (x, y - 5), (x, y + 5), (x + 8, y + 5)]
    return svg.polyline(steps, "c-taken", svg.RECOMMENDED, 1.5, "5 3")
