"""The tables of where the time goes and of cold starts: for the page, and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Column, Table, TableRow
from reports.figures import ABSENT, closed, column, decimals_for, fixed, part_of, percent
from reports.load_document import LoadDocument
from reports.load_waterfall import (
    BIGGER,
    LABELS,
    ColdPercentiles,
    ColdStarts,
    PartName,
    TimeGroup,
    TimePart,
    Waterfall,
)
from reports.waterfall_words import (
    LEAST_SHOWN_MS,
    MEDIAN,
    SLOWEST,
    cold_sentences,
    matching_words,
    named,
    slowest_words,
)

_MOST_MINUTES = 20
_MOST_DECIMALS = 3  # of milliseconds: the client counts microseconds


def time_tables(document: LoadDocument) -> list[Table]:
    """Parts of the response time, and which of them each step has most of."""
    tables = []
    if document.waterfall is not None:
        tables.append(parts_table(document.waterfall))
        if len(document.waterfall.steps) > 1:
            tables.append(_steps_table(document.waterfall))
    return tables


def cold_tables(document: LoadDocument) -> list[Table]:
    """Cold starts by step; by minute where a document has no shorter stretches, to be drawn."""
    cold = document.cold_starts
    if cold is None:
        return []
    tables = [cold_table(cold)]
    if len(cold.minutes) > 1 and cold.cold and not cold.bins:
        tables.append(_minutes_table(cold))
    return tables


def shown_parts(groups: Sequence[TimeGroup]) -> list[PartName]:
    """The parts that took any time in one of the groups, in the order of time."""
    shown = {
        part.part for group in groups for part in group.parts if part.mean_ms >= LEAST_SHOWN_MS
    }
    return [name for name in LABELS if name in shown]


def group_cells(group: TimeGroup, names: Sequence[PartName]) -> list[tuple[str, str]]:
    """Milliseconds and share of each part, then of the residual and of the whole."""
    found: dict[PartName, TimePart] = {part.part: part for part in group.parts}
    values = [found[name].mean_ms if name in found else None for name in names]
    # One decimal more than the whole needs: parts are small, and logs have whole milliseconds.
    decimals = min(decimals_for(group.response_ms) + 1, _MOST_DECIMALS)
    whole = [*values, group.residual_ms, group.response_ms]
    times = [ABSENT if value is None else fixed(value, decimals) for value in whole]
    shares = [part_of(value, group.response_ms) if value is not None else "" for value in values]
    return [
        (time, share or ABSENT)
        for time, share in zip(times, [*shares, _residual(group), part_of(1, 1)], strict=True)
    ]


def _residual(group: TimeGroup) -> str:
    """A share that may be below zero, where parts overlap."""
    if group.residual_ms < 0 < group.response_ms:
        return percent(group.residual_ms / group.response_ms)
    return part_of(group.residual_ms, group.response_ms)


def parts_table(waterfall: Waterfall) -> Table:
    """One row for each part: what it takes of the median request and of the slowest ones."""
    groups = [waterfall.median, waterfall.slowest]
    names = shown_parts(groups)
    columns = [
        Column("Part", is_text=True),
        *(Column(text, unit) for text in (MEDIAN, SLOWEST) for unit in ("ms", "share")),
    ]
    labels = [_label(waterfall, name) for name in names] + ["Residual", "Response time"]
    cells = [group_cells(group, names) for group in groups]
    rows = [
        TableRow([label, *median, *slowest])
        for label, median, slowest in zip(labels, *cells, strict=True)
    ]
    of = "ok requests" if waterfall.of == "ok" else "completed requests"
    help_text = (
        f"Means of each group, of {waterfall.requests:,} {of} of the measured phases. The residual "
        "is what the parts leave of the response time; it is below zero where clocks and rounding "
        "make parts overlap. Parts that took no time are left out."
    )
    notes = [matching_words(MEDIAN, groups[0]), matching_words(SLOWEST, groups[1])]
    notes += [f"{_upper(LABELS[name])}: {BIGGER[name]}." for name in names if name in BIGGER]
    notes += [closed(note) for note in waterfall.notes]
    return Table("Parts of the response time", columns, rows, help_text, notes=notes)


def _label(waterfall: Waterfall, name: PartName) -> str:
    from_metrics = any(part.part == name and part.from_metrics for part in waterfall.median.parts)
    return _upper(LABELS[name]) + (" (from metrics)" if from_metrics else "")


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _steps_table(waterfall: Waterfall) -> Table:
    columns = [
        Column("Step", is_text=True),
        Column("Requests"),
        Column(MEDIAN, "ms"),
        Column("Goes to", is_text=True),
        Column(SLOWEST, "ms"),
        Column("Goes to", is_text=True),
    ]
    several = len({step.scenario for step in waterfall.steps}) > 1
    times = [
        column([group.response_ms for group in groups])
        for groups in (
            [step.median for step in waterfall.steps],
            [step.slowest for step in waterfall.steps],
        )
    ]
    rows = [
        TableRow(
            [
                f"{step.scenario}: {step.step}" if several else step.step,
                f"{step.requests:,}",
                median or ABSENT,
                named(step.median),
                slowest or ABSENT,
                named(step.slowest),
            ]
        )
        for step, median, slowest in zip(waterfall.steps, *times, strict=True)
    ]
    return Table("Where the time goes, by step", columns, rows)


def cold_table(cold: ColdStarts) -> Table:
    """One row for each step, and one for all: cold starts, and percentiles with and without."""
    columns = [
        Column("Step", is_text=True),
        Column("With REPORT"),
        Column("Cold"),
        Column("Share"),
        *(Column(f"{key} {which}", "ms") for key in ("p50", "p95", "p99")
          for which in ("with", "without")),
    ]  # fmt: skip
    several = len({step.scenario for step in cold.steps}) > 1
    entries = [
        (
            f"{step.scenario}: {step.step}" if several else step.step,
            step.requests,
            step.cold,
            step.with_ms,
            step.without_ms,
        )
        for step in cold.steps
    ]
    if len(entries) != 1:
        entries.append(("All", cold.requests, cold.cold, cold.with_ms, cold.without_ms))
    times = [_times(with_ms, without_ms) for *_, with_ms, without_ms in entries]
    rows = [
        TableRow([name, f"{n:,}", f"{n_cold:,}", part_of(n_cold, n), *cells])
        for (name, n, n_cold, *_), cells in zip(entries, times, strict=True)
    ]
    help_text = (
        "Response times of requests with a REPORT line in the measured phases, with and without "
        "those that met a cold start (INIT, or the restore of a snapshot): the difference is what "
        "provisioned concurrency could save; SnapStart saves less of it, for a restore takes time."
    )
    lead = " ".join([*cold_sentences(cold), *_slowest(cold)])
    return Table("Cold starts by step", columns, rows, help_text, lead=lead)


def _slowest(cold: ColdStarts) -> list[str]:
    words = slowest_words(cold)
    return [words] if words and cold.cold else []


def _times(with_ms: ColdPercentiles, without_ms: ColdPercentiles | None) -> list[str]:
    values: list[float | None] = []
    for key in ("p50", "p95", "p99"):
        values.append(getattr(with_ms, key))
        values.append(None if without_ms is None else getattr(without_ms, key))
    return [cell or ABSENT for cell in column(values)]


def _minutes_table(cold: ColdStarts) -> Table:
    met = [minute for minute in cold.minutes if minute.cold]
    rows = [
        TableRow(
            [
                f"{minute.minute}",
                f"{minute.requests:,}",
                f"{minute.cold:,}",
                part_of(minute.cold, minute.requests),
            ]
        )
        for minute in met[:_MOST_MINUTES]
    ]
    columns = [Column("Minute"), Column("With REPORT"), Column("Cold"), Column("Share")]
    help_text = "Minutes of the run, from 0, by when requests were sent; of all phases."
    if warm := len(cold.minutes) - len(met):
        help_text += f" {warm:,} other minute{'s' if warm > 1 else ''} had none."
    if len(met) > _MOST_MINUTES:
        help_text += f" {len(met) - _MOST_MINUTES:,} later ones are in the result."
    return Table("Cold starts by minute", columns, rows, help_text)
