"""The charts of a probe of limits: what came through over time, and what the limit leaves open.

The second one adds up what was admitted less what the limit that was found would admit. A bucket
corrects itself, so this stays near zero where the limit is of the kind that was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports import svg
from reports.figure import Data, Figure
from reports.figures import fixed, seconds
from reports.hatch import Fill
from reports.limits_document import LimitsDocument, ProbeBin
from reports.limits_drift import drift_words, drifts_of
from reports.limits_frontier import frontier_figure
from reports.limits_words import headline
from reports.time_chart import (
    FULL,
    MIDDLE,
    SMALL,
    Band,
    HorizontalRule,
    Layer,
    Line,
    Span,
    TimeChart,
    data_of,
    draw_time_chart,
)

SENT = "Sent and admitted"
BESIDE = "Sent, admitted, and what the limit that was found admits"
DRIFT = "Admitted less what the limit would admit, added up"
# A chart of residuals is read for its level alone, so it needs less height.
_DRIFT_CANVASES = tuple(replace(canvas, height=260) for canvas in (FULL, MIDDLE, SMALL))
# Above it the axis counts minutes, and so do the rows.
_IN_SECONDS_UNTIL_S = 120


def limits_figures(document: LimitsDocument, anchor: str) -> list[Figure]:
    """The figures of a probe; `anchor` makes their ids unique in a page."""
    if not document.bins:
        return [Figure(SENT, "No chart: nothing was sent.", (), name="admitted")]
    found = [_sent(document, anchor)]
    if document.bins[0].model is not None:
        found.append(_drift(document, anchor))
    excluded = frontier_figure(document, anchor)
    return [*found, excluded] if excluded else found


def _sent(document: LimitsDocument, anchor: str) -> Figure:
    bins = document.bins
    has_model = bins[0].model is not None
    title = BESIDE if has_model else SENT
    lines = [_line("sent", [_rps(one, one.sent) for one in bins], "c-offered", svg.INK)]
    if has_model:
        model = [_rps(one, one.model or 0.0) for one in bins]
        lines.append(_line("the limit that was found", model, "c-current", svg.CURRENT, "7 4"))
    chart = TimeChart(
        title=title,
        finding=headline(document),
        y_label="requests/s",
        edges_s=_edges(bins),
        spans=_spans(document),
        layers=_layers(bins),
        lines=lines,
    )
    help_text = (
        f"Of the probed scenario, in steps of {_width(bins)}, by when requests were sent. Bands "
        "are phases, by name or by their number in the table."
    )
    if has_model:
        help_text += (
            " Where the areas' border follows the broken line, the limit that was found is the one "
            "that refused."
        )
    drawings = [
        draw_time_chart(chart, canvas, f"{anchor}-probe-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    return Figure(title, help_text, drawings, _data(chart, "requests/s"), "admitted")


def _layers(bins: Sequence[ProbeBin]) -> list[Layer]:
    admitted = [_rps(one, one.admitted) for one in bins]
    layers = [Layer("admitted", admitted, Fill("c-admitted", svg.ADMITTED))]
    refused = [_rps(one, one.sent - one.admitted) for one in bins]
    if any(refused):
        fill = Fill("c-refused", svg.REFUSED, svg.REFUSED_LINE, "rising")
        layers.append(Layer("refused", refused, fill))
    return layers


def _drift(document: LimitsDocument, anchor: str) -> Figure:
    bins = document.bins
    band = bins[0].drift_low is not None
    chart = TimeChart(
        title=DRIFT,
        finding=drift_words(bins),
        y_label="requests",
        edges_s=_edges(bins),
        spans=_spans(document),
        lines=[_line("admitted less modelled", drifts_of(bins), "c-data", svg.DATA)],
        bands=[
            Band(
                "by chance, 90 % of probes",
                [one.drift_low for one in bins],
                [one.drift_high for one in bins],
                "c-band",
                svg.DATA,
            )
        ]
        if band
        else [],
        rules=[HorizontalRule(0.0, "", "c-second", svg.MUTED, "4 3")],
    )
    help_text = drift_words(bins)
    if band:
        help_text += (
            " Shaded: where probes of such a limit end up by chance, with the travel times that "
            "were seen and with rate and burst anywhere in their intervals; 9 of 10 stay inside "
            "all the time."
        )
    drawings = [
        draw_time_chart(chart, canvas, f"{anchor}-drift-{canvas.css[2:]}")
        for canvas in _DRIFT_CANVASES
    ]
    return Figure(DRIFT, help_text, drawings, _drift_data(chart), "residuals")


def _drift_data(chart: TimeChart) -> Data:
    """Requests are whole; what chance gives is not."""
    (line,) = chart.lines
    ends = [end for band in chart.bands for end in (band.high, band.low)]
    data = _data(chart, "requests")
    rows = []
    for row, value, *bounds in zip(data.rows, line.values, *ends, strict=True):
        texts = [fixed(value or 0.0, 0), *(fixed(bound or 0.0, 1) for bound in bounds)]
        rows.append(replace(row, cells=[row.cells[0], *texts]))
    return replace(data, rows=rows)


def _data(chart: TimeChart, unit: str) -> Data:
    """A row for each bin, with its time to the hundredth of a second: bins are that short."""
    data = data_of(chart, unit)
    if chart.edges_s[-1] > _IN_SECONDS_UNTIL_S:
        return data
    rows = [replace(row, cells=[fixed(row.x or 0.0, 2), *row.cells[1:]]) for row in data.rows]
    return replace(data, rows=rows)


def _edges(bins: Sequence[ProbeBin]) -> list[float]:
    return [0.0, *(one.to_s - bins[0].from_s for one in bins)]


def _spans(document: LimitsDocument) -> list[Span]:
    """Phases; those of the layer test have others in them, and the limit says nothing of those."""
    bins = document.bins
    begin_s = bins[0].from_s
    return [
        Span(one.name, max(0.0, one.from_s - begin_s), one.to_s - begin_s, measured=True)
        for one in document.phases
        if one.purpose != "layer" and one.from_s < bins[-1].to_s
    ]


def _width(bins: Sequence[ProbeBin]) -> str:
    return seconds(round(bins[0].to_s - bins[0].from_s, 2))


def _line(name: str, values: Sequence[float | None], css: str, colour: str, dash: str = "") -> Line:
    return Line(name, values, css, colour, 1.5, dash, stepped=True)


def _rps(one: ProbeBin, count: float) -> float:
    return count / (one.to_s - one.from_s)
