"""The table by size, for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports.blocks import Column, Table, TableRow
from reports.document import SizeResult, TuneDocument
from reports.figures import ABSENT, column, columns_alike, interval_cells
from reports.tune_findings import remark
from reports.tune_sizes import is_adaptive, row_css

_COLUMNS = (
    Column("Memory", "MB"),
    Column("vCPU", ""),
    Column("n", "warm"),
    Column("p50", "ms"),
    Column("p95", "ms"),
    Column("Cold p50", "ms"),
    Column("Billed, typical", "ms"),
    Column("Cost", "$ / million"),
    Column("90 % interval", "$ / million"),
    Column("Memory used", "max MB"),
    Column("Remark", is_text=True),
)


def _help(document: TuneDocument) -> str:
    """What the figures of the table are, and what they cannot say."""
    if is_adaptive(document):
        return (
            "p50, p95 and cold p50 are measured; p95 of few samples says little. Billed time, cost "
            "with the request fee, and its 90 % interval are of warm calls, and what the samples "
            "of all sizes together say of a size."
        )
    return (
        "Warm samples only, except cold p50. Typical is the mean without the lowest and the "
        "highest tenth, at least one of five or more. Cost is from billed time as AWS printed it, "
        "with the request fee. p95 of few samples says little."
    )


def sizes_table(document: TuneDocument) -> Table:
    """One row for each size, by ascending memory."""
    ordered = sorted(document.sizes, key=lambda size: size.memory_mb)

    def numbers(value_of: Callable[[SizeResult], float | None]) -> list[str]:
        return [cell or ABSENT for cell in column([value_of(size) for size in ordered])]

    costs, intervals = _costs(ordered)
    columns = [
        [f"{size.memory_mb:,}" for size in ordered],
        [f"{size.vcpu_share:.2f}" for size in ordered],
        [f"{size.n:,}" for size in ordered],
        numbers(lambda size: size.duration_ms.p50 if size.duration_ms else None),
        numbers(lambda size: size.duration_ms.p95 if size.duration_ms else None),
        numbers(lambda size: size.cold_p50_ms),
        numbers(lambda size: size.billed_typical_ms),
        costs,
        intervals,
        [_whole(size.max_memory_used_mb) for size in ordered],
    ]
    rows = [
        TableRow([*cells, ", ".join(remark(size, document))], _css(size, document))
        for size, cells in zip(ordered, zip(*columns, strict=True), strict=True)
    ]
    return Table("By memory size", _COLUMNS, rows, _help(document))


def _costs(ordered: Sequence[SizeResult]) -> tuple[list[str], list[str]]:
    """Costs and their intervals, all with the same number of decimals."""
    costs, lows, highs = columns_alike(
        [
            [size.cost_usd_per_million for size in ordered],
            *(
                [size.cost_interval[end] if size.cost_interval else None for size in ordered]
                for end in (0, 1)
            ),
        ]
    )
    return costs, interval_cells(lows, highs)


def _whole(value: int | None) -> str:
    return ABSENT if value is None else f"{value:,}"


def _css(size: SizeResult, document: TuneDocument) -> str:
    css = row_css(document, size.memory_mb)
    return "failed" if size.failure is not None and css != "taken" else css
