"""How well the curve of a tuning fits, how flat its valley is, where more samples would help."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from reports import svg
from reports.chart import Chart, Point, Series
from reports.document import CurvePoint, Interval, TuneDocument
from reports.figure import Figure
from reports.figures import (
    SPACE,
    listed,
    listed_sizes,
    megabytes,
    milliseconds,
    percent,
    significant,
    usd,
)
from reports.time_chart import HorizontalRule
from reports.tune_charts import memory_figure, memory_marks
from reports.tune_saving import SAME_SHARE
from reports.tune_sizes import estimate_at, is_adaptive, size_at

# Within so much of the lowest cost a size is as good for the bill as the best: less than most
# functions change from one month to the next.
VALLEY_SHARE = 0.03
_MOST_NAMED = 3
# Sizes closer than this say nearly the same of a curve.
_APART_FACTOR = 1.25
# A band this narrow leaves nothing to learn that anybody would act on.
_KNOWN_SHARE = 0.03
_STEP_MB = 32


@dataclass(frozen=True, slots=True)
class _Open:
    """A size that may be the best one, and how wide the band of the curve is there."""

    memory_mb: int
    width: float


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
    finding = _agreement(off, known)
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


def _agreement(off: Sequence[int], known: int) -> str:
    if not known:
        return "Samples are too few for intervals."
    if not off:
        return (
            f"All {known} intervals hold 1: the curve describes every size."
            if known > 1
            else ("The interval holds 1.")
        )
    verb = "leaves" if len(off) == 1 else "leave"
    return (
        f"{len(off)} of {known} intervals {verb} out 1, at {listed_sizes(off)}: "
        "trust the table there, not the curve."
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


def valley_sentence(document: TuneDocument) -> str:
    """Which sizes cost hardly more than the cheapest, by the curve; empty without one."""
    points = _usable(document)
    if len(points) < 2:
        return ""
    lowest = min(points, key=lambda point: point.cost_usd_per_million)
    allowed = lowest.cost_usd_per_million * (1 + VALLEY_SHARE)
    runs = _runs([point.cost_usd_per_million <= allowed for point in points])
    inside = [points[index] for first, last in runs for index in (first, last)]
    within = f"within {VALLEY_SHARE:.0%}".replace("%", f"{SPACE}%")
    least = f"the lowest cost ({usd(lowest.cost_usd_per_million)} per million at {_mb(lowest)})"
    if inside[0] is inside[-1]:
        return f"By the curve, no other size is {within} of {least}."
    named = listed([_ends(points[first], points[last]) for first, last in runs], last="or")
    return (
        f"By the curve, any size {named}{SPACE}MB is {within} of "
        f"{least}{_speed(inside[0], inside[-1])}."
    )


def _runs(inside: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last index of each stretch of neighbours that are inside."""
    runs: list[tuple[int, int]] = []
    for index, is_inside in enumerate(inside):
        if is_inside and runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        elif is_inside:
            runs.append((index, index))
    return runs


def _ends(first: CurvePoint, last: CurvePoint) -> str:
    """A stretch of sizes, rounded inwards: from 512 to 1,769."""
    low, high = math.ceil(first.memory_mb), math.floor(last.memory_mb)
    return f"from {low:,} to {high:,}" if low < high else f"of {low:,}"


def _speed(small: CurvePoint, large: CurvePoint) -> str:
    """What the duration does along the valley, where speed costs nothing."""
    if small.duration_ms <= 0:
        return ""
    less = 1 - large.duration_ms / small.duration_ms
    if less <= SAME_SHARE:
        return ", and as fast: the smallest of them is enough"
    return (
        f"; the largest of them takes {percent(less)} less time than the smallest, for about the "
        "same money"
    )


def _mb(point: CurvePoint) -> str:
    return megabytes(round(point.memory_mb))


def _usable(document: TuneDocument) -> list[CurvePoint]:
    """The curve above all sizes that failed because they are too small, ascending."""
    points = document.model.curve if document.model is not None else []
    failed = [size.memory_mb for size in document.sizes if size.failure is not None]
    worked = [size.memory_mb for size in document.sizes if size.failure is None and size.n]
    too_small = max((mb for mb in failed if not worked or mb < max(worked)), default=0)
    kept = (point for point in points if point.memory_mb > too_small)
    return sorted(kept, key=lambda point: point.memory_mb)


def sampling_sentence(document: TuneDocument) -> str:
    """Which sizes are worth more samples, and the command; empty without a curve."""
    points = _usable(document)
    if len(points) < 2:
        return ""
    bands = [(point, _band(document, point)) for point in points]
    if any(band is None for _, band in bands):
        return (
            "The curve has no band: samples are too few to say where more of them would help most."
        )
    wanted = _widest(_may_be_best([(point, band) for point, band in bands if band is not None]))
    if not wanted:
        return "No other size is worth more samples: where the best may be, the curve is known."
    quality = "shortest duration" if _is_for_speed(document) else "lowest cost"
    widest = max(size.width for size in wanted)
    sizes = sorted({_askable(document, size.memory_mb) for size in wanted})
    return (
        f"Worth sampling next: {listed_sizes(sizes)}, where the {quality} may be and the "
        f"90{SPACE}% band is widest (its ends differ by up to {percent(widest)}): "
        f"{more_samples(document, sizes)}."
    )


def more_samples(document: TuneDocument, sizes_mb: Sequence[int]) -> str:
    """The command that takes more samples, at these sizes where the plan is fixed."""
    name = shlex.quote(document.function.name)
    if is_adaptive(document) or not sizes_mb:
        return f"`tune {name} --thorough`, with the other options as before"
    sizes = ",".join(str(mb) for mb in sorted({*sizes_mb, document.current.memory_mb}))
    samples = max(20, 2 * (document.provenance.samples_per_size or 0))
    return f"`tune {name} --sizes {sizes} --samples {samples}`, with the other options as before"


def _askable(document: TuneDocument, memory_mb: int) -> int:
    """A size that people would type: points of a fitted curve stand anywhere."""
    if is_adaptive(document) or size_at(document, memory_mb) is not None:
        return memory_mb
    return max(128, round(memory_mb / _STEP_MB) * _STEP_MB)


def _is_for_speed(document: TuneDocument) -> bool:
    taken = document.recommendation
    return taken is not None and taken.objective == "speed"


def _band(document: TuneDocument, point: CurvePoint) -> Interval | None:
    if _is_for_speed(document):
        return point.duration_band_ms
    return point.cost_band_usd_per_million


def _may_be_best(bands: Sequence[tuple[CurvePoint, Interval]]) -> list[_Open]:
    """The sizes whose band reaches below the upper end of every other one."""
    reachable = min(high for _, (_, high) in bands)
    return [
        _Open(round(point.memory_mb), high / low - 1)
        for point, (low, high) in bands
        if 0 < low <= reachable
    ]


def _widest(sizes: Sequence[_Open]) -> list[_Open]:
    """The few with the widest bands, none close to another."""
    chosen: list[_Open] = []
    for size in sorted(sizes, key=lambda size: (-size.width, size.memory_mb)):
        ratios = [max(size.memory_mb / o.memory_mb, o.memory_mb / size.memory_mb) for o in chosen]
        if size.width > _KNOWN_SHARE and all(ratio >= _APART_FACTOR for ratio in ratios):
            chosen.append(size)
    return chosen[:_MOST_NAMED]
