"""The charts of a load run over time: rates and response times."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports import svg
from reports.figure import Figure
from reports.figures import ABSENT, milliseconds, rate, seconds
from reports.hatch import Fill, Hatch
from reports.load_bins import Bin, bin_width, bins_of
from reports.load_document import LoadDocument
from reports.load_latency import latency_finding
from reports.load_words import cause_phrase, cause_word, failed_count, totals_of
from reports.time_axis import time_label
from reports.time_chart import FULL, MIDDLE, SMALL, Layer, Line, Span, TimeChart, draw_time_chart

_OK = Fill("c-admitted", svg.ADMITTED)
_FAILED = Fill("c-broken", svg.FAILED)

# A cause looks the same in every run; what has no hatch of its own is one layer, "other causes".
_HATCHES: dict[str, Hatch] = {
    "stage": "solid",
    "method": "rising",
    "usage_plan": "level",
    "usage_plan_method": "cross",
    "quota": "dots",
    "lambda_concurrency": "falling",
    "account": "upright",
}
_OTHER = "other"
# Nothing says who refused these, so they have no part in the hue of the causes.
_UNNAMED = ("throttle", "unknown", "none")

_P50 = ("c-p50", "#4680c0")
_P99 = ("c-p99", "#16255e")


def time_figures(document: LoadDocument, anchor: str) -> list[Figure]:
    """The figures over time; `anchor` makes their ids unique in a page."""
    bins = bins_of(document)
    return [_rates(document, bins, anchor), _latencies(document, bins, anchor)]


def _drawings(chart: TimeChart, identifier: str) -> list[str]:
    return [
        draw_time_chart(chart, canvas, f"{identifier}-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]


def _edges(bins: Sequence[Bin]) -> list[float]:
    return [bins[0].from_s, *(entry.to_s for entry in bins)]


def _spans(document: LoadDocument) -> list[Span]:
    return [Span(phase.name, phase.from_s, phase.to_s, phase.measured) for phase in document.phases]


def _step_note(bins: Sequence[Bin], words: str) -> str:
    """That several seconds were put together for drawing; nothing where each has its own step."""
    width = bin_width(bins[-1].to_s)
    return f" {words.format(seconds(width))}" if width > 1 else ""


def _rates(document: LoadDocument, bins: Sequence[Bin], anchor: str) -> Figure:
    title = "Offered and admitted rate"
    if not bins:
        return Figure(title, "No chart: no second of this run has a request.", ())
    layers = _stack(bins)
    offered = Line(
        "offered", [entry.offered_rps for entry in bins], "c-offered", svg.INK, 1.75, stepped=True
    )
    chart = TimeChart(
        title=f"{title} over time",
        finding=_rate_finding(document, bins),
        y_label="requests/s",
        edges_s=_edges(bins),
        spans=_spans(document),
        layers=layers,
        lines=[offered],
    )
    help_text = (
        "What was offered (line) and what became of it (areas), by the second in which a request "
        "was due. Bands are phases, by name or by their number in the table."
        + _step_note(bins, "Each step is the mean of {}.")
        + " Where the line lies above the areas, the load generator dropped or cut requests."
    )
    return Figure(title, help_text, _drawings(chart, f"{anchor}-rate"))


def _stack(bins: Sequence[Bin]) -> list[Layer]:
    """Admitted requests at the bottom, then failed ones, then refused ones by cause."""
    layers = [Layer("ok", [entry.ok_rps for entry in bins], _OK)]
    failed = [entry.failed_rps for entry in bins]
    if any(failed):
        layers.append(Layer("failed", failed, _FAILED))
    sums: dict[str, list[float]] = {}
    for index, entry in enumerate(bins):
        for cause, value in entry.throttled_rps.items():
            sums.setdefault(_layer_of(cause), [0.0] * len(bins))[index] += value
    ranked = sorted(sums.items(), key=lambda item: (-sum(item[1]), item[0]))
    return layers + [Layer(_layer_name(key), values, _fill(key)) for key, values in ranked]


def _layer_of(cause: str) -> str:
    if cause in _HATCHES:
        return cause
    return "unknown" if cause in _UNNAMED else _OTHER


def _layer_name(layer: str) -> str:
    if layer == _OTHER:
        return "throttled: other causes"
    return f"throttled: {'cause unknown' if layer == 'unknown' else cause_word(layer)}"


def _fill(layer: str) -> Fill:
    if layer == "unknown":
        return Fill("c-unnamed", svg.UNNAMED, svg.MUTED, "rising")
    return Fill("c-refused", svg.REFUSED, svg.REFUSED_LINE, _HATCHES.get(layer, "dashes"))


def _rate_hover(entry: Bin, duration_s: float) -> str:
    start, end = (time_label(at, duration_s) for at in (entry.from_s, entry.to_s))
    parts = [f"{rate(entry.offered_rps)} offered", f"{rate(entry.ok_rps)} ok"]
    if entry.failed_rps:
        parts.append(f"{rate(entry.failed_rps)} failed")
    parts += [
        f"{rate(value)} refused by {cause_phrase(cause)}"
        for cause, value in sorted(entry.throttled_rps.items(), key=lambda item: -item[1])
        if value
    ]
    if entry.dropped_rps:
        parts.append(f"{rate(entry.dropped_rps)} dropped")
    return f"{start} to {end}: {', '.join(parts)}"


def _rate_finding(document: LoadDocument, bins: Sequence[Bin]) -> str:
    offered = max(entry.offered_rps for entry in bins)
    admitted = max(entry.ok_rps + entry.failed_rps for entry in bins)
    text = f"At most {rate(offered)} were offered and at most {rate(admitted)} admitted."
    refused = totals_of(document.throttled_by_cause)
    if refused:
        names = ", ".join(f"{total.count:,} by {cause_phrase(total.cause)}" for total in refused)
        text += f" Refused: {names}."
    failed = failed_count(document.outcomes)
    return f"{text} {failed:,} failed." if failed else text


def _latencies(document: LoadDocument, bins: Sequence[Bin], anchor: str) -> Figure:
    title = "Response time"
    lines = [
        _latency_line(bins, "response p50", lambda b: b.response_p50_ms, *_P50, width=1.75),
        _latency_line(bins, "response p95", lambda b: b.response_p95_ms, "c-data", svg.DATA, 2.25),
        _latency_line(bins, "response p99", lambda b: b.response_p99_ms, *_P99, 1.5, "2 2"),
        _latency_line(
            bins, "service p95", lambda b: b.service_p95_ms, "c-current", svg.CURRENT, 2, "7 4"
        ),
    ]
    shown = [line for line in lines if any(value is not None for value in line.values)]
    if not shown:
        return Figure(title, "No chart: no request was completed, so none has a latency.", ())
    chart = TimeChart(
        title=f"{title} over time",
        finding=latency_finding(document),
        y_label="latency, ms",
        edges_s=_edges(bins),
        spans=_spans(document),
        lines=shown,
    )
    help_text = (
        "Of all completed requests, refused and failed ones too. Response time counts from the "
        "intended start, service time from the actual one: where response p95 leaves service p95, "
        "requests waited before they were sent."
        + _step_note(bins, "Each point is the worst second of {}: percentiles are not averaged.")
    )
    return Figure(title, help_text, _drawings(chart, f"{anchor}-latency"))


def _latency_line(
    bins: Sequence[Bin],
    name: str,
    value_of: Callable[[Bin], float | None],
    css: str,
    colour: str,
    width: float,
    dash: str = "",
) -> Line:
    return Line(name, [value_of(entry) for entry in bins], css, colour, width, dash)


def _latency_hover(entry: Bin, duration_s: float) -> str:
    start, end = (time_label(at, duration_s) for at in (entry.from_s, entry.to_s))
    values = (
        ("response p50", entry.response_p50_ms),
        ("p95", entry.response_p95_ms),
        ("p99", entry.response_p99_ms),
        ("service p95", entry.service_p95_ms),
    )
    known = [f"{name} {milliseconds(value)}" for name, value in values if value is not None]
    return f"{start} to {end}: {', '.join(known) or ABSENT}"
