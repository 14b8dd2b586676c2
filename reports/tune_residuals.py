"""Measured over fitted: by how much each size departs from the curve of a tuning.

A fixed plan has its sizes beside the curve that was fitted to them; an adaptive one has each size
beside what the samples of all other sizes lead to expect there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports import svg
from reports.chart import Chart, Point, Series
from reports.document import CurvePoint, Interval, TuneDocument
from reports.figure import Figure
from reports.figures import listed_sizes, megabytes, milliseconds, significant
from reports.time_chart import HorizontalRule
from reports.tune_charts import memory_figure, memory_marks
from reports.tune_sizes import estimate_at, is_adaptive


def residual_figure(document: TuneDocument, anchor: str) -> Figure | None:
    """Measured over fitted by size; None where there is no curve, or nothing beside it."""
    points = _left_out(document) if is_adaptive(document) else _residuals(document)
    if not points:
        return None
    adaptive = is_adaptive(document)
    title = "Measured over expected" if adaptive else "Measured over fitted"
    off = [
        int(p.memory_mb) for p in points if p.interval and not p.interval[0] <= 1 <= p.interval[1]
    ]
    known = sum(point.interval is not None for point in points)
    finding = _agreement(off, known, "the p50" if adaptive else "the table")
    chart = Chart(
        title=f"{title} against memory",
        finding=finding,
        y_label="measured / expected" if adaptive else "measured / fitted",
        series=[Series("measured, 90 % interval" if known else "measured", points)],
        marks=memory_marks(document, points, ()),
        levels=[HorizontalRule(1.0, "as the curve says", "c-vcpu", svg.MUTED, "")],
        from_zero=False,
    )
    reading = (
        "The median duration of each size over what the samples of all other sizes lead to expect "
        "there; the interval allows for what is believed of it and for how calls scatter."
        if adaptive
        else "The typical duration of each size over the fitted curve, with the interval of the "
        "measurement."
    )
    return memory_figure(title, f"{reading} {finding}", chart, "ratio", f"{anchor}-residuals")


def _agreement(off: Sequence[int], known: int, rather: str) -> str:
    """What the intervals say of the curve; of 90 % intervals one in ten misses by chance."""
    if not known:
        return "Samples are too few for intervals."
    if not off:
        every = "Both" if known == 2 else f"All {known}"
        whose = "The interval holds" if known == 1 else f"{every} intervals hold"
        return f"{whose} 1: nothing here speaks against the curve."
    verb = "leaves" if len(off) == 1 else "leave"
    return (
        f"{len(off)} of {known} intervals {verb} out 1, at {listed_sizes(off)}: trust {rather} "
        "there, not the curve. About one in ten does so by chance."
    )


def _left_out(document: TuneDocument) -> list[Point]:
    unseen = document.model.unseen if document.model is not None else []
    points = []
    for size in sorted(unseen, key=lambda size: size.memory_mb):
        low_ms, high_ms = size.expected_interval_ms
        if min(size.expected_ms, low_ms) <= 0:
            continue
        interval = (size.measured_ms / high_ms, size.measured_ms / low_ms)
        times = (size.measured_ms, size.expected_ms)
        points.append(_point(size.memory_mb, times, interval))
    return points


def _residuals(document: TuneDocument) -> list[Point]:
    points = []
    for size in sorted(document.sizes, key=lambda size: size.memory_mb):
        fitted_ms, typical_ms = _fitted_ms(document, size.memory_mb), size.duration_typical_ms
        if fitted_ms is None or typical_ms is None:
            continue
        ends = size.duration_interval_ms
        interval = None if ends is None else (ends[0] / fitted_ms, ends[1] / fitted_ms)
        points.append(_point(size.memory_mb, (typical_ms, fitted_ms), interval))
    return points


def _fitted_ms(document: TuneDocument, memory_mb: int) -> float | None:
    """The curve at a size: a point of it, or between its neighbours on logarithmic axes."""
    exact = estimate_at(document, memory_mb)
    if exact is not None:
        return exact.duration_ms if exact.duration_ms > 0 else None
    points = document.model.curve if document.model is not None else []
    before = max((p for p in points if p.memory_mb < memory_mb), key=_memory, default=None)
    after = min((p for p in points if p.memory_mb > memory_mb), key=_memory, default=None)
    if before is None or after is None or min(before.duration_ms, after.duration_ms) <= 0:
        return None
    share = math.log(memory_mb / before.memory_mb) / math.log(after.memory_mb / before.memory_mb)
    return float(before.duration_ms * (after.duration_ms / before.duration_ms) ** share)


def _memory(point: CurvePoint) -> float:
    return point.memory_mb


def _point(memory_mb: int, times_ms: tuple[float, float], interval: Interval | None) -> Point:
    measured_ms, fitted_ms = times_ms
    ratio = measured_ms / fitted_ms
    hover = (
        f"{megabytes(memory_mb)}: {milliseconds(measured_ms)} measured, "
        f"{milliseconds(fitted_ms)} by the curve, ratio {significant(ratio)}"
    )
    return Point(memory_mb, ratio, interval, hover)
