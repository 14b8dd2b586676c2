"""How often values of each size came: bars over a logarithmic axis, with labelled values as rules.

Bars are as high as their counts, from zero; the bounds of their bins have equal ratios, so that all
are as wide as each other.
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
    tick_texts,
    x_axis,
    x_ticks,
)
from reports.scale import LinearScale, LogScale, nice_top

# As wide as the charts over time.
FULL = Canvas(1116, 260, "c-full")
MIDDLE = Canvas(700, 260, "c-middle", hidden=True)
SMALL = Canvas(344, 270, "c-small", hidden=True)

_RULE_ROW_PX = 17.0
_GAP_PX = 1.0


@dataclass(frozen=True, slots=True)
class CountsChart:
    """All that a chart shows; `edges` are the bounds of the bins, one more than there are."""

    title: str
    finding: str
    x_label: str
    y_label: str
    edges: Sequence[float]
    counts: Sequence[int]
    css: str
    colour: str
    rules: Sequence[tuple[float, str]] = ()


def draw_counts_chart(chart: CountsChart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    highest = float(max(chart.counts))
    axis = ValueAxis(chart.y_label, [0.0, highest])
    left, right = axis.room_px(), canvas.width - RIGHT_PX
    x = LogScale(chart.edges[0], chart.edges[-1], left, right)
    flags = svg.place_flags([(x.position(at), name) for at, name in chart.rules], 2, canvas.width)
    rows = 1 + max((flag.row for flag in flags), default=-1)
    top, bottom = Y_LABEL_PX + rows * _RULE_ROW_PX + 6, canvas.height - BELOW_PX
    y = LinearScale(0.0, nice_top(highest), bottom, top)
    ticks = x.ticks()
    wanted = [(x.position(tick), text) for tick, text in zip(ticks, tick_texts(ticks), strict=True)]
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *axis.draw(y, left, right),
        *x_axis(left, right, bottom, chart.x_label),
        *x_ticks(wanted, bottom, (0, len(wanted) - 1)),
        svg.stretched(*_bars(chart, x, y, bottom)),
        *_rules(chart, flags, x, top, bottom),
        area=PlotArea(
            left, right, top, bottom, Axis("log", x.low, x.high), Axis("linear", y.low, y.high),
            rows="step",
        ),
    )  # fmt: skip


def _bars(chart: CountsChart, x: LogScale, y: LinearScale, bottom: float) -> list[str]:
    drawn = []
    for low, high, count in zip(chart.edges, chart.edges[1:], chart.counts, strict=False):
        if count:
            start, end, height = x.position(low), x.position(high), bottom - y.position(count)
            box: dict[str, str | float] = {
                "x": start,
                "y": bottom - height,
                "width": max(end - start - _GAP_PX, 1.0),
                "height": height,
                "class": chart.css,
                "fill": chart.colour,
            }
            drawn.append(svg.element("rect", box))
    return drawn


def _rules(
    chart: CountsChart, flags: Sequence[svg.Flag], x: LogScale, top: float, bottom: float
) -> list[str]:
    drawn = []
    for (value, name), flag in zip(chart.rules, flags, strict=True):
        at, y = x.position(value), top - 9 - flag.row * _RULE_ROW_PX
        place = (flag.text_x, y)
        rule = svg.line((at, y - 9), (at, bottom), "c-offered", svg.INK, 1.25, "4 3")
        label = svg.text(
            place, name, anchor=flag.anchor, fill=svg.INK, css="c-strong c-label", halo=True
        )
        drawn.append(svg.pinned(at, rule, label))
    return drawn
