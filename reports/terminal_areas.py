"""Stacked areas in characters: each column has the mean of the rows that it shows."""

from __future__ import annotations

from collections.abc import Sequence

from reports.plot import Plot, Series
from reports.terminal_canvas import Canvas


def fill_areas(canvas: Canvas, plot: Plot, layers: Sequence[tuple[Series, str, str]]) -> None:
    """Fills each layer, from the first at the bottom up, with its mark and style."""
    if plot.x is None or plot.y is None or not layers:
        return
    for column, rows in enumerate(_rows_by_column(plot, canvas.width)):
        base = 0.0
        for series, mark, style in layers:
            top = base + _mean([series.values[row] or 0.0 for row in rows])
            for row in range(canvas.height):
                share = (canvas.height - row - 0.5) / canvas.height
                middle = plot.y.low + share * (plot.y.high - plot.y.low)
                if base <= middle < top:
                    canvas.put(column, row, mark, style)
            base = top


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _rows_by_column(plot: Plot, width: int) -> list[list[int]]:
    """The rows that begin in each column, or else that which goes on there."""
    found: list[list[int]] = [[] for _ in range(width)]
    if plot.x is None:
        return found
    length = plot.x.high - plot.x.low
    for row, x in enumerate(plot.xs):
        if x is not None:
            column = int((x - plot.x.low) / length * width)
            found[min(max(column, 0), width - 1)].append(row)
    for column in range(1, width):
        if not found[column]:
            found[column] = found[column - 1][-1:]
    return found
