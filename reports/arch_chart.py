"""Cost against duration of both architectures, with the Pareto front: what can be had for what.

Down is cheaper and left is faster. The front is a staircase, because between two of its sizes
nothing is known to be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from reports import svg
from reports.document import ArchComparison, ArchSize, TuneDocument
from reports.figure import Figure
from reports.figures import megabytes, milliseconds, usd
from reports.frame import (
    BELOW_PX,
    NARROW,
    RIGHT_PX,
    WIDE,
    Y_LABEL_PX,
    Canvas,
    ValueAxis,
    root,
    tick_texts,
    x_axis,
    x_ticks,
)
from reports.label_places import Box, place_labels
from reports.legend import ROW_PX, Entry, arrange, draw_legend
from reports.scale import Scale
from reports.svg import Mark, Marker, Pixels
from reports.tune_arch import is_best

_LOOKS: dict[str, tuple[Marker, str, str]] = {
    "x86_64": ("circle", "c-data", svg.DATA),
    "arm64": ("square", "c-second", svg.MUTED),
}


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plot's edges in pixels and its two scales."""

    left: float
    right: float
    top: float
    bottom: float
    x: Scale
    y: Scale

    def place(self, size: ArchSize) -> Pixels:
        """Where the mark of a size stands."""
        return self.x.position(size.duration_ms), self.y.position(size.cost_usd_per_million)


def arch_figure(document: TuneDocument, anchor: str) -> Figure | None:
    """The chart and the sentence that reads it; None without a comparison."""
    found = document.arch
    if found is None or not found.sizes:
        return None
    drawings = [
        _draw(found, canvas, f"{anchor}-arch-{canvas.css[2:]}") for canvas in (WIDE, NARROW)
    ]
    help_text = (
        "What a million invocations cost against how long one takes: the lower left is best. The "
        "line joins the sizes that no other undercuts in both; any other size is dearer and slower "
        "than one of them. The axes begin where the figures do."
    )
    return Figure("x86_64 and arm64", help_text, drawings)


def _draw(found: ArchComparison, canvas: Canvas, identifier: str) -> str:
    costs = ValueAxis("$ per million invocations", _shown(found, cost=True), from_zero=False)
    times = ValueAxis("duration, ms", _shown(found, cost=False), from_zero=False)
    legend = arrange(_legend_entries(found), canvas.width)
    # Half of the last label of the axis lies beyond it.
    left, right = costs.room_px(), canvas.width - max(RIGHT_PX, times.room_px() / 2)
    top, bottom = Y_LABEL_PX + 6, canvas.height - BELOW_PX - len(legend) * ROW_PX
    y, x = costs.scale(bottom, top), times.scale(left, right)
    frame = _Frame(left, right, top, bottom, x, y)
    ticks = x.ticks()
    wanted = [(x.position(t), text) for t, text in zip(ticks, tick_texts(ticks), strict=True)]
    name = f"{times.label} (log scale)" if times.is_log else times.label
    return root(
        canvas,
        identifier,
        "Cost against duration, x86_64 and arm64",
        _finding(found),
        *costs.draw(y, left, right),
        *x_axis(left, right, bottom, name),
        *x_ticks(wanted, bottom, ()),
        *_front(found, frame),
        *(mark for size in found.sizes for mark in _mark(found, size, frame)),
        *_labels(found, frame),
        *draw_legend(legend, canvas.height),
    )


def _shown(found: ArchComparison, *, cost: bool) -> list[float]:
    """The values and ends of intervals that an axis must hold."""
    values: list[float] = []
    for size in found.sizes:
        middle = size.cost_usd_per_million if cost else size.duration_ms
        values += [middle, *(size.cost_interval if cost else size.duration_interval_ms)]
    return values


def _finding(found: ArchComparison) -> str:
    front = ", ".join(f"{size.arch} {megabytes(size.memory_mb)}" for size in _pareto(found))
    best = f"The best is {found.best_arch} at {megabytes(found.best_mb)}. "
    return f"{best}On the Pareto front, from fast to cheap: {front or 'no size'}."


