"""Paths of many points in few bytes: a page has tens of charts with a hundred nights each.

Each step is relative to the one before, in tenths of a pixel; because they are differences of
rounded places, rounding does not add up.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.svg import Pixels


def line(points: Sequence[Pixels]) -> str:
    """The commands of a line through all points."""
    # Behind the first, a letter that is the same as before is left out.
    first, *others = _walk(points, "l").split("l")
    joined = "".join(
        one if one.startswith("-") or not place else f" {one}" for place, one in enumerate(others)
    )
    return f"{first}l{joined}" if others else first


def dots(points: Sequence[Pixels]) -> str:
    """A line of no length at each point: with round ends it is drawn as a dot."""
    return _walk(points, "m", "h0")


def strokes(ends: Sequence[tuple[Pixels, Pixels]]) -> str:
    """A vertical line from the first to the second of each pair; both have one x."""
    commands, before = "", (0, 0)
    for start, end in ends:
        x, y = _tenths(start)
        _, last = _tenths(end)
        move = "m" if commands else "M"
        commands += f"{move}{_pair(x - before[0], y - before[1])}v{_written(last - y)}"
        before = (x, last)
    return commands


def _walk(points: Sequence[Pixels], step: str, after: str = "") -> str:
    commands, before = "", (0, 0)
    for point in points:
        x, y = _tenths(point)
        move = step if commands else "M"
        commands += f"{move}{_pair(x - before[0], y - before[1])}{after}"
        before = (x, y)
    return commands


def _tenths(point: Pixels) -> tuple[int, int]:
    return round(point[0] * 10), round(point[1] * 10)


def _pair(x: int, y: int) -> str:
    """Two numbers; a minus parts them as well as a space."""
    second = _written(y)
    return f"{_written(x)}{'' if second.startswith('-') else ' '}{second}"


def _written(tenths: int) -> str:
    whole, rest = divmod(abs(tenths), 10)
    text = f"{whole or ''}.{rest}" if rest else f"{whole}"
    return f"-{text}" if tenths < 0 else text
