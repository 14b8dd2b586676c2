"""What a load costs at list prices, part by part: requests, functions, log lines, data out.

Each part is a range: from what is predicted to be let through, to all that is planned. What is not
known is left out of the sums and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.aws.traffic_prices import logs_usd
from core.errors import InputError
from loadgen.cost import ASSUMED_LEAST_S, ASSUMED_MOST_S, StepFunction, Tariff
from loadgen.preflight.durations import StepDuration
from reports.figures import bytes_of, usd
from reports.load_prediction import CostPart, PredictedCost

# START, END and REPORT of a call as text, without INIT and X-Ray: 66 + 54 + 170 bytes or so.
_PLATFORM_LINES_BYTES = 290
# What stands for a variable of an access log is about as long as its name.
_LOG_LINE_FACTOR = (0.7, 2.0)


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests by step: planned, let through by API Gateway, and run by functions, as predicted.

    What clients may send again is in `planned`, as often as they may.
    """

    planned: Sequence[int]
    let_through: Sequence[int]
    ran: Sequence[int]


def predicted_cost(
    plan: Tariff,
    counts: Counts | None,
    durations: Sequence[StepDuration | None],
    access_log_format: str | None,
    besides: Sequence[str] = (),
) -> PredictedCost:
    """The cost of a plan; `counts` are None where users decide how much is sent.

    `besides` names what costs something too and is in no part.
    """
    if plan.billing == "local":
        return PredictedCost(
            least_usd=0.0,
            most_usd=0.0,
            parts=[],
            not_in_it=["the target is local: nothing is billed"],
        )
    if counts is None:
        return PredictedCost(
            least_usd=None,
            most_usd=None,
            parts=[],
            not_in_it=["with users, the number of requests is not known before"],
        )
    parts = [
        _gateway(plan, counts),
        _functions(plan, counts, durations),
        _logs(plan, counts, access_log_format),
        CostPart(
            name="data transfer",
            least_usd=None,
            most_usd=None,
            detail="not known: how large answers are",
        ),
    ]
    missing = [f"{part.name}: {part.detail}" for part in parts if part.least_usd is None]
    if any(part.name == "logs" and part.least_usd is not None for part in parts):
        missing.append("logs: what functions print themselves")
    missing += besides
    known = [part for part in parts if part.least_usd is not None and part.most_usd is not None]
    if not known:
        return PredictedCost(least_usd=None, most_usd=None, parts=parts, not_in_it=missing)
    return PredictedCost(
        least_usd=sum(part.least_usd or 0.0 for part in known),
        most_usd=sum(part.most_usd or 0.0 for part in known),
        parts=parts,
        not_in_it=missing,
    )


def _gateway(plan: Tariff, counts: Counts) -> CostPart:
    if plan.request_usd is None:
        detail = f"no price of requests in {plan.region or 'this region'} is in the table"
        return CostPart(name="API Gateway", least_usd=None, most_usd=None, detail=detail)
    let = plan.billed(dict(enumerate(counts.let_through)))
    planned = plan.billed(dict(enumerate(counts.planned)))
    large = "; bodies above 512 KB count as several" if plan.units else ""
    return CostPart(
        name="API Gateway",
        least_usd=let * plan.request_usd,
        most_usd=planned * plan.request_usd,
        detail=(
            f"{let:,.0f} to {planned:,.0f} requests at {usd(plan.request_usd * 1e6)} a million; "
            f"what it refuses is free{large}"
        ),
    )


def _functions(plan: Tariff, counts: Counts, durations: Sequence[StepDuration | None]) -> CostPart:
    least = most = 0.0
    assumed = False
    for function in plan.functions:
        known = durations[function.step]
        low_s, high_s = _seconds(known, function)
        assumed = assumed or known is None
        cheap, dear = _call_usd(plan, function, low_s), _call_usd(plan, function, high_s)
        if cheap is None or dear is None:
            detail = f"no price for {function.arch} in {plan.region} is in the table"
            return CostPart(name="Lambda", least_usd=None, most_usd=None, detail=detail)
        least += cheap * counts.ran[function.step]
        most += dear * counts.planned[function.step]
    if not plan.functions:
        detail = "the functions behind the steps, or their memory, are not known"
        return CostPart(name="Lambda", least_usd=None, most_usd=None, detail=detail)
    words = "mean duration to p99"
    if assumed:
        words = (
            f"{ASSUMED_LEAST_S * 1000:.0f} ms to {ASSUMED_MOST_S:.0f} s a call, where durations "
            "are not known"
        )
    return CostPart(name="Lambda", least_usd=least, most_usd=most, detail=words)


def _seconds(known: StepDuration | None, function: StepFunction) -> tuple[float, float]:
    """What a call takes at least and at most, for the bill of many calls."""
    if known is None:
        return ASSUMED_LEAST_S, min(ASSUMED_MOST_S, function.timeout_s)
    high_ms = max(known.mean_ms, known.p99_ms or 0.0)
    least_s = min(known.mean_ms / 1000, function.timeout_s)
    return least_s, min(high_ms / 1000, function.timeout_s)


def _call_usd(plan: Tariff, function: StepFunction, seconds: float) -> float | None:
    if plan.region is None:
        return None
    try:
        price = plan.prices.lambda_price(plan.region, function.arch)
    except InputError:
        return None
    return price.invocation_usd(function.memory_mb, seconds * 1000)


def _logs(plan: Tariff, counts: Counts, access_log_format: str | None) -> CostPart:
    planned = sum(counts.planned)
    calls = [function.step for function in plan.functions]
    least_bytes = float(_PLATFORM_LINES_BYTES * sum(counts.ran[step] for step in calls))
    most_bytes = float(_PLATFORM_LINES_BYTES * sum(counts.planned[step] for step in calls))
    if access_log_format is not None:
        low, high = _LOG_LINE_FACTOR
        # The access log has a line for refused requests too.
        least_bytes += low * len(access_log_format) * planned
        most_bytes += high * len(access_log_format) * planned
    least, most = logs_usd(plan.region, least_bytes), logs_usd(plan.region, most_bytes)
    if least is None or most is None:
        detail = f"no price of log ingestion in {plan.region or 'this region'} is in the table"
        return CostPart(name="logs", least_usd=None, most_usd=None, detail=detail)
    lines = "START, END and REPORT"
    if access_log_format is not None:
        lines += " and the access log"
    return CostPart(
        name="logs",
        least_usd=least,
        most_usd=most,
        detail=f"{lines}: {bytes_of(round(least_bytes))} to {bytes_of(round(most_bytes))}",
    )
