"""A chart over the time of a run: stacked areas in steps, lines, and phases as labelled bands.

Areas and stepped lines hold over a whole step; other lines go through the middle of each. Where a
line has no value it breaks off: nothing is drawn where nothing was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from reports import svg
from reports.blocks import Column
from reports.figure import Data, DataRow
from reports.figures import ABSENT, decimals_for, fixed, significant
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
from reports.hatch import Fill, paint, patterns, swatch
from reports.legend import ROW_PX, Entry, arrange, draw_legend, stroke
from reports.scale import Scale
from reports.svg import Pixels
from reports.time_axis import TimeScale, time_label

# The width of a page, a tablet or a sheet of paper, and a phone.
FULL = Canvas(1116, 360, "c-full")
MIDDLE = Canvas(700, 340, "c-middle", hidden=True)
SMALL = Canvas(344, 340, "c-small", hidden=True)

_PHASE_ROW_PX = 18.0
# One left edge for most charts, so that a moment stands at the same place in all of them.
_LEFT_PX = 50.0
_FEWEST_LETTERS = 4
_LEGEND_ROWS = 2
# Significant digits of the highest value in a column of the data.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of a stack: one value for each step."""

    name: str
    values: Sequence[float]
    fill: Fill


@dataclass(frozen=True, slots=True)
class Line:
    """A line: one value for each step, or none."""

    name: str
    values: Sequence[float | None]
    css: str
    colour: str
    width: float = 1.75
    dash: str = ""
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """From the lowest to the highest of what a step stands for; a step may have none."""

    name: str
    low: Sequence[float | None]
    high: Sequence[float | None]
    css: str
    colour: str


@dataclass(frozen=True, slots=True)
class HorizontalRule:
    """A labelled value that what is drawn is compared with: a limit, a threshold.

    Zero explains itself and may go without a label.
    """

    value: float
    label: str
    css: str
    colour: str
    dash: str = "6 4"


@dataclass(frozen=True, slots=True)
class Span:
    """A phase of the run, a band behind the drawing."""

    name: str
    from_s: float
    to_s: float
    measured: bool


@dataclass(frozen=True, slots=True)
class TimeChart:
    """All that a chart shows; `edges_s` are the bounds of its steps, one more than there are.

    Series are numbered as the columns of `data_of` are: layers, then lines, then bands.
    """

    title: str
    finding: str
    y_label: str
    edges_s: Sequence[float]
    spans: Sequence[Span]
    layers: Sequence[Layer] = ()
    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    rules: Sequence[HorizontalRule] = ()

    @property
    def y_axis(self) -> ValueAxis:
        """The vertical axis for what is shown; a stack begins at zero, so its axis does too."""
        drawn = [line.values for line in self.lines]
        drawn += [end for band in self.bands for end in (band.low, band.high)]
        values = [value for series in drawn for value in series if value is not None]
        values += [rule.value for rule in self.rules]
        if self.layers:
            values += [0.0, *self.heights()[-1]]
        # What is below zero has room there; all else begins at zero.
        return ValueAxis(self.y_label, values, from_zero=min(values, default=0.0) >= 0)

    def heights(self) -> list[list[float]]:
        """The upper edge of each layer: all values up to and with its own."""
        total = [0.0] * (len(self.edges_s) - 1)
        edges = []
        for layer in self.layers:
            total = [below + value for below, value in zip(total, layer.values, strict=True)]
            edges.append(total)
        return edges


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plot's edges in pixels, its two scales, and the id of the drawing."""

    left: float
    right: float
    top: float
    bottom: float
    x: TimeScale
    y: Scale
    identifier: str


def draw_time_chart(chart: TimeChart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    axis = chart.y_axis
    legend = arrange(_legend_entries(chart, identifier), canvas.width)
    # A long legend makes the drawing taller, not the plot flat.
    more_rows = max(0, len(legend) - _LEGEND_ROWS)
    canvas = replace(canvas, height=canvas.height + round(more_rows * ROW_PX))
    left, right = max(axis.room_px(), _LEFT_PX), canvas.width - RIGHT_PX
    top = Y_LABEL_PX + _PHASE_ROW_PX
    bottom = canvas.height - BELOW_PX - len(legend) * ROW_PX
    x = TimeScale(chart.edges_s[-1], left, right)
    frame = _Frame(left, right, top, bottom, x, axis.scale(bottom, top), identifier)
    ticks = [(x.position(tick), time_label(tick, x.duration_s)) for tick in x.ticks()]
    lines_from = 1 + len(chart.layers)
    bands_from = lines_from + len(chart.lines)
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *patterns((layer.fill for layer in chart.layers), identifier),
        svg.stretched(*_phases(chart.spans, frame)),
        *axis.draw(frame.y, left, right),
        svg.stretched(
            *_layers(chart, frame),
            *(
                svg.of_series(number, *_band(band, chart.edges_s, frame))
                for number, band in enumerate(chart.bands, start=bands_from)
            ),
            *(
                svg.of_series(number, *_line(line, chart.edges_s, frame))
                for number, line in enumerate(chart.lines, start=lines_from)
            ),
        ),
        *(
            dot
            for number, line in enumerate(chart.lines, start=lines_from)
            for dot in _dots(line, number, chart.edges_s, frame)
        ),
        *_rules(chart.rules, frame),
        *_span_labels(chart.spans, frame),
        *x_axis(left, right, bottom, x.name),
        *x_ticks(ticks, bottom, ()),
        *draw_legend(legend, canvas.height),
        area=PlotArea(
            left, right, top, bottom, Axis("linear", 0.0, x.duration_s), axis.domain, rows="step"
        ),
    )


