"""A trend as a figure of a page: its drawings, the sentence under them, and the table of nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.blocks import Column
from reports.figure import Data, DataRow, Figure
from reports.figures import ABSENT, decimals_for, fixed
from reports.frame import Canvas
from reports.history.record import AlarmRecord
from reports.nightly.document import Trend, TrendPoint
from reports.trends.night_axis import day_of
from reports.trends.placed_trend import placed
from reports.trends.trend_chart import NARROW, SMALL, WIDE, TrendWords, draw_trend
from reports.trends.trend_words import (
    UNITS,
    finding,
    short_finding,
    status_words,
    trend_name,
    trend_title,
)

_DIGITS = 4
_COMMIT_LETTERS = 7


@dataclass(frozen=True, slots=True)
class Beside:
    """What a night knows of a trend: its date, the alarm, and from which value it alarms."""

    tonight: str
    alarm: AlarmRecord | None = None
    limit: float | None = None


def large_trend(trend: Trend, beside: Beside, anchor: str) -> Figure:
    """A trend that changed, half a page wide."""
    title, said = trend_title(trend, with_step=True), finding(trend, beside.alarm, beside.tonight)
    words = TrendWords(title, said, beside.limit)
    drawings = _drawings(trend, (WIDE, NARROW), anchor, words)
    return Figure(title, said, drawings, _data(trend, counts=True), trend_name(trend.series))


def small_trend(trend: Trend, beside: Beside, anchor: str, *, with_step: bool) -> Figure:
    """A trend among others, a third of a page wide, with fewer words and figures."""
    title = trend_title(trend, with_step=with_step)
    words = TrendWords(title, finding(trend, beside.alarm, beside.tonight), beside.limit)
    drawings = _drawings(trend, (SMALL,), anchor, words)
    under = short_finding(trend, beside.alarm, beside.tonight)
    return Figure(title, under, drawings, _data(trend, counts=False), trend_name(trend.series))


def _drawings(
    trend: Trend, canvases: Sequence[Canvas], anchor: str, words: TrendWords
) -> list[str]:
    if not trend.points:
        return []
    return [draw_trend(trend, one, f"{anchor}-{one.css}", words) for one in canvases]


def _data(trend: Trend, *, counts: bool) -> Data:
    """A row for each night, and one for each that is missing; with requests or calls if asked."""
    columns = [
        Column("Night"),
        Column(trend.series.metric, UNITS.get(trend.unit, trend.unit)),
        Column("95 % interval"),
        *([Column("n")] if counts else []),
        Column("What"),
    ]
    highest = max((point.value for point in trend.points), default=0.0)
    decimals = decimals_for(highest, _DIGITS)
    shown = placed(trend)
    rows = [
        DataRow(place, _cells(trend, point, decimals, counts=counts))
        for place, point in shown.points
    ]
    rows += [
        DataRow(day, [night, *[ABSENT] * (len(columns) - 2), "no night"])
        for night, day in _missing(trend)
    ]
    return Data(columns, sorted(rows, key=lambda row: row.x or 0.0))


def _missing(trend: Trend) -> Iterator[tuple[str, float]]:
    shown = placed(trend)
    for night in trend.missing:
        day = day_of(night)
        if day is not None and float(day) in shown.missing:
            yield night, float(day)


def _cells(trend: Trend, point: TrendPoint, decimals: int, *, counts: bool) -> list[str]:
    interval = ABSENT
    if point.low is not None and point.high is not None:
        interval = f"{fixed(point.low, decimals)} to {fixed(point.high, decimals)}"
    return [
        point.night,
        fixed(point.value, decimals),
        interval,
        *([f"{point.n:,}"] if counts else []),
        "; ".join(_what(trend, point)),
    ]


def _what(trend: Trend, point: TrendPoint) -> Iterator[str]:
    """What stands out of a night: its status, marks, and then its commit."""
    said = [status_words(point)] if point.status != "counted" else []
    said += [mark.text for mark in trend.marks if mark.sequence == point.sequence]
    yield from said
    if said and point.git_commit:
        yield f"commit {point.git_commit[:_COMMIT_LETTERS]}"
