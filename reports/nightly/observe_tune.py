"""What is taken from a tuning: billed time and duration by memory size, and figures at today's.

Today's size is what production pays and waits for; the curve says what any other size would. All
intervals of a tuning are of 90 %, so that a standard error is their half width over 1.645.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, log
from statistics import NormalDist

from reports.cost_split import FREE_STORAGE_MB
from reports.document import Interval, SizeResult, TuneDocument
from reports.history.record import CurveRow, PricesUsed, Purpose, RunRecord, SeriesPoint
from reports.nightly.asked import asked_of, key_of
from reports.nightly.night_facts import NightFacts
from reports.nightly.observe_load import invalid_reasons
from reports.regression.cost_curve import (
    ALL_SIZES,
    TODAYS_SIZE,
    at_size,
    call_usd,
    mean_log_cost,
    row_errors,
)
from reports.tune_sizes import is_adaptive

_STANDARD_ERRORS = 2 * NormalDist().inv_cdf(0.95)
_MILLION = 1e6


def tune_record(
    document: TuneDocument, *, plan: str, step: str, night: NightFacts, purpose: Purpose
) -> RunRecord:
    """The record of a tuning."""
    run, function = document.provenance, document.function
    reasons = invalid_reasons(document)
    rows, prices = curve_rows(document), prices_of(document)
    return RunRecord(
        run_id=run.run_id,
        night_id=night.night_id,
        sequence=night.sequence,
        night=night.night,
        plan=plan,
        step=step,
        kind="tune",
        purpose=purpose,
        started_utc=run.started_utc,
        finished_utc=run.finished_utc,
        verdict=document.verdict,
        valid=not reasons,
        invalid_reasons=reasons,
        key=key_of(document),
        asked=asked_of(document),
        branch=night.branch,
        git_commit=night.git_commit or run.git_commit,
        tool_version=run.tool_version,
        code_sha256=[function.code_sha256],
        versions=[run.version] if run.version else [],
        runtime=function.runtime,
        environment=night.environment,
        prices=prices,
        points=[*_points(rows, document.current.memory_mb, prices)],
        sizes=rows,
        current_mb=document.current.memory_mb,
        recommended_mb=document.recommendation.memory_mb if document.recommendation else None,
        spent_usd=document.spent.usd,
    )


def curve_rows(document: TuneDocument) -> list[CurveRow]:
    """All sizes with a usable measurement, ascending, and what an adaptive run expects of others.

    Sizes that failed are out. An adaptive run calls other sizes every night; what it expects of
    its candidates, from all samples together, it says of the same ones.
    """
    failed = {size.memory_mb for size in document.sizes if size.failure is not None}
    rows = {row.memory_mb: row for row in _expected(document) if row.memory_mb not in failed}
    for size in document.sizes:
        if size.memory_mb not in failed and size.billed_typical_ms:
            rows[size.memory_mb] = _measured(size, document)
    return [rows[memory_mb] for memory_mb in sorted(rows)]


def prices_of(document: TuneDocument) -> PricesUsed:
    """The prices that the document's costs were computed with."""
    prices = document.prices
    storage_gb = max(0, document.function.ephemeral_storage_mb - FREE_STORAGE_MB) / 1024
    return PricesUsed(
        table_date=prices.table_date,
        gb_second_usd=prices.gb_second_usd,
        request_usd=prices.request_usd,
        storage_second_usd=storage_gb * (prices.storage_gb_second_usd or 0.0),
    )


def absent_of_tune(document: TuneDocument) -> list[str]:
    """Why there are no figures at today's size, or no curve."""
    rows, current_mb = curve_rows(document), document.current.memory_mb
    if not rows:
        return ["no size has a usable measurement: there is no curve"]
    if at_size(rows, current_mb) is None:
        where = "lies outside of the measured ones: give it in sizes"
        return [f"today's size, {current_mb:,} MB, {where}"]
    return []


def _measured(size: SizeResult, document: TuneDocument) -> CurveRow:
    prices = prices_of(document)
    fee = prices.request_usd * _MILLION
    return CurveRow(
        memory_mb=size.memory_mb,
        billed_ms=size.billed_typical_ms or 0.0,
        error_ln=_error(size.cost_interval, fee),
        duration_ms=size.duration_typical_ms,
        n=size.n,
    )


def _expected(document: TuneDocument) -> Iterator[CurveRow]:
    """The points of an adaptive run's curve, whose points are its candidates."""
    if document.model is None or not is_adaptive(document):
        return
    prices = prices_of(document)
    fee = prices.request_usd * _MILLION
    for point in document.model.curve:
        memory_mb = round(point.memory_mb)
        per_ms = (call_usd(memory_mb, 1.0, prices) - prices.request_usd) * _MILLION
        billed_ms = (point.cost_usd_per_million - fee) / per_ms if per_ms > 0 else 0.0
        if billed_ms > 0:
            yield CurveRow(
                memory_mb=memory_mb,
                billed_ms=billed_ms,
                error_ln=_error(point.cost_band_usd_per_million, fee),
                duration_ms=point.duration_ms,
            )


def _error(interval: Interval | None, fee: float) -> float | None:
    """The standard error of ln(billed time), from the interval of a cost and its request fee."""
    if interval is None:
        return None
    low, high = (bound - fee for bound in interval)
    return log(high / low) / _STANDARD_ERRORS if 0 < low <= high else None


def _points(rows: Sequence[CurveRow], current_mb: int, prices: PricesUsed) -> Iterator[SeriesPoint]:
    """Duration and cost at today's size, and the mean of the curve."""
    today = at_size(rows, current_mb)
    if today is not None:
        if today.duration_ms:
            yield SeriesPoint(
                scope=TODAYS_SIZE,
                metric="duration",
                unit="ms",
                value=today.duration_ms,
                error_ln=today.error_ln,
                n=today.n,
            )
        yield SeriesPoint(
            scope=TODAYS_SIZE,
            metric="cost",
            unit="usd_per_million",
            value=call_usd(current_mb, today.billed_ms, prices) * _MILLION,
            error_ln=row_errors([today], prices)[0],
            n=today.n,
        )
    if len(rows) > 1:
        yield SeriesPoint(
            scope=ALL_SIZES,
            metric="curve",
            unit="usd_per_million",
            value=exp(mean_log_cost(rows, prices)) * _MILLION,
            error_ln=None,
            n=sum(row.n for row in rows),
        )
