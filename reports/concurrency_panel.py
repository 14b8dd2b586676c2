"""Calls at once at one, two and five times the admitted rate, against the limits of concurrency."""

from __future__ import annotations

import math

from reports.blocks import Column, Table, TableRow
from reports.concurrency import TIMES, AtOnce, Forecast, Pool
from reports.concurrency_chart import (
    FULL,
    MIDDLE,
    SMALL,
    ConcurrencyChart,
    draw_concurrency_chart,
)
from reports.figure import Data, DataRow, Figure
from reports.figures import ABSENT, listed, rate, rate_number, significant

_TITLE = "Concurrency at other rates"
_CURVE_POINTS = 40
# How far beyond five times today's rate a limit may lie to be drawn: farther, it is a sentence.
_FARTHEST = 200.0


def concurrency_figure(forecast: Forecast, anchor: str) -> Figure:
    """The pool whose limit is reached first, or all functions where no limit is known."""
    pool, today = forecast.pools[0], forecast.today_rps
    rates = _rates(pool, today)
    curve = [pool.at(value) for value in rates]
    slow = pool.p95_per_request_s
    reached = pool.reached_rps
    drawn = reached is not None and rates[0] < reached < rates[-1]
    chart = ConcurrencyChart(
        title=_TITLE,
        finding=concurrency_finding(forecast),
        curve=curve,
        marked=[(f"{times:g}x", pool.at(times * today)) for times in TIMES],
        slow=[] if slow is None else [value * slow for value in rates],
        limit=(float(pool.limit), f"{pool.name}: {pool.limit:,}") if pool.limit and drawn else None,
        reached=(reached, f"reached at {rate(_rounded(reached))}") if reached and drawn else None,
    )
    drawings = [
        draw_concurrency_chart(chart, canvas, f"{anchor}-concurrency-{canvas.css[2:]}")
        for canvas in (FULL, MIDDLE, SMALL)
    ]
    return Figure(_TITLE, _help(forecast), drawings, _data(curve, slow), "concurrency")


def _rates(pool: Pool, today_rps: float) -> list[float]:
    """From half of today's rate to beyond the limit, each a little more than the one before."""
    highest = 2 * TIMES[-1] * today_rps
    reached = pool.reached_rps
    if reached is not None and reached < _FARTHEST * today_rps:
        highest = max(highest, 1.5 * reached)
    lowest = min(today_rps, reached or today_rps) / 2
    step = (highest / lowest) ** (1 / (_CURVE_POINTS - 1))
    marked = [times * today_rps for times in TIMES]
    return sorted({*(lowest * step**index for index in range(_CURVE_POINTS)), *marked})


def _data(curve: list[AtOnce], slow: float | None) -> Data:
    columns = [
        Column("admitted", "requests/s"),
        Column("on average"),
        Column("99 % of the time at most"),
        Column("99 % of the time at least"),
        *([Column("on average, if each call took its p95")] if slow is not None else []),
    ]
    rows = [
        DataRow(
            point.rate_rps,
            [
                rate_number(float(f"{point.rate_rps:.4g}")),
                significant(point.mean),
                f"{point.high:,}",
                f"{point.low:,}",
                *([significant(point.rate_rps * slow)] if slow is not None else []),
            ],
        )
        for point in curve
    ]
    return Data(columns, rows)


def concurrency_finding(forecast: Forecast) -> str:
    """How many run at once today, and at which rate the first limit is reached."""
    pool, today = forecast.pools[0], forecast.today_rps
    now = pool.at(today)
    words = (
        f"At the admitted {rate(today)}, {significant(now.mean)} calls of {pool.name} run at once "
        f"on average, and at most {now.high:,} in 99 % of the time."
    )
    if pool.limit is None or pool.reached_rps is None:
        return f"{words} No limit of concurrency is known."
    times = pool.reached_rps / today
    return (
        f"{words} Its limit of {pool.limit:,} is reached at {rate(_rounded(pool.reached_rps))}, "
        f"{rate_number(_rounded(times))} times that rate."
    )


def _help(forecast: Forecast) -> str:
    words = (
        f"{concurrency_finding(forecast)} The line is rate x mean duration (Little's law), the "
        "band the 1st to the 99th percentile of a Poisson number around it; a limit counts as "
        "reached where 1 % of the time needs all of it. Durations are taken to stay as they were "
        f"({listed(list(forecast.sources))}): where they grow under load, it is reached earlier."
    )
    if forecast.refused:
        words += (
            f" This run met a limit of concurrency already: it refused {forecast.refused:,} "
            "requests in phases or moments that had more of its calls than the mix of the run."
        )
    if forecast.unknown:
        words += f" Not in it: {listed(list(forecast.unknown))}, of unknown duration."
    return words


def concurrency_table(forecast: Forecast) -> Table:
    """One row for each pool: its limit, calls at once at each multiple, and where it is reached."""
    columns = [
        Column("Pool", is_text=True),
        Column("Limit"),
        *(Column(f"{times:g}x", f"{rate(times * forecast.today_rps)}") for times in TIMES),
        Column("Reached at", "requests/s"),
        Column("Of today's rate", "times"),
        Column("Functions in it", is_text=True),
    ]
    reached = [pool.reached_rps for pool in forecast.pools]
    at = [rate_number(_rounded(value)) if value else ABSENT for value in reached]
    times = [
        rate_number(_rounded(value / forecast.today_rps)) if value else "" for value in reached
    ]
    rows = [
        TableRow(
            [
                pool.name,
                ABSENT if pool.limit is None else f"{pool.limit:,}",
                *(_cell(pool.at(n * forecast.today_rps)) for n in TIMES),
                reached_at,
                factor or ABSENT,
                listed(list(pool.functions)),
            ]
        )
        for pool, reached_at, factor in zip(forecast.pools, at, times, strict=True)
    ]
    return Table(
        "Limits of concurrency",
        columns,
        rows,
        "Calls at once: on average, and in brackets what 99 % of the time does not exceed. A jump "
        "from one rate to another starts as many environments as it adds; Lambda adds at most "
        "1,000 for each function in 10 seconds.",
    )


def _rounded(value: float) -> float:
    """Three digits: more are not known of a forecast."""
    return float(f"{value:.3g}")


def _cell(point: AtOnce) -> str:
    mean = significant(point.mean) if point.mean < 100 else f"{math.floor(point.mean + 0.5):,}"
    return f"{mean} ({point.high:,})"
