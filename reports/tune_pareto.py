"""Cost against duration of a tuning: its sizes, of both architectures where there are two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports import svg
from reports.document import ArchSize, CurvePoint, SizeResult, TuneDocument
from reports.figure import Figure
from reports.figures import listed, megabytes, milliseconds, usd
from reports.frame import NARROW, WIDE
from reports.pareto_chart import Group, ParetoChart, Spot, Standing, Trail, draw_pareto_chart
from reports.pareto_data import CURVE_COLUMN, arch_data, own_data
from reports.tune_arch import is_best
from reports.tune_sizes import estimate_at, is_adaptive, is_placed, standing

_TITLE = "Cost against duration"
_MEASURED = Group("measured, 90 % intervals", 1)
_INVOKED = Group("invoked sizes, 90 % intervals", 1)
_ARCHS = {
    "x86_64": Group("x86_64, 90 % intervals", 1),
    "arm64": Group("arm64, 90 % intervals", 2, "square", "c-second", svg.MUTED),
}
_MOST_NAMED = 4
_BEST = "best"
_READING = (
    "What a million invocations cost against how long one takes: the lower left is best. The "
    "staircase joins the sizes that no other undercuts in both, by these figures. Both intervals "
    "of a size come from the same durations, so that the truth is near the rising diagonal of its "
    "cross. The axes begin where the figures do."
)


def pareto_figure(document: TuneDocument, anchor: str) -> Figure | None:
    """The chart with its data and what to read in it; None where no size has both figures."""
    compared = document.arch is not None and bool(document.arch.sizes)
    spots = _arch_spots(document) if compared else _own_spots(document)
    if not any(spot.group is not None for spot in spots):
        return None
    chart = ParetoChart(
        title=f"{_TITLE}, x86_64 and arm64" if compared else _TITLE,
        finding="",
        x_label="duration, ms" if compared else "typical warm duration, ms",
        y_label="$ per million invocations",
        spots=spots,
        trail=None if compared else _trail(document),
    )
    chart = replace(chart, finding=_finding(chart))
    drawings = [
        draw_pareto_chart(chart, canvas, f"{anchor}-pareto-{canvas.css[2:]}")
        for canvas in (WIDE, NARROW)
    ]
    data = arch_data(document) if compared else own_data(document, chart)
    told = [_READING, _conclusion(chart), _origin(document, chart)]
    return Figure(_TITLE, " ".join(part for part in told if part), drawings, data, "pareto")


def _own_spots(document: TuneDocument) -> list[Spot]:
    """The sizes that were measured, and today's or the recommended one by the curve."""
    measured = [size for size in document.sizes if is_placed(size)]
    usable = [_at(size) for size in measured if size.failure is None]
    spots = [
        Spot(
            at=_at(size),
            group=_INVOKED if is_adaptive(document) else _MEASURED,
            name=_name(document, size.memory_mb),
            hover=_hover(megabytes(size.memory_mb), _at(size), warm_samples(size.n)),
            duration_interval=size.duration_interval_ms,
            cost_interval=size.cost_interval,
            on_front=size.failure is None and not _is_undercut(_at(size), usable),
            standing=_standing(document, size.memory_mb),
        )
        for size in sorted(measured, key=lambda size: size.memory_mb)
    ]
    return [*spots, *_estimated(document, {size.memory_mb for size in measured})]


def _estimated(document: TuneDocument, measured_mb: set[int]) -> list[Spot]:
    """What stands out and was not measured, where the curve says what to expect of it."""
    taken = document.recommendation
    wanted = {document.current.memory_mb, *([taken.memory_mb] if taken is not None else [])}
    spots = []
    for memory_mb in sorted(wanted - measured_mb):
        point = estimate_at(document, memory_mb)
        if point is not None:
            at = (point.duration_ms, point.cost_usd_per_million)
            spots.append(
                Spot(
                    at=at,
                    group=None,
                    name=f"{_name(document, memory_mb)}, estimated",
                    hover=_hover(megabytes(memory_mb), at, "estimated from the curve"),
                    duration_interval=point.duration_band_ms,
                    cost_interval=point.cost_band_usd_per_million,
                    standing=_standing(document, memory_mb),
                )
            )
    return spots


