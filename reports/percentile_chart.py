"""Latency by percentile: the slow end gets as much room as the middle.

The horizontal axis is logarithmic in the share of requests that are slower, so each tenfold rarer
kind of request is equally wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports import svg
from reports.figures import milliseconds
from reports.frame import (
    BELOW_PX,
    RIGHT_PX,
    Y_LABEL_PX,
    Canvas,
    ValueAxis,
    root,
    x_axis,
    x_ticks,
)
from reports.legend import ROW_PX, Entry, arrange, draw_legend
from reports.load_document import LoadPercentiles
from reports.svg import Marker, Pixels

_TICKS = ((0.5, "50"), (0.9, "90"), (0.95, "95"), (0.99, "99"), (0.999, "99.9"))
# When ticks lack room, those of the middle and of the slow end win.
_FIRST_TICKS = (0, 4, 3, 1)
_AIR = 0.04


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The percentiles of one latency, and how its line looks."""

    name: str
    percentiles: LoadPercentiles
    css: str
    colour: str
    shape: Marker = "circle"
    dash: str = ""

    @property
    def values_ms(self) -> list[float]:
        """At 50, 90, 95, 99 and 99.9 %."""
        found = self.percentiles
        return [found.p50, found.p90, found.p95, found.p99, found.p999]


def draw_percentile_chart(
    spectra: Sequence[Spectrum], canvas: Canvas, identifier: str, finding: str
) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    shown = [value for spectrum in spectra for value in spectrum.values_ms]
    axis = ValueAxis("latency, ms", shown)
    legend = arrange([_legend_entry(spectrum) for spectrum in spectra], canvas.width)
    left, right = axis.room_px(), canvas.width - RIGHT_PX
    top, bottom = Y_LABEL_PX + 6, canvas.height - BELOW_PX - len(legend) * ROW_PX
    scale = axis.scale(bottom, top)
    xs = [left + _share(quantile) * (right - left) for quantile, _ in _TICKS]
    ticks = [(x, label) for x, (_, label) in zip(xs, _TICKS, strict=True)]
    drawn = []
    for spectrum in spectra:
        at = [(x, scale.position(y)) for x, y in zip(xs, spectrum.values_ms, strict=True)]
        drawn += _line(spectrum, at)
    return root(
        canvas,
        identifier,
        "Latency by percentile",
        finding,
        *axis.draw(scale, left, right),
        *x_axis(left, right, bottom, "percentile, %"),
        *x_ticks(ticks, bottom, _FIRST_TICKS),
        *drawn,
        *draw_legend(legend, canvas.height),
    )


def _share(quantile: float) -> float:
    """Where a quantile stands between the first and the last tick, with some air beside them."""
    rarity = [-math.log10(1 - q) for q in (quantile, _TICKS[0][0], _TICKS[-1][0])]
    inside = (rarity[0] - rarity[1]) / (rarity[2] - rarity[1])
    return _AIR + inside * (1 - 2 * _AIR)


def _line(spectrum: Spectrum, at: Sequence[Pixels]) -> list[str]:
    drawn = [svg.polyline(at, spectrum.css, spectrum.colour, 1.75, spectrum.dash)]
    for place, value, (_, label) in zip(at, spectrum.values_ms, _TICKS, strict=True):
        hover = f"{label} % of {spectrum.name}: at most {milliseconds(value)}"
        mark = svg.marker(spectrum.shape, place, spectrum.css, spectrum.colour, radius=3.5)
        drawn.append(svg.titled(hover, mark))
    return drawn


def _legend_entry(spectrum: Spectrum) -> Entry:
    def draw(centre: Pixels) -> str:
        x, y = centre
        mark = svg.marker(spectrum.shape, centre, spectrum.css, spectrum.colour, radius=3.5)
        line = svg.line((x - 9, y), (x + 9, y), spectrum.css, spectrum.colour, 1.75, spectrum.dash)
        return line + mark

    return Entry(spectrum.name, draw)
