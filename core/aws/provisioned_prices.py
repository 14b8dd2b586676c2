"""What provisioned concurrency costs: a dated table of list prices by region.

It is paid for as long as it is configured, in steps of five minutes, and calls on it have a lower
price for their duration. There is no free tier ("AWS Lambda Pricing", 2026-09). Where the table
knows no price there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Arch = Literal["x86_64", "arm64"]


@dataclass(frozen=True, slots=True)
class ProvisionedPrice:
    """USD a GB-second: for what is configured, and for the duration of calls on it."""

    configured_usd: float
    duration_usd: float
    date: str


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Region(_Strict):
    configured_usd: float = Field(gt=0, lt=1)
    duration_usd: float = Field(gt=0, lt=1)


class _Table(_Strict):
    date: str
    currency: Literal["USD"]
    source: str
    arm64_share: float = Field(gt=0, le=1)
    regions: dict[str, _Region]


def provisioned_price(region: str | None, arch: Arch) -> ProvisionedPrice | None:
    """The prices of a region; None where the table has none.

    Those of arm64 are four fifths of those of x86_64, which was compared in us-east-1 only.
    """
    table = _table()
    found = table.regions.get(region or "")
    if found is None:
        return None
    share = table.arm64_share if arch == "arm64" else 1.0
    return ProvisionedPrice(found.configured_usd * share, found.duration_usd * share, table.date)


@cache
def _table() -> _Table:
    path = resources.files("core.aws").joinpath("provisioned_prices.json")
    return _Table.model_validate_json(path.read_text(encoding="utf-8"))
