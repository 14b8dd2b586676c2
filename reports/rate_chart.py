"""Points and lines over the rate that was offered, with labelled rates.

Series and lines have numbers: their columns in the data under the chart. A line without one is
there to be compared with, and cannot be hidden.
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
from reports.scale import LinearScale, Scale, nice_top
from reports.svg import Flag, Mark, Marker, Pixels

_ROW_PX = 17.0


@dataclass(frozen=True, slots=True)
class RateSeries:
    """Measured points, as (rate, value, what pointing at them shows), with a line if `joined`."""

    name: str
    points: Sequence[tuple[float, float, str]]
    css: str
    colour: str
    shape: Marker
    number: int | None = None
    joined: bool = False

    @property
    def line(self) -> RateLine:
        """The line through its points."""
        at = [(rate, value) for rate, value, _ in self.points]
        return RateLine(self.name, at, self.css, self.colour, number=self.number)


@dataclass(frozen=True, slots=True)
class RateLine:
    """A line that was fitted, or that is to be compared with, as (rate, value)."""

    name: str
    points: Sequence[tuple[float, float]]
    css: str
    colour: str
    dash: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class RateMark:
    """A labelled rate, with its interval as a band, if it has one."""

    rate_rps: float
    label: str
    css: str
    colour: str
    interval: tuple[float, float] | None = None
    dash: str = ""


@dataclass(frozen=True, slots=True)
class RateChart:
    """All that a chart shows; `finding` says it in words for those who do not see it."""

    title: str
    finding: str
    x_label: str
    y_label: str
    series: Sequence[RateSeries]
    lines: Sequence[RateLine] = ()
    marks: Sequence[RateMark] = ()
    linear: bool = False  # whatever the values range over: from zero on, equal steps are equal


@dataclass(frozen=True, slots=True)
class _Frame:
    left: float
    right: float
    top: float
    bottom: float
    x: Scale
    y: Scale


def draw_rate_chart(chart: RateChart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    shown = [value for series in chart.series for _, value, _ in series.points]
    shown += [value for line in chart.lines for _, value in line.points]
    shown += [0.0] if chart.linear else []
    axis = ValueAxis(chart.y_label, shown)
    legend = arrange(_legend(chart), canvas.width)
    left, right = axis.room_px(), canvas.width - RIGHT_PX
    x = LinearScale(0.0, nice_top(_highest(chart)), left, right)
    places = [(x.position(mark.rate_rps), mark.label) for mark in chart.marks]
    flags = svg.place_flags(places, 2, canvas.width)
    rows = 1 + max((flag.row for flag in flags), default=-1)
    top = Y_LABEL_PX + rows * _ROW_PX + 6
    bottom = canvas.height - BELOW_PX - len(legend) * ROW_PX
    frame = _Frame(left, right, top, bottom, x, axis.scale(bottom, top))
    ticks = [(x.position(tick), f"{tick:,.10g}") for tick in x.ticks()]
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *axis.draw(frame.y, left, right),
        *x_axis(left, right, bottom, chart.x_label),
        *x_ticks(ticks, bottom, (0, len(ticks) - 1)),
        svg.stretched(*(_band(mark, frame) for mark in chart.marks if mark.interval is not None)),
        svg.stretched(*(_line(line, frame) for line in _lines(chart) if len(line.points) > 1)),
        *_rules(chart.marks, flags, frame),
        *(point for series in chart.series for point in _points(series, frame)),
        *draw_legend(legend, canvas.height),
        area=PlotArea(left, right, top, bottom, Axis("linear", x.low, x.high), axis.domain),
    )


def _highest(chart: RateChart) -> float:
    rates = [rate for series in chart.series for rate, _, _ in series.points]
    rates += [mark.rate_rps for mark in chart.marks]
    return max(rates, default=1.0)


def _band(mark: RateMark, frame: _Frame) -> str:
    low, high = (frame.x.position(end) for end in mark.interval or (0.0, 0.0))
    return svg.band(
        [(low, frame.bottom), (high, frame.bottom)],
        [(low, frame.top), (high, frame.top)],
        f"{mark.css} c-fill",
        mark.colour,
    )


def _lines(chart: RateChart) -> list[RateLine]:
    return [*chart.lines, *(series.line for series in chart.series if series.joined)]


def _line(line: RateLine, frame: _Frame) -> str:
    at = [(frame.x.position(rate), frame.y.position(value)) for rate, value in line.points]
    drawn = svg.polyline(at, line.css, line.colour, 1.75, line.dash)
    return svg.of_series(line.number, drawn)


def _rules(marks: Sequence[RateMark], flags: Sequence[Flag], frame: _Frame) -> list[str]:
    """A rule and its label for each mark; those with the lower labels lie on top."""
    drawn = []
    for mark, flag in sorted(zip(marks, flags, strict=True), key=lambda pair: -pair[1].row):
        x, y = frame.x.position(mark.rate_rps), frame.top - 9 - flag.row * _ROW_PX
        rule = svg.line((x, y - 9), (x, frame.bottom), mark.css, mark.colour, 1.5, mark.dash)
        at = (flag.text_x, y)
        css = f"{mark.css} c-label"
        label = svg.text(at, mark.label, anchor=flag.anchor, fill=mark.colour, css=css, halo=True)
        drawn.append(svg.pinned(x, rule, label))
    return drawn


def _points(series: RateSeries, frame: _Frame) -> list[str]:
    drawn = []
    for rate, value, hover in series.points:
        at = (frame.x.position(rate), frame.y.position(value))
        mark = svg.marker(series.shape, at, series.css, series.colour, radius=3.5)
        drawn.append(svg.pinned(at[0], mark, title=hover, series=series.number))
    return drawn


def _legend(chart: RateChart) -> list[Entry]:
    points = [Entry(one.name, _marker_of(one), one.number) for one in chart.series]
    return points + [Entry(line.name, _stroke_of(line), line.number) for line in chart.lines]


def _marker_of(series: RateSeries) -> Mark:
    def draw(centre: Pixels) -> str:
        mark = svg.marker(series.shape, centre, series.css, series.colour, radius=3.5)
        return _stroke_of(series.line)(centre) + mark if series.joined else mark

    return draw


def _stroke_of(line: RateLine) -> Mark:
    return stroke(line.css, line.colour, 1.75, line.dash)
