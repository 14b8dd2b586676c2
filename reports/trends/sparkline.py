"""A trend in a line of text: a block character a night, as Markdown and terminals have room for."""

from __future__ import annotations

from collections.abc import Sequence

from reports.nightly.document import Trend
from reports.trends.placed_trend import ASIDE, placed

_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = "\N{MIDDLE DOT}"
# A range narrower than this share of the value is not spread over all blocks: noise looks flat.
_LEAST_RANGE_SHARE = 0.10


def sparkline(trend: Trend, most: int = 24) -> str:
    """The last `most` nights, oldest first; a dot where one is missing or does not count."""
    shown = placed(trend)
    values: list[tuple[float, float | None]] = [
        (place, None if point.status in ASIDE else point.value) for place, point in shown.points
    ]
    values += [(place, None) for place in shown.missing]
    return blocks([value for _, value in sorted(values, key=lambda one: one[0])][-most:])


def blocks(values: Sequence[float | None]) -> str:
    """Values as blocks from the lowest to the highest of them; the middle where all are alike."""
    known = [value for value in values if value is not None]
    if not known:
        return _GAP * len(values)
    low, high = min(known), max(known)
    short = max(0.0, _LEAST_RANGE_SHARE * abs(high) - (high - low)) / 2
    low, span = low - short, high - low + 2 * short
    last = len(_BLOCKS) - 1
    return "".join(
        _GAP
        if value is None
        else _BLOCKS[round(last * (value - low) / span)]
        if span > 0
        else _BLOCKS[last // 2]
        for value in values
    )
