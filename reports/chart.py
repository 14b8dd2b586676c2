"""A chart of values against memory size: points with intervals, a fitted curve, rules and a legend.

`draw_chart` gives one `<svg>` that needs no style sheet, no script and no font. The memory axis is
logarithmic and true to scale: sizes stand where they belong, not side by side like categories.
What it is drawn from is a table of its own (`memory_data`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    x_axis,
    x_ticks,
)
from reports.legend import ROW_PX, Entry, arrange, draw_legend, stroke
from reports.scale import LogScale, Scale
from reports.svg import Flag, Mark, Marker, Pixels
from reports.time_chart import HorizontalRule


@dataclass(frozen=True, slots=True)
class Point:
    """One measured value, its interval if it has one, and what it says when pointed at."""

    memory_mb: float
    value: float
    interval: tuple[float, float] | None
    hover: str


@dataclass(frozen=True, slots=True)
class Series:
    """Points that belong together; `joined` draws a thin line through them."""

    name: str
    points: Sequence[Point]
    shape: Marker = "circle"
    css: str = "c-data"
    colour: str = svg.DATA
    joined: bool = False

    @property
    def has_intervals(self) -> bool:
        """Whether an interval is known of any point."""
        return any(point.interval is not None for point in self.points)


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve and, where its uncertainty is known, its band; by ascending memory."""

    name: str
    memory_mb: Sequence[float]
    values: Sequence[float]
    bands: Sequence[tuple[float, float]] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A labelled vertical line at a memory size."""

    memory_mb: float
    label: str
    css: str
    colour: str
    dash: str = ""
    width: float = 1.5


@dataclass(frozen=True, slots=True)
class MemoryMarks:
    """What all charts of a run share on the memory axis: rules, ticks and sizes without a value.

    When tick labels lack room, those in `first_ticks_mb` win.
    """

    ticks_mb: Sequence[int] = ()
    first_ticks_mb: Sequence[int] = ()
    rules: Sequence[Rule] = ()
    failed_mb: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a chart shows; `finding` says it in words for those who do not see it.

    Series are numbered as the columns of its data are: each has one for its values and one for its
    intervals, where it has any; the curve comes last.
    """

    title: str
    finding: str
    y_label: str
    series: Sequence[Series]
    curve: Curve | None = None
    marks: MemoryMarks = MemoryMarks()
    levels: Sequence[HorizontalRule] = ()
    from_zero: bool = True

    @property
    def y_axis(self) -> ValueAxis:
        """The vertical axis for what is shown."""
        return ValueAxis(self.y_label, self.shown, self.from_zero)

    @property
    def numbers(self) -> list[int]:
        """The column of each series, and that of the curve."""
        found = [1]
        for series in self.series:
            found.append(found[-1] + 1 + series.has_intervals)
        return found

    @property
    def shown(self) -> list[float]:
        """All numbers that the vertical axis must hold.

        The curve counts, its band does not: a band that is wide where nothing was measured would
        press the measured points together. It is cut at the frame.
        """
        points = [point for series in self.series for point in series.points]
        ends = [end for point in points for end in (point.value, *(point.interval or ()))]
        levels = [level.value for level in self.levels]
        return [*ends, *levels, *(self.curve.values if self.curve else ())]


_ROW_PX = 17.0


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plot's edges in pixels and its two scales."""

    left: float
    right: float
    top: float
    bottom: float
    x: LogScale
    y: Scale


def draw_chart(chart: Chart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    legend = arrange(_legend_entries(chart), canvas.width)
    left, right = chart.y_axis.room_px(), canvas.width - RIGHT_PX
    x = _x_scale(chart, left, right)
    flags = svg.place_flags(
        [(x.position(rule.memory_mb), rule.label) for rule in chart.marks.rules], 2, canvas.width
    )
    rows = 1 + max((flag.row for flag in flags), default=-1)
    top = Y_LABEL_PX + rows * _ROW_PX + 6
    bottom = canvas.height - BELOW_PX - len(legend) * ROW_PX
    frame = _Frame(left, right, top, bottom, x, chart.y_axis.scale(bottom, top))
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *chart.y_axis.draw(frame.y, left, right),
        *_x_axis(chart, frame),
        svg.stretched(
            svg.of_series(chart.numbers[-1], *_curve(chart.curve, frame)),
            *(_joined(series, number, frame) for series, number in _numbered(chart)),
        ),
        *_levels(chart.levels, frame),
        *_rules(chart.marks.rules, flags, frame),
        *_failures(chart.marks.failed_mb, frame),
        *(mark for series, number in _numbered(chart) for mark in _points(series, number, frame)),
        *draw_legend(legend, canvas.height),
        area=PlotArea(left, right, top, bottom, Axis("log", x.low, x.high), chart.y_axis.domain),
    )


def _numbered(chart: Chart) -> list[tuple[Series, int]]:
    return list(zip(chart.series, chart.numbers, strict=False))


def _x_scale(chart: Chart, left: float, right: float) -> LogScale:
    shown = [
        *chart.marks.ticks_mb,
        *(point.memory_mb for series in chart.series for point in series.points),
        *(rule.memory_mb for rule in chart.marks.rules),
        *(chart.curve.memory_mb if chart.curve else ()),
    ]
    # Air on both sides keeps marks off the frame, and gives a single size an axis at all.
    air = max(1.08, (max(shown) / min(shown)) ** 0.05)
    return LogScale(min(shown) / air, max(shown) * air, left, right)


