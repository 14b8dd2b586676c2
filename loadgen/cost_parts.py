"""What a run has cost part by part, from counts, metrics and REPORT lines: the best that is known.

The sum of `loadgen.cost.spent` is an upper bound, with each call as long as the client waited.
Here a call is as long as AWS says, where it says so; a part that nothing tells has no amount.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.aws.prices import LambdaPrice
from core.aws.traffic_prices import logs_usd, transfer_usd
from core.errors import InputError
from loadgen.cost import Cost, StepFunction, StepUse, Tariff, calls_of, charged_requests
from reports.load_cost_parts import CostBound, LoadCostPart
from reports.load_telemetry import FunctionTelemetry, LoadTelemetry

_GB = 1e9
# START, END and REPORT of a call as text, without INIT and X-Ray: 66 + 54 + 170 bytes or so.
_PLATFORM_LINES_BYTES = 290
# Billed durations are rounded up to the next millisecond: half of one more than they last.
_ROUNDING_MS = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a run besides its books: what AWS tells, and how much came back."""

    telemetry: LoadTelemetry | None
    bytes_in: int


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls of one function, and the mean service time of the requests behind which it ran."""

    function: StepFunction
    n: int
    service_mean_s: float


def with_parts(
    cost: Cost, listed: Tariff | None, uses: Sequence[StepUse], seen: Seen, *, billed: bool
) -> Cost:
    """`cost` with its parts by the tariff `listed`, which is that of AWS also for a local target.

    Where nothing is `billed`, parts are what AWS would have billed for the same requests.
    """
    if listed is None:
        return cost
    parts = [
        _api_requests(listed, uses),
        *_functions(listed, uses, seen),
        _log_lines(listed, uses),
        _transfer(listed, seen),
    ]
    return replace(
        cost,
        parts=tuple(part for part in parts if part is not None),
        as_if=not billed,
        prices_date=listed.prices_date,
    )


def _api_requests(plan: Tariff, uses: Sequence[StepUse]) -> LoadCostPart | None:
    if plan.billing == "function_url":
        return None  # a URL of a function has no fee of its own
    charged = plan.billed({use.step: charged_requests(use) for use in uses})
    kind = "REST" if plan.billing == "rest" else "HTTP"
    known = plan.request_usd is not None
    detail = (
        f"requests to the {kind} API that it did not refuse; what it refuses is free"
        if known
        else f"no price of {kind} API requests in {plan.region or 'this region'} is in the table"
    )
    return LoadCostPart(
        part="api_requests",
        amount=charged,
        unit="requests",
        unit_usd=plan.request_usd,
        detail=detail,
    )


def _functions(plan: Tariff, uses: Sequence[StepUse], seen: Seen) -> Iterator[LoadCostPart]:
    calls = _calls_by_function(plan, uses)
    if not calls:
        unknown = "the functions behind the steps, or their memory, are not known"
        yield LoadCostPart(
            part="lambda_requests", amount=None, unit="requests", unit_usd=None, detail=unknown
        )
        yield LoadCostPart(
            part="lambda_duration", amount=None, unit="GB-s", unit_usd=None, detail=unknown
        )
    for one in calls:
        yield from _function(one, _price(plan, one.function), _telemetry_of(seen, one))


def _calls_by_function(plan: Tariff, uses: Sequence[StepUse]) -> list[_Calls]:
    """Each function once, with the calls of all steps that it is behind."""
    by_step = {use.step: use for use in uses}
    counted: dict[str, list[tuple[StepFunction, int, float]]] = {}
    for function in plan.functions:
        use = by_step.get(function.step)
        if use is not None:
            entry = (function, calls_of(use), min(use.service_mean_s, function.timeout_s))
            counted.setdefault(function.name, []).append(entry)
    found = []
    for entries in counted.values():
        n = sum(count for _, count, _ in entries)
        whole_s = sum(count * mean_s for _, count, mean_s in entries)
        found.append(_Calls(entries[0][0], n, whole_s / n if n else 0.0))
    return found


def _price(plan: Tariff, function: StepFunction) -> LambdaPrice | None:
    if plan.region is None:
        return None
    try:
        return plan.prices.lambda_price(plan.region, function.arch)
    except InputError:
        return None


def _telemetry_of(seen: Seen, calls: _Calls) -> list[FunctionTelemetry]:
    functions = seen.telemetry.functions if seen.telemetry else []
    return [one for one in functions if one.function == calls.function.name]


def _function(
    calls: _Calls, price: LambdaPrice | None, seen: Sequence[FunctionTelemetry]
) -> Iterator[LoadCostPart]:
    name, n = calls.function.name, calls.n
    no_price = f"no Lambda price for {calls.function.arch} in this region is in the table"
    yield LoadCostPart(
        part="lambda_requests",
        function=name,
        amount=n,
        unit="requests",
        unit_usd=price.request_usd if price else None,
        detail="calls, by the client's count" if price else no_price,
    )
    gb_s = calls.function.memory_mb / 1024 * n / 1000  # of a millisecond of each call
    run_ms, start_ms, bound, how, why_no_start = _billed_ms(calls, seen)
    gb_second_usd = price.gb_second_usd if price else None
    yield LoadCostPart(
        part="lambda_duration",
        function=name,
        amount=gb_s * run_ms,
        unit="GB-s",
        unit_usd=gb_second_usd,
        bound=bound,
        detail=how if price else no_price,
    )
    yield LoadCostPart(
        part="lambda_init",
        function=name,
        amount=None if start_ms is None else gb_s * start_ms,
        unit="GB-s",
        unit_usd=gb_second_usd,
        detail=(why_no_start or how) if price else no_price,
    )


def _billed_ms(
    calls: _Calls, seen: Sequence[FunctionTelemetry]
) -> tuple[float, float | None, CostBound, str, str]:
    """What a call is billed for at its mean: run, start, on which side it errs, how it is known."""
    # Two aliases of a function have one log.
    report = next((one.reports for one in seen if one.reports is not None), None)
    if (
        report is not None
        and report.billed_mean_ms is not None
        and report.billed_start_mean_ms is not None
    ):
        how = "billed durations of REPORT lines"
        start_ms = report.billed_start_mean_ms
        return report.billed_mean_ms - start_ms, start_ms, "about", how, ""
    why = "no REPORT line was read, and no metric tells it"
    spreads = [one.duration_ms for one in seen]
    known = [spread for spread in spreads if spread is not None]
    if known and len(known) == len(spreads):
        n = sum(spread.n for spread in known)
        mean_ms = sum(spread.mean * spread.n for spread in known) / n
        return mean_ms + _ROUNDING_MS, None, "about", "metric Duration of the run", why
    how = "as if each call had run for the whole service time"
    return calls.service_mean_s * 1000, None, "at_most", how, f"{why}: it is in the service time"


def _transfer(plan: Tariff, seen: Seen) -> LoadCostPart:
    unit_usd = transfer_usd(plan.region, _GB)
    return LoadCostPart(
        part="data_transfer",
        amount=seen.bytes_in / _GB,
        unit="GB",
        unit_usd=unit_usd,
        bound="at_most",
        detail=(
            "what came back, heads included; free where the client is in the same region"
            if unit_usd is not None
            else f"no price of data out of {plan.region or 'this region'} is in the table"
        ),
    )


def _log_lines(plan: Tariff, uses: Sequence[StepUse]) -> LoadCostPart | None:
    """The lines that Lambda itself writes of each call; None where no function is known."""
    calls = sum(one.n for one in _calls_by_function(plan, uses))
    if not calls:
        return None
    unit_usd = logs_usd(plan.region, _GB)
    return LoadCostPart(
        part="logs",
        amount=calls * _PLATFORM_LINES_BYTES / _GB,
        unit="GB",
        unit_usd=unit_usd,
        bound="at_least",
        detail=(
            f"START, END and REPORT of each call, about {_PLATFORM_LINES_BYTES} bytes; not what "
            "functions print, and not the access log"
            if unit_usd is not None
            else f"no price of log ingestion in {plan.region or 'this region'} is in the table"
        ),
    )
