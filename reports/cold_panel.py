"""Cold starts of a load run over its time, and their part of the slowest requests."""

from __future__ import annotations

from reports import svg
from reports.blocks import Column
from reports.figure import Data, DataRow, Figure
from reports.figures import fixed, seconds
from reports.hatch import Fill
from reports.load_document import LoadDocument
from reports.load_waterfall import ColdBin, ColdStarts
from reports.time_axis import TimeScale, time_label
from reports.time_chart import (
    FULL,
    MIDDLE,
    SMALL,
    Layer,
    Span,
    TimeChart,
    draw_time_chart,
)
from reports.waterfall_words import slowest_words

_TITLE = "Cold starts over time"
_COLD = Fill("c-broken", svg.FAILED)
# Of fewer stretches a chart shows nothing that a sentence does not.
_FEWEST_BINS = 3


def cold_figure(document: LoadDocument, anchor: str) -> Figure | None:
    """The share of requests that met a cold start, over the run; None where none did."""
    cold = document.cold_starts
    if cold is None or not cold.cold or len(cold.bins) < _FEWEST_BINS:
        return None
    chart = TimeChart(
        title=_TITLE,
        finding=cold_finding(cold),
        y_label="cold, % of requests",
        edges_s=[cold.bins[0].from_s, *(one.to_s for one in cold.bins)],
        spans=[
            Span(phase.name, phase.from_s, phase.to_s, phase.measured) for phase in document.phases
        ],
        layers=[Layer("met a cold start", [_percent(one) for one in cold.bins], _COLD)],
    )
    drawings = [
        draw_time_chart(chart, canvas, f"{anchor}-cold-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    width_s = cold.bins[0].to_s - cold.bins[0].from_s
    help_text = (
        f"{cold_finding(cold)} Each step is {seconds(width_s)}, by when requests were sent, of all "
        "phases and of requests with a REPORT line. Cold starts at the beginning of a phase are "
        "new environments for a higher rate; those in between are replaced ones."
    )
    return Figure(_TITLE, help_text, drawings, _data(cold), "cold-starts")


def _percent(one: ColdBin) -> float:
    return 100 * one.cold / one.requests if one.requests else 0.0


def _data(cold: ColdStarts) -> Data:
    end_s = cold.bins[-1].to_s
    columns = [
        Column("from", TimeScale(end_s, 0.0, 1.0).unit),
        Column("met a cold start", "%"),
        Column("cold"),
        Column("with REPORT"),
    ]
    rows = [
        DataRow(
            one.from_s,
            [
                time_label(one.from_s, end_s),
                fixed(_percent(one), 1),
                f"{one.cold:,}",
                f"{one.requests:,}",
            ],
        )
        for one in cold.bins
    ]
    return Data(columns, rows)


def cold_finding(cold: ColdStarts) -> str:
    """The stretch with the highest share, and how many of the slowest requests were cold."""
    words = ""
    if cold.bins:
        worst = max(cold.bins, key=lambda one: (one.cold, -one.from_s))
        end_s = cold.bins[-1].to_s
        start, end = (time_label(at, end_s) for at in (worst.from_s, worst.to_s))
        unit = TimeScale(end_s, 0.0, 1.0).unit
        words = (
            f"Most cold starts fell between {start} and {end} ({unit}): {worst.cold:,} of "
            f"{worst.requests:,} requests."
        )
    slowest = slowest_words(cold)
    return f"{words} {slowest}".strip() if slowest else words
