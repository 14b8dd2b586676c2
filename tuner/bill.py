"""The bill of one month at one size, from the cost of one request; pure.

List prices with their tiers, as if the function were alone in its region; the free tier is not
subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.aws.prices import LambdaPrice
from reports.document import Interval, MonthlySize, SizeResult

if TYPE_CHECKING:
    from tuner.estimate import Floats


@dataclass(frozen=True, slots=True, eq=False)
class SizeCost:
    """What one request costs at one size, in USD by the prices of the first tier.

    `draws_usd` are equally likely values; the same rows of two sizes belong together. A 90 %
    interval leaves `tail_share` of them out on each side: less than 0.05 where draws from few
    samples are too narrow (`tuner.estimate.interval_quantiles`). None where samples are too few.
    """

    memory_mb: int
    cost_usd: float
    interval_usd: Interval | None
    draws_usd: Floats | None
    tail_share: float = 0.05


def size_costs(
    sizes: Sequence[SizeResult],
    draws_usd: Mapping[int, Floats],
    tail_share: Mapping[int, float] | None = None,
) -> list[SizeCost]:
    """The costs of warm requests at the usable `sizes`; draws and tails are by size in MB."""
    tails = tail_share or {}
    return [
        SizeCost(
            memory_mb=size.memory_mb,
            cost_usd=size.cost_usd_per_million / 1e6,
            interval_usd=_per_request(size.cost_interval),
            draws_usd=draws_usd.get(size.memory_mb),
            tail_share=tails.get(size.memory_mb, 0.05),
        )
        for size in sizes
        if size.cost_usd_per_million is not None and size.failure is None
    ]


def _per_request(per_million: Interval | None) -> Interval | None:
    return None if per_million is None else (per_million[0] / 1e6, per_million[1] / 1e6)


@dataclass(frozen=True, slots=True, eq=False)
class Bill:
    """What `requests` a month cost at one size: compute, request fees, /tmp above 512 MB."""

    cost: SizeCost
    requests: float
    price: LambdaPrice
    storage_mb: int

    @property
    def memory_mb(self) -> int:
        return self.cost.memory_mb

    @property
    def usd(self) -> float:
        return self.usd_of(self.requests)

    @property
    def gb_s(self) -> float:
        """GB-seconds of memory."""
        return self.requests * self.request_gb_s

    @property
    def request_gb_s(self) -> float:
        """GB-seconds of memory of one request."""
        return float(self._request_gb_s(np.float64(self.cost.cost_usd)))

    @property
    def interval_usd(self) -> Interval | None:
        """90 %: the interval of the cost, through the tiers; dearer requests never make less."""
        if self.cost.interval_usd is None:
            return None
        low, high = self._usd(self.requests, np.array(self.cost.interval_usd))
        return float(low), float(high)

    def usd_of(self, requests: float) -> float:
        """The bill of another number of requests."""
        return float(self._usd(requests, np.float64(self.cost.cost_usd)))

    def against(self, current: Bill | None) -> MonthlySize:
        """The bill, and what it saves of the bill at the current size, if that is known."""
        return MonthlySize(
            memory_mb=self.memory_mb,
            usd=self.usd,
            interval_usd=self.interval_usd,
            saving_usd=None if current is None else current.usd - self.usd,
            saving_interval_usd=None if current is None else self._saving_interval(current),
        )

    def _saving_interval(self, current: Bill) -> Interval | None:
        if self is current:
            return 0.0, 0.0
        mine, theirs = self.cost.draws_usd, current.cost.draws_usd
        known = self.cost.interval_usd is not None and current.cost.interval_usd is not None
        if mine is None or theirs is None or not known:
            return None
        savings = current._usd(self.requests, theirs) - self._usd(self.requests, mine)
        tail = min(self.cost.tail_share, current.cost.tail_share)
        low, high = np.quantile(savings, (tail, 1 - tail))
        return float(low), float(high)

    def _usd(self, requests: float, cost_usd: Floats | np.float64) -> Floats:
        gb_s = requests * self._request_gb_s(cost_usd)
        # What the higher tiers take off the first one's price, which `cost_usd` is by.
        rebate = np.zeros_like(gb_s)
        for lower, tier in pairwise(self.price.tiers):
            above = np.maximum(gb_s - tier.from_gb_s, 0)
            rebate += above * (lower.usd_per_gb_s - tier.usd_per_gb_s)
        return np.asarray(requests * cost_usd - rebate, dtype=np.float64)

    def _request_gb_s(self, cost_usd: Floats | np.float64) -> Floats:
        """Costs are linear in GB-seconds: the fee, and for each its price with that of /tmp."""
        second_usd = self.price.invocation_usd(self.memory_mb, 1000, storage_mb=self.storage_mb)
        gb_s_usd = (second_usd - self.price.request_usd) / (self.memory_mb / 1024)
        compute_usd = np.maximum(cost_usd - self.price.request_usd, 0)
        return np.asarray(compute_usd / gb_s_usd, dtype=np.float64)