def _x_axis(chart: Chart, frame: _Frame) -> list[str]:
    ticks = sorted(set(chart.marks.ticks_mb))
    wanted = [(frame.x.position(size), f"{size:,}") for size in ticks]
    first = [ticks.index(size) for size in chart.marks.first_ticks_mb if size in ticks]
    line, name = x_axis(frame.left, frame.right, frame.bottom, "memory, MB (log scale)")
    return [line, *x_ticks(wanted, frame.bottom, first), name]


def _curve(curve: Curve | None, frame: _Frame) -> list[str]:
    if curve is None or len(curve.values) < 2:
        return []
    xs = [frame.x.position(memory_mb) for memory_mb in curve.memory_mb]
    middle = [(x, frame.y.position(value)) for x, value in zip(xs, curve.values, strict=True)]
    drawn = [svg.polyline(middle, "c-data", svg.DATA, 1.75)]
    if curve.bands is not None:
        lower, upper = (
            [(x, frame.y.position(band[end])) for x, band in zip(xs, curve.bands, strict=True)]
            for end in (0, 1)
        )
        drawn.insert(0, svg.band(lower, upper, "c-band", svg.DATA))
    return drawn


def _levels(levels: Sequence[HorizontalRule], frame: _Frame) -> list[str]:
    """Lines over the whole width, named in the legend: they stay where they are on zoom."""
    drawn = []
    for level in levels:
        y = frame.y.position(level.value)
        ends = (frame.left, y), (frame.right, y)
        drawn.append(svg.line(*ends, level.css, level.colour, 1.5, level.dash))
    return drawn


def _rules(rules: Sequence[Rule], flags: Sequence[Flag], frame: _Frame) -> list[str]:
    drawn = []
    for rule, flag in zip(rules, flags, strict=True):
        x = frame.x.position(rule.memory_mb)
        y = frame.top - 9 - flag.row * _ROW_PX
        end = (x, frame.bottom)
        line = svg.line((x, y - 9), end, rule.css, rule.colour, rule.width, rule.dash)
        at = (flag.text_x, y)
        css = f"{rule.css} c-label"
        label = svg.text(at, rule.label, anchor=flag.anchor, fill=rule.colour, css=css, halo=True)
        drawn.append(svg.pinned(x, line, label))
    return drawn


def _failures(failed_mb: Sequence[int], frame: _Frame) -> list[str]:
    drawn = []
    for size in failed_mb:
        x = frame.x.position(size)
        hover = f"{size:,} MB: no usable result, see the table"
        drawn.append(svg.pinned(x, _failed_mark((x, frame.bottom - 9)), title=hover))
    return drawn


def _joined(series: Series, number: int, frame: _Frame) -> str:
    """The thin line through the points of a series; empty where it has none."""
    at = [(frame.x.position(p.memory_mb), frame.y.position(p.value)) for p in series.points]
    if not series.joined or len(at) < 2:
        return ""
    return svg.of_series(number, svg.polyline(at, series.css, series.colour, 1.25, "4 3"))


def _points(series: Series, number: int, frame: _Frame) -> list[str]:
    drawn = []
    for point in series.points:
        place = (frame.x.position(point.memory_mb), frame.y.position(point.value))
        marks = [svg.marker(series.shape, place, series.css, series.colour)]
        if point.interval is not None:
            low_y, high_y = (frame.y.position(end) for end in point.interval)
            marks.insert(0, svg.error_bar(place[0], low_y, high_y, series.css, series.colour))
        drawn.append(svg.pinned(place[0], *marks, title=point.hover, series=number))
    return drawn


def _legend_entries(chart: Chart) -> list[Entry]:
    entries = [_series_entry(series, number) for series, number in _numbered(chart)]
    if chart.curve is not None and len(chart.curve.values) > 1:
        mark = _curve_mark if chart.curve.bands is None else _band_mark
        entries.append(Entry(chart.curve.name, mark, chart.numbers[-1]))
    entries += [Entry(level.label, _level_mark(level)) for level in chart.levels]
    if chart.marks.failed_mb:
        entries.append(Entry("no usable result", _failed_mark))
    return entries


def _series_entry(series: Series, number: int) -> Entry:
    def draw(centre: Pixels) -> str:
        x, y = centre
        mark = svg.marker(series.shape, centre, series.css, series.colour)
        if not series.has_intervals:
            return mark
        return svg.error_bar(x, y + 6, y - 6, series.css, series.colour) + mark

    return Entry(series.name, draw, number)


def _level_mark(level: HorizontalRule) -> Mark:
    return stroke(level.css, level.colour, 1.5, level.dash)


def _curve_mark(centre: Pixels) -> str:
    return stroke("c-data", svg.DATA, 1.75)(centre)


def _band_mark(centre: Pixels) -> str:
    x, y = centre
    lower, upper = [(x - 8, y + 5), (x + 8, y + 5)], [(x - 8, y - 5), (x + 8, y - 5)]
    return svg.band(lower, upper, "c-band", svg.DATA) + _curve_mark(centre)


def _failed_mark(centre: Pixels) -> str:
    return svg.marker("cross", centre, "c-failed", svg.FAILED)
