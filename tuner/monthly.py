"""What a function costs in a month at the user's traffic, and when to do without Lambda; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.aws.always_on import ServerPrices
from core.aws.prices import LambdaPrice
from core.errors import InputError
from reports.document import AlwaysOn, Monthly, MonthlySize, SizeResult
from reports.figures import megabytes, percent, short_time, usd
from tuner.bill import Bill, SizeCost
from tuner.servers import (
    HOURS_PER_MONTH,
    LEAST_SERVERS,
    TARGET_SHARE,
    Demand,
    LambdaBill,
    alternatives,
    demand_of,
)

Auto = Literal["auto"]

# 380,000 requests/s: what is beyond is a slip.
MOST_REQUESTS = 1e12
_REQUESTS = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?(?:e\+?[0-9]{1,2})?)([kmb]?)", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}

# Each month, for all functions of an account together: AWS Lambda pricing page, 2026.
_FREE_REQUESTS = 1e6
_FREE_GB_S = 400_000.0
# Where a second tier starts at the earliest (x86_64; arm64 at 7.5e9): AWS Lambda pricing page.
_SECOND_TIER_GB_S = 6e9
_DAYS_PER_MONTH = HOURS_PER_MONTH / 24


@dataclass(frozen=True, slots=True)
class Month:
    """What the month is asked for: which traffic and sizes, by which prices.

    `source` says how the requests are known, `spent_usd` is what the tuning itself cost.
    """

    requests_per_month: float
    source: str
    current_mb: int
    recommended_mb: int | None
    price: LambdaPrice
    storage_mb: int
    spent_usd: float
    server_prices: ServerPrices


def parse_requests(text: str) -> float | Auto:
    """Requests a month as people write them: 3.2M, 250k, 1e6, 1_000_000; or `auto`.

    Raises:
        InputError: naming the option, the value and what was expected.
    """
    plain = text.strip()
    if plain.lower() == "auto":
        return "auto"
    match = _REQUESTS.fullmatch(plain)
    try:
        requests = float(match[1]) * _UNITS[match[2].lower()] if match else 0.0
    except ValueError:  # 1__000
        requests = 0.0
    if not 1 <= requests <= MOST_REQUESTS:
        raise InputError(
            "--requests-per-month: expected auto, or a number from 1 to 1e12 "
            f"such as 250k or 3.2M (got {text!r})"
        )
    return requests


def monthly_view(month: Month, costs: Sequence[SizeCost], sizes: Sequence[SizeResult]) -> Monthly:
    """The month at each size of `costs`, and what else could do the work of the recommended one.

    `sizes` are all that was measured: they bound what a request takes of a machine.
    """
    requests = month.requests_per_month
    bills = {cost.memory_mb: Bill(cost, requests, month.price, month.storage_mb) for cost in costs}
    current = bills.get(month.current_mb)
    chosen = None if month.recommended_mb is None else bills.get(month.recommended_mb)
    rows = {size: bills[size].against(current) for size in sorted(bills)}
    saved = None if chosen is None else rows[chosen.memory_mb]
    break_even = _break_even(month, saved)
    machines, words = _always_on(month, chosen, sizes)
    prices = month.server_prices
    return Monthly(
        requests_per_month=requests,
        source=month.source,
        sizes=list(rows.values()),
        break_even_requests=break_even,
        break_even_days=None if break_even is None else break_even / requests * _DAYS_PER_MONTH,
        always_on=machines,
        always_on_prices=f"{prices.source} ({prices.date})" if machines else None,
        notes=[
            *_bill_notes(month.price, chosen or current, bills.values()),
            *_saving_notes(month, saved),
            *words,
        ],
    )


def _is_sure(saved: MonthlySize | None) -> bool:
    """Whether the 90 % interval of a saving holds no zero, and nothing below."""
    return bool(saved and saved.saving_interval_usd and saved.saving_interval_usd[0] > 0)


def _break_even(month: Month, saved: MonthlySize | None) -> float | None:
    """After how many requests the saving has paid for the tuning; None where none is sure."""
    if saved is None or not saved.saving_usd or not _is_sure(saved):
        return None
    return month.spent_usd / saved.saving_usd * month.requests_per_month


def _saving_notes(month: Month, saved: MonthlySize | None) -> Iterator[str]:
    """Why there is no break-even."""
    if saved is None or saved.memory_mb == month.current_mb or _is_sure(saved):
        return
    if saved.saving_usd is None:
        size = megabytes(month.current_mb)
        yield f"no saving and no break-even: the cost at the current {size} is not known"
    elif saved.saving_interval_usd is None:
        yield "no break-even: too few samples for an interval of the saving"
    elif saved.saving_interval_usd[1] < 0:
        yield "no break-even: the recommended size costs more than the current one"
    else:
        yield "no break-even: the 90 % interval of the saving includes zero"


def _bill_notes(price: LambdaPrice, bill: Bill | None, bills: Iterable[Bill]) -> Iterator[str]:
    if bill is not None:
        free_usd = min(bill.requests, _FREE_REQUESTS) * price.request_usd
        free_usd += min(bill.gb_s, _FREE_GB_S) * price.gb_second_usd
        yield (
            "the free tier (1 million requests and 400,000 GB-s a month for a whole account) is "
            f"not subtracted: it takes off {usd(free_usd)} at most at {megabytes(bill.memory_mb)}"
        )
    most_gb_s = max((bill.gb_s for bill in bills), default=0)
    if len(price.tiers) > 1 and most_gb_s > price.tiers[1].from_gb_s:
        yield (
            "higher tiers are counted as if this function were alone; AWS counts the GB-seconds "
            f"of all {price.arch} functions in {price.region} together"
        )
    elif len(price.tiers) == 1 and most_gb_s > _SECOND_TIER_GB_S:
        yield (
            f"only the first tier is known for {price.arch} in {price.region}: bills above "
            "6 billion GB-s a month may be lower"
        )


def _always_on(
    month: Month, bill: Bill | None, sizes: Sequence[SizeResult]
) -> tuple[list[AlwaysOn], list[str]]:
    """Machines that could do the work of the recommended size, and what to know of them."""
    if bill is None:
        return [], []
    region, arch = month.price.region, month.price.arch
    servers = month.server_prices.servers(region, arch)
    if not servers:
        return [], [_no_machines(f"prices of {region} are not in the table")]
    size = next((item for item in sizes if item.memory_mb == bill.memory_mb), None)
    demand = None if size is None else demand_of(size, sizes)
    if demand is None:
        return [], [_no_machines("the memory used is not known")]
    machines = alternatives(servers, demand, bill.requests, _lambda_bill(bill))
    if not machines:
        return [], [_no_machines("none in the table is large enough")]
    return machines, list(_assumptions(demand, bill.memory_mb))


def _no_machines(why: str) -> str:
    return f"no comparison with machines that always run: {why}"


def _lambda_bill(bill: Bill) -> LambdaBill:
    """The bill by requests, which bends where tiers begin."""
    starts = [tier.from_gb_s / bill.request_gb_s for tier in bill.price.tiers if bill.request_gb_s]
    bends = sorted({0.0, MOST_REQUESTS, *(start for start in starts if start < MOST_REQUESTS)})
    return LambdaBill(bill.usd_of, tuple(bends))


def _assumptions(demand: Demand, memory_mb: int) -> Iterator[str]:
    yield (
        f"machines: at least {LEAST_SERVERS}, so that one may stop; the mean load takes at most "
        f"{percent(TARGET_SHARE)} of their vCPUs and memory, of burstable ones no more than the "
        f"baseline; each has at least the vCPUs of {megabytes(memory_mb)}"
    )
    yield (
        f"a request takes at most {short_time(demand.cpu_s * 1000)} of CPU, by billed time x vCPU "
        "share and a period of the CPU's scheduler: waiting is in that, so fewer machines may do"
    )
    yield (
        "not in the comparison: what stands in front of either (API Gateway, load balancer), disks "
        "and addresses, peaks above the mean, nights when machines idle, and the work of running "
        "them"
    )
