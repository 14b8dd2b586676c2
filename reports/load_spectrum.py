"""The percentile spectrum of a load run: how slow the slowest requests are."""

from __future__ import annotations

import re

from reports import svg
from reports.figure import Figure
from reports.figures import SPACE, milliseconds, significant
from reports.histogram import decoded, spectrum, spectrum_band
from reports.load_document import LoadDocument, LoadPercentiles, ThresholdResult
from reports.load_histograms import RunHistograms, ok_histograms
from reports.load_latency import latency_finding, response_of, stands_apart
from reports.percentile_chart import spectrum_figure
from reports.spectra import Look, Spectrum, Target

_TITLE = "Latency by percentile"
_OK_NAME = "response time, ok only"
_LOOKS = {
    "response": Look("c-data", svg.DATA),
    "service": Look("c-current", svg.CURRENT, "square", "7 4"),
    "ok_response": Look("c-taken", svg.RECOMMENDED, "diamond", "2 2"),
}
_LIMIT = re.compile(r"p([0-9.]+)\((?:response|ok_response|service)\) *<=? *[0-9.]+ *m?s")
# A limit of one step, phase or window says nothing of a line that is of the whole run.
_WHOLE_RUN = "the run"
# A percentile is told where at least ten requests are slower.
_LEAST_FOR_P99, _LEAST_FOR_P999 = 1_000, 10_000

Band = list[tuple[float, float, float]]  # q, lowest ms, highest ms


def percentile_figure(document: LoadDocument, anchor: str) -> Figure | None:
    """The latencies of the measured phases by percentile, if anything was completed."""
    histograms = document.histograms
    spectra = _from_percentiles(document)
    band = None
    if histograms is not None and histograms.response is not None:
        band = _band(histograms)
        spectra = _from_histograms(document, histograms, band)
    if not spectra:
        return None
    targets = _targets(document)
    return spectrum_figure(
        spectra,
        f"{anchor}-spectrum",
        title=_TITLE,
        finding=latency_finding(document),
        help_text=f"{_conclusion(document)}{_help(band, with_targets=bool(targets))}",
        targets=targets,
    )


def _conclusion(document: LoadDocument) -> str:
    """How far the slow end is from the median, as far as there are requests to say it."""
    apart = stands_apart(document)
    found = response_of(document, apart=apart)
    if found is None or found.n < _LEAST_FOR_P99 or found.p50 <= 0:
        return ""
    text = (
        f"One {'ok ' if apart else ''}request in 100 takes {milliseconds(found.p99)} or more, "
        f"{significant(found.p99 / found.p50, 2)} times the median"
    )
    if found.n >= _LEAST_FOR_P999:
        text += f", and one in 1,000 {milliseconds(found.p999)} or more"
    return f"{text}. "


def _help(band: Band | None, *, with_targets: bool) -> str:
    text = (
        "How slow the slowest requests are: each step to the right is rarer. Percentiles come "
        "from merged histograms of single requests, never from averages of percentiles, and are "
        "within 0.1 % of the measured values."
    )
    if band is not None and len(band) < 2:
        text += " Blocks of time differ so much that no band of 95 % holds the line of ok requests."
    elif band is not None:
        text += (
            " Shaded: where the whole line of ok requests lies with 95 % probability, by blocks of "
            "time; it ends where too few requests are slower to say."
        )
    return text + (" Brackets are thresholds: a line must pass below." if with_targets else "")


def _names(document: LoadDocument) -> dict[str, str]:
    """Each latency by its name in documents, in the order of the columns."""
    everything = "response time, all" if stands_apart(document) else "response time"
    return {"response": everything, "service": "service time", "ok_response": _OK_NAME}


def _from_histograms(
    document: LoadDocument, found: RunHistograms, band: Band | None
) -> list[Spectrum]:
    """Some eleven points for each decade of rarer requests."""
    texts = {"response": found.response, "service": found.service, "ok_response": found.ok_response}
    return [
        Spectrum(
            name,
            spectrum(decoded(text)),
            _LOOKS[kind],
            band if kind == "ok_response" else None,
        )
        for kind, name in _names(document).items()
        if (text := texts[kind]) is not None
    ]


def _band(found: RunHistograms) -> Band | None:
    """Where the spectrum of ok requests lies: the longest part that is bounded on both sides.

    None without blocks to go by; empty where they differ so much that nothing is bounded.
    """
    blocks = ok_histograms(found.blocks)
    if len(blocks) < 2:
        return None
    parts: list[Band] = [[]]
    for one in spectrum_band(blocks):
        if one.low_ms is not None and one.high_ms is not None:
            parts[-1].append((one.q, one.low_ms, one.high_ms))
        elif parts[-1]:
            parts.append([])
    return max(parts, key=len)


def _from_percentiles(document: LoadDocument) -> list[Spectrum]:
    """Five points of each latency: what a document without histograms has."""
    known = (document.response_ms, document.service_ms, document.ok_response_ms)
    return [
        Spectrum(name, points_of(found), _LOOKS[kind])
        for (kind, name), found in zip(_names(document).items(), known, strict=True)
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


def _targets(document: LoadDocument) -> list[Target]:
    """The limits on percentiles of the whole run, each once."""
    found: dict[tuple[float, float], Target] = {}
    for threshold in document.thresholds:
        quantile = _quantile(threshold)
        if quantile is not None:
            label = f"p{100 * quantile:.10g} <{SPACE}{milliseconds(threshold.limit)}"
            key = (quantile, threshold.limit)
            found.setdefault(key, Target(quantile, threshold.limit, label))
    return list(found.values())


def _quantile(threshold: ThresholdResult) -> float | None:
    limit = _LIMIT.fullmatch(threshold.that.strip())
    if limit is None or threshold.unit != "ms" or threshold.scope != _WHOLE_RUN:
        return None
    return round(float(limit[1]) / 100, 12)
