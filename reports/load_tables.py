"""The tables of a load run as text cells: for the page, and for Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports.blocks import Column, Table, TableRow
from reports.figures import (
    ABSENT,
    SPACE,
    column,
    fixed,
    part_of,
    rate_number,
    significant,
)
from reports.load_document import (
    LoadDocument,
    LoadPercentiles,
    PhaseSlice,
    Slice,
    ThresholdResult,
)
from reports.load_endpoints import causes_in_short
from reports.load_latency import response_of, stands_apart
from reports.load_words import (
    failed_count,
    layer_word,
    quota_words,
)
from reports.threshold_gates import interval_of
from reports.time_axis import time_label

_HELD = {True: "\N{CHECK MARK} holds", False: "\N{BALLOT X} does not hold", None: "? not judged"}


_COUNT_COLUMNS = (
    Column("Completed"),
    Column("Offered", "/s"),
    Column("Admitted", "/s"),
    Column("Throttled"),
    Column("Failed"),
)
_TIMES = ("p50", "p95", "p99", "Ok p95", "Service p95")
_OK_TIMES = ("Ok p50", "Ok p95", "Ok p99", "All p95", "Service p95")

_TIMES_HELP = (
    "p50, p95 and p99 are response times of all completed requests, refused ones too; Ok p95 is "
    "that of those that succeeded."
)
_OK_TIMES_HELP = (
    "Ok p50, p95 and p99 are response times of requests that succeeded; All p95 and Service p95 "
    "are of all completed ones, those that were refused or failed too."
)


def _slice_columns(document: LoadDocument) -> list[Column]:
    times = _OK_TIMES if stands_apart(document) else _TIMES
    return [*_COUNT_COLUMNS, *(Column(name, "ms") for name in times)]


def _slice_help(document: LoadDocument) -> str:
    times = _OK_TIMES_HELP if stands_apart(document) else _TIMES_HELP
    return (
        "Shares are of completed requests; admitted is what completed and was not throttled. "
        f"{times}"
    )


def _slice_cells(document: LoadDocument, slices: Sequence[Slice]) -> list[list[str]]:
    """The common cells of steps or phases, row by row; a column has one number of decimals."""
    apart = stands_apart(document)

    def latencies(
        found: Callable[[Slice], LoadPercentiles | None], value: Callable[[LoadPercentiles], float]
    ) -> list[str]:
        known = [found(part) for part in slices]
        values = [None if percentiles is None else value(percentiles) for percentiles in known]
        return [cell or ABSENT for cell in column(values)]

    def shown(part: Slice) -> LoadPercentiles | None:
        return response_of(part, apart=apart)

    def beside(part: Slice) -> LoadPercentiles | None:
        return response_of(part, apart=not apart)

    columns = [
        [f"{part.requests.completed:,}" for part in slices],
        [cell or ABSENT for cell in column([part.rates.offered_rps for part in slices])],
        [cell or ABSENT for cell in column([part.rates.admitted_rps for part in slices])],
        [part_of(part.outcomes.throttled, part.requests.completed) for part in slices],
        [part_of(failed_count(part.outcomes), part.requests.completed) for part in slices],
        latencies(shown, lambda found: found.p50),
        latencies(shown, lambda found: found.p95),
        latencies(shown, lambda found: found.p99),
        latencies(beside, lambda found: found.p95),
        latencies(lambda part: part.service_ms, lambda found: found.p95),
    ]
    return [list(cells) for cells in zip(*columns, strict=True)]


def phases_table(document: LoadDocument) -> Table | None:
    """One row for each phase, with its time and whether it counts."""
    phases = document.phases
    if not phases:
        return None
    columns = [
        Column("Phase", is_text=True),
        Column("From, to"),
        Column("Planned", is_text=True),
        *_slice_columns(document),
        Column("Refused by", is_text=True),
    ]
    end_s = max(phase.to_s for phase in phases)
    rows = [
        TableRow(
            [
                _phase_name(number, phase),
                _span(phase, end_s),
                phase.planned,
                *cells,
                causes_in_short(phase),
            ],
            "" if phase.measured else "apart",
        )
        for number, (phase, cells) in enumerate(
            zip(phases, _slice_cells(document, phases), strict=True), start=1
        )
    ]
    times = f"Times count from the start, in {_time_unit(end_s)}."
    return Table("By phase", columns, rows, f"{times} {_slice_help(document)}")


def _phase_name(number: int, phase: PhaseSlice) -> str:
    name = f"{number}. {phase.name}"
    return name if phase.measured else f"{name} (not measured)"


def _span(phase: PhaseSlice, end_s: float) -> str:
    start, end = (time_label(at, end_s) for at in (phase.from_s, phase.to_s))
    return f"{start} to {end}"


def _time_unit(end_s: float) -> str:
    if end_s <= 120:
        return "seconds"
    return "minutes and seconds" if end_s <= 7200 else "hours and minutes"


def thresholds_table(document: LoadDocument) -> Table | None:
    """One row for each threshold: what was measured, the limit, and whether it holds."""
    if not document.thresholds:
        return None
    columns = [
        Column("Threshold", is_text=True),
        Column("Where", is_text=True),
        Column("Measured"),
        Column("Limit"),
        Column("Result", is_text=True),
    ]
    rows = [
        TableRow(
            [
                found.that,
                found.scope,
                *_measured_and_limit(found),
                _result(found, interval_of(found, document)),
            ],
            {True: "taken", False: "failed", None: ""}[found.ok],
        )
        for found in document.thresholds
    ]
    return Table("Measured against the limits", columns, rows)


def _result(found: ThresholdResult, interval: tuple[float, float] | None) -> str:
    """Whether it holds, and how surely where the percentile has an interval."""
    words = [_HELD[found.ok]]
    if interval is not None:
        low, high = (significant(end) for end in interval)
        within = ", and the limit lies in it" if interval[0] < found.limit < interval[1] else ""
        words.append(f"95{SPACE}% interval {low} to {high}{SPACE}ms{within}")
    if found.aborted and "ended the run" not in found.detail:
        words.append("ended the run")
    if found.detail:
        words.append(found.detail)
    return ", ".join(words)


def _measured_and_limit(found: ThresholdResult) -> list[str]:
    """Both with their unit, and with as many digits as it takes to tell them apart."""
    if found.value is None:
        return [ABSENT, _in_unit(found.limit, found, 3)]
    apart = (
        digits
        for digits in range(3, 9)
        if significant(found.value, digits) != significant(found.limit, digits)
    )
    digits = 3 if found.value == found.limit else next(apart, 9)
    return [_in_unit(value, found, digits) for value in (found.value, found.limit)]


def _in_unit(value: float, found: ThresholdResult, digits: int) -> str:
    scaled = value * 100 if found.unit == "share" else value
    text = fixed(scaled, 0) if scaled == round(scaled) else significant(scaled, digits)
    unit = {"ms": f"{SPACE}ms", "share": f"{SPACE}%", "rps": "/s", "count": ""}[found.unit]
    return text + unit


def limits_table(document: LoadDocument) -> Table | None:
    """The limits that AWS has on the path of the requests."""
    limits = document.limits
    if not limits:
        return None
    columns = [
        Column("Layer", is_text=True),
        Column("Name", is_text=True),
        Column("Rate", "/s"),
        Column("Burst"),
        Column("Quota"),
        Column("At once"),
    ]
    rows = [
        TableRow(
            [
                layer_word(limit.layer),
                limit.name,
                ABSENT if limit.rate_rps is None else rate_number(limit.rate_rps),
                ABSENT if limit.burst is None else f"{limit.burst:,}",
                quota_words(limit),
                ABSENT if limit.concurrency is None else f"{limit.concurrency:,}",
            ]
        )
        for limit in limits
    ]
    return Table("Limits in force", columns, rows)


def latency_table(document: LoadDocument) -> Table | None:
    """Percentiles down, kinds of latency across."""
    everything = "Response, all" if stands_apart(document) else "Response"
    kinds = [
        (everything, document.response_ms),
        ("Response, ok", document.ok_response_ms),
        ("Service", document.service_ms),
        ("First byte", document.first_byte_ms),
        ("Connect", document.connect_ms),
        ("TLS", document.tls_ms),
    ]
    known = [(name, found) for name, found in kinds if found is not None]
    if not known:
        return None
    shown = [
        ("p50", "p50"), ("p90", "p90"), ("p95", "p95"), ("p99", "p99"), ("p99.9", "p999"),
        ("max", "max"), ("mean", "mean"),
    ]  # fmt: skip
    cells = [column([getattr(found, key) for _, key in shown]) for _, found in known]
    rows = [
        TableRow([label, *(found[index] or ABSENT for found in cells)])
        for index, (label, _) in enumerate(shown)
    ]
    rows.append(TableRow(["count", *(f"{found.n:,}" for _, found in known)]))
    columns = [Column("", is_text=True), *(Column(name, "ms") for name, _ in known)]
    return Table("Latencies", columns, rows)