def data_of(chart: TimeChart, unit: str = "") -> Data:
    """The table of what a chart shows: a row for each step, a column for each series.

    A band has two columns, its highest values in that of its series and its lowest after those of
    all series; `unit` is that of all values.
    """
    duration_s = chart.edges_s[-1]
    series: list[tuple[str, Sequence[float | None]]] = [
        *((layer.name, layer.values) for layer in chart.layers),
        *((line.name, line.values) for line in chart.lines),
        *((f"{band.name}, highest", band.high) for band in chart.bands),
        *((f"{band.name}, lowest", band.low) for band in chart.bands),
    ]
    shown = [(name, _cells(values)) for name, values in series]
    time = TimeScale(duration_s, 0.0, 1.0)
    columns = [Column("from", time.unit), *(Column(name, unit) for name, _ in shown)]
    rows = [
        DataRow(
            start,
            [time_label(start, duration_s), *(values[index] for _, values in shown)],
        )
        for index, start in enumerate(chart.edges_s[:-1])
    ]
    return Data(columns, rows)


def _cells(values: Sequence[float | None]) -> list[str]:
    """Values with the decimals that the highest of them bears; none but zero is written as zero."""
    highest = max((abs(value) for value in values if value is not None), default=0.0)
    decimals = decimals_for(highest, _DIGITS)
    return [
        ABSENT
        if value is None
        else significant(value, 2)
        if value and round(value, decimals) == 0
        else fixed(value, decimals)
        for value in values
    ]


def _phases(spans: Sequence[Span], frame: _Frame) -> list[str]:
    drawn = []
    for index, span in enumerate(spans):
        x, end = frame.x.position(span.from_s), frame.x.position(span.to_s)
        top = frame.top - _PHASE_ROW_PX
        css = "c-phase" if index % 2 == 0 else "c-phase c-other"
        box: dict[str, str | float] = {
            "x": x,
            "y": top,
            "width": max(end - x, 0.5),
            "height": frame.bottom - top,
            "class": css,
            "fill": svg.PHASE if index % 2 == 0 else svg.OTHER_PHASE,
        }
        drawn.append(svg.element("rect", box))
    return drawn


def _span_labels(spans: Sequence[Span], frame: _Frame) -> list[str]:
    """The name of each phase in its band: whole, cut, its number, or nothing at all."""
    drawn = []
    for number, span in enumerate(spans, start=1):
        x, end = frame.x.position(span.from_s), frame.x.position(span.to_s)
        label = _fitting(_span_names(number, span), end - x - 6)
        if label:
            place = ((x + end) / 2, frame.top - 5)
            name = svg.text(place, label, anchor="middle", css="c-text c-phase-name")
            drawn.append(svg.pinned(place[0], name, span=(x, end)))
    return drawn


def _span_names(number: int, span: Span) -> Iterator[str]:
    """Labels for a phase, the best first."""
    if not span.measured:
        yield f"{span.name} (not measured)"
    yield span.name
    for length in range(len(span.name) - 1, _FEWEST_LETTERS - 1, -1):
        yield span.name[:length].rstrip() + "…"
    yield str(number)


def _fitting(labels: Iterator[str], room_px: float) -> str:
    # Labels are semibold, which is wider.
    return next((label for label in labels if svg.text_width(label) * 1.1 <= room_px), "")


def _layers(chart: TimeChart, frame: _Frame) -> list[str]:
    """The stack, drawn from its top: each layer hides what the layers above it have below it."""
    drawn = []
    stacked = list(enumerate(zip(chart.layers, chart.heights(), strict=True), start=1))
    for number, (layer, edge) in reversed(stacked):
        path = "".join(_area(run, edge, chart.edges_s, frame) for run in _runs(layer.values))
        if path:
            fill = paint(layer.fill, frame.identifier)
            drawn.append(svg.element("path", {"d": path, "data-layer": str(number), **fill}))
    return drawn


def _runs(values: Sequence[float | None]) -> Iterator[range]:
    """Where values stand without a gap; zero is a gap too, for it has no area."""
    start = None
    for index, value in enumerate([*values, None]):
        if value and start is None:
            start = index
        elif not value and start is not None:
            yield range(start, index)
            start = None


def _area(run: range, edge: Sequence[float], edges_s: Sequence[float], frame: _Frame) -> str:
    base = svg.number(frame.bottom)
    steps = _steps([edge[index] for index in run], edges_s[run.start : run.stop + 1], frame)
    start = svg.number(frame.x.position(edges_s[run.start]))
    return f"M{start} {base}V{steps}V{base}Z"


