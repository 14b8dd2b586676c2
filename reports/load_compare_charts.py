"""Both runs of a comparison in one drawing: percentile spectra, and p95 by block of time."""

from __future__ import annotations

from collections.abc import Sequence

from reports import svg
from reports.figure import Figure
from reports.load_compare_document import ComparedLoad, LoadCompareDocument
from reports.load_compare_words import change_sentence
from reports.percentile_chart import spectrum_figure
from reports.spectra import Look, Spectrum
from reports.time_chart import FULL, MIDDLE, SMALL, Line, TimeChart, data_of, draw_time_chart

_FIVE = 5  # percentiles that documents without histograms have
_BASELINE = Look("c-current", svg.CURRENT, "square", "7 4")
_NEWER = Look("c-data", svg.DATA, "circle")


def spectrum_chart(document: LoadCompareDocument, anchor: str) -> Figure | None:
    """The spectra of ok responses over each other, with the simultaneous band of each."""
    entries = [
        _spectrum("baseline", document.before, _BASELINE),
        _spectrum("newer run", document.after, _NEWER),
    ]
    known = [one for one in entries if one.points]
    if len(known) < len(entries):
        return None
    help_text = f"Response time of ok requests: each step to the right is rarer. {_band(known)}"
    return spectrum_figure(
        known,
        f"{anchor}-spectrum",
        title="Latency by percentile, both runs",
        finding=_latency_finding(document),
        help_text=help_text,
        canvases=(FULL, MIDDLE, SMALL),
    )


def _band(spectra: Sequence[Spectrum]) -> str:
    if any(one.band for one in spectra):
        return (
            "Each band holds its whole line with 95 %, up to where nothing bounds it. Where the "
            "bands part, the runs differ; where they overlap, the table decides, for it compares "
            "block by block: what differs between blocks by design, as in a ramp, widens a band."
        )
    if any(len(one.points) > _FIVE for one in spectra):
        return "Without a band: too few requests, or blocks of time that differ too much."
    return "Five percentiles without a band: a run has no histograms by block of time."


def _spectrum(name: str, run: ComparedLoad, look: Look) -> Spectrum:
    band = [
        (point.q, point.low_ms, point.high_ms)
        for point in run.spectrum
        if point.low_ms is not None and point.high_ms is not None
    ]
    return Spectrum(name, [(point.q, point.ms) for point in run.spectrum], look, band or None)


def _latency_finding(document: LoadCompareDocument) -> str:
    if not document.parts:
        return "Response times of ok requests in both runs."
    part = document.parts[0]
    told = [change_sentence(part, c) for c in part.changes if c.metric in ("p50", "p95", "p99")]
    return "; ".join(told) + "."


def blocks_chart(document: LoadCompareDocument, anchor: str) -> Figure | None:
    """The p95 of both runs by block of time: what the comparison goes by."""
    before, after = document.before.blocks, document.after.blocks
    if len(before) != len(after) or len(before) < 2:
        return None
    lines = [
        Line("baseline p95", [b.p95_ms for b in before], "c-current", svg.CURRENT, 2, "7 4"),
        Line("newer run p95", [b.p95_ms for b in after], "c-data", svg.DATA, 2.25),
    ]
    if not all(any(value is not None for value in line.values) for line in lines):
        return None
    title = "p95 by block of time"
    finding = _latency_finding(document)
    chart = TimeChart(
        title=title,
        finding=finding,
        y_label="latency, ms",
        edges_s=[*(block.from_s for block in after), after[-1].to_s],
        spans=[],
        lines=lines,
    )
    help_text = (
        "Response time of ok requests, in the blocks that are compared with each other, over the "
        "time of the newer run. What both runs share, such as a ramp, cancels; what only one "
        "block has widens the interval."
    )
    drawings = [
        draw_time_chart(chart, canvas, f"{anchor}-blocks-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    return Figure(title, help_text, drawings, data_of(chart, "ms"), "blocks")
