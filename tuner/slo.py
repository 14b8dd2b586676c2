"""Limits on percentiles: how they are written, and what samples say of them; pure, without numpy.

No form of the distribution is assumed. By how many of n samples lie above a percentile, which is
binomial, order statistics bound it: Hahn and Meeker, Statistical Intervals (1991), chapter 5.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from core.errors import InputError
from reports.document import SloEvidence
from tuner.objective import SloLimit

# How sure each bound is, on its side alone.
LEVEL = 0.95
_FORM = re.compile(
    r"\s*p(\d{1,3}(?:\.\d+)?)\s*<\s*(\d+(?:\.\d+)?)\s*(ms|s)\s*", re.IGNORECASE | re.ASCII
)
_UNITS_MS = {"ms": 1.0, "s": 1000.0}
# Below the median is no limit that anybody keeps; above, nobody pays for the samples (2,995 for
# p99.9, ten times as many for p99.99). Lambda ends a call after 15 minutes.
_LEAST_PERCENTILE, _MOST_PERCENTILE = 50.0, 99.9
_MOST_MS = 900_000.0
# Like all intervals here: fewer samples say nothing.
_LEAST_SAMPLES = 5


def parse_slo(text: str) -> SloLimit:
    """The limit that `--slo` names, as in "p95 < 300ms" or "p99.9<2s".

    Raises:
        InputError: for any other form, percentile or limit.
    """
    match = _FORM.fullmatch(text)
    limit = (
        SloLimit(float(match[1]), float(match[2]) * _UNITS_MS[match[3].lower()]) if match else None
    )
    if (
        limit is None
        or not _LEAST_PERCENTILE <= limit.percentile <= _MOST_PERCENTILE
        or not 0 < limit.limit_ms <= _MOST_MS
    ):
        raise InputError(
            "--slo: expected a percentile from p50 to p99.9 and a time of at most 900 s, as in "
            f"'p95 < 300ms' or 'p99 < 1.5s' (got {text!r})"
        )
    return limit


def samples_needed(limit: SloLimit) -> int:
    """The fewest samples of a size that can show it to keep the limit: 59 for p95, 299 for p99.

    Even when all n are below the limit, the percentile may be above it with probability share^n.
    """
    return math.ceil(math.log(1 - LEVEL) / math.log(limit.share))


def too_few_note(limit: SloLimit, most_samples: int) -> str | None:
    """That `most_samples` of a size cannot show it to keep the limit; None when they can."""
    needed = samples_needed(limit)
    if most_samples >= needed:
        return None
    samples = "1 sample" if most_samples == 1 else f"{most_samples} samples"
    return (
        f"this run can show no size to keep {limit}: it takes at least {needed} samples of a size, "
        f"and the plan has {samples} at most"
    )


def slo_evidence(durations_ms: Sequence[float], limit: SloLimit) -> SloEvidence:
    """What warm durations of one size, at least one, say of the limit."""
    ordered, n = sorted(durations_ms), len(durations_ms)
    lower_rank, upper_rank = bound_ranks(n, limit.share)
    lower = None if lower_rank is None else ordered[lower_rank - 1]
    upper = None if upper_rank is None else ordered[upper_rank - 1]
    missed = lower is not None and lower >= limit.limit_ms
    met = upper is not None and upper < limit.limit_ms
    return SloEvidence(
        n=n,
        quantile_ms=ordered[min(n, math.ceil(n * limit.share)) - 1],
        lower_ms=lower,
        upper_ms=upper,
        verdict="met" if met else "missed" if missed else "open",
    )


@lru_cache(maxsize=4096)
def bound_ranks(n: int, share: float) -> tuple[int | None, int | None]:
    """The ranks, from 1, of the order statistics of n samples that bound a quantile.

    Each holds with 95 %: the lower one is below the quantile `share`, the upper one above it. None
    where n is too small for one.
    """
    if n < _LEAST_SAMPLES:
        return None, None
    most_if_sure = most_if_likely = -1  # samples above the quantile, with at most 5 and 95 %
    cumulative = 0.0
    for above in range(n + 1):
        cumulative += math.exp(_log_binomial(n, above, 1 - share))
        if cumulative <= 1 - LEVEL:
            most_if_sure = above
        if cumulative >= LEVEL:
            most_if_likely = above
            break
    upper = n - most_if_sure if most_if_sure >= 0 else None
    lower = n - most_if_likely if 0 <= most_if_likely < n else None
    return lower, upper


def _log_binomial(n: int, k: int, share: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return ways + k * math.log(share) + (n - k) * math.log1p(-share)
