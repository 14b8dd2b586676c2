"""What the curve of a tuning says: how flat its valley is, and where more samples would help."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from reports.document import CurvePoint, Interval, TuneDocument
from reports.figures import (
    SPACE,
    listed,
    listed_sizes,
    megabytes,
    percent,
    usd,
)
from reports.tune_saving import SAME_SHARE
from reports.tune_sizes import is_adaptive, size_at

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
