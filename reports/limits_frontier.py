"""What a probe without a refusal excludes: for each rate the least burst that a limit must have."""

from __future__ import annotations

from dataclasses import replace

from reports import svg
from reports.blocks import Column
from reports.figure import Data, DataRow, Figure
from reports.figures import fixed, listed, significant
from reports.limits_document import FrontierPoint, LayerComparison, LimitsDocument
from reports.rate_chart import RateChart, RateSeries, draw_rate_chart
from reports.time_chart import FULL, MIDDLE, SMALL

_TITLE = "Limits that are excluded"
# Configured limits far above what was sent would press the line into a corner.
_SHOWN_UP_TO = 2.0
_CANVASES = [replace(canvas, height=280) for canvas in (FULL, MIDDLE, SMALL)]
_LEAST = ("c-data", svg.DATA)
_CONFIGURED = ("c-current", svg.CURRENT)


def frontier_figure(document: LimitsDocument, anchor: str) -> Figure | None:
    """Rate against least burst, with the configured limits near it; None without such bounds."""
    points = document.finding.frontier
    if document.finding.kind != "no_refusal" or len(points) < 2:
        return None
    near, far = _configured(document, points)
    bounds = [(one.rate_rps, one.burst, _hover(one)) for one in points]
    chart = RateChart(
        title=_TITLE,
        finding=_finding(points),
        x_label="rate of the limit, requests/s",
        y_label="burst of the limit, requests",
        series=[
            RateSeries("least burst", bounds, *_LEAST, "circle", 1, joined=True),
            *(
                RateSeries(f"configured: {one.name}", [_point(one)], *_CONFIGURED, "diamond")
                for one in near
            ),
        ],
        linear=True,
    )
    help_text = (
        "Nothing was refused, so that no limit of this API lies below the line: it would have "
        "refused some of what came through. A configured limit below it is not kept."
    )
    if far:
        told = listed([f"{one.name} ({_words(one)})" for one in far])
        help_text += f" Far above what was sent, and not drawn: {told}."
    drawings = [
        draw_rate_chart(chart, canvas, f"{anchor}-frontier-{canvas.css[2:]}")
        for canvas in _CANVASES
    ]
    return Figure(_TITLE, help_text, drawings, _data(points), "frontier")


def _configured(
    document: LimitsDocument, points: list[FrontierPoint]
) -> tuple[list[LayerComparison], list[LayerComparison]]:
    """Configured limits that the chart has room for, and the others."""
    most_rps = _SHOWN_UP_TO * max(one.rate_rps for one in points)
    most = _SHOWN_UP_TO * max(one.burst for one in points)
    near: list[LayerComparison] = []
    far: list[LayerComparison] = []
    for one in document.comparisons:
        if one.rate_rps is None or one.burst is None:
            continue
        is_near = one.rate_rps <= most_rps and one.burst <= most
        (near if is_near else far).append(one)
    return near, far


def _words(one: LayerComparison) -> str:
    return f"{significant(one.rate_rps or 0.0)}/s, burst {one.burst or 0:,}"


def _point(one: LayerComparison) -> tuple[float, float, str]:
    return one.rate_rps or 0.0, float(one.burst or 0), f"{one.name}: {_words(one)}"


def _hover(one: FrontierPoint) -> str:
    return f"at {significant(one.rate_rps)}/s the burst is at least {one.burst:,.0f}"


def _finding(points: list[FrontierPoint]) -> str:
    first, last = points[0], points[-1]
    return (
        f"A limit of no refill at all has a burst of at least {first.burst:,.0f}; one of "
        f"{significant(last.rate_rps)} requests/s may have any burst from {last.burst:,.0f} on."
    )


def _data(points: list[FrontierPoint]) -> Data:
    return Data(
        [Column("rate", "requests/s"), Column("least burst", "requests")],
        [
            DataRow(one.rate_rps, [fixed(one.rate_rps, 1), fixed(one.burst, 0)])
            for one in sorted(points, key=lambda point: point.rate_rps)
        ],
    )
