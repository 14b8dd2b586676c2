"""The bill of one month at one size, from the cost of one request; pure.

List prices with their tiers, as if the function were alone in its region; the free tier is not
subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from core.aws.prices import LambdaPrice
from reports.document import Interval, MonthlySize
from tuner.interval import interval_of

if TYPE_CHECKING:
    from tuner.estimate import Floats
    from tuner.recommend import SizeEvidence


@dataclass(frozen=True, slots=True, eq=False)
class SizeCost:
    """What one request costs at one size, in USD by the prices of the first tier.

    `draws_usd` are equally likely values; the same rows of two sizes belong together. `tails` are
    their quantiles that make a 90 % interval; None where samples are too few for one.
    """

    memory_mb: int
    cost_usd: float
    draws_usd: Floats
    tails: tuple[float, float] | None

    @classmethod
    def of(cls, evidence: SizeEvidence) -> SizeCost:
        """The cost of a warm request."""
        return cls(evidence.memory_mb, evidence.cost_usd, evidence.cost_replicates, evidence.tails)


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
        return interval_of(self._usd(self.requests, self.cost.draws_usd), self.cost.tails)

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
        mine, theirs = self.cost, current.cost
        if mine.tails is None or theirs.tails is None:
            return None
        savings = current._usd(self.requests, theirs.draws_usd) - self._usd(
            self.requests, mine.draws_usd
        )
        # Those of the size that is known less well.
        tails = min(mine.tails[0], theirs.tails[0]), max(mine.tails[1], theirs.tails[1])
        return interval_of(savings, tails)

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
