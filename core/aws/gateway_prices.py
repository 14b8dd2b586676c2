"""What requests to API Gateway cost: a dated table of list prices by region and kind of API.

First tier, no free tier. Where the table knows no price for a region and kind there is none, and
nobody guesses one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ApiKind = Literal["rest", "http"]


@dataclass(frozen=True, slots=True)
class GatewayPrices:
    """What is known of one dated price list; prices are USD a request."""

    date: str
    source: str
    rest_usd: Mapping[str, float]
    http_usd: Mapping[str, float]

    def request_usd(self, region: str | None, kind: ApiKind) -> float | None:
        """The price of a request in the first tier; None where none is known."""
        prices = self.rest_usd if kind == "rest" else self.http_usd
        return prices.get(region) if region else None


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Region(_Strict):
    rest_usd_per_million: float | None = Field(default=None, gt=0, lt=100)
    http_usd_per_million: float | None = Field(default=None, gt=0, lt=100)


class _Table(_Strict):
    date: str
    currency: Literal["USD"]
    source: str
    regions: dict[str, _Region]


@cache
def gateway_prices() -> GatewayPrices:
    """The price table that the toolkit ships."""
    text = resources.files("core.aws").joinpath("gateway_prices.json").read_text(encoding="utf-8")
    table = _Table.model_validate_json(text)
    regions = table.regions.items()
    return GatewayPrices(
        date=table.date,
        source=table.source,
        rest_usd={
            name: entry.rest_usd_per_million / 1e6
            for name, entry in regions
            if entry.rest_usd_per_million
        },
        http_usd={
            name: entry.http_usd_per_million / 1e6
            for name, entry in regions
            if entry.http_usd_per_million
        },
    )
