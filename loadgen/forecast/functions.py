"""A function at a rate: executions at once, cold starts, and what to provision.

Concurrency is rate x duration (Little 1961); around it executions at once are Poisson distributed
for Poisson arrivals. A longer duration under load is not foreseen: what the run measured is taken
for every rate, so that beyond the highest rate of the run this is an extrapolation.
"""

from __future__ import annotations

from core.aws.prices import PriceTable
from core.aws.provisioned_prices import provisioned_price
from core.errors import InputError
from reports.erlang import QUANTILE, cold_share, concurrency_at, environments_for
from reports.forecast_document import ColdExposure, FunctionForecast, ToProvision
from reports.forecast_facts import Facts, Function
from reports.limit_uses import MONTH_S

# "Environments live minutes to hours" is all that is known of AWS: a range, not a figure.
_IDLE_LEAST_S, _IDLE_MOST_S = 300.0, 3600.0
_MB_PER_GB = 1024


def function_forecasts(
    facts: Facts, rate_rps: float, *, spillover_share: float, prices: PriceTable
) -> list[FunctionForecast]:
    """Each function at `rate_rps` of the whole mix."""
    return [_of_function(one, facts, rate_rps, spillover_share, prices) for one in facts.functions]


def _of_function(
    one: Function, facts: Facts, rate_rps: float, spillover_share: float, prices: PriceTable
) -> FunctionForecast:
    calls_rps = one.share * rate_rps
    if one.duration is None:
        return FunctionForecast(
            function=one.name,
            calls_rps=calls_rps,
            duration_ms=None,
            duration_source="unknown",
            mean_concurrency=None,
            p99_concurrency=None,
            cold=None,
            provision=None,
        )
    load = calls_rps * one.duration.mean_s
    at_once = concurrency_at(load, QUANTILE)
    today = concurrency_at(one.share * facts.today_rps * one.duration.mean_s, QUANTILE)
    return FunctionForecast(
        function=one.name,
        calls_rps=calls_rps,
        duration_ms=one.duration.mean_s * 1000,
        duration_source=one.duration.source,
        mean_concurrency=load,
        p99_concurrency=at_once,
        cold=ColdExposure(
            least_share=cold_share(calls_rps, one.duration.mean_s, _IDLE_MOST_S),
            most_share=cold_share(calls_rps, one.duration.mean_s, _IDLE_LEAST_S),
            new_environments=max(0, at_once - today),
            init_ms=one.init_ms,
        ),
        provision=_provision(one, load, calls_rps, spillover_share, facts.region, prices),
    )


def _provision(
    one: Function,
    load: float,
    calls_rps: float,
    spillover_share: float,
    region: str | None,
    prices: PriceTable,
) -> ToProvision:
    environments = environments_for(load, spillover_share)
    price = provisioned_price(region, one.arch)
    if price is None or one.duration is None:
        return ToProvision(
            environments=environments,
            spillover_share=spillover_share,
            usd_per_month=None,
            saved_usd_per_month=None,
        )
    gb = one.memory_mb / _MB_PER_GB
    return ToProvision(
        environments=environments,
        spillover_share=spillover_share,
        usd_per_month=environments * gb * MONTH_S * price.configured_usd,
        saved_usd_per_month=_saved_usd(one, gb, calls_rps, price.duration_usd, region, prices),
    )


def _saved_usd(
    one: Function,
    gb: float,
    calls_rps: float,
    duration_usd: float,
    region: str | None,
    prices: PriceTable,
) -> float | None:
    try:
        usual_usd = prices.lambda_price(region or "", one.arch).gb_second_usd
    except InputError:
        return None
    run_s = calls_rps * MONTH_S * (one.duration.mean_s if one.duration else 0.0)
    return run_s * gb * (usual_usd - duration_usd)
