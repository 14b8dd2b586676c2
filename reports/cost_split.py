"""What a million invocations are made of at one size: fee, GB-seconds, storage, cold starts.

The sum is the document's own cost; its parts follow from the prices, so that they add up. What a
request costs besides Lambda (API Gateway, data transfer, logs) no tuning knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.document import ColdSize, Interval, TuneDocument
from reports.tune_sizes import estimate_at, size_at

# Lambda bills /tmp above this (AWS Lambda pricing page).
FREE_STORAGE_MB = 512
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class CostSplit:
    """US dollars per million invocations; `cold_usd` is None where no share of them is known."""

    memory_mb: int
    fee_usd: float
    handler_usd: float
    storage_usd: float | None
    cold_usd: float | None
    total_usd: float
    interval_usd: Interval | None
    is_measured: bool


def cost_splits(document: TuneDocument, sizes_mb: Sequence[int]) -> list[CostSplit]:
    """The parts of the cost at each size of which it is known: with cold calls at all, or none."""
    found = [cost_split(document, memory_mb) for memory_mb in sizes_mb]
    known = [split for split in found if split is not None]
    if len({split.cold_usd is None for split in known}) > 1:
        warm = document.model_copy(update={"cold": None})
        return cost_splits(warm, sizes_mb)
    return known


def cost_split(document: TuneDocument, memory_mb: int) -> CostSplit | None:
    """The parts of the cost at a size; None where nothing is known of it."""
    warm = _warm(document, memory_mb)
    if warm is None:
        return None
    warm_usd, interval, is_measured = warm
    mix, cold_usd, total_usd = _mix(document, memory_mb), None, warm_usd
    if mix is not None:
        total_usd, interval = mix.cost_usd_per_million, mix.cost_interval
        cold_usd = _cold_share(document) * max(0.0, _cold_call(document, mix) - warm_usd)
    fee_usd = min(document.prices.request_usd * _MILLION, total_usd)
    storage_usd = _storage(document, memory_mb, max(warm_usd - fee_usd, 0.0))
    rest_usd = total_usd - fee_usd - (storage_usd or 0.0) - (cold_usd or 0.0)
    return CostSplit(
        memory_mb=memory_mb,
        fee_usd=fee_usd,
        handler_usd=max(rest_usd, 0.0),
        storage_usd=storage_usd,
        cold_usd=cold_usd,
        total_usd=total_usd,
        interval_usd=interval,
        is_measured=is_measured,
    )


def cold_percent_usd(document: TuneDocument, memory_mb: int) -> float | None:
    """What each 1 % of cold calls adds to a million, in USD; None where no cold call tells it."""
    size = size_at(document, memory_mb)
    if size is None or size.cold_billed_typical_ms is None or size.billed_typical_ms is None:
        return None
    more_ms = max(0.0, size.cold_billed_typical_ms - size.billed_typical_ms)
    gb_s = memory_mb / 1024 * more_ms / 1000
    return 0.01 * _MILLION * gb_s * document.prices.gb_second_usd


def _warm(document: TuneDocument, memory_mb: int) -> tuple[float, Interval | None, bool] | None:
    """The cost of warm calls with its interval: as measured, else from the curve."""
    size = size_at(document, memory_mb)
    if size is not None and size.cost_usd_per_million is not None:
        return size.cost_usd_per_million, size.cost_interval, True
    point = estimate_at(document, memory_mb)
    if point is None:
        return None
    return point.cost_usd_per_million, point.cost_band_usd_per_million, False


def _mix(document: TuneDocument, memory_mb: int) -> ColdSize | None:
    sizes = document.cold.sizes if document.cold is not None else []
    return next((size for size in sizes if size.memory_mb == memory_mb), None)


def _cold_share(document: TuneDocument) -> float:
    return document.cold.cold_share if document.cold is not None else 0.0


def _cold_call(document: TuneDocument, mix: ColdSize) -> float:
    """What a million cold calls cost, in USD."""
    if mix.cold_cost_usd_per_million is not None:
        return mix.cold_cost_usd_per_million
    # Documents of older versions say what is billed, and not what it costs.
    prices = document.prices
    gb_s = mix.memory_mb / 1024 * mix.cold_billed_ms / 1000
    return _MILLION * (gb_s * prices.gb_second_usd + prices.request_usd)


def _storage(document: TuneDocument, memory_mb: int, compute_usd: float) -> float | None:
    """What of a warm call's compute is for /tmp above 512 MB; None where its price is unknown."""
    above_mb = document.function.ephemeral_storage_mb - FREE_STORAGE_MB
    if above_mb <= 0:
        return 0.0
    price = document.prices.storage_gb_second_usd
    if price is None:
        return None
    storage, memory = above_mb * price, memory_mb * document.prices.gb_second_usd
    return compute_usd * storage / (storage + memory) if storage + memory > 0 else 0.0