def _arch_spots(document: TuneDocument) -> list[Spot]:
    found = document.arch
    if found is None:
        return []
    spots = []
    for size in found.sizes:
        at, best = (size.duration_ms, size.cost_usd_per_million), is_best(found, size)
        is_current = _is_own(document, size) and size.memory_mb == document.current.memory_mb
        is_taken = _is_own(document, size) and _standing(document, size.memory_mb) in (
            "taken",
            "both",
        )
        mark: Standing = "taken" if best or is_taken else ""
        mark = ("both" if mark else "current") if is_current else mark
        told = ((_BEST, best), ("recommended", is_taken and not best), ("current", is_current))
        words = [word for word, holds in told if holds]
        full = f"{size.arch}, {megabytes(size.memory_mb)}"
        spots.append(
            Spot(
                at=at,
                group=_ARCHS[size.arch],
                name=f"{', '.join(words)}: {full}" if words else f"{size.memory_mb:,}",
                hover=_hover(f"{size.arch} {megabytes(size.memory_mb)}", at, warm_samples(size.n)),
                duration_interval=size.duration_interval_ms,
                cost_interval=size.cost_interval,
                on_front=size.pareto,
                standing=mark,
            )
        )
    return spots


def _is_own(document: TuneDocument, size: ArchSize) -> bool:
    """Whether it is a size of the function itself, not of the one it is compared with."""
    return size.arch == document.function.arch


def _at(size: SizeResult) -> tuple[float, float]:
    return size.duration_typical_ms or 0.0, size.cost_usd_per_million or 0.0


def _is_undercut(at: tuple[float, float], others: Sequence[tuple[float, float]]) -> bool:
    """Whether another size is as good in both figures and better in one."""
    return any(other != at and other[0] <= at[0] and other[1] <= at[1] for other in others)


def _standing(document: TuneDocument, memory_mb: int) -> Standing:
    taken = document.recommendation is not None and (document.recommendation.memory_mb == memory_mb)
    current = document.current.memory_mb == memory_mb
    if taken:
        return "both" if current else "taken"
    return "current" if current else ""


def _name(document: TuneDocument, memory_mb: int) -> str:
    """The label of a size: what it is where it stands out, else its megabytes."""
    words = [word for word in standing(document, memory_mb) if word != "tied"]
    return f"{' and '.join(words)} {megabytes(memory_mb)}" if words else f"{memory_mb:,}"


def warm_samples(n: int) -> str:
    """How many: 1 warm sample, 2 warm samples."""
    return f"{n:,} warm sample{'' if n == 1 else 's'}"


def _hover(name: str, at: tuple[float, float], origin: str) -> str:
    return f"{name}: {milliseconds(at[0])}, {usd(at[1])} per million, {origin}"


def _trail(document: TuneDocument) -> Trail | None:
    """The fitted curve; None without one."""
    points = _curve(document)
    if len(points) < 2:
        return None
    return Trail(
        "expected at every candidate" if is_adaptive(document) else "fitted curve",
        series=CURVE_COLUMN,
        points=[(point.duration_ms, point.cost_usd_per_million) for point in points],
    )


def _curve(document: TuneDocument) -> list[CurvePoint]:
    points = document.model.curve if document.model is not None else []
    return sorted(points, key=lambda point: point.memory_mb)


def _finding(chart: ParetoChart) -> str:
    fronted = [_size_of(spot) for spot in chart.front]
    front = f"On the Pareto front, from fast to cheap: {listed(fronted) if fronted else 'no size'}."
    return " ".join([*(f"{spot}." for spot in _labelled(chart)), front])


def _labelled(chart: ParetoChart) -> list[str]:
    words = {"taken": "Recommended", "current": "Current", "both": "Recommended and current"}
    return [
        f"{'Best of both' if spot.name.startswith(_BEST) else words[spot.standing]}: {spot.hover}"
        for spot in chart.spots
        if spot.standing
    ]


def _conclusion(chart: ParetoChart) -> str:
    """Whether today's size is a choice at all; empty where it was not measured."""
    now = next((spot for spot in chart.spots if spot.standing in ("current", "both")), None)
    if now is None or now.group is None:
        return ""
    name = f"Today's {_size_of(now)}"
    if now.on_front:
        if len(chart.front) == 1:
            return f"{name} undercuts all others in both."
        return f"{name} is on it: what is cheaper is slower, and what is faster is dearer."
    better = [_size_of(spot) for spot in chart.front if _is_undercut(now.at, [spot.at])]
    if not better:
        return ""
    by = listed(better) if len(better) <= _MOST_NAMED else f"{len(better)} sizes of the front"
    return f"{name} is undercut in both by {by}."


def _size_of(spot: Spot) -> str:
    return spot.hover.partition(":")[0]


def _origin(document: TuneDocument, chart: ParetoChart) -> str:
    """Where prices and the curve come from."""
    prices = document.prices
    text = f"Prices: {document.function.region}, table of {prices.table_date} ({prices.source})."
    curve = _curve(document)
    if chart.trail is None or not curve:
        return text
    ends = f"from {curve[0].memory_mb:,.0f} to {megabytes(curve[-1].memory_mb)}"
    return f"The line is what the curve expects {ends}; it is cut at the plot's edge. {text}"
