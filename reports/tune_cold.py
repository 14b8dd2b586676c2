"""Costs and latencies when a share of the calls is cold, as a table."""

from __future__ import annotations

from reports.blocks import Column, Table, TableRow
from reports.document import ColdMix, TuneDocument
from reports.figures import (
    columns_alike,
    interval_cells,
    megabytes,
    milliseconds,
    percent,
    usd,
)
from reports.tune_sizes import row_css, standing

_HELP = (
    "A cold call waits for INIT (or restore) and its Duration; both are billed. The mean latency "
    "and the cost are over cold and warm calls. INIT is the median of so many cold calls, which "
    "differs by chance where they are few; the other figures are what the samples of all sizes "
    "together lead to expect."
)


def cold_table(document: TuneDocument) -> Table | None:
    """One row for each size with cold calls; None where no mix was asked for."""
    mix = document.cold
    if mix is None or not mix.sizes:
        return None
    sizes = sorted(mix.sizes, key=lambda size: size.memory_mb)
    times = columns_alike(
        [
            [size.init_ms for size in sizes],
            [size.cold_ms for size in sizes],
            [size.cold_billed_ms for size in sizes],
            [size.mean_ms for size in sizes],
        ]
    )
    costs, lows, highs = columns_alike(
        [
            [size.cost_usd_per_million for size in sizes],
            [size.cost_interval[0] for size in sizes],
            [size.cost_interval[1] for size in sizes],
        ]
    )
    cells = zip(*times, costs, interval_cells(lows, highs), strict=True)
    rows = [
        TableRow(
            [
                f"{size.memory_mb:,}",
                f"{size.n_cold:,}",
                *texts,
                ", ".join(standing(document, size.memory_mb)),
            ],
            row_css(document, size.memory_mb),
        )
        for size, texts in zip(sizes, cells, strict=True)
    ]
    columns = [
        Column("Memory", "MB"),
        Column("n", "cold"),
        Column("INIT", "ms"),
        Column("Cold call", "ms"),
        Column("Cold, billed", "ms"),
        Column("Mean", "ms"),
        Column("Cost", "$ / million"),
        Column("90 % interval", "$ / million"),
        Column("Remark", is_text=True),
    ]
    return Table("With cold starts", columns, rows, _HELP, _lead(mix))


def _lead(mix: ColdMix) -> str:
    cheapest = min(mix.sizes, key=lambda size: size.cost_usd_per_million)
    fastest = min(mix.sizes, key=lambda size: size.mean_ms)
    return (
        f"{percent(mix.cold_share)} of the calls are cold ({mix.source}). Over cold and warm calls "
        f"the lowest cost is {usd(cheapest.cost_usd_per_million)} per million at "
        f"{megabytes(cheapest.memory_mb)}, the shortest mean latency "
        f"{milliseconds(fastest.mean_ms)} at {megabytes(fastest.memory_mb)}."
    )
