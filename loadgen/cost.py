"""What a run costs at list prices: requests to API Gateway, and the functions behind them.

Before a run a range with its assumptions; while it goes on and after it what the counted requests
can have cost at most. Data transfer, logs, traces, caches and what functions call are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from core.aws.gateway_prices import ApiKind, GatewayPrices
from core.aws.prices import Arch, PriceTable
from core.errors import InputError
from loadgen.outcome import GATEWAY_THROTTLES, Cause, Kind, Outcome
from reports.figures import megabytes, usd
from reports.load_cost_parts import LoadCostPart

Billing = Literal["rest", "http", "function_url", "local", "unknown"]

# Nobody knows how long a call takes before the run; the range says what it assumes.
ASSUMED_LEAST_S = 0.010
ASSUMED_MOST_S = 1.0
# "HTTP APIs are metered in 512 KB increments" (API Gateway pricing page, 2026).
HTTP_UNIT_BYTES = 512 * 1024

# What the gateway refuses by itself is not charged, nor are failed authorisation and missing or
# wrong keys (AWS staff on re:Post, 2020 and 2024). What a backend refuses is.
_REFUSED_FREE = GATEWAY_THROTTLES | {Cause.QUOTA, Cause.AUTHORIZER}
# These never reached the other side.
_NEVER_SENT = frozenset(
    {Cause.DNS, Cause.REFUSED, Cause.CONNECT_TIMEOUT, Cause.TLS, Cause.NO_CONNECTION}
)
# Lambda does not charge what it throttles, and a firewall stands before it.
_NEVER_RAN = _REFUSED_FREE | _NEVER_SENT | {Cause.LAMBDA_CONCURRENCY, Cause.WAF}


@dataclass(frozen=True, slots=True)
class StepFunction:
    """The function behind a step, where the configuration tells it."""

    step: int
    name: str
    memory_mb: int
    arch: Arch
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Tariff:
    """Who bills requests, and at which prices; `request_usd` is None where none is known.

    `units` has, by step, as how many requests one with a large body is billed.
    """

    billing: Billing
    region: str | None
    request_usd: float | None
    functions: tuple[StepFunction, ...]
    prices: PriceTable
    prices_date: str
    units: Mapping[int, int] = field(default_factory=dict)

    def billed(self, by_step: Mapping[int, float]) -> float:
        """As how many requests those of each step are billed."""
        return sum(count * self.units.get(step, 1) for step, count in by_step.items())


@dataclass(frozen=True, slots=True)
class CostRange:
    """What a run may cost; None where it cannot be said. `detail` has the assumptions."""

    least_usd: float | None
    most_usd: float | None
    detail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run has cost at most; None where no price is known."""

    usd: float | None
    detail: tuple[str, ...]
    parts: tuple[LoadCostPart, ...] = ()
    as_if: bool = False  # nothing was billed: `parts` are what AWS would have billed
    prices_date: str | None = None


@dataclass(frozen=True, slots=True)
class StepUse:
    """What has become of the requests of one step: by kind code, and the mean service time."""

    step: int
    counts: Mapping[int, int]
    cut: int
    service_mean_s: float


