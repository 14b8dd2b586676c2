"""A forecast on a terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from core.console import Console
from reports.figures import milliseconds, percent, percent_range, rate, seconds, significant, usd
from reports.forecast_document import ForecastDocument, FunctionForecast

_MOST_LIMITS = 8


def show_forecast(console: Console, document: ForecastDocument) -> None:
    """The whole answer: on stdout, or on stderr where stdout carries JSON."""
    console.show(f"{document.name} at {rate(document.rate_rps)}: {_headline(document)}")
    for line in _sentences(document):
        console.show(f"  {line}")
    for table in _tables(document):
        console.show("")
        console.show(table)
    console.show("")
    for note in document.notes:
        console.show(f"note: {note}")


def _headline(document: ForecastDocument) -> str:
    if not document.limits:
        return "no limit is known that could bind."
    first = document.limits[0]
    if first.used_share >= 1.0:
        return f"{first.name} binds first, at {rate(first.binds_at_rps or 0.0)}."
    return f"no known limit binds; {first.name} is at {percent(first.used_share)}."


def _sentences(document: ForecastDocument) -> Iterator[str]:
    for one in document.functions:
        if one.mean_concurrency is None or one.p99_concurrency is None:
            continue
        yield (
            f"{one.function}: {significant(one.mean_concurrency)} executions at once on average, "
            f"{one.p99_concurrency:,} in 99 % of the time."
        )
        yield from _cold(one)
        yield from _provision(one)


def _cold(one: FunctionForecast) -> Iterator[str]:
    cold = one.cold
    if cold is None:
        return
    wait = f", {milliseconds(cold.init_ms)} each" if cold.init_ms is not None else ""
    share = "fewer than 0.1 %"
    if cold.most_share >= 0.001:
        share = percent_range(cold.least_share, cold.most_share)
    yield (
        f"  cold: {share} of calls in a steady state"
        f"{wait}; a jump to this rate starts {_environments(cold.new_environments)}."
    )


def _environments(n: int) -> str:
    return f"{n:,} environment" if n == 1 else f"{n:,} environments"


def _provision(one: FunctionForecast) -> Iterator[str]:
    buy = one.provision
    if buy is None or not buy.environments:
        return
    price = "its price here is unknown"
    if buy.usd_per_month is not None:
        price = f"{usd(buy.usd_per_month)} a month"
        if buy.saved_usd_per_month is not None:
            price += f", less {usd(buy.saved_usd_per_month)} of the duration at this rate"
    yield (
        f"  to provision: {buy.environments:,}, so that {percent(buy.spillover_share)} of calls "
        f"find none free: {price}."
    )


def _tables(document: ForecastDocument) -> Iterator[Table]:
    rates = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    rates.add_column("today x", justify="right", no_wrap=True)
    rates.add_column("rate", justify="right", no_wrap=True)
    rates.add_column("first limit", overflow="fold")
    rates.add_column("used", justify="right", no_wrap=True)
    rates.add_column("quota", overflow="fold")
    for one in document.rates:
        name, used = "unknown", "-"
        if one.nearest is not None:
            name = one.nearest.name if one.binds else f"none; nearest: {one.nearest.name}"
            used = percent(one.nearest.used_share)
        quota = "-"
        if one.quota is not None:
            quota = f"{one.quota.quota:,} a {one.quota.period} last {seconds(one.quota.lasts_s)}"
        rates.add_row(f"{one.times_today:g}", rate(one.rate_rps), name, used, quota)
    yield rates
    if not document.limits:
        return
    limits = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    limits.add_column(f"limit at {rate(document.rate_rps)}", overflow="fold")
    limits.add_column("used", justify="right", no_wrap=True)
    limits.add_column("binds at", justify="right", no_wrap=True)
    limits.add_column("that is", overflow="fold")
    for use in document.limits[:_MOST_LIMITS]:
        binds = rate(use.binds_at_rps) if use.binds_at_rps is not None else "-"
        limits.add_row(use.name, percent(use.used_share), binds, use.detail)
    yield limits
