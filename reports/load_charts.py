"""The charts of a load run over time: rates and response times."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports import svg
from reports.figure import Figure
from reports.figures import rate, seconds
from reports.load_bins import Bin, Peak, Timeline, timeline_of
from reports.load_document import LoadDocument
from reports.load_latency import latency_finding
from reports.load_rules import latency_rules, rules_note
from reports.load_stack import stack_of
from reports.load_words import cause_phrase, failed_count, totals_of
from reports.time_axis import moment_label
from reports.time_chart import (
    FULL,
    MIDDLE,
    SMALL,
    Band,
    Line,
    Span,
    TimeChart,
    data_of,
    draw_time_chart,
)

_PEAK_LOOKS = {
    "refused": ("c-refused-line", svg.REFUSED_LINE, "3 2"),
    "failed": ("c-failed", svg.FAILED, "1 2"),
    "dropped": ("c-current", svg.CURRENT, "7 3"),
}
_P50 = ("c-p50", "#4680c0")
_P99 = ("c-p99", "#16255e")
_OVER_TIME = " over time"


def time_figures(document: LoadDocument, anchor: str) -> list[Figure]:
    """The figures over time; `anchor` makes their ids unique in a page."""
    timeline = timeline_of(document)
    return [_rates(document, timeline, anchor), _latencies(document, timeline, anchor)]


def _figure(chart: TimeChart, help_text: str, unit: str, anchor: str, name: str) -> Figure:
    drawings = [
        draw_time_chart(chart, canvas, f"{anchor}-{name}-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    title = chart.title.removesuffix(_OVER_TIME)
    return Figure(title, help_text, drawings, data_of(chart, unit), name)


def _spans(document: LoadDocument) -> list[Span]:
    return [Span(phase.name, phase.from_s, phase.to_s, phase.measured) for phase in document.phases]


def _rates(document: LoadDocument, timeline: Timeline, anchor: str) -> Figure:
    title, bins = "Offered and admitted rate", timeline.bins
    if not bins:
        return Figure(title, "No chart: no second of this run has a request.", (), name="rate")
    offered = Line(
        "offered", [entry.offered_rps for entry in bins], "c-offered", svg.INK, 1.75, stepped=True
    )
    chart = TimeChart(
        title=title + _OVER_TIME,
        finding=_rate_finding(document, timeline),
        y_label="requests/s",
        edges_s=timeline.edges_s,
        spans=_spans(document),
        layers=stack_of(bins),
        lines=[offered, *(_peak_lines(bins) if timeline.step_s > 1 else ())],
        bands=_bands(bins) if timeline.step_s > 1 else (),
    )
    help_text = (
        "What was offered (line) and what became of it (areas), by the second in which a request "
        "was due. Bands are phases, by name or by their number in the table."
        + _peaks_note(timeline)
        + " Where the line lies above the areas, the load generator dropped or cut requests."
        + _peaks_in_words(timeline)
    )
    return _figure(chart, help_text, "requests/s", anchor, "rate")


def _peak_lines(bins: Sequence[Bin]) -> list[Line]:
    """What single seconds had at most: from zero, not on top of the stack as the areas are."""
    found = {
        "refused": [entry.highest_throttled_rps for entry in bins],
        "failed": [entry.highest_failed_rps for entry in bins],
        "dropped": [entry.highest_dropped_rps for entry in bins],
    }
    return [_peak_line(name, values) for name, values in found.items() if any(values)]


def _peak_line(name: str, values: Sequence[float]) -> Line:
    css, colour, dash = _PEAK_LOOKS[name]
    return Line(f"{name}, highest second", values, css, colour, 1.25, dash, stepped=True)


def _bands(bins: Sequence[Bin]) -> list[Band]:
    low = [entry.lowest_offered_rps for entry in bins]
    high = [entry.highest_offered_rps for entry in bins]
    return [Band("offered, single seconds", low, high, "c-ink-band", svg.INK)]


def _peaks_note(timeline: Timeline) -> str:
    if timeline.step_s == 1:
        return ""
    return (
        f" Line and areas are the mean of {seconds(timeline.step_s)}, a second of which may be far "
        "from it: the band goes from the lowest to the highest second of what was offered, and "
        "dashed lines, which begin at zero, are the highest second."
    )


def _rate_finding(document: LoadDocument, timeline: Timeline) -> str:
    bins = timeline.bins
    offered = max(entry.offered_rps for entry in bins)
    admitted = max(entry.ok_rps + entry.failed_rps for entry in bins)
    text = f"At most {rate(offered)} were offered and at most {rate(admitted)} admitted"
    text += f", each the mean of {seconds(timeline.step_s)}." if timeline.step_s > 1 else "."
    refused = totals_of(document.throttled_by_cause)
    if refused:
        names = ", ".join(f"{total.count:,} by {cause_phrase(total.cause)}" for total in refused)
        text += f" Refused: {names}."
    failed = failed_count(document.outcomes)
    if failed:
        text += f" {failed:,} failed."
    return text + _peaks_in_words(timeline)


def _peaks_in_words(timeline: Timeline) -> str:
    """The seconds that a reader looks for, each with when it was."""

    def told(peak: Peak | None, what: str) -> list[str]:
        return [f"{rate(peak.count)} {what} at {moment_label(peak.at_s)}"] if peak else []

    found = [*told(timeline.throttled, "refused"), *told(timeline.failed, "failed")]
    if timeline.step_s > 1:
        found = [*told(timeline.offered, "offered"), *found]
    return f" The highest second: {', '.join(found)}." if found else ""


def _latencies(document: LoadDocument, timeline: Timeline, anchor: str) -> Figure:
    title, bins = "Response time", timeline.bins
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
        why = "No chart: no request was completed, so none has a latency."
        return Figure(title, why, (), name="latency")
    rules = latency_rules(document)
    chart = TimeChart(
        title=title + _OVER_TIME,
        finding=latency_finding(document),
        y_label="latency, ms",
        edges_s=timeline.edges_s,
        spans=_spans(document),
        lines=shown,
        rules=rules,
    )
    help_text = (
        "Of all completed requests, refused and failed ones too. Response time counts from the "
        "intended start, service time from the actual one: where response p95 leaves service p95, "
        "requests waited before they were sent."
    )
    if timeline.step_s > 1:
        step = seconds(timeline.step_s)
        help_text += f" Each point is the worst second of {step}: percentiles are not averaged."
    return _figure(chart, help_text + rules_note(rules), "ms", anchor, "latency")


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