def _pareto(found: ArchComparison) -> list[ArchSize]:
    return sorted((size for size in found.sizes if size.pareto), key=lambda size: size.duration_ms)


def _front(found: ArchComparison, frame: _Frame) -> list[str]:
    places = [frame.place(size) for size in _pareto(found)]
    if len(places) < 2:
        return []
    steps = [places[0]]
    for before, after in pairwise(places):
        steps += [(after[0], before[1]), after]
    return [svg.polyline(steps, "c-taken", svg.RECOMMENDED, 1.5)]


def _mark(found: ArchComparison, size: ArchSize, frame: _Frame) -> list[str]:
    shape, css, colour = _LOOKS[size.arch]
    x, y = frame.place(size)
    low_y, high_y = (frame.y.position(end) for end in size.cost_interval)
    fast_x, slow_x = (frame.x.position(end) for end in size.duration_interval_ms)
    marks = [
        svg.line((x, low_y), (x, high_y), css, colour, 1),
        svg.line((fast_x, y), (slow_x, y), css, colour, 1),
        svg.marker(shape, (x, y), css, colour),
    ]
    if is_best(found, size):
        marks.append(svg.ring((x, y), "c-taken", svg.RECOMMENDED))
    hover = (
        f"{size.arch}, {megabytes(size.memory_mb)}: {milliseconds(size.duration_ms)}, "
        f"{usd(size.cost_usd_per_million)} per million"
    )
    return [svg.titled(hover, *marks)]


def _labels(found: ArchComparison, frame: _Frame) -> list[str]:
    """The best size and those on the front by name, as many as have room; the best one first."""
    named = [size for size in found.sizes if size.pareto or is_best(found, size)]
    named.sort(key=lambda size: (not is_best(found, size), size.duration_ms))
    marks = [_around(frame.place(size)) for size in found.sizes]
    bounds = Box(frame.left + 2, frame.top, frame.right, frame.bottom - 2)
    wanted = [(frame.place(size), _label(found, size)) for size in named]
    return [
        _text(at, content, strong=is_best(found, size))
        for size, (_, content), at in zip(
            named, wanted, place_labels(wanted, marks, bounds), strict=True
        )
        if at is not None
    ]


def _text(at: Pixels, content: str, *, strong: bool) -> str:
    if strong:
        return svg.text(at, content, fill=svg.RECOMMENDED, css="c-taken c-label", halo=True)
    return svg.text(at, content, css="c-vcpu c-label", halo=True)


def _label(found: ArchComparison, size: ArchSize) -> str:
    if is_best(found, size):
        return f"best: {size.arch}, {megabytes(size.memory_mb)}"
    return f"{size.memory_mb:,}"


def _around(place: Pixels) -> Box:
    x, y = place
    return Box(x - 5, y - 5, x + 5, y + 5)


def _legend_entries(found: ArchComparison) -> list[Entry]:
    entries = [
        Entry(f"{arch}, 90 % intervals", _series_mark(arch))
        for arch in _LOOKS
        if any(size.arch == arch for size in found.sizes)
    ]
    if len(_pareto(found)) > 1:
        entries.append(Entry("Pareto front", _front_mark))
    return entries


def _series_mark(arch: str) -> Mark:
    shape, css, colour = _LOOKS[arch]

    def draw(centre: Pixels) -> str:
        x, y = centre
        cross = [
            svg.line((x - 7, y), (x + 7, y), css, colour, 1),
            svg.line((x, y - 7), (x, y + 7), css, colour, 1),
        ]
        return "".join([*cross, svg.marker(shape, centre, css, colour)])

    return draw


def _front_mark(centre: Pixels) -> str:
    x, y = centre
    steps = [(x - 8, y - 5), (x, y - 5), (x, y + 5), (x + 8, y + 5)]
    return svg.polyline(steps, "c-taken", svg.RECOMMENDED, 1.5)
