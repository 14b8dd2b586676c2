"""Cold starts of a load run over its time, and their part of the slowest requests."""

from __future__ import annotations

from reports import counts_chart, svg
from reports.blocks import Column
from reports.counts_chart import CountsChart, draw_counts_chart
from reports.figure import Data, DataRow, Figure
from reports.figures import SPACE, fixed, listed, milliseconds, seconds, significant
from reports.hatch import INIT_FILL
from reports.load_document import LoadDocument
from reports.load_waterfall import ColdBin, ColdPercentiles, ColdStarts
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
from reports.waterfall_words import slowest_words, spread_words

_TITLE = "Cold starts over time"
_INIT_TITLE = "How long cold starts took"
_INIT_CANVASES = (counts_chart.FULL, counts_chart.MIDDLE, counts_chart.SMALL)
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
        layers=[Layer("met a cold start", [_percent(one) for one in cold.bins], INIT_FILL)],
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
        in_unit = "" if ":" in unit else f"{SPACE}{unit}"
        words = (
            f"Most cold starts fell between {start} and {end}{in_unit}: {worst.cold:,} of "
            f"{worst.requests:,} requests."
        )
    slowest = slowest_words(cold)
    return f"{words} {slowest}".strip() if slowest else words


def init_figure(cold: ColdStarts, anchor: str) -> Figure | None:
    """How long INIT or restore took; None where a document does not tell."""
    spread = cold.init_ms
    if spread is None or not cold.init_bins:
        return None
    rules = _rules(spread)
    chart = CountsChart(
        title=_INIT_TITLE,
        finding=init_finding(cold, spread),
        x_label="INIT or restore, ms (log scale)",
        y_label="cold starts",
        edges=[cold.init_bins[0].from_ms, *(one.to_ms for one in cold.init_bins)],
        counts=[one.count for one in cold.init_bins],
        css="c-broken",
        colour=svg.FAILED,
        rules=rules,
    )
    drawings = [
        draw_counts_chart(chart, canvas, f"{anchor}-init-{canvas.css[2:]}")
        for canvas in _INIT_CANVASES
    ]
    help_text = (
        f"{init_finding(cold, spread)} Several heaps are several functions or runtimes; a tail far "
        "to the right is work that INIT does now and then, such as a download."
    )
    columns = [Column("from", "ms"), Column("cold starts"), Column("to", "ms")]
    rows = [
        DataRow(one.from_ms, [significant(one.from_ms), f"{one.count:,}", significant(one.to_ms)])
        for one in cold.init_bins
    ]
    return Figure(_INIT_TITLE, help_text, drawings, Data(columns, rows), "init")


def _rules(spread: ColdPercentiles) -> list[tuple[float, str]]:
    """The percentiles that so many starts have, and else the longest."""
    known = [(0.5, "p50", spread.p50), (0.95, "p95", spread.p95), (0.99, "p99", spread.p99)]
    shown = [
        (ms, f"{key} {milliseconds(ms)}") for q, key, ms in known if spread.n * (1 - q) >= 0.999
    ]
    if len(shown) < len(known):
        shown.append((spread.p99, f"longest {milliseconds(spread.p99)}"))
    # Of few starts some are the same one.
    return list(dict(reversed(shown)).items())[::-1]


def init_finding(cold: ColdStarts, spread: ColdPercentiles) -> str:
    """How long the starts took that requests of the run waited for."""
    kind = "Restore" if cold.restored == cold.cold else "INIT"
    starts = "cold start" if spread.n == 1 else "cold starts"
    return f"{kind} of {spread.n:,} {starts} took {listed(spread_words(spread))}."
