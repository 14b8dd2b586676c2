"""Where the names of points go, so that none lies on a point or on another name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports import svg
from reports.svg import Pixels

_OFF_PX = 8.0
_ABOVE_PX = 10.0  # what a line of text takes above its baseline
_BELOW_PX = 4.0
# Labels are semibold and drawn with a halo, which is wider than plain text.
_WIDER = 1.15


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two share a part of the drawing."""
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)

    def holds(self, other: Box) -> bool:
        """Whether the other lies wholly inside."""
        wide = self.left <= other.left and other.right <= self.right
        return wide and self.top <= other.top and other.bottom <= self.bottom


def place_labels(
    wanted: Sequence[tuple[Pixels, str]], taken: Sequence[Box], bounds: Box
) -> list[Pixels | None]:
    """The start of each label's baseline, or None where it has no room; earlier ones win.

    A label stands beside its point, above it to the right if possible.
    """
    occupied = list(taken)
    placed: list[Pixels | None] = []
    for (x, y), content in wanted:
        width = svg.text_width(content) * _WIDER
        starts = [
            (start, baseline)
            for baseline in (y - _OFF_PX, y + _OFF_PX + _ABOVE_PX, y + _BELOW_PX)
            for start in (x + _OFF_PX, x - _OFF_PX - width)
        ]
        free = (start for start in starts if _is_free(_box(start, width), occupied, bounds))
        at = next(free, None)
        placed.append(at)
        if at is not None:
            occupied.append(_box(at, width))
    return placed


def label_box(start: Pixels, content: str) -> Box:
    """What a label takes up where `place_labels` has put it."""
    return _box(start, svg.text_width(content) * _WIDER)


def _box(start: Pixels, width: float) -> Box:
    x, baseline = start
    return Box(x, baseline - _ABOVE_PX, x + width, baseline + _BELOW_PX)


def _is_free(box: Box, occupied: Sequence[Box], bounds: Box) -> bool:
    return bounds.holds(box) and not any(box.meets(other) for other in occupied)
