"""Cost, duration and cold starts of a tuning against memory: a chart each, with its finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reports import svg
from reports.chart import Chart, Curve, MemoryMarks, Point, Rule, Series, draw_chart
from reports.document import CurvePoint, Interval, SizeResult, TuneDocument
from reports.figure import Figure
from reports.figures import megabytes, milliseconds, usd
from reports.frame import NARROW, WIDE
from reports.memory_data import memory_data
from reports.tune_sizes import estimate_at, is_adaptive

# Lambda gives one full vCPU at this size (AWS documentation, "Configure Lambda function memory").
ONE_VCPU_MB = 1769

# Doublings from the smallest size of Lambda to its largest.
_ROUND_MB = (128, 256, 512, 1024, 2048, 4096, 8192, 10240)

_Words = Callable[[float], str]


def cost_figure(document: TuneDocument, anchor: str) -> Figure:
    """Cost against memory; without a drawing where no size has a cost."""
    points = _points(
        document.sizes, lambda size: size.cost_usd_per_million, lambda size: size.cost_interval, usd
    )
    title = "Cost per million invocations"
    if not points:
        return _missing(title, "a cost", "cost")
    low = min(points, key=lambda point: point.value)
    chart = Chart(
        title=f"{title} against memory",
        finding=f"{_lowest(document)} is {usd(low.value)} at {megabytes(low.memory_mb)}. "
        + _marked(document, points, usd, lambda point: point.cost_usd_per_million),
        y_label="$ per million invocations",
        series=[_measured(document, points)],
        curve=_curve(
            document,
            lambda point: (point.cost_usd_per_million, point.cost_band_usd_per_million),
        ),
        marks=memory_marks(document, points, octaves(document)),
    )
    together = " (by the samples of all sizes together)" if is_adaptive(document) else ""
    cold = "" if document.cold is None else " Cold calls are not in it: a table below has them."
    help_text = (
        f"What a million warm invocations cost at each size, requests included{together}: the "
        "lowest point is the cheapest, and sizes whose intervals overlap may not differ at all."
        f"{cold}"
    )
    return memory_figure(title, help_text, chart, "$", f"{anchor}-cost")


def duration_figure(document: TuneDocument, anchor: str) -> Figure:
    """Duration against memory; without a drawing where no size has one."""
    points = _points(
        document.sizes,
        lambda size: size.duration_typical_ms,
        lambda size: size.duration_interval_ms,
        milliseconds,
    )
    title = "Duration of a warm invocation"
    if not points:
        return _missing(title, "a warm duration", "duration")
    low = min(points, key=lambda point: point.value)
    chart = Chart(
        title=f"{title} against memory",
        finding=f"The shortest typical duration is {milliseconds(low.value)} at "
        f"{megabytes(low.memory_mb)}. "
        + _marked(document, points, milliseconds, lambda point: point.duration_ms),
        y_label="typical duration, ms",
        series=[_measured(document, points)],
        curve=_curve(document, lambda point: (point.duration_ms, point.duration_band_ms)),
        marks=memory_marks(document, points, octaves(document)),
    )
    typical = (
        "by the samples of all sizes together"
        if is_adaptive(document)
        else "the mean without the slowest and the fastest tenth"
    )
    help_text = (
        f"How long a warm invocation typically takes ({typical}): where it no longer falls, more "
        "memory buys no more speed."
    )
    if chart.y_axis.is_log:
        help_text += (
            " What is drawn spans more than tenfold, so equal steps upwards are equal factors."
        )
    return memory_figure(title, help_text, chart, "ms", f"{anchor}-duration")


def cold_figure(document: TuneDocument, anchor: str) -> Figure | None:
    """Cold starts against memory; None where no call was cold."""
    cold = _points(document.sizes, lambda size: size.cold_p50_ms, lambda _: None, milliseconds)
    init = _points(document.sizes, lambda size: size.init_p50_ms, lambda _: None, milliseconds)
    if not cold and not init:
        return None
    title = "Cold starts"
    counted = sum(size.n_cold for size in document.sizes)
    series = [
        Series("init and first call, p50", cold, shape="circle", joined=True),
        Series("init alone, p50", init, "square", "c-second", svg.MUTED, joined=True),
    ]
    shown = [one for one in series if one.points]
    low = min(shown[0].points, key=lambda point: point.value)
    chart = Chart(
        title=f"{title} against memory",
        finding=_shortest(low, counted, len(shown[0].points)),
        y_label="cold start, ms",
        series=shown,
        marks=memory_marks(document, [*cold, *init], ()),
    )
    help_text = (
        f"What the first call of a new environment takes, from {counted} cold starts in all: "
        "medians of so few differ by chance, so read the trend and not single points."
        if counted < 10 * max(len(cold), len(init))
        else "What the first call of a new environment takes: if init hardly falls with memory, "
        "more memory will not cure cold starts."
    )
    return memory_figure(title, help_text, chart, "ms", f"{anchor}-cold")


def _shortest(low: Point, counted: int, sizes: int) -> str:
    where = f"{milliseconds(low.value)}, is at {megabytes(low.memory_mb)}"
    if counted == 1:
        return f"The one cold start took {milliseconds(low.value)}, at {megabytes(low.memory_mb)}."
    if counted == sizes:
        return f"The shortest, {where}. {counted:,} cold starts in all, one at each size."
    return f"The shortest median, {where}. Medians of {counted:,} cold starts in all."


def memory_figure(title: str, help_text: str, chart: Chart, unit: str, identifier: str) -> Figure:
    """A chart against memory with its data; what follows the last dash of its id is its name."""
    drawings = [
        draw_chart(chart, canvas, f"{identifier}-{canvas.css[2:]}") for canvas in (WIDE, NARROW)
    ]
    name = identifier.rpartition("-")[2]
    return Figure(title, help_text, drawings, memory_data(chart, unit), name)


def _missing(title: str, what: str, name: str) -> Figure:
    help_text = f"No chart: no size has {what}. One warm sample at one size would draw it."
    return Figure(title, help_text, (), name=name)


def _points(
    sizes: Sequence[SizeResult],
    value_of: Callable[[SizeResult], float | None],
    interval_of: Callable[[SizeResult], Interval | None],
    words: _Words,
) -> list[Point]:
    points = []
    for size in sorted(sizes, key=lambda size: size.memory_mb):
        value, interval = value_of(size), interval_of(size)
        if value is None:
            continue
        span = f" ({words(interval[0])} to {words(interval[1])})" if interval else ""
        hover = f"{megabytes(size.memory_mb)}: {words(value)}{span}"
        points.append(Point(size.memory_mb, value, interval, hover))
    return points


def _lowest(document: TuneDocument) -> str:
    """An adaptive run says of a size what the samples of all sizes lead to expect there."""
    return (
        "The lowest cost of the invoked sizes"
        if is_adaptive(document)
        else ("The lowest measured cost")
    )


def _measured(document: TuneDocument, points: Sequence[Point]) -> Series:
    name = "invoked sizes" if is_adaptive(document) else "measured"
    with_intervals = any(point.interval is not None for point in points)
    return Series(f"{name}, 90 % interval" if with_intervals else name, points)


def _curve(
    document: TuneDocument, value_of: Callable[[CurvePoint], tuple[float, Interval | None]]
) -> Curve | None:
    if document.model is None:
        return None
    points = sorted(document.model.curve, key=lambda point: point.memory_mb)
    values = [value_of(point) for point in points]
    bands = [band for _, band in values if band is not None]
    has_band = len(bands) == len(values)
    name = "expected at every candidate" if is_adaptive(document) else "fitted curve"
    return Curve(
        f"{name}, 90 % band" if has_band else name,
        [point.memory_mb for point in points],
        [value for value, _ in values],
        bands if has_band else None,
    )


def _marked(
    document: TuneDocument,
    points: Sequence[Point],
    words: _Words,
    on_curve: Callable[[CurvePoint], float],
) -> str:
    """What the two rules of a chart stand at, in words."""
    by_size = {point.memory_mb: words(point.value) for point in points}

    def value_at(memory_mb: int) -> str:
        estimate = estimate_at(document, memory_mb) if is_adaptive(document) else None
        if memory_mb in by_size or estimate is None:
            return by_size.get(memory_mb, "not measured")
        return f"about {words(on_curve(estimate))} by the curve"

    current, taken = document.current.memory_mb, document.recommendation
    now = f"Current size: {megabytes(current)}, {value_at(current)}."
    if taken is None:
        return now
    return f"Recommended size: {megabytes(taken.memory_mb)}, {value_at(taken.memory_mb)}. {now}"


def _rules(document: TuneDocument) -> list[Rule]:
    current = document.current.memory_mb
    taken = document.recommendation
    word = "recommended" if document.verdict == "pass" else "best so far"
    rules = []
    if taken is not None:
        both = " and current" if taken.memory_mb == current else ""
        vcpu = " (1 vCPU)" if taken.memory_mb == ONE_VCPU_MB else ""
        label = f"{word}{both} {megabytes(taken.memory_mb)}{vcpu}"
        rules.append(Rule(taken.memory_mb, label, "c-taken", svg.RECOMMENDED, width=2))
    if taken is None or taken.memory_mb != current:
        label = f"current {megabytes(current)}"
        rules.append(Rule(current, label, "c-current", svg.CURRENT, "6 4"))
    return rules


def memory_marks(
    document: TuneDocument, points: Sequence[Point], more_ticks: Sequence[int]
) -> MemoryMarks:
    """Rules, ticks and sizes without a value, which all charts against memory share."""
    rules = _rules(document)
    measured = sorted(size.memory_mb for size in document.sizes)
    named = [int(rule.memory_mb) for rule in rules]
    ticks = sorted({*measured, *more_ticks})
    shown = [*ticks, *named]
    taken = set(named)
    if min(shown) < ONE_VCPU_MB < max(shown) and ONE_VCPU_MB not in taken:
        rules.append(Rule(ONE_VCPU_MB, "1 vCPU", "c-vcpu", svg.MUTED, "1 4", 1))
    drawn = {point.memory_mb for point in points}
    # A size that fails now and then has a point, perhaps the lowest, and yet cannot be used.
    failed = [
        size.memory_mb
        for size in document.sizes
        if size.failure is not None or (size.n == 0 and size.memory_mb not in drawn)
    ]
    return MemoryMarks(
        ticks_mb=ticks,
        first_ticks_mb=[*(int(rule.memory_mb) for rule in rules), *measured],
        rules=rules,
        failed_mb=failed,
    )


def octaves(document: TuneDocument) -> list[int]:
    """Round sizes along the curve of an adaptive run, which measures few of them."""
    curve = document.model.curve if document.model is not None and is_adaptive(document) else []
    if not curve:
        return []
    low, high = (pick(point.memory_mb for point in curve) for pick in (min, max))
    return [size for size in _ROUND_MB if low <= size <= high]
