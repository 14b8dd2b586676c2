"""The table under cost against duration: each size with both figures, their intervals and n.

Its first column is the duration, which the horizontal axis has: where a reader zooms in, the ticks
of the axis are the names of the rows.
"""

from __future__ import annotations

from reports.blocks import Column
from reports.document import CurvePoint, SizeResult, TuneDocument
from reports.figure import Data, DataRow
from reports.figures import ABSENT, columns_alike, interval_cells, megabytes
from reports.pareto_chart import ParetoChart
from reports.tune_sizes import estimate_at, is_placed, standing

# The column of what the curve says, for the chart.
CURVE_COLUMN = 6


def own_data(document: TuneDocument, chart: ParetoChart) -> Data:
    """A row for each point, the fastest first; the curve's cost stands beside the measured one."""
    by_size = {size.memory_mb: size for size in document.sizes}
    points = document.model.curve if document.model is not None else []
    expected = {round(point.memory_mb): point for point in points}
    shown = _shown_sizes(document, set(by_size))
    sizes = [by_size.get(mb) for mb in shown]
    curve = [expected.get(mb) for mb in shown]
    costs, low, high, on_curve = columns_alike(
        [
            [size.cost_usd_per_million if size else None for size in sizes],
            [size.cost_interval[0] if size and size.cost_interval else None for size in sizes],
            [size.cost_interval[1] if size and size.cost_interval else None for size in sizes],
            [point.cost_usd_per_million if point else None for point in curve],
        ]
    )
    durations = [_duration_of(size, point) for size, point in zip(sizes, curve, strict=True)]
    spans = [size.duration_interval_ms if size else None for size in sizes]
    times, fast, slow = columns_alike(
        [
            durations,
            [span[0] if span else None for span in spans],
            [span[1] if span else None for span in spans],
        ]
    )
    cells = zip(
        times,
        costs,
        interval_cells(low, high),
        [f"{mb:,}" for mb in shown],
        interval_cells(fast, slow),
        [f"{size.n:,}" if size else "0" for size in sizes],
        on_curve,
        [_remark(document, chart, mb) for mb in shown],
        strict=True,
    )
    rows = [DataRow(x, list(row)) for x, row in zip(durations, cells, strict=True)]
    columns = [
        Column("Duration", "ms"),
        Column("Cost", "$ / million"),
        Column("90 % interval", "$ / million"),
        Column("Memory", "MB"),
        Column("90 % interval", "ms"),
        Column("n", "warm"),
        Column("By the curve", "$ / million"),
        Column("Remark", is_text=True),
    ]
    return Data(columns, sorted(rows, key=lambda row: row.x or 0.0))


def _shown_sizes(document: TuneDocument, measured_mb: set[int]) -> list[int]:
    placed = {size.memory_mb for size in document.sizes if is_placed(size)}
    taken = document.recommendation
    wanted = {document.current.memory_mb, *([taken.memory_mb] if taken is not None else [])}
    return sorted(placed | {mb for mb in wanted - placed if estimate_at(document, mb) is not None})


def _duration_of(size: SizeResult | None, point: CurvePoint | None) -> float | None:
    if size is not None and size.duration_typical_ms is not None:
        return size.duration_typical_ms
    return None if point is None else point.duration_ms


def _remark(document: TuneDocument, chart: ParetoChart, memory_mb: int) -> str:
    on_front = any(spot.hover.startswith(f"{megabytes(memory_mb)}:") for spot in chart.front)
    measured = any(size.memory_mb == memory_mb and size.n for size in document.sizes)
    words = standing(document, memory_mb)
    words += ["Pareto front"] if on_front else []
    return ", ".join(words if measured else [*words, "estimated"])


def arch_data(document: TuneDocument) -> Data:
    """Of both architectures: each has a column for its costs."""
    found = document.arch
    sizes = sorted(found.sizes, key=lambda size: size.duration_ms) if found is not None else []
    own = [
        [size.cost_usd_per_million if size.arch == arch else None for size in sizes]
        for arch in ("x86_64", "arm64")
    ]
    intel, arm, low, high = columns_alike(
        [
            *own,
            [size.cost_interval[0] for size in sizes],
            [size.cost_interval[1] for size in sizes],
        ]
    )
    times, fast, slow = columns_alike(
        [
            [size.duration_ms for size in sizes],
            [size.duration_interval_ms[0] for size in sizes],
            [size.duration_interval_ms[1] for size in sizes],
        ]
    )
    names = [f"{size.arch}, {megabytes(size.memory_mb)}" for size in sizes]
    counts = [f"{size.n:,}" for size in sizes]
    fronts = ["Pareto front" if size.pareto else ABSENT for size in sizes]
    cells = zip(times, intel, arm, interval_cells(low, high), names, interval_cells(fast, slow),
                counts, fronts, strict=True)  # fmt: skip
    rows = [DataRow(size.duration_ms, list(row)) for size, row in zip(sizes, cells, strict=True)]
    columns = [
        Column("Duration", "ms"),
        Column("x86_64", "$ / million"),
        Column("arm64", "$ / million"),
        Column("90 % interval", "$ / million"),
        Column("Size", is_text=True),
        Column("90 % interval", "ms"),
        Column("n", "warm"),
        Column("Remark", is_text=True),
    ]
    return Data(columns, rows)
