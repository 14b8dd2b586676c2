"""The chart of where the time goes: one bar for the median request, one for the slowest 1 %."""

from __future__ import annotations

from reports import svg
from reports.figure import Data, DataRow, Figure
from reports.figures import milliseconds, part_of, percent
from reports.hatch import INIT_FILL, Fill
from reports.load_waterfall import LABELS, PartName, TimeGroup, Waterfall
from reports.parts_chart import (
    FULL,
    MIDDLE,
    SMALL,
    Bar,
    PartsChart,
    Piece,
    draw_parts_chart,
)
from reports.waterfall_tables import parts_table
from reports.waterfall_words import (
    LEAST_SHOWN_MS,
    MEDIAN,
    SLOWEST,
    finding,
    source_words,
    title_of,
)

_GREY, _AMBER = ("c-unnamed", svg.UNNAMED, svg.MUTED), ("c-refused", svg.REFUSED, svg.REFUSED_LINE)
_SOLID_GREY = "c-second c-fill"

# Client grey, network blue, gateway amber, function green; INIT stands out. What is not split is
# darker than its parts. Parts of like brightness that touch differ in their hatch as well.
FILLS: dict[PartName, Fill] = {
    "queue": Fill("c-unnamed", svg.UNNAMED),
    "dns": Fill(*_GREY, "dots"),
    "tcp": Fill(*_GREY, "level"),
    "tls": Fill(*_GREY, "cross"),
    "network": Fill("c-admitted", svg.ADMITTED),
    "network_api_function": Fill(_SOLID_GREY, svg.MUTED),
    "network_api": Fill(*_GREY, "falling"),
    "gateway": Fill("c-refused", svg.REFUSED),
    "authorizer": Fill(*_AMBER, "rising"),
    "gateway_function": Fill(*_AMBER, "upright"),
    "integration": Fill(*_AMBER, "dashes"),
    "integration_function": Fill("c-data c-fill", svg.DATA),
    "init": INIT_FILL,
    "handler": Fill("c-taken c-fill", svg.RECOMMENDED),
    "request": Fill("c-p99 c-fill", "#16255e"),
    "no_answer": Fill(*_GREY, "dashes"),
    "response": Fill("c-p50 c-fill", "#4680c0"),
}

# What the parts leave is shown as well. Where it is below zero it has no length, and the data tell.
_RESIDUAL = "residual, not explained"
_RESIDUAL_FILL = Fill(*_GREY, "zigzag")


def waterfall_figure(waterfall: Waterfall, anchor: str) -> Figure:
    """The bars of a run; `anchor` makes their ids unique in a page."""
    chart = PartsChart(
        title="Parts of the response time",
        finding=finding(waterfall),
        bars=[_bar(MEDIAN, waterfall.median), _bar(SLOWEST, waterfall.slowest)],
        order=[*LABELS.values(), _RESIDUAL],
    )
    help_text = (
        finding(waterfall)
        + " Parts of the response time in the order of time, of the requests around the median and "
        "of the slowest 1 % as a group, as means; both bars are drawn as long as each other. "
        + source_words(waterfall)
    )
    drawings = [
        draw_parts_chart(chart, canvas, f"{anchor}-parts-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    return Figure("Where the time goes", help_text, drawings, _data(waterfall), "waterfall")


def _data(waterfall: Waterfall) -> Data:
    """The parts of both groups, and what they leave."""
    table = parts_table(waterfall)
    return Data(table.columns, [DataRow(None, row.cells) for row in table.rows])


def _bar(name: str, group: TimeGroup) -> Bar:
    pieces = [
        Piece(
            LABELS[part.part],
            part.mean_ms,
            FILLS[part.part],
            f"{LABELS[part.part]}: {milliseconds(part.mean_ms)}, {percent(part.share)}",
        )
        for part in group.parts
    ]
    if group.residual_ms >= LEAST_SHOWN_MS:
        share = part_of(group.residual_ms, group.response_ms)
        hover = f"{_RESIDUAL}: {milliseconds(group.residual_ms)}, {share}"
        pieces.append(Piece(_RESIDUAL, group.residual_ms, _RESIDUAL_FILL, hover))
    return Bar(title_of(name, group), pieces)
