"""The table under a chart against memory: what was measured and what the curve says, by size."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Column
from reports.chart import Chart
from reports.figure import Data, DataRow
from reports.figures import columns_alike, fixed, interval_cells

_Values = dict[float, float]
_Measure = tuple[str, _Values, tuple[_Values, _Values], str]


def memory_data(chart: Chart, unit: str) -> Data:
    """A row for each size that has a point or is one of the curve, ascending.

    Series keep the order and the numbers that they have in the chart.
    """
    columns, texts = [Column("Memory", "MB")], []
    sizes = _sizes(chart)
    for name, values, (low, high), ends_name in _measures(chart):
        columns.append(Column(name, unit))
        shown = [[part.get(size) for size in sizes] for part in (values, low, high)]
        value_texts, low_texts, high_texts = columns_alike(shown)
        texts.append(value_texts)
        if low:
            columns.append(Column(ends_name, unit))
            texts.append(interval_cells(low_texts, high_texts))
    rows = [
        DataRow(size, [fixed(size, 0), *(column[index] for column in texts)])
        for index, size in enumerate(sizes)
    ]
    return Data(columns, rows)


def _sizes(chart: Chart) -> list[float]:
    sizes = {float(point.memory_mb) for series in chart.series for point in series.points}
    return sorted(sizes | {float(size) for size in (chart.curve.memory_mb if chart.curve else ())})


def _measures(chart: Chart) -> list[_Measure]:
    """What series and curve are called, their values by size, and the ends of their intervals."""
    found: list[_Measure] = []
    for series in chart.series:
        values = {float(point.memory_mb): point.value for point in series.points}
        intervals = {float(p.memory_mb): p.interval for p in series.points if p.interval}
        ends = ({mb: low for mb, (low, _) in intervals.items()},
                {mb: high for mb, (_, high) in intervals.items()})  # fmt: skip
        found.append((_short(series.name), values, ends, "90 % interval"))
    curve = chart.curve
    if curve is not None and len(curve.values) > 1:
        bands = curve.bands or ()
        ends = (_by_size(curve.memory_mb, [low for low, _ in bands]),
                _by_size(curve.memory_mb, [high for _, high in bands]))  # fmt: skip
        values = _by_size(curve.memory_mb, curve.values)
        found.append((_short(curve.name), values, ends, "90 % band"))
    return found


def _by_size(sizes: Sequence[float], values: Sequence[float]) -> _Values:
    return {float(size): value for size, value in zip(sizes, values, strict=False)}


def _short(name: str) -> str:
    """The name of a series without what its legend says of intervals: the next column has them."""
    plain = name.removesuffix(", 90 % interval").removesuffix(", 90 % band")
    return plain[0].upper() + plain[1:]
