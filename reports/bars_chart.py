"""Horizontal bars of stacked parts on one scale that begins at zero, with the interval of each sum.

Lengths are compared, so all bars share an axis. (`parts_chart` compares shares instead.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports import svg
from reports.frame import RIGHT_PX, Canvas, root, tick_texts, x_axis, x_ticks
from reports.hatch import Fill, paint, patterns, swatch
from reports.legend import ROW_PX, Entry, arrange, draw_legend
from reports.scale import LinearScale, nice_top

_LEFT_PX = 12.0
_TITLE_PX = 18.0
_BAR_PX = 30.0
_BETWEEN_PX = 16.0
_AXIS_PX = 44.0
_GAP_PX = 1.0  # the ground between two parts, which tells them apart without colour
_LEAST_PX = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: its length, how it looks, and what it says when pointed at."""

    name: str
    value: float
    fill: Fill
    hover: str


@dataclass(frozen=True, slots=True)
class SumBar:
    """What is made of parts, in the order in which they stand; the interval is that of the sum."""

    title: str
    parts: Sequence[Part]
    interval: tuple[float, float] | None = None

    @property
    def total(self) -> float:
        """The length of the bar."""
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class BarsChart:
    """All that a chart shows; `finding` says it in words for those who do not see it."""

    title: str
    finding: str
    x_label: str
    bars: Sequence[SumBar]


def draw_bars_chart(chart: BarsChart, canvas: Canvas, identifier: str) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    fills = {part.name: part.fill for bar in chart.bars for part in bar.parts if part.value > 0}
    legend = arrange(_legend_entries(chart, fills, identifier), canvas.width)
    bottom = len(chart.bars) * (_TITLE_PX + _BAR_PX + _BETWEEN_PX)
    canvas = replace(canvas, height=round(bottom + _AXIS_PX + len(legend) * ROW_PX))
    ends = [end for bar in chart.bars for end in (bar.total, *(bar.interval or ()))]
    left, right = _LEFT_PX, canvas.width - RIGHT_PX
    x = LinearScale(0.0, nice_top(max(ends, default=0.0)), left, right)
    ticks = x.ticks()
    wanted = [(x.position(t), text) for t, text in zip(ticks, tick_texts(ticks), strict=True)]
    return root(
        canvas,
        identifier,
        chart.title,
        chart.finding,
        *patterns(fills.values(), identifier),
        *(svg.line((at, 0), (at, bottom), "c-grid", svg.GRID, 1) for at, _ in wanted),
        *(mark for index, bar in enumerate(chart.bars) for mark in _bar(bar, index, x, identifier)),
        *x_axis(left, right, bottom, chart.x_label),
        *x_ticks(wanted, bottom, ()),
        *draw_legend(legend, canvas.height),
    )


def _bar(bar: SumBar, index: int, x: LinearScale, identifier: str) -> list[str]:
    top = index * (_TITLE_PX + _BAR_PX + _BETWEEN_PX)
    title = svg.text((_LEFT_PX, top + 13), bar.title, fill=svg.INK, css="c-text c-strong")
    drawn, start = [title], 0.0
    for part in bar.parts:
        left, right = x.position(start), x.position(start + part.value)
        start += part.value
        if right - left >= _LEAST_PX:
            box: dict[str, str | float] = {
                "x": left,
                "y": top + _TITLE_PX,
                "width": max(right - left - _GAP_PX, _LEAST_PX),
                "height": _BAR_PX,
            }
            rect = svg.element("rect", {**box, **paint(part.fill, identifier)})
            drawn.append(svg.titled(part.hover, rect))
    if bar.interval is not None:
        low, high = (x.position(end) for end in bar.interval)
        drawn.append(_whisker(low, high, top + _TITLE_PX + _BAR_PX / 2))
    return drawn


def _whisker(low_x: float, high_x: float, y: float) -> str:
    """A horizontal interval with caps."""
    line = f"M{svg.number(low_x)} {svg.number(y)}H{svg.number(high_x)}"
    caps = "".join(f"M{svg.number(x)} {svg.number(y - 5)}v10" for x in (low_x, high_x))
    return svg.path(line + caps, "c-offered", svg.INK, 1.5)


def _legend_entries(chart: BarsChart, fills: dict[str, Fill], identifier: str) -> list[Entry]:
    entries = [_entry(name, fill, identifier) for name, fill in fills.items()]
    if any(bar.interval is not None for bar in chart.bars):
        entries.append(Entry("90 % interval of the sum", _whisker_mark))
    return entries


def _entry(name: str, fill: Fill, identifier: str) -> Entry:
    return Entry(name, lambda centre: swatch(fill, identifier, centre))


def _whisker_mark(centre: svg.Pixels) -> str:
    x, y = centre
    return _whisker(x - 8, x + 8, y)