def _steps(values: Sequence[float], edges_s: Sequence[float], frame: _Frame) -> str:
    """A path's commands over steps, from the height of the first; equal neighbours are one."""
    heights = [svg.number(frame.y.position(value)) for value in values]
    ends = [svg.number(frame.x.position(edge)) for edge in edges_s[1:]]
    commands = heights[0]
    for index, (height, end) in enumerate(zip(heights, ends, strict=True)):
        following = heights[index + 1] if index + 1 < len(heights) else None
        if following != height:
            commands += f"H{end}" + (f"V{following}" if following is not None else "")
    return commands


def _line(line: Line, edges_s: Sequence[float], frame: _Frame) -> list[str]:
    if line.stepped:
        return _stepped(line, edges_s, frame)
    pieces = (run for run in _pieces(line.values, edges_s, frame) if len(run) > 1)
    return [svg.polyline(run, line.css, line.colour, line.width, line.dash) for run in pieces]


def _dots(line: Line, number: int, edges_s: Sequence[float], frame: _Frame) -> list[str]:
    """Values of a line that have no neighbour, so that no line shows them."""
    if line.stepped:
        return []
    return [
        svg.pinned(
            run[0][0],
            svg.marker("circle", run[0], line.css, line.colour, radius=2.5),
            series=number,
        )
        for run in _pieces(line.values, edges_s, frame)
        if len(run) == 1
    ]


def _pieces(
    values: Sequence[float | None], edges_s: Sequence[float], frame: _Frame
) -> Iterator[list[Pixels]]:
    """Where a line goes without a gap, through the middle of each step."""
    middles = [(start + end) / 2 for start, end in pairwise(edges_s)]
    points: list[Pixels] = []
    for middle, value in zip([*middles, 0.0], [*values, None], strict=True):
        if value is not None:
            points.append((frame.x.position(middle), frame.y.position(value)))
        elif points:
            yield points
            points = []


def _band(band: Band, edges_s: Sequence[float], frame: _Frame) -> list[str]:
    drawn = []
    known = [
        None if low is None or high is None else 1.0
        for low, high in zip(band.low, band.high, strict=True)
    ]
    for run in _runs(known):
        edges = edges_s[run.start : run.stop + 1]
        upper = _steps([band.high[index] or 0.0 for index in run], edges, frame)
        # Back from the end, below.
        lower = _steps([band.low[index] or 0.0 for index in reversed(run)], edges[::-1], frame)
        path = f"M{svg.number(frame.x.position(edges[0]))} {upper}V{lower}Z"
        drawn.append(svg.band_path(path, band.css, band.colour))
    return drawn


def _rules(rules: Sequence[HorizontalRule], frame: _Frame) -> list[str]:
    """Lines over the whole width: they stay where they are when a reader zooms."""
    drawn = []
    for rule in rules:
        y = frame.y.position(rule.value)
        drawn.append(
            svg.line((frame.left, y), (frame.right, y), rule.css, rule.colour, 1.5, rule.dash)
        )
        if not rule.label:
            continue
        # Above its line, or below it where that would be outside of the plot.
        place = (frame.right - 4, y - 5 if y - 16 > frame.top else y + 14)
        css = f"{rule.css} c-label"
        drawn.append(
            svg.text(place, rule.label, anchor="end", fill=rule.colour, css=css, halo=True)
        )
    return drawn


def _stepped(line: Line, edges_s: Sequence[float], frame: _Frame) -> list[str]:
    values = [value or 0.0 for value in line.values]
    start = svg.number(frame.x.position(edges_s[0]))
    path = f"M{start} {_steps(values, edges_s, frame)}"
    return [svg.path(path, line.css, line.colour, line.width, line.dash)]


def _legend_entries(chart: TimeChart, identifier: str) -> list[Entry]:
    lines_from = 1 + len(chart.layers)
    entries = [
        Entry(line.name, line_mark(line), number)
        for number, line in enumerate(chart.lines, start=lines_from)
    ]
    entries += [
        Entry(layer.name, _swatch_of(layer.fill, identifier), number)
        for number, layer in enumerate(chart.layers, start=1)
    ]
    return entries + [
        Entry(band.name, _band_mark(band), number)
        for number, band in enumerate(chart.bands, start=lines_from + len(chart.lines))
    ]


def line_mark(line: Line) -> svg.Mark:
    """A piece of a line, for a legend."""
    return stroke(line.css, line.colour, line.width, line.dash)


def _swatch_of(fill: Fill, identifier: str) -> svg.Mark:
    return lambda centre: swatch(fill, identifier, centre)


def _band_mark(band: Band) -> svg.Mark:
    def draw(centre: Pixels) -> str:
        x, y = centre
        ends = [[(x - 8, y + side), (x + 8, y + side)] for side in (5.5, -5.5)]
        return svg.band(ends[0], ends[1], band.css, band.colour)

    return draw
