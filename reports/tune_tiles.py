"""The key figures of a tuning: what is now, and what is recommended."""

from __future__ import annotations

from collections.abc import Callable

from reports.blocks import Tile
from reports.document import ColdSize, Interval, Recommendation, Saving, TuneDocument
from reports.figures import listed, megabytes, milliseconds, percent, usd
from reports.tune_monthly import bill_at
from reports.tune_saving import saving_cell
from reports.tune_sizes import estimate_at, is_measured, size_at
from reports.tune_ties import ties_words

_Words = Callable[[float], str]


def tiles_of(document: TuneDocument) -> list[Tile]:
    """Memory, the changes with their intervals, and ties; empty without a recommendation."""
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
        _cold(document, taken),
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
    mixed = _mixed(document, taken)
    if mixed is not None:
        # What warm calls of today's size cost would be no figure to compare with.
        current = _mix_at(document, document.current.memory_mb)
        now = None if current is None else current.cost_usd_per_million
    saved = _saved(taken, lambda saving: (saving.cost_share, saving.cost_interval))
    remark = _joined(saved, _remark(document, taken.cost_interval, usd), mixed or "")
    return _changed(document, taken, "Cost per million invocations", usd, now, after, remark)


def _duration(document: TuneDocument, taken: Recommendation) -> Tile | None:
    if taken.duration_ms is None:
        # Documents of older versions have medians only.
        size = size_at(document, taken.memory_mb)
        p50_ms = size.duration_ms.p50 if size and size.duration_ms else None
        now_ms = document.current.duration_p50_ms
        remark = _saved(taken, _duration_saving)
        return _changed(document, taken, "Duration, p50", milliseconds, now_ms, p50_ms, remark)
    now = size_at(document, document.current.memory_mb)
    estimate = estimate_at(document, document.current.memory_mb)
    typical_ms = now.duration_typical_ms if now is not None else None
    if typical_ms is None and estimate is not None:
        typical_ms = estimate.duration_ms
    name, mixed = "Duration, typical", _mixed(document, taken)
    if mixed is not None:
        current = _mix_at(document, document.current.memory_mb)
        name, typical_ms = "Duration, mean", None if current is None else current.mean_ms
    remark = _remark(document, taken.duration_interval_ms, milliseconds)
    remark = _joined(_saved(taken, _duration_saving), remark, mixed or "")
    return _changed(document, taken, name, milliseconds, typical_ms, taken.duration_ms, remark)


def _mixed(document: TuneDocument, taken: Recommendation) -> str | None:
    """That the figures of the recommendation are over cold and warm calls; None where not."""
    mix = _mix_at(document, taken.memory_mb)
    if document.cold is None or mix is None:
        return None
    if mix.cost_usd_per_million != taken.cost_usd_per_million:
        return None
    return f"{percent(document.cold.cold_share)} of the calls cold"


def _mix_at(document: TuneDocument, memory_mb: int) -> ColdSize | None:
    sizes = document.cold.sizes if document.cold is not None else []
    return next((size for size in sizes if size.memory_mb == memory_mb), None)


def _duration_saving(saving: Saving) -> tuple[float, Interval]:
    return saving.duration_share, saving.duration_interval


def _saved(taken: Recommendation, pick: Callable[[Saving], tuple[float, Interval]]) -> str:
    """The change against today's size with its interval; empty where it is not known."""
    return "" if taken.saving is None else saving_cell(*pick(taken.saving))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _cold(document: TuneDocument, taken: Recommendation) -> Tile | None:
    """The median cold start: of few calls, so it says of how many."""
    now, then = (size_at(document, mb) for mb in (document.current.memory_mb, taken.memory_mb))
    if then is None or then.cold_p50_ms is None:
        return None
    before = now.cold_p50_ms if now is not None else None
    counts = [then.n_cold]
    if now is not None and now is not then and before is not None:
        counts.insert(0, now.n_cold)
    calls = f"cold call{'' if counts[-1] == 1 else 's'}"
    same = len(set(counts)) < len(counts)
    told = (
        f"{counts[0]:,} {calls} each" if same else f"{listed([f'{n:,}' for n in counts])} {calls}"
    )
    remark = f"of {told}"
    return _changed(
        document, taken, "Cold start, p50", milliseconds, before, then.cold_p50_ms, remark
    )


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
