"""What stands above and in a trend besides its nights: change points, and what was done and came.

A change point is a rule with its date and its percentage. All else is a letter above the plot with
a tick, and its words on pointing: a accepted, m muted, $ other prices, v a new version, r another
runtime, p another profile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports import svg
from reports.figures import significant
from reports.nightly.document import TrendMark, TrendPoint
from reports.trends.night_axis import NightScale, date_label, day_of

LETTERS = {
    "accepted": "a",
    "mute": "m",
    "prices": "$",
    "version": "v",
    "runtime": "r",
    "profile": "p",
}
# More labels than this are not placed: all ways to place them are tried, 216 for three of them
# and 100,000 for five, in each of tens of charts.
_MOST_FLAGS = 3
_FLAG_ROW_PX = 15.0
_LONGEST = 24
_LETTER_ROW_PX = 16.0
LEAST_ROOM_PX = _LETTER_ROW_PX
_LETTER_GAP_PX = 9.0
_ARROW_PX = 6.0
_EDGE_GAP_PX = 7.0


@dataclass(frozen=True, slots=True)
class PlacedMarks:
    """Change points with their labels, the last few; and all other marks."""

    changes: Sequence[tuple[float, TrendMark, svg.Flag | None]]
    others: Sequence[tuple[float, TrendMark]]


def place(
    marks: Sequence[tuple[float, TrendMark]], scale: NightScale, left: float, right: float
) -> PlacedMarks:
    """Where marks go; of many change points only the last are labelled."""
    changes = [(scale.position(at), mark) for at, mark in marks if mark.kind == "change"]
    others = [(scale.position(at), mark) for at, mark in marks if mark.kind != "change"]
    labelled = changes[-_MOST_FLAGS:]
    flags = svg.place_flags([(x, flag_text(mark)) for x, mark in labelled], left, right)
    plain: list[svg.Flag | None] = [None] * (len(changes) - len(labelled))
    return PlacedMarks(
        [(x, mark, flag) for (x, mark), flag in zip(changes, [*plain, *flags], strict=True)],
        others,
    )


def flag_text(mark: TrendMark) -> str:
    """A change point in short: 12 Nov +11 %."""
    day = day_of(mark.night)
    when = f"#{mark.sequence}" if day is None else date_label(day)
    # Behind its size stand its interval, its dates and commits: those are told on pointing.
    text = " ".join(mark.text.split()).partition(" (")[0]
    return f"{when} {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}"


def room_px(found: PlacedMarks) -> float:
    """How much room marks take above the plot."""
    rows = [flag.row + 1 for _, _, flag in found.changes if flag is not None]
    return LEAST_ROOM_PX + max(rows, default=0) * _FLAG_ROW_PX


def draw(found: PlacedMarks, top: float, bottom: float) -> Iterator[str]:
    """Letters next to the plot, and the labels of change points above them."""
    free_from = float("-inf")
    for x, mark in sorted(found.others, key=lambda one: one[0]):
        tick = svg.line((x, top - 2), (x, top + 4), "c-axis", svg.AXIS, 1)
        letter = []
        if x >= free_from:
            letter = [svg.text((x, top - 4), LETTERS[mark.kind], anchor="middle", css="c-text")]
            free_from = x + _LETTER_GAP_PX
        yield svg.pinned(x, tick, *letter, title=f"{mark.night}: {mark.text}")
    for x, mark, flag in found.changes:
        row = 0 if flag is None else flag.row
        height = top - _LETTER_ROW_PX - row * _FLAG_ROW_PX
        end = top if flag is None else height - 9
        rule = svg.line((x, end), (x, bottom), "c-current", svg.CURRENT, 1.25, "4 3")
        label = []
        if flag is not None:
            css = "c-current c-label"
            label = [
                svg.text(
                    (flag.text_x, height),
                    flag_text(mark),
                    anchor=flag.anchor,
                    fill=svg.CURRENT,
                    css=css,
                    halo=True,
                )
            ]
        yield svg.pinned(x, rule, *label, title=f"{mark.night}: {mark.text}")


def edges(
    nights: Sequence[tuple[svg.Pixels, TrendPoint]], top: float, right: float
) -> Iterator[str]:
    """An arrow for each night that lies outside of the plot, or its own mark; with its value."""
    free_from = float("-inf")
    for (x, y), point in nights:
        is_above = y < top + _ARROW_PX
        tip = y + (1 if is_above else -1)
        foot = tip + (_ARROW_PX if is_above else -_ARROW_PX)
        path = f"M{svg.number(x - 4)} {svg.number(foot)}L{svg.number(x)} {svg.number(tip)}"
        path += f"L{svg.number(x + 4)} {svg.number(foot)}"
        label = significant(point.value)
        width = svg.text_width(label)
        # On the side on which there is room, and only where it covers no other label.
        is_right = x + _EDGE_GAP_PX + width <= right
        start = x + _EDGE_GAP_PX if is_right else x - _EDGE_GAP_PX - width
        is_plain = point.status == "counted"
        drawn = [svg.path(path, "c-second", svg.MUTED, 1.5)] if is_plain else []
        if start >= free_from:
            at = (start, y + (12 if is_above else -5))
            drawn.append(svg.text(at, label, css="c-text c-label", halo=True))
            free_from = start + width + _EDGE_GAP_PX
        if drawn:
            yield svg.pinned(x, *drawn)


def night_mark(status: str, at: svg.Pixels) -> str:
    """The shape of a night that stands out."""
    if status == "confirmed":
        return svg.marker("diamond", at, "c-broken", svg.FAILED, 4.0)
    if status == "suspect":
        return _hollow("diamond", at, 3.8, "c-failed", svg.FAILED)
    if status == "invalid":
        return svg.marker("cross", at, "c-second", svg.MUTED, 3.0)
    return _hollow("square", at, 2.8, "c-second", svg.MUTED)


def _hollow(shape: svg.Marker, at: svg.Pixels, radius: float, css: str, colour: str) -> str:
    drawn = svg.marker(shape, at, f"{css} c-hollow", svg.GROUND, radius)
    # A filled mark has no line of its own; a hollow one is its line.
    drawn = drawn.replace(" c-fill", "")
    return drawn.replace("/>", f' stroke="{colour}" stroke-width="1.5"/>')
