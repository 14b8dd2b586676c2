"""The parts of the cost of a million invocations, now and as recommended: chart and table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports import svg
from reports.bars_chart import BarsChart, Part, SumBar, draw_bars_chart
from reports.blocks import Column, Table, TableRow
from reports.cost_split import FREE_STORAGE_MB, CostSplit, cold_percent_usd, cost_splits
from reports.document import TuneDocument
from reports.figure import Data, DataRow, Figure
from reports.figures import (
    SPACE,
    interval_cells,
    megabytes,
    money_columns,
    part_of,
    percent,
    usd,
)
from reports.frame import NARROW, WIDE
from reports.hatch import Fill

_TITLE = "What a million invocations are made of"
_UNIT = "$ / million"
# In the order in which they stand, the one that memory does not change first.
_PARTS: Sequence[tuple[str, Callable[[CostSplit], float | None], Fill]] = (
    ("Request fee", lambda split: split.fee_usd, Fill("c-unnamed", svg.UNNAMED)),
    (
        "GB-seconds of the handler",
        lambda split: split.handler_usd,
        Fill("c-admitted", svg.ADMITTED),
    ),
    (
        "Storage above 512 MB",
        lambda split: split.storage_usd,
        Fill("c-unnamed", svg.UNNAMED, svg.MUTED, "dots"),
    ),
    (
        "Cold calls, beyond warm ones",
        lambda split: split.cold_usd,
        Fill("c-refused", svg.REFUSED, svg.REFUSED_LINE, "rising"),
    ),
)


def splits_of(document: TuneDocument) -> list[tuple[str, CostSplit]]:
    """Today's size and the recommended one, as far as their costs are known, with their names."""
    current_mb, taken = document.current.memory_mb, document.recommendation
    word = "Recommended" if document.verdict == "pass" else "Best so far"
    wanted = [("Now", current_mb)]
    if taken is not None and taken.memory_mb == current_mb:
        wanted = [(f"Now and {word.lower()}", current_mb)]
    elif taken is not None:
        wanted.append((word, taken.memory_mb))
    names = {memory_mb: name for name, memory_mb in wanted}
    return [
        (f"{names[split.memory_mb]}, {megabytes(split.memory_mb)}", split)
        for split in cost_splits(document, list(names))
    ]


def split_figure(document: TuneDocument, anchor: str) -> Figure | None:
    """Bars of the parts on one scale; None where no cost is known."""
    splits = splits_of(document)
    if not splits:
        return None
    chart = BarsChart(
        title=_TITLE,
        finding=" ".join(f"{name}: {_said(split)}." for name, split in splits),
        x_label="$ per million invocations",
        bars=[_bar(name, split) for name, split in splits],
    )
    drawings = [
        draw_bars_chart(chart, canvas, f"{anchor}-split-{canvas.css[2:]}")
        for canvas in (WIDE, NARROW)
    ]
    help_text = (
        "The fee is the same at every size; all else is memory times billed time, which is all "
        "that a size can change."
    )
    return Figure(_TITLE, help_text, drawings, _data(splits), "split")


def split_table(document: TuneDocument) -> Table | None:
    """The parts beside each other with their sum and its interval; None where no cost is known."""
    splits = splits_of(document)
    if not splits:
        return None
    values = [[_value(split, index) for index in range(len(_PARTS))] for _, split in splits]
    totals = [split.total_usd for _, split in splits]
    changes = _changes(splits)
    columns = money_columns(
        [[*parts, total] for parts, total in zip(values, totals, strict=True)]
        + ([changes] if changes else [])
    )
    names = [*(name for name, _, _ in _PARTS), "Sum"]
    # What is nothing at both sizes stands in the notes.
    shown = [index for index in range(len(_PARTS)) if any(parts[index] for parts in values)]
    rows = [
        TableRow([names[index], *(column[index] for column in columns)])
        for index in [*shown, len(_PARTS)]
    ]
    rows.append(TableRow(["90 % interval of the sum", *_interval_row(splits)]))
    return Table(
        "Cost by part",
        [Column("Part", is_text=True), *_headings(splits)],
        rows,
        f"Prices: {document.function.region}, table of {document.prices.table_date} "
        f"({document.prices.source}), without free tier.",
        _lead(document, splits),
        _notes(document, splits),
    )


