"""Every limit at a rate, and which one binds first on the way up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

from reports.erlang import QUANTILE, concurrency_at
from reports.figures import rate, significant
from reports.forecast_document import LimitUse, QuotaLasts, RateForecast
from reports.forecast_facts import Facts, Limit

MONTH_S = 30.4375 * 24 * 3600
MULTIPLES = (1.0, 2.0, 5.0, 10.0)
# 10 requests a second for each concurrent execution (Lambda quotas, 2026).
_REQUESTS_PER_CONCURRENCY = 10
_PERIOD_S = {"day": 86_400.0, "week": 7 * 86_400.0, "month": MONTH_S}


def limit_uses(facts: Facts, rate_rps: float) -> list[LimitUse]:
    """All limits but quotas at `rate_rps`, in the order in which they bind on the way up.

    Those of which nobody knows how much is used are left out.
    """
    uses = [use for limit in facts.limits for use in _uses(limit, facts, rate_rps)]
    if facts.found_rps:
        uses.append(
            LimitUse(
                layer="slo",
                name="the SLO of the search",
                used_share=rate_rps / facts.found_rps,
                binds_at_rps=facts.found_rps,
                detail=f"held up to {rate(facts.found_rps)} in this run",
            )
        )
    return sorted(uses, key=lambda use: use.binds_at_rps or math.inf)


def rate_forecasts(facts: Facts, multiples: Sequence[float] = MULTIPLES) -> list[RateForecast]:
    """The first limit that binds at each multiple of today's rate."""
    found = []
    for times in multiples:
        rate_rps = times * facts.today_rps
        uses = limit_uses(facts, rate_rps)
        nearest = uses[0] if uses else None
        binding = nearest if nearest is not None and nearest.used_share >= 1.0 else None
        found.append(
            RateForecast(
                rate_rps=rate_rps,
                times_today=times,
                binds=binding,
                nearest=nearest,
                quota=_quota(facts, rate_rps),
            )
        )
    return found


def _uses(limit: Limit, facts: Facts, rate_rps: float) -> Iterator[LimitUse]:
    configured = limit.configured
    if configured.rate_rps:
        yield LimitUse(
            layer=configured.layer,
            name=configured.name,
            used_share=limit.share * rate_rps / configured.rate_rps,
            binds_at_rps=configured.rate_rps / limit.share if limit.share else None,
            detail=f"{rate(limit.share * rate_rps)} of {rate(configured.rate_rps)}",
        )
    if configured.concurrency:
        yield from _pool_uses(limit, facts, rate_rps, configured.concurrency)


def _pool_uses(limit: Limit, facts: Facts, rate_rps: float, most: int) -> Iterator[LimitUse]:
    inside = [one for one in facts.functions if one.name in limit.functions]
    calls_rps = sum(one.share for one in inside) * rate_rps
    allowed_rps = most * _REQUESTS_PER_CONCURRENCY
    name, layer = limit.configured.name, limit.configured.layer
    yield LimitUse(
        layer=layer,
        name=f"{name}, calls a second",
        used_share=calls_rps / allowed_rps,
        binds_at_rps=allowed_rps * rate_rps / calls_rps if calls_rps else None,
        detail=f"{rate(calls_rps)} of {rate(allowed_rps)}: ten for each of {most:,}",
    )
    if any(one.duration is None for one in inside):
        return
    per_request = sum(one.share * one.duration.mean_s for one in inside if one.duration)
    at_once = concurrency_at(per_request * rate_rps, QUANTILE)
    yield LimitUse(
        layer=layer,
        name=name,
        used_share=at_once / most,
        binds_at_rps=rate_for(per_request, most),
        detail=f"{at_once:,} of {most:,} at once, {significant(per_request * rate_rps)} on average",
    )


@lru_cache(maxsize=256)
def rate_for(per_request: float, most: int) -> float | None:
    """The rate at which executions at once reach a limit in 1 % of the time."""
    if per_request <= 0:
        return None
    low, high = 0.0, most / per_request
    for _ in range(60):
        middle = (low + high) / 2
        if concurrency_at(per_request * middle, QUANTILE) >= most:
            high = middle
        else:
            low = middle
    return high


def _quota(facts: Facts, rate_rps: float) -> QuotaLasts | None:
    """The quota that is used up first; None where there is none, or all last their period."""
    found: list[QuotaLasts] = []
    for limit in facts.limits:
        one = limit.configured
        own_rps = limit.share * rate_rps
        if one.quota is None or one.period is None or own_rps <= 0:
            continue
        lasts_s = one.quota / own_rps
        if lasts_s < _PERIOD_S.get(one.period, MONTH_S):
            found.append(
                QuotaLasts(name=one.name, quota=one.quota, period=one.period, lasts_s=lasts_s)
            )
    return min(found, key=lambda quota: quota.lasts_s, default=None)
