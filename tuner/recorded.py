"""What the document of a run says that its samples do not: read back to answer from them again."""

from __future__ import annotations

from core.aws.prices import LambdaPrice, Tier
from core.errors import InputError
from reports.document import TuneDocument


def recorded_price(document: TuneDocument) -> LambdaPrice:
    """The prices that a run was computed with.

    Raises:
        InputError: when the document has none.
    """
    facts, function = document.prices, document.function
    if not facts.gb_second_usd > 0:
        raise InputError(
            f"prices.gb_second_usd: expected a price above 0 (got {facts.gb_second_usd})",
            hint="give the prices with --price-file",
        )
    return LambdaPrice(
        region=function.region,
        arch=function.arch,
        tiers=(Tier(0, facts.gb_second_usd),),
        request_usd=facts.request_usd,
        storage_usd_per_gb_s=facts.storage_gb_second_usd,
    )


def recorded_candidates(document: TuneDocument) -> tuple[int, ...] | None:
    """The sizes that an adaptive plan chose among; None for a fixed plan.

    Raises:
        InputError: when one of them is no size.
    """
    candidates_mb = document.provenance.candidates_mb
    if candidates_mb is None:
        return None
    if min(candidates_mb, default=1) < 1:
        raise InputError(
            f"provenance.candidates_mb: expected sizes in MB (got {min(candidates_mb)})"
        )
    return tuple(sorted(set(candidates_mb)))


def recorded_refusals(document: TuneDocument) -> dict[int, str]:
    """The sizes that AWS did not allow, with why."""
    return {
        size.memory_mb: size.failure
        for size in document.sizes
        if size.failure is not None and not size.n and not size.n_failed and not size.n_cold
    }
