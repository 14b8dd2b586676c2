"""Measured sizes for the tests of the month: every figure follows from billed time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.aws.always_on import ServerPrices, bundled_server_prices
from core.aws.prices import LambdaPrice, bundled_prices
from reports.document import SizeResult
from tuner.bill import SizeCost
from tuner.monthly import Month

X86 = bundled_prices().lambda_price("us-east-1", "x86_64")
ARM = bundled_prices().lambda_price("us-east-1", "arm64")


def size(
    memory_mb: int,
    billed_ms: float,
    *,
    used_mb: int | None = 90,
    failure: str | None = None,
    price: LambdaPrice = X86,
) -> SizeResult:
    """A measured size whose cost is known to 5 %."""
    cost = price.invocation_usd(memory_mb, billed_ms) * 1e6
    return SizeResult(
        memory_mb=memory_mb,
        vcpu_share=memory_mb / 1769,
        n=10,
        n_cold=1,
        n_failed=0,
        duration_ms=None,
        duration_typical_ms=billed_ms,
        duration_interval_ms=None,
        cold_p50_ms=None,
        init_p50_ms=None,
        billed_typical_ms=billed_ms,
        cost_usd_per_million=cost,
        cost_interval=(cost * 0.95, cost * 1.05),
        max_memory_used_mb=used_mb,
        failure=failure,
    )


def cost(
    memory_mb: int, billed_ms: float, spread: float = 0.02, price: LambdaPrice = X86
) -> SizeCost:
    """The cost of a request, with draws of its own."""
    usd = price.invocation_usd(memory_mb, billed_ms)
    draws = usd * np.exp(np.random.default_rng(memory_mb).normal(0, spread, 2000))
    return SizeCost(memory_mb, usd, draws, (0.05, 0.95))


def without_interval(known: SizeCost) -> SizeCost:
    """The same from too few samples."""
    return replace(known, tails=None)


def month(
    requests: float,
    *,
    current_mb: int = 128,
    recommended_mb: int | None = 1024,
    spent_usd: float = 0.01,
    price: LambdaPrice = X86,
    servers: ServerPrices | None = None,
) -> Month:
    """What is asked, unless said otherwise by the toolkit's own prices."""
    return Month(
        requests_per_month=requests,
        source="given",
        current_mb=current_mb,
        recommended_mb=recommended_mb,
        price=price,
        storage_mb=512,
        spent_usd=spent_usd,
        server_prices=servers or bundled_server_prices(),
    )


def notes_about(word: str, notes: Sequence[str]) -> list[str]:
    """The notes with `word` in them."""
    return [note for note in notes if word in note]