def _headings(splits: Sequence[tuple[str, CostSplit]]) -> list[Column]:
    named = [
        Column(name if split.is_measured else f"{name}, estimated", _UNIT) for name, split in splits
    ]
    return [*named, Column("Change", _UNIT)] if len(splits) > 1 else named


def _changes(splits: Sequence[tuple[str, CostSplit]]) -> list[float | None]:
    """What each part and the sum change by; empty with one size."""
    if len(splits) < 2:
        return []
    (_, now), (_, then) = splits
    pairs = [(_value(now, index), _value(then, index)) for index in range(len(_PARTS))]
    parts = [None if a is None or b is None else b - a for a, b in pairs]
    return [*parts, then.total_usd - now.total_usd]


def _value(split: CostSplit, index: int) -> float | None:
    return _PARTS[index][1](split)


def _interval_row(splits: Sequence[tuple[str, CostSplit]]) -> list[str]:
    ends = [split.interval_usd for _, split in splits]
    [lows, highs] = money_columns(
        [[end[0] if end else None for end in ends], [end[1] if end else None for end in ends]]
    )
    cells = interval_cells(lows, highs)
    return [*cells, ""] if len(splits) > 1 else cells


def _bar(name: str, split: CostSplit) -> SumBar:
    parts = []
    for index, (part, _, fill) in enumerate(_PARTS):
        value = _value(split, index) or 0.0
        hover = f"{part}: {usd(value)} per million, {part_of(value, split.total_usd)} of the sum"
        parts.append(Part(part, value, fill, hover))
    estimated = "" if split.is_measured else ", estimated"
    return SumBar(f"{name}: {usd(split.total_usd)}{estimated}", parts, split.interval_usd)


def _data(splits: Sequence[tuple[str, CostSplit]]) -> Data:
    ends = [split.interval_usd for _, split in splits]
    *parts, totals, lows, highs = money_columns(
        [
            *([_value(split, index) for _, split in splits] for index in range(len(_PARTS))),
            [split.total_usd for _, split in splits],
            [end[0] if end else None for end in ends],
            [end[1] if end else None for end in ends],
        ]
    )
    cells = zip([name for name, _ in splits], *parts, totals, interval_cells(lows, highs),
                strict=True)  # fmt: skip
    columns = [
        Column("Size", is_text=True),
        *(Column(name, _UNIT) for name, _, _ in _PARTS),
        Column("Sum", _UNIT),
        Column("90 % interval", _UNIT),
    ]
    return Data(columns, [DataRow(None, list(row)) for row in cells])


def _said(split: CostSplit) -> str:
    parts = [
        f"{part[0].lower() if not part.startswith('GB') else 'G'}{part[1:]} {usd(value)}"
        for index, (part, _, _) in enumerate(_PARTS)
        if (value := _value(split, index))
    ]
    return f"{usd(split.total_usd)} per million, of which {', '.join(parts)}"


def _lead(document: TuneDocument, splits: Sequence[tuple[str, CostSplit]]) -> str:
    """What is assumed, where most of the money goes, and what the change of size changes."""
    _, last = splits[-1]
    share = part_of(last.handler_usd, last.total_usd)
    goes = f"{share} of the sum at {megabytes(last.memory_mb)} is for GB-seconds of the handler."
    mix = document.cold
    if mix is None or last.cold_usd is None:
        return f"All calls are taken to be warm. {goes}"
    return f"{percent(mix.cold_share)} of the calls are cold ({mix.source}). {goes}"


def _notes(document: TuneDocument, splits: Sequence[tuple[str, CostSplit]]) -> list[str]:
    _, last = splits[-1]
    notes = []
    if last.cold_usd is None:
        each = cold_percent_usd(document, last.memory_mb)
        adds = (
            f" Each 1{SPACE}% of cold calls adds about {usd(each)} at {megabytes(last.memory_mb)}."
            if each
            else ""
        )
        why = (
            "their share of the calls is unknown"
            if document.cold is None
            else "what they cost is not known at both sizes"
        )
        notes.append(f"Cold starts are not in it: {why}.{adds}")
    storage_mb = document.function.ephemeral_storage_mb
    if storage_mb <= FREE_STORAGE_MB:
        notes.append(f"Storage: {megabytes(storage_mb)}, of which nothing is billed.")
    elif last.storage_usd is None:
        notes.append(f"Storage: {megabytes(storage_mb)}; what is above 512 MB is not in the sum.")
    notes.append(
        "API Gateway, data transfer and logs are not in it: a load run of the API fills those in."
    )
    return notes
