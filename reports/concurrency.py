"""How many calls run at once at other rates, in each pool of concurrency that a run calls in.

By Little's law the mean is rate x duration. Around it the number is Poisson distributed for Poisson
arrivals, whatever durations are, so that a band of it is known; a duration that grows under load
is not foreseen. Rates are of admitted requests, in their mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.erlang import QUANTILE, concurrency_at
from reports.forecast_facts import Facts, Function, facts_of
from reports.limit_uses import rate_for
from reports.load_document import LoadDocument

TIMES = (1.0, 2.0, 5.0)
_LOW = 1 - QUANTILE


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Calls at once at a rate: on average, and in all but 1 % of the time on either side."""

    rate_rps: float
    mean: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Pool:
    """Functions that share a concurrency; `limit` is None where it is not known.

    `per_request_s` is how long functions run for each admitted request; `p95_per_request_s` the
    same if each call took as long as the p95 of its function, None where that is not known.
    """

    name: str
    limit: int | None
    functions: tuple[str, ...]
    per_request_s: float
    p95_per_request_s: float | None

    def at(self, rate_rps: float) -> AtOnce:
        """Calls at once when so many requests a second are admitted."""
        mean = rate_rps * self.per_request_s
        return AtOnce(rate_rps, mean, concurrency_at(mean, _LOW), concurrency_at(mean, QUANTILE))

    @property
    def reached_rps(self) -> float | None:
        """The rate at which the limit is needed in 1 % of the time; None without a limit."""
        return None if self.limit is None else rate_for(self.per_request_s, self.limit)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Pools, the one whose limit is reached first in front; `unknown` functions are in none."""

    today_rps: float
    pools: tuple[Pool, ...]
    unknown: tuple[str, ...]
    sources: tuple[str, ...]
    refused: int  # requests of the run that a limit of concurrency refused


def forecast_of(document: LoadDocument) -> Forecast | None:
    """The forecast of a run; None where no function behind its steps has a known duration."""
    today_rps = document.rates.admitted_rps
    facts = facts_of(document, today_rps=today_rps, given={}, mix="admitted")
    known = [one for one in facts.functions if one.duration is not None and one.share > 0]
    if not known or today_rps <= 0:
        return None
    limited = [
        _pool(limit.configured.name, limit.configured.concurrency, inside, document)
        for limit in facts.limits
        if limit.configured.concurrency
        and (inside := [one for one in known if one.name in limit.functions])
        and len(inside) == _called(facts, limit.functions)
    ]
    pools = limited or [_pool("functions of this run", None, known, document)]
    return Forecast(
        today_rps=today_rps,
        pools=tuple(sorted(pools, key=lambda pool: pool.reached_rps or float("inf"))),
        unknown=tuple(one.name for one in facts.functions if one.duration is None),
        sources=tuple(dict.fromkeys(one.duration.source for one in known if one.duration)),
        refused=sum(
            entry.count
            for entry in document.throttled_by_cause
            if entry.cause == "lambda_concurrency"
        ),
    )


def _called(facts: Facts, names: Sequence[str]) -> int:
    """How many functions of a pool are called: one that lacks some would look too empty."""
    return sum(one.name in names and one.share > 0 for one in facts.functions)


def _pool(name: str, limit: int | None, inside: Sequence[Function], document: LoadDocument) -> Pool:
    p95s = [_p95_s(document, one.name) for one in inside]
    known = [value for value in p95s if value is not None]
    return Pool(
        name=name,
        limit=limit,
        functions=tuple(one.name for one in inside),
        per_request_s=sum(one.share * one.duration.mean_s for one in inside if one.duration),
        p95_per_request_s=(
            sum(one.share * value for one, value in zip(inside, known, strict=True))
            if len(known) == len(p95s)
            else None
        ),
    )


def _p95_s(document: LoadDocument, function: str) -> float | None:
    """The p95 of a function's calls in this run, by its metric or its REPORT lines."""
    seen = document.telemetry.functions if document.telemetry else []
    found = [one for one in seen if one.function == function]
    spreads = [one.duration_ms for one in found if one.duration_ms is not None]
    if len(found) == 1 and spreads:
        return spreads[0].p95 / 1000
    reports = [one.reports for one in found if one.reports is not None]
    return reports[0].duration_p95_ms / 1000 if reports else None
