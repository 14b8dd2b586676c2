"""Calls at once against the rate of requests, both logarithmic, under the limit that they meet.

A band is where the number is in all but 1 % of the time on either side; points are multiples of the
rate that was measured. The limit is a line over the whole width, the rate that reaches it a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports import svg
from reports.concurrency import AtOnce
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
from reports.scale import LogScale, Scale, log_domain
from reports.svg import Pixels

# As wide as the charts over time, and lower: a straight line needs no height.
FULL = Canvas(1116, 330, "c-full")
MIDDLE = Canvas(700, 320, "c-middle", hidden=True)
SMALL = Canvas(344, 330, "c-small", hidden=True)

_RULE_ROW_PX = 17.0
# Below one call at once there is nothing to limit; the axis does not go further down.
_LEAST = 0.1


@dataclass(frozen=True, slots=True)
class ConcurrencyChart:
    """All that a chart shows; `finding` says it in words for those who do not see it.

    `curve` are points of the line and its band, `marked` those of the multiples. `slow` is the mean
    if each call took as long as p95, for the rates of `curve`.
    """

    title: str
    finding: str
    curve: Sequence[AtOnce]
    marked: Sequence[tuple[str, AtOnce]]
    slow: Sequence[float] = ()
    limit: tuple[float, str] | None = None
    reached: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    left: float
    right: float
    top: float
    bottom: float
    x: Scale
    y: Scale


def draw_concurrency_chart(chart: ConcurrencyChart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    axis = ValueAxis("calls at once", _shown(chart))
    legend = arrange(_legend(chart), canvas.width)
    top = Y_LABEL_PX + _RULE_ROW_PX
    bottom = canvas.height - BELOW_PX - len(legend) * ROW_PX
    rates = [point.rate_rps for point in chart.curve]
    lowest, highest = log_domain(rates[0], rates[-1])
    # The label of the last tick stands in the middle under the plot's right edge.
    room = svg.text_width(_tick_name(highest)) / 2 + 2
    left, right = axis.room_px(), canvas.width - max(RIGHT_PX, room)
    x = LogScale(lowest, highest, left, right)
    frame = _Frame(left, right, top, bottom, x, axis.scale(bottom, top))
    ticks = [(x.position(tick), _tick_name(tick)) for tick in x.ticks()]
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *axis.draw(frame.y, left, right),
        *x_axis(left, right, bottom, "admitted requests/s (log scale)"),
        *x_ticks(ticks, bottom, (0, len(ticks) - 1)),
        svg.stretched(
            svg.of_series(2, _band(chart, frame)),
            svg.of_series(4, _line(chart.curve, chart.slow, frame)) if chart.slow else "",
            svg.of_series(1, _mean(chart, frame)),
        ),
        *_limit(chart, frame),
        *_reached(chart, frame),
        *_points(chart, frame),
        *draw_legend(legend, canvas.height),
        area=PlotArea(left, right, top, bottom, Axis("log", x.low, x.high), axis.domain),
    )


def _tick_name(rate_rps: float) -> str:
    return f"{rate_rps:,.10g}"


def _shown(chart: ConcurrencyChart) -> list[float]:
    """The values that the axis holds; zero, which no logarithm has, lies on its lower edge."""
    values = [max(value, _LEAST) for p in chart.curve for value in (p.mean, float(p.high))]
    values += [float(point.low) for point in chart.curve if point.low]
    values += [max(value, _LEAST) for value in chart.slow]
    return values + ([chart.limit[0]] if chart.limit else [])


def _band(chart: ConcurrencyChart, frame: _Frame) -> str:
    xs = [frame.x.position(point.rate_rps) for point in chart.curve]
    lower, upper = (
        [(x, frame.y.position(float(end))) for x, end in zip(xs, ends, strict=True)]
        for ends in ([point.low for point in chart.curve], [point.high for point in chart.curve])
    )
    return svg.band(lower, upper, "c-band", svg.DATA)


def _mean(chart: ConcurrencyChart, frame: _Frame) -> str:
    at = [(frame.x.position(p.rate_rps), frame.y.position(p.mean)) for p in chart.curve]
    return svg.polyline(at, "c-data", svg.DATA, 2)


def _line(curve: Sequence[AtOnce], values: Sequence[float], frame: _Frame) -> str:
    at = [
        (frame.x.position(point.rate_rps), frame.y.position(value))
        for point, value in zip(curve, values, strict=True)
    ]
    return svg.polyline(at, "c-second", svg.MUTED, 1.5, "5 4")


def _limit(chart: ConcurrencyChart, frame: _Frame) -> list[str]:
    if chart.limit is None:
        return []
    value, label = chart.limit
    y = frame.y.position(value)
    line = svg.line((frame.left, y), (frame.right, y), "c-current", svg.CURRENT, 1.75, "7 4")
    place = (frame.left + 6, y - 5 if y - 16 > frame.top else y + 15)
    name = svg.text(place, label, fill=svg.CURRENT, css="c-current c-label", halo=True)
    return [line, name]


def _reached(chart: ConcurrencyChart, frame: _Frame) -> list[str]:
    if chart.reached is None:
        return []
    rate, label = chart.reached
    x, y = frame.x.position(rate), frame.top - 6
    [flag] = svg.place_flags([(x, label)], frame.left, frame.right)
    at = (flag.text_x, y)
    rule = svg.line((x, y - 9), (x, frame.bottom), "c-current", svg.CURRENT, 1.5, "2 3")
    css = "c-current c-label"
    name = svg.text(at, label, anchor=flag.anchor, fill=svg.CURRENT, css=css, halo=True)
    return [svg.pinned(x, rule, name)]


def _points(chart: ConcurrencyChart, frame: _Frame) -> list[str]:
    drawn = []
    for name, point in chart.marked:
        at = (frame.x.position(point.rate_rps), frame.y.position(point.mean))
        ends = [frame.y.position(float(end)) for end in (point.low, point.high)]
        drawn.append(
            svg.pinned(
                at[0],
                svg.error_bar(at[0], ends[0], ends[1], "c-data", svg.DATA),
                svg.marker("circle", at, "c-data", svg.DATA),
                svg.text(
                    (at[0] + 8, at[1] + 16), name, fill=svg.INK, css="c-strong c-label", halo=True
                ),
            )
        )
    return drawn


def _legend(chart: ConcurrencyChart) -> list[Entry]:
    entries = [
        Entry("on average (rate x mean duration)", stroke("c-data", svg.DATA, 2), 1),
        Entry("in 98 % of the time", _swatch, 2),
    ]
    if chart.slow:
        mark = stroke("c-second", svg.MUTED, 1.5, "5 4")
        entries.append(Entry("if each call took its p95", mark, 4))
    return entries


def _swatch(centre: Pixels) -> str:
    x, y = centre
    return svg.band([(x - 8, y + 5), (x + 8, y + 5)], [(x - 8, y - 5), (x + 8, y - 5)], "c-band",
                    svg.DATA)  # fmt: skip
