"""A chart over the time of a run: stacked areas in steps, lines, and phases as labelled bands.

Areas and stepped lines hold over a whole step; other lines go through the middle of each. Where a
line has no value it breaks off: nothing is drawn where nothing was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from reports import svg
from reports.frame import (
    BELOW_PX,
    RIGHT_PX,
    Y_LABEL_PX,
    Canvas,
    ValueAxis,
    root,
    x_axis,
    x_ticks,
)
from reports.hatch import Fill, paint, pattern, swatch
from reports.legend import ROW_PX, Entry, arrange, draw_legend
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
class Span:
    """A phase of the run, a band behind the drawing."""

    name: str
    from_s: float
    to_s: float
    measured: bool


@dataclass(frozen=True, slots=True)
class TimeChart:
    """All that a chart shows; `edges_s` are the bounds of its steps, one more than there are."""

    title: str
    finding: str
    y_label: str
    edges_s: Sequence[float]
    spans: Sequence[Span]
    layers: Sequence[Layer] = ()
    lines: Sequence[Line] = ()
    hovers: Sequence[str] = ()

    @property
    def y_axis(self) -> ValueAxis:
        """The vertical axis for what is shown; a stack begins at zero, so its axis does too."""
        values = [value for line in self.lines for value in line.values if value is not None]
        if self.layers:
            values += [0.0, *self.heights()[-1]]
        return ValueAxis(self.y_label, values)

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
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *_patterns(chart, identifier),
        *_bands(chart.spans, frame),
        *axis.draw(frame.y, left, right),
        *_layers(chart, frame),
        *(mark for line in chart.lines for mark in _line(line, chart.edges_s, frame)),
        *_span_labels(chart.spans, frame),
        *x_axis(left, right, bottom, x.name),
        *x_ticks(ticks, bottom, ()),
        *draw_legend(legend, canvas.height),
        *(_hovers(chart, frame) if not canvas.hidden else ()),
    )


def _patterns(chart: TimeChart, identifier: str) -> list[str]:
    written = [pattern(layer.fill, identifier) for layer in chart.layers]
    return [svg.element("defs", {}, *written)] if any(written) else []


def _bands(spans: Sequence[Span], frame: _Frame) -> list[str]:
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
            drawn.append(svg.text(place, label, anchor="middle", css="c-text c-phase-name"))
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
    for layer, edge in reversed(list(zip(chart.layers, chart.heights(), strict=True))):
        path = "".join(_area(run, layer, edge, chart.edges_s, frame) for run in _runs(layer.values))
        if path:
            drawn.append(svg.element("path", {"d": path, **paint(layer.fill, frame.identifier)}))
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


def _area(
    run: range, layer: Layer, edge: Sequence[float], edges_s: Sequence[float], frame: _Frame
) -> str:
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
    middles = [(start + end) / 2 for start, end in pairwise(edges_s)]
    drawn = []
    points: list[Pixels] = []
    for middle, value in zip([*middles, 0.0], [*line.values, None], strict=True):
        if value is not None:
            points.append((frame.x.position(middle), frame.y.position(value)))
            continue
        if len(points) == 1:
            drawn.append(svg.marker("circle", points[0], line.css, line.colour, radius=2.5))
        elif points:
            drawn.append(svg.polyline(points, line.css, line.colour, line.width, line.dash))
        points = []
    return drawn


def _stepped(line: Line, edges_s: Sequence[float], frame: _Frame) -> list[str]:
    values = [value or 0.0 for value in line.values]
    start = svg.number(frame.x.position(edges_s[0]))
    path = f"M{start} {_steps(values, edges_s, frame)}"
    return [svg.path(path, line.css, line.colour, line.width, line.dash)]


def _hovers(chart: TimeChart, frame: _Frame) -> list[str]:
    """Invisible columns that say the figures of their step when pointed at."""
    height = svg.number(frame.bottom - frame.top)
    drawn = []
    for hover, (start, end) in zip(chart.hovers, pairwise(chart.edges_s), strict=False):
        x = frame.x.position(start)
        width = svg.number(frame.x.position(end) - x)
        box = f"M{svg.number(x)} {svg.number(frame.top)}h{width}v{height}h-{width}z"
        drawn.append(svg.titled(hover, svg.element("path", {"d": box})))
    return [svg.element("g", {"fill-opacity": "0"}, *drawn)] if drawn else []


def _legend_entries(chart: TimeChart, identifier: str) -> list[Entry]:
    lines = [Entry(line.name, line_mark(line)) for line in chart.lines]
    return lines + [_layer_entry(layer, identifier) for layer in chart.layers]


def line_mark(line: Line) -> svg.Mark:
    """A piece of a line, for a legend."""

    def draw(centre: Pixels) -> str:
        x, y = centre
        return svg.line((x - 9, y), (x + 9, y), line.css, line.colour, line.width, line.dash)

    return draw


def _layer_entry(layer: Layer, identifier: str) -> Entry:
    return Entry(layer.name, lambda centre: swatch(layer.fill, identifier, centre))
