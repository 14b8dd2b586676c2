"""The percentile spectrum of a load run: how slow the slowest requests are."""

from __future__ import annotations

from reports import svg
from reports.figure import Figure
from reports.load_document import LoadDocument, LoadPercentiles
from reports.load_latency import latency_finding, stands_apart
from reports.percentile_chart import Look, Spectrum, spectrum_figure

_TITLE = "Latency by percentile"
_LOOKS = {
    "response": Look("c-data", svg.DATA),
    "service": Look("c-current", svg.CURRENT, "square", "7 4"),
    "ok_response": Look("c-taken", svg.RECOMMENDED, "diamond", "2 2"),
}


def percentile_figure(document: LoadDocument, anchor: str) -> Figure | None:
    """The latencies of the measured phases by percentile, if anything was completed."""
    spectra = _from_percentiles(document)
    if not spectra:
        return None
    help_text = (
        "How slow the slowest requests are: each step to the right is rarer. Percentiles come "
        "from merged histograms of single requests, never from averages of percentiles, and are "
        "within 0.1 % of the measured values."
    )
    return spectrum_figure(
        spectra,
        f"{anchor}-spectrum",
        title=_TITLE,
        finding=latency_finding(document),
        help_text=help_text,
    )


def _from_percentiles(document: LoadDocument) -> list[Spectrum]:
    """Five points of each latency: what a document without histograms has."""
    everything = "response time, all" if stands_apart(document) else "response time"
    known = (
        (everything, document.response_ms, "response"),
        ("service time", document.service_ms, "service"),
        ("response time, ok only", document.ok_response_ms, "ok_response"),
    )
    return [
        Spectrum(name, points_of(found), _LOOKS[kind])
        for name, found, kind in known
        if found is not None
    ]


def points_of(found: LoadPercentiles) -> list[tuple[float, float]]:
    """The five percentiles as points of a spectrum."""
    return [
        (0.5, found.p50),
        (0.9, found.p90),
        (0.95, found.p95),
        (0.99, found.p99),
        (0.999, found.p999),
    ]
