"""The drawing of a trend: a figure night by night, with its levels and what happened meanwhile.

A dot is a night, with the interval of the night alone; the line breaks where nights are missing.
It also breaks at nights that do not count. Shapes tell the nights that stand out: a hollow diamond
is suspected, a filled one confirmed, a cross invalid, a hollow square unlike the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reports import svg
from reports.frame import Axis, Canvas, PlotArea, root, tick_texts, x_ticks
from reports.nightly.document import Trend
from reports.scale import LinearScale
from reports.trends import short_path, trend_marks
from reports.trends.night_axis import NightScale
from reports.trends.placed_trend import PlacedTrend, placed

# Half the width of a page, a phone, and a third of a page: there, many stand beside each other.
WIDE = Canvas(560, 230, "c-wide")
NARROW = Canvas(344, 210, "c-narrow", hidden=True)
SMALL = Canvas(344, 168, "c-panel")

# Half the label of the last night stands beyond it.
_RIGHT_PX = 18.0
_BELOW_PX = 24.0
# What is missing is marked in a row between plot and axis.
_MISSING_PX = 5.0
_DOT_PX = 3.4
_LIMIT_PX = 14.0
# About how many ticks of the vertical axis there are: one for each so many pixels.
_TICK_PX = 45
_SERIES = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot's edges in pixels, and its two scales."""

    left: float
    right: float
    top: float
    bottom: float
    x: NightScale
    y: LinearScale

    def at(self, place: float, value: float) -> svg.Pixels:
        """Pixels of a value at a place."""
        return self.x.position(place), self.y.position(value)


@dataclass(frozen=True, slots=True)
class TrendWords:
    """What a drawing of a trend is called and says; `limit` is from where tonight alarms."""

    title: str
    finding: str
    limit: float | None = None


def draw_trend(trend: Trend, canvas: Canvas, identifier: str, words: TrendWords) -> str:
    """The chart as one `<svg>`; `identifier` is unique in the page and safe as an id."""
    shown = placed(trend, words.limit)
    low, high = shown.span
    about = max(2, round(canvas.height / _TICK_PX))
    texts = tick_texts(LinearScale(low, high, 1.0, 0.0, about).ticks())
    left = max((svg.text_width(label) for label in texts), default=0.0) + 10
    right = canvas.width - _RIGHT_PX
    scale = NightScale.over(shown.places, left, right, dated=shown.dated)
    flags = trend_marks.place(shown.marks, scale, left, right)
    top = trend_marks.room_px(flags)
    canvas = replace(canvas, height=canvas.height + round(top - trend_marks.LEAST_ROOM_PX))
    bottom = canvas.height - _BELOW_PX
    y = LinearScale(low, high, bottom - _MISSING_PX, top, about)
    frame = Frame(left, right, top, bottom, scale, y)
    ticks = [
        (x, label)
        for place, label in scale.ticks()
        if (x := scale.position(place)) + svg.text_width(label) / 2 <= canvas.width
    ]
    return root(
        canvas,
        identifier,
        words.title,
        words.finding,
        svg.stretched(*_levels(shown, frame)),
        *_grid(frame, texts),
        svg.stretched(svg.of_series(_SERIES, *_nights(shown, frame))),
        *trend_marks.draw(flags, top, bottom),
        svg.stretched(*_limit(shown, frame)),
        *_standing_out(shown, frame),
        *trend_marks.edges(
            [(frame.at(at, point.value), point) for at, point in shown.beyond()],
            top,
            right,
        ),
        svg.stretched(*_missing(shown, frame)),
        svg.line((left, bottom), (right, bottom), "c-axis", svg.AXIS, 1),
        *x_ticks(ticks, bottom, [len(ticks) - 1] if ticks else ()),
        area=PlotArea(
            left,
            right,
            top,
            bottom,
            Axis("linear", scale.first, scale.last),
            _axis_below(y, bottom),
        ),
    )


def _axis_below(y: LinearScale, bottom: float) -> Axis:
    """The domain down to the axis, under the row of missing nights."""
    per_px = (y.high - y.low) / (y.start_px - y.end_px)
    return Axis("linear", y.low - per_px * (bottom - y.start_px), y.high)


def _grid(frame: Frame, texts: Sequence[str]) -> Iterator[str]:
    for tick, label in zip(frame.y.ticks(), texts, strict=True):
        y = frame.y.position(tick)
        yield svg.line((frame.left, y), (frame.right, y), "c-grid", svg.GRID, 1)
        yield svg.text((frame.left - 6, y + 4), label, anchor="end")


def _levels(shown: PlacedTrend, frame: Frame) -> Iterator[str]:
    """The band in which single nights of a level lie, and its centre."""
    for level in shown.levels:
        # Half a day more on both sides, so that a level of one night is seen.
        start, end = level.start - 0.5, level.end + 0.5
        lower = [frame.at(start, level.low), frame.at(end, level.low)]
        upper = [frame.at(start, level.high), frame.at(end, level.high)]
        yield svg.band(lower, upper, "c-ink-band c-level", svg.INK)
        ends = frame.at(start, level.center), frame.at(end, level.center)
        yield svg.line(*ends, "c-second", svg.MUTED, 1)


def _nights(shown: PlacedTrend, frame: Frame) -> Iterator[str]:
    """Intervals, the line through the nights, and a dot for each."""
    bars = [
        (frame.at(place, point.low), frame.at(place, point.high))
        for place, point in shown.counted()
        if point.low is not None and point.high is not None
    ]
    if bars:
        yield _faint(svg.path(short_path.strokes(bars), "c-data", svg.DATA, 1))
    runs = [[frame.at(at, point.value) for at, point in run] for run in shown.runs()]
    lines = "".join(short_path.line(run) for run in runs if len(run) > 1)
    if lines:
        yield _faint(svg.path(lines, "c-data", svg.DATA, 1))
    dots = [frame.at(at, point.value) for at, point in shown.points if point.status == "counted"]
    if dots:
        # A line without length and with round ends is a dot: 90 of them take little room.
        drawn = svg.path(short_path.dots(dots), "c-data", svg.DATA, _DOT_PX)
        yield drawn.replace("<path ", '<path stroke-linecap="round" ', 1)


def _faint(drawn: str) -> str:
    """A path behind the dots."""
    return drawn.replace("<path ", '<path stroke-opacity="0.45" ', 1)


def _standing_out(shown: PlacedTrend, frame: Frame) -> Iterator[str]:
    for place, point in shown.points:
        if point.status == "counted":
            continue
        at = frame.at(place, point.value)
        mark = trend_marks.night_mark(point.status, at)
        yield svg.pinned(at[0], mark, series=_SERIES)


def _limit(shown: PlacedTrend, frame: Frame) -> Iterator[str]:
    """A short line at the last night: from there on it would be suspected."""
    if shown.limit is not None and shown.points:
        last = shown.points[-1][0]
        start = last - _LIMIT_PX / frame.x.day_px
        ends = frame.at(start, shown.limit), frame.at(last + 1, shown.limit)
        yield svg.line(*ends, "c-limit", svg.FAILED, 1.5)


def _missing(shown: PlacedTrend, frame: Frame) -> Iterator[str]:
    """A short bar on the axis for each day without a night."""
    if not shown.missing:
        return
    half = max(0.4 * frame.x.day_px, 0.8)
    bars = "".join(
        f"M{svg.number(frame.x.position(place) - half)} {svg.number(frame.bottom - 2)}"
        f"h{svg.number(2 * half)}"
        for place in shown.missing
    )
    yield svg.path(bars, "c-second", svg.MUTED, 3)
