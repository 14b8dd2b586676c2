"""The charts of a search: latency by rate with its knee, and what was served of what was sent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports import svg
from reports.blocks import Column
from reports.figure import Data, DataRow, Figure
from reports.figures import ABSENT, column, columns_alike, milliseconds, percent, significant
from reports.frame import NARROW, WIDE
from reports.load_search import SearchCurve, SearchPart, SearchStep, SearchVerdict
from reports.rate_chart import RateChart, RateLine, RateMark, RateSeries, draw_rate_chart
from reports.search_words import knee_words, search_answer, verdict_words

_CURVE_POINTS = 60
# A curve is drawn as far up as what was measured: beyond, it only presses the points together.
_ABOVE_MEASURED = 1.5
# The column of the curve in the data under the chart, after those of p50, p95 and p99.
_FITTED = 4
_LIMIT = re.compile(r"p[\d.]+\((?:ok_)?response\) <=? ([\d.]+)ms")


_VERDICTS: tuple[tuple[SearchVerdict, str, str, svg.Marker], ...] = (
    ("holds", "c-taken", svg.RECOMMENDED, "circle"),
    ("undecided", "c-second", svg.MUTED, "square"),
    ("breaks", "c-failed", svg.FAILED, "cross"),
    ("unusable", "c-second", svg.MUTED, "cross"),
)
_VERDICT_NAMES = {
    "holds": "SLO holds",
    "undecided": "not decided",
    "breaks": "SLO breaks",
    "unusable": "not usable",
}


def search_figures(search: SearchPart, anchor: str) -> list[Figure]:
    """The figures of a search; `anchor` makes their ids unique in a page."""
    points = [step for step in search.steps if step.p95_ms is not None]
    if not points:
        return []
    return [_latency(search, points, anchor), _served(search, anchor)]


def _latency(search: SearchPart, points: Sequence[SearchStep], anchor: str) -> Figure:
    series = [
        _series("p50", "p50_ms", points, "c-p50", "#4680c0", "square", 1),
        _series("p95", "p95_ms", points, "c-data", svg.DATA, "circle", 2),
        _series("p99", "p99_ms", points, "c-p99", "#16255e", "diamond", 3),
    ]
    highest = max(step.p99_ms or 0.0 for step in points)
    lines = []
    if search.curve is not None:
        fitted = _fitted(search.curve, max(step.rate_rps for step in points), highest)
        lines.append(RateLine("fitted p95", fitted, "c-data", svg.DATA, number=_FITTED))
    limit = _limit(search)
    if limit is not None:
        that, limit_ms = limit
        ends = [(0.0, limit_ms), (2 * max(step.rate_rps for step in points), limit_ms)]
        lines.append(RateLine(f"SLO: {that}", ends, "c-limit", svg.FAILED, "2 3"))
    chart = RateChart(
        title="Load and latency",
        finding=f"{search_answer(search)} {knee_words(search)}",
        x_label=f"offered, {search.unit}/s",
        y_label="response time of ok requests, ms",
        series=series,
        lines=lines,
        marks=_marks(search),
    )
    help_text = (
        f"{knee_words(search)} Response times of ok requests at each rate that could be measured, "
        f"from the last segment of it that could.{_shaded(search)}"
    )
    if search.curve is not None:
        help_text += (
            " The line is base x (1 + weight x u^order / (1 - u)) with u = rate / capacity, fitted "
            "to p95; the knee is where rate divided by p95 is greatest."
        )
    return Figure(
        "Load and latency",
        help_text,
        _drawn(chart, f"{anchor}-search-latency"),
        _latency_data(search, points),
        "load-latency",
    )


def _shaded(search: SearchPart) -> str:
    """What the bands of the chart are, as far as there are any."""
    bands = []
    if search.rate_rps is not None and None not in (search.low_rps, search.high_rps):
        bands.append("between the highest rate that holds and the lowest that breaks")
    if search.knee.rate_rps is not None and search.knee.low_rps is not None:
        bands.append("the 90 % interval of the knee")
    return f" Shaded: {', and '.join(bands)}." if bands else ""


def _latency_data(search: SearchPart, points: Sequence[SearchStep]) -> Data:
    """A row for each rate that was held, by rate."""
    steps = _by_rate(points)
    names = ["p50", "p95", "p99"]
    values = [[step.p50_ms for step in steps], [step.p95_ms for step in steps]]
    values.append([step.p99_ms for step in steps])
    if search.curve is not None:
        names.append("fitted p95")
        values.append([_fitted_ms(search.curve, step.rate_rps) for step in steps])
    cells = columns_alike(values)
    return Data(
        [
            Column("offered", f"{search.unit}/s"),
            *(Column(name, "ms") for name in names),
            Column("SLO", is_text=True),
        ],
        [
            DataRow(
                step.rate_rps,
                [rate, *(texts[index] for texts in cells), verdict_words(step)],
            )
            for index, (step, rate) in enumerate(zip(steps, _rates(steps), strict=True))
        ],
    )


def _by_rate(points: Sequence[SearchStep]) -> list[SearchStep]:
    # Of equal rates the one that was tried first comes first.
    return sorted(points, key=lambda step: step.rate_rps)


def _rates(steps: Sequence[SearchStep]) -> list[str]:
    return [text or ABSENT for text in column([step.rate_rps for step in steps], 4)]


def _served(search: SearchPart, anchor: str) -> Figure:
    points = [step for step in search.steps if step.goodput_rps is not None]
    highest = max(step.rate_rps for step in points)
    most = max(step.goodput_rps or 0.0 for step in points)
    judged = "" if len(points) == len(search.steps) else ", of the rates that could be judged"
    finding = f"At most {significant(most)} {search.unit}/s were ok{judged}."
    chart = RateChart(
        title="Offered and served",
        finding=finding,
        x_label=f"offered, {search.unit}/s",
        y_label=f"ok, {search.unit}/s",
        series=_by_verdict(points, search.unit),
        lines=[
            RateLine(
                "all that is offered",
                [(0.0, 0.0), (highest, highest)],
                "c-second",
                svg.MUTED,
                "4 3",
            )
        ],
        marks=_marks(search)[:1],
    )
    help_text = (
        f"{finding} Ok answers a second at each rate. Below the broken line, requests are refused, "
        "fail, or wait for so long that they do not end in time."
    )
    return Figure(
        "Offered and served",
        help_text,
        _drawn(chart, f"{anchor}-search-served"),
        _served_data(search, points),
        "load-served",
    )


def _by_verdict(points: Sequence[SearchStep], unit: str) -> list[RateSeries]:
    """What was ok at each rate, marked by whether the SLO held there; none of it can be hidden."""
    found = []
    for verdict, css, colour, shape in _VERDICTS:
        rates = [
            (step.rate_rps, step.goodput_rps or 0.0, _served_hover(step, unit))
            for step in points
            if step.verdict == verdict
        ]
        name = _VERDICT_NAMES[verdict]
        if rates:
            found.append(RateSeries(f"ok, {name}", rates, css, colour, shape))
    return found


def _served_data(search: SearchPart, points: Sequence[SearchStep]) -> Data:
    steps = _by_rate(points)
    ok = [text or ABSENT for text in column([step.goodput_rps for step in steps], 4)]
    return Data(
        [
            Column("offered", f"{search.unit}/s"),
            Column("ok", f"{search.unit}/s"),
            Column("throttled"),
            Column("failed"),
            Column("SLO", is_text=True),
        ],
        [
            DataRow(
                step.rate_rps,
                [
                    rate,
                    served,
                    _share(step.throttled_share),
                    _share(step.failed_share),
                    verdict_words(step),
                ],
            )
            for step, rate, served in zip(steps, _rates(steps), ok, strict=True)
        ],
    )


def _share(share: float | None) -> str:
    return ABSENT if share is None else percent(share)


def _drawn(chart: RateChart, identifier: str) -> list[str]:
    return [
        draw_rate_chart(chart, canvas, f"{identifier}-{canvas.css[2:]}")
        for canvas in (WIDE, NARROW)
    ]


def _marks(search: SearchPart) -> list[RateMark]:
    marks = []
    low, high = search.low_rps, search.high_rps
    if search.rate_rps is not None:
        interval = None if low is None or high is None else (low, high)
        label = f"SLO to {significant(search.rate_rps)}"
        marks.append(RateMark(search.rate_rps, label, "c-taken", svg.RECOMMENDED, interval))
    if search.knee.rate_rps is not None:
        label = f"knee {significant(search.knee.rate_rps)}"
        low, high = search.knee.low_rps, search.knee.high_rps
        interval = None if low is None or high is None else (low, high)
        marks.append(
            RateMark(search.knee.rate_rps, label, "c-current", svg.CURRENT, interval, "5 3")
        )
    return marks


def _series(
    name: str,
    key: str,
    points: Sequence[SearchStep],
    css: str,
    colour: str,
    shape: svg.Marker,
    number: int,
) -> RateSeries:
    found = []
    for step in points:
        value: float = getattr(step, key)
        rate = significant(step.rate_rps)
        hover = f"{rate}/s, {verdict_words(step)}: {name} {milliseconds(value)}"
        found.append((step.rate_rps, value, hover))
    return RateSeries(name, found, css, colour, shape, number)


def _served_hover(step: SearchStep, unit: str) -> str:
    words = (
        f"{significant(step.rate_rps)} {unit}/s offered: {significant(step.goodput_rps or 0.0)} ok"
    )
    if step.throttled_share:
        words += f", {percent(step.throttled_share)} throttled"
    return f"{words}, {percent(step.failed_share)} failed" if step.failed_share else words


def _fitted(curve: SearchCurve, highest_rps: float, highest_ms: float) -> list[tuple[float, float]]:
    points = []
    for index in range(_CURVE_POINTS + 1):
        rate_rps = highest_rps * index / _CURVE_POINTS
        value = _fitted_ms(curve, rate_rps)
        if value is None or value > highest_ms * _ABOVE_MEASURED:
            break
        points.append((rate_rps, value))
    return points


def _fitted_ms(curve: SearchCurve, rate_rps: float) -> float | None:
    """p95 by the curve; None at and above its capacity."""
    used = rate_rps / curve.capacity_rps
    if used >= 1:
        return None
    value: float = curve.base_ms * (1 + curve.weight * used**curve.order / (1 - used))
    return value


def _limit(search: SearchPart) -> tuple[str, float] | None:
    """The SLO with the lowest limit of a response time, as it is written, and that limit in ms."""
    limits = [
        (that.strip(), float(found[1])) for that in search.slo if (found := _LIMIT.match(that))
    ]
    return min(limits, key=lambda limit: limit[1], default=None)
