"""The percentile spectrum of a load run: how slow the slowest requests are."""

from __future__ import annotations

from reports import svg
from reports.figure import Figure
from reports.frame import NARROW, WIDE
from reports.load_document import LoadDocument, LoadPercentiles
from reports.load_latency import latency_finding, stands_apart
from reports.percentile_chart import Spectrum, draw_percentile_chart
from reports.svg import Marker


def _spectra(
    document: LoadDocument,
) -> list[tuple[str, LoadPercentiles | None, str, str, Marker, str]]:
    ok = document.ok_response_ms
    everything = "response time, all" if stands_apart(document) else "response time"
    return [
        (everything, document.response_ms, "c-data", svg.DATA, "circle", ""),
        ("service time", document.service_ms, "c-current", svg.CURRENT, "square", "7 4"),
        ("response time, ok only", ok, "c-taken", svg.RECOMMENDED, "diamond", "2 2"),
    ]


def percentile_figure(document: LoadDocument, anchor: str) -> Figure | None:
    """The latencies of the measured phases by percentile, if anything was completed."""
    spectra = [
        Spectrum(name, percentiles, css, colour, shape, dash)
        for name, percentiles, css, colour, shape, dash in _spectra(document)
        if percentiles is not None
    ]
    if not spectra:
        return None
    finding = latency_finding(document)
    drawings = [
        draw_percentile_chart(spectra, canvas, f"{anchor}-spectrum-{canvas.css[2:]}", finding)
        for canvas in (WIDE, NARROW)
    ]
    help_text = (
        "How slow the slowest requests are: each step to the right is rarer. Percentiles come "
        "from merged histograms of single requests, never from averages of percentiles, and are "
        "within 0.1 % of the measured values."
    )
    return Figure("Latency by percentile", help_text, drawings)
