"""Ticks of a horizontal axis in characters: where they stand, and labels that do not touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.frame import tick_texts
from reports.plot import Plot
from reports.scale import LinearScale, LogScale
from reports.time_axis import TimeScale, time_label


@dataclass(frozen=True, slots=True)
class Tick:
    """The column of a tick, and where its label begins."""

    column: int
    start: int
    text: str


# Percentiles that readers look for, as 1 / (1 - q).
_RARITIES = (2.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0, 1_000_000.0)
# Columns that a label of time needs, as the pixels that `TimeScale` counts with.
_PIXELS_A_COLUMN = 7


def horizontal_ticks(plot: Plot, width: int) -> list[Tick]:
    """Columns with labels for an axis of `width` characters."""
    if plot.x is None:
        return []
    low, high = plot.x.low, plot.x.high
    if plot.steps and plot.x.kind == "linear":
        times = TimeScale(high, 0, width * _PIXELS_A_COLUMN).ticks()
        wanted = [(time, time_label(time, high)) for time in times]
    elif plot.x_name.startswith("percentile"):
        wanted = [(x, f"{100 * (1 - 1 / x):.7g}") for x in _RARITIES if low <= x <= high]
    elif plot.x_name == "Night":
        wanted = _dates(plot, width)
    elif plot.x.kind == "log" and plot.rows_are_places and not plot.steps:
        wanted = _names(plot)
    else:
        values = (LogScale if plot.x.kind == "log" else LinearScale)(low, high, 0, 1).ticks()
        wanted = list(zip(values, tick_texts(values), strict=True))
    scale = (LogScale if plot.x.kind == "log" else LinearScale)(low, high, 0, width - 1)
    ticks = [_tick(round(scale.position(x)), text, width) for x, text in wanted]
    return list(_apart(ticks))


def _tick(column: int, text: str, width: int) -> Tick:
    """A label centred under its tick, but not beyond the right edge."""
    return Tick(column, min(column - len(text) // 2, width - len(text)), text)


def _names(plot: Plot) -> list[tuple[float, str]]:
    """Rows that have points, by name; without points, all of them."""
    pointed = [series for series in plot.series if series.look == "points"]
    return [
        (x, name.replace("\N{NO-BREAK SPACE}", " "))
        for row, (x, name) in enumerate(zip(plot.xs, plot.row_names, strict=True))
        if x is not None and (not pointed or any(s.values[row] is not None for s in pointed))
    ]


def _dates(plot: Plot, width: int) -> list[tuple[float, str]]:
    """Every so many nights, counted back from the last: that one readers look for."""
    nights = [(x, name) for x, name in zip(plot.xs, plot.row_names, strict=True) if x is not None]
    # The last label ends at the edge, half its length nearer to the one before.
    longest = 3 * max((len(name) for _, name in nights), default=0) // 2 + 3
    every = max(1, -(-longest * len(nights) // width))
    return nights[::-1][::every][::-1]


def _apart(ticks: Sequence[Tick]) -> Iterator[Tick]:
    """Those whose label has two columns of air to the one before."""
    end: int | None = None
    for tick in ticks:
        if end is None or tick.start >= end + 2:
            yield tick
            end = tick.start + len(tick.text)