def tariff(
    billing: Billing,
    region: str | None,
    functions: Sequence[StepFunction],
    gateway: GatewayPrices,
    prices: PriceTable,
    body_bytes: Mapping[int, int] | None = None,
) -> Tariff:
    """The tariff of a target; loopback is `local` and costs nothing.

    `body_bytes` are sizes of what requests send, by step: HTTP APIs bill large ones as several.
    """
    request_usd: float | None = None
    date = gateway.date
    if billing in ("rest", "http"):
        kind: ApiKind = "rest" if billing == "rest" else "http"
        request_usd = gateway.request_usd(region, kind)
    elif billing in ("function_url", "local"):
        request_usd, date = 0.0, prices.date
    known = () if billing in ("local", "unknown") else tuple(functions)
    units = {
        step: -(-size // HTTP_UNIT_BYTES)
        for step, size in (body_bytes or {}).items()
        if billing == "http" and size > HTTP_UNIT_BYTES
    }
    return Tariff(billing, region, request_usd, known, prices, date, units)


def estimate(plan: Tariff, requests: float | None, by_step: Sequence[float]) -> CostRange:
    """The cost of `requests`, before they are sent; None of requests where users decide."""
    if plan.billing == "local":
        return CostRange(0.0, 0.0, ("the target is local: nothing is billed",))
    if plan.request_usd is None:
        return CostRange(None, None, (_no_price(plan),))
    if requests is None:
        return CostRange(
            None, None, ("with users as the model, the number of requests is not known before",)
        )
    fee = (requests + plan.billed(dict(enumerate(by_step))) - sum(by_step)) * plan.request_usd
    least, most = fee, fee
    detail = _fee_words(plan, f"{requests:,.0f} requests")
    for function in plan.functions:
        calls = by_step[function.step]
        cheap = _function_usd(plan, function, calls, ASSUMED_LEAST_S)
        dear = _function_usd(plan, function, calls, min(ASSUMED_MOST_S, function.timeout_s))
        if cheap is None or dear is None:
            return CostRange(None, None, (*detail, _no_function_price(plan, function)))
        least, most = least + cheap, most + dear
    detail.append(_estimate_words(plan))
    return CostRange(least, most, tuple(detail))


def with_retries(cost: CostRange, attempts: int) -> CostRange:
    """A range whose upper end has all requests sent `attempts` times, as modelled clients may."""
    if attempts == 1 or not cost.most_usd:
        return cost
    words = f"at most, if clients send everything {attempts} times"
    return replace(cost, most_usd=cost.most_usd * attempts, detail=(*cost.detail, words))


def spent(plan: Tariff, uses: Iterable[StepUse]) -> Cost:
    """The most that what was sent can have cost, from what became of it.

    A request whose fate at AWS is not known (no answer, cut, unknown cause) counts as billed. A
    function is taken to have run for the whole service time, which has the network and the
    gateway in it.
    """
    if plan.billing == "local":
        return Cost(0.0, ("the target is local: nothing was billed",))
    if plan.request_usd is None:
        return Cost(None, (_no_price(plan),))
    functions = {function.step: function for function in plan.functions}
    billed, requests, whole, total, unknown = 0.0, 0, 0, 0.0, False
    for use in uses:
        whole += sum(use.counts.values()) + use.cut
        charged = charged_requests(use)
        requests += charged
        billed += plan.billed({use.step: charged})
        function = functions.get(use.step)
        if function is not None:
            ran = calls_of(use)
            part = _function_usd(plan, function, ran, min(use.service_mean_s, function.timeout_s))
            if part is None:
                return Cost(None, (_no_function_price(plan, function),))
            total += part
        unknown = unknown or function is None
    detail = _fee_words(
        plan, f"{requests:,} of {whole:,} requests, because what it refused is free"
    )
    if plan.functions:
        detail.append(
            f"functions: at most {usd(total)}, as if each had run for the whole service time"
        )
    if unknown or not plan.functions:
        detail.append(_missing_words(plan))
    return Cost(billed * plan.request_usd + total, tuple(detail))


def charged_requests(use: StepUse) -> int:
    """Requests of a step that API Gateway can have charged."""
    return _count(use, free=_REFUSED_FREE | _NEVER_SENT)


def calls_of(use: StepUse) -> int:
    """Requests of a step that can have run its function."""
    return _count(use, free=_NEVER_RAN)


def _count(use: StepUse, free: frozenset[Cause]) -> int:
    """Requests of a step that can have been billed, those without an answer among them."""
    return use.cut + sum(n for code, n in use.counts.items() if not _is_free(code, free))


def _is_free(code: int, free: frozenset[Cause]) -> bool:
    kind = Kind.of(code)
    return kind.cause in free and kind.outcome is not Outcome.OK


def _function_usd(
    plan: Tariff, function: StepFunction, calls: float, seconds: float
) -> float | None:
    if plan.region is None:
        return None
    try:
        price = plan.prices.lambda_price(plan.region, function.arch)
    except InputError:
        return None
    return calls * price.invocation_usd(function.memory_mb, seconds * 1000)


def _fee_words(plan: Tariff, which: str) -> list[str]:
    if plan.billing == "function_url" or plan.request_usd is None:
        return []
    kind = "REST" if plan.billing == "rest" else "HTTP"
    words = (
        f"API Gateway: {which} at {usd(plan.request_usd * 1e6)} a million ({kind} API in "
        f"{plan.region}, first tier, prices of {plan.prices_date}); what it refuses is free"
    )
    large = "bodies above 512 KB are billed as several requests"
    return [words, large] if plan.units else [words]


def _estimate_words(plan: Tariff) -> str:
    if not plan.functions:
        return _missing_words(plan)
    names = sorted({f"{f.name} {megabytes(f.memory_mb)}" for f in plan.functions})
    return (
        f"functions: if each call takes from {ASSUMED_LEAST_S * 1000:.0f} ms to "
        f"{ASSUMED_MOST_S:.0f} s ({', '.join(names)})"
    )


def _missing_words(plan: Tariff) -> str:
    which = "functions of other steps" if plan.functions else "the functions behind the API"
    return f"not in it: {which}, whose memory is not known; logs and data transfer"


def _no_price(plan: Tariff) -> str:
    if plan.billing == "unknown":
        return "cost unknown: what stands behind this host is not known"
    kind = "REST" if plan.billing == "rest" else "HTTP"
    where = plan.region or "a region that is not known"
    return f"cost unknown: no price of {kind} API requests in {where} is in the table"


def _no_function_price(plan: Tariff, function: StepFunction) -> str:
    return f"cost unknown: no Lambda price for {function.arch} in {plan.region} is in the table"
