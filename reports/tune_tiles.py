"""The key figures of a tuning: what is now, and what is recommended."""

from __future__ import annotations

from collections.abc import Callable

from reports.blocks import Tile
from reports.document import Interval, Recommendation, TuneDocument
from reports.figures import megabytes, milliseconds, usd
from reports.tune_monthly import bill_at
from reports.tune_sizes import estimate_at, is_measured, size_at
from reports.tune_ties import ties_words

_Words = Callable[[float], str]


def tiles_of(document: TuneDocument) -> list[Tile]:
    """Memory, cost, duration, the bill of a month and ties; empty without a recommendation."""
    taken = document.recommendation
    if taken is None:
        return []
    current_mb = document.current.memory_mb
    before = None if taken.memory_mb == current_mb else megabytes(current_mb)
    tiles = [
        Tile("Memory", before, megabytes(taken.memory_mb)),
        _cost(document, taken),
        _duration(document, taken),
        _month(document, taken),
    ]
    ties = ties_words(document)
    if ties:
        tiles.append(Tile("Cannot be told apart", None, ties))
    return [tile for tile in tiles if tile is not None]


def _cost(document: TuneDocument, taken: Recommendation) -> Tile | None:
    size, now = size_at(document, taken.memory_mb), document.current.cost_usd_per_million
    estimate = estimate_at(document, document.current.memory_mb)
    if now is None and estimate is not None:
        now = estimate.cost_usd_per_million
    after = taken.cost_usd_per_million
    if after is None and size is not None:
        after = size.cost_usd_per_million
    remark = _remark(document, taken.cost_interval, usd)
    return _changed(document, taken, "Cost per million invocations", usd, now, after, remark)


def _duration(document: TuneDocument, taken: Recommendation) -> Tile | None:
    if taken.duration_ms is None:
        # Documents of older versions have medians only.
        size = size_at(document, taken.memory_mb)
        p50_ms = size.duration_ms.p50 if size and size.duration_ms else None
        now_ms = document.current.duration_p50_ms
        return _changed(document, taken, "Duration, p50", milliseconds, now_ms, p50_ms, "")
    now = size_at(document, document.current.memory_mb)
    estimate = estimate_at(document, document.current.memory_mb)
    typical_ms = now.duration_typical_ms if now is not None else None
    if typical_ms is None and estimate is not None:
        typical_ms = estimate.duration_ms
    remark = _remark(document, taken.duration_interval_ms, milliseconds)
    name = "Duration, typical"
    return _changed(document, taken, name, milliseconds, typical_ms, taken.duration_ms, remark)


def _month(document: TuneDocument, taken: Recommendation) -> Tile | None:
    after, now = (bill_at(document, mb) for mb in (taken.memory_mb, document.current.memory_mb))
    if after is None:
        return None
    remark = _remark(document, after.interval_usd, usd)
    before = now.usd if now is not None else None
    return _changed(document, taken, "Bill of a month", usd, before, after.usd, remark)


def _changed(
    document: TuneDocument,
    taken: Recommendation,
    name: str,
    words: _Words,
    before: float | None,
    after: float | None,
    remark: str,
) -> Tile | None:
    """A value and what it is today, where that is another size; None where it is not known."""
    if after is None:
        return None
    same = taken.memory_mb == document.current.memory_mb
    now = None if same or before is None else words(before)
    return Tile(name, now, words(after), remark)


def _remark(document: TuneDocument, interval: Interval | None, words: _Words) -> str:
    """The interval of a figure, and whether that of today is an estimate."""
    parts = [f"90 % interval {words(interval[0])} to {words(interval[1])}"] if interval else []
    taken, current_mb = document.recommendation, document.current.memory_mb
    another = taken is not None and taken.memory_mb != current_mb
    if another and interval and not is_measured(document, current_mb):
        parts.append("today's is estimated")
    return "; ".join(parts)
