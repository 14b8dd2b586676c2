"""A trend with everything that its chart needs to know before it has a size: places and domain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.nightly.document import Trend, TrendMark, TrendPoint
from reports.scale import nice_span
from reports.trends.night_axis import day_of, places_of

# A range narrower than this share of the value is drawn as if it were that wide: the least change
# that gates act on is some per cent, and noise below that must look small.
_LEAST_RANGE_SHARE = 0.10
# Intervals may reach this far beyond what nights themselves range over; a wider one is cut.
_INTERVAL_ROOM_SHARE = 0.5
# Nights that do not count and lie further out than this, in ranges of the others, are drawn at the
# edge: one of them must not flatten all.
_FAR_RANGES = 0.25
ASIDE = ("invalid", "unlike")
# A night that counts and lies this many ranges of the others away from them is drawn at the edge
# too, with its value: at less, a change would lose its size.
_FAR_COUNTED_RANGES = 4.0
# Below this many nights nobody knows what is far.
_FEWEST_FOR_FAR = 8
# So many on a side may be far, one of each twenty; more are a change, which is drawn whole.
_MOST_FAR = 2
_NIGHTS_FOR_EACH_FAR = 20


@dataclass(frozen=True, slots=True)
class PlacedLevel:
    """A level between two places of the axis."""

    start: float
    end: float
    center: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PlacedTrend:
    """Points, levels and marks by their places; `span` is the domain of the vertical axis."""

    points: Sequence[tuple[float, TrendPoint]]
    levels: Sequence[PlacedLevel]
    marks: Sequence[tuple[float, TrendMark]]
    missing: Sequence[float]
    span: tuple[float, float]
    dated: bool
    limit: float | None = None

    @property
    def places(self) -> list[float]:
        """All that the horizontal axis must hold; marks before the first night are not of it."""
        return [place for place, _ in self.points] + list(self.missing)

    def runs(self) -> Iterator[list[tuple[float, TrendPoint]]]:
        """Nights that count, without one between them that is missing or does not."""
        run: list[tuple[float, TrendPoint]] = []
        gaps = [*self.missing, *(at for at, point in self.points if point.status in ASIDE)]
        for place, point in self.counted():
            if run and any(run[-1][0] < gap < place for gap in gaps):
                yield run
                run = []
            run.append((place, point))
        if run:
            yield run

    def beyond(self) -> list[tuple[float, TrendPoint]]:
        """Nights whose value lies outside of the vertical axis: they are drawn at its edge."""
        low, high = self.span
        return [(at, point) for at, point in self.points if not low <= point.value <= high]

    def counted(self) -> list[tuple[float, TrendPoint]]:
        """Nights that are compared with each other."""
        return [(at, point) for at, point in self.points if point.status not in ASIDE]


def placed(trend: Trend, limit: float | None = None) -> PlacedTrend:
    """The trend by the dates of its nights, or by their order where they have none.

    `limit` is the value from which the last night alarms.
    """
    points = sorted(trend.points, key=lambda point: point.sequence)
    found = places_of([(point.night, point.sequence) for point in points])
    dated = all(day_of(point.night) is not None for point in points)
    by_place = sorted(zip(found, points, strict=True), key=lambda one: one[0])
    days = [day for night in trend.missing if (day := day_of(night)) is not None]
    known = {place for place, _ in by_place}
    return PlacedTrend(
        by_place,
        list(_levels(trend, by_place)),
        list(_marks(trend, by_place, dated=dated)),
        sorted({float(day) for day in days} - known) if dated else [],
        _span(trend, limit),
        dated,
        limit,
    )


def _levels(trend: Trend, points: Sequence[tuple[float, TrendPoint]]) -> Iterator[PlacedLevel]:
    for level in trend.levels:
        inside = [
            place
            for place, point in points
            if level.from_sequence <= point.sequence <= level.to_sequence
        ]
        if inside:
            yield PlacedLevel(min(inside), max(inside), level.center, level.low, level.high)


def _marks(
    trend: Trend, points: Sequence[tuple[float, TrendPoint]], *, dated: bool
) -> Iterator[tuple[float, TrendMark]]:
    """Marks where their night is; those before the first night of the trend are left out."""
    if not points:
        return
    first, last = points[0][0], points[-1][0]
    by_sequence = {point.sequence: place for place, point in points}
    for mark in trend.marks:
        day = day_of(mark.night)
        at = by_sequence.get(mark.sequence, day if dated else float(mark.sequence))
        if at is not None and first <= at <= last:
            yield float(at), mark


def _span(trend: Trend, limit: float | None) -> tuple[float, float]:
    """The ends of the vertical axis: not from zero, and never so near that noise looks large."""
    ordered = sorted(trend.points, key=lambda point: point.sequence)
    values = [point.value for point in ordered if point.status not in ASIDE]
    values = values or [point.value for point in trend.points]
    if not values:
        return 0.0, 1.0
    values = _without_far(values)
    values += [edge for level in trend.levels for edge in (level.low, level.high)]
    values += [] if limit is None else [limit]
    low, high = min(values), max(values)
    room = _INTERVAL_ROOM_SHARE * (high - low)
    lows = [point.low for point in trend.points if point.low is not None]
    highs = [point.high for point in trend.points if point.high is not None]
    far = _FAR_RANGES * (high - low)
    aside = [p.value for p in trend.points if p.status in ASIDE]
    near = [value for value in aside if low - far <= value <= high + far]
    reach = (
        min([low, *near, *(max(one, low - room) for one in lows)]),
        max([high, *near, *(min(one, high + room) for one in highs)]),
    )
    return _padded(*reach)


def _without_far(values: list[float]) -> list[float]:
    """Values but for one or two far from all others; the last one stays, however far it is."""
    if len(values) < _FEWEST_FOR_FAR:
        return values
    ranked = sorted(values)
    cut = max(1, min(_MOST_FAR, len(ranked) // _NIGHTS_FOR_EACH_FAR))
    low, high = ranked[cut], ranked[-1 - cut]
    least = _LEAST_RANGE_SHARE * max(abs(low), abs(high))
    reach = _FAR_COUNTED_RANGES * max(high - low, least)
    return [one for one in values if low - reach <= one <= high + reach] + values[-1:]


def _padded(low: float, high: float) -> tuple[float, float]:
    least = _LEAST_RANGE_SHARE * max(abs(low), abs(high))
    short = max(0.0, least - (high - low)) / 2
    first, last = nice_span(low - short, high + short, about=4)
    # No time and no cost is below zero.
    return (max(0.0, first) if low >= 0 else first), last
