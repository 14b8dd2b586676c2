"""What the requests of a load run cost, part by part: a part of the document of a load run.

Prices are list prices of the first tier. A part whose price or amount is not known has no USD, and
says why; nobody guesses one.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CostPartName = Literal[
    "api_requests",
    "lambda_requests",
    "lambda_duration",
    "lambda_init",
    "logs",
    "data_transfer",
]
CostBound = Literal["about", "at_most", "at_least"]


class LoadCostPart(BaseModel):
    """One part of the bill of all phases, measured or not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: CostPartName
    function: str | None = Field(default=None, description="of the parts of Lambda")
    amount: float | None = Field(description="of `unit`; null where it is not known")
    unit: Literal["requests", "GB-s", "GB"]
    unit_usd: float | None = Field(description="list price of a unit; null where none is known")
    bound: CostBound = Field(default="about", description="on which side the amount may be wrong")
    detail: str = Field(description="what the amount is known from, or why it is not known")

    @property
    def usd(self) -> float | None:
        """Amount times price; None where one of them is not known."""
        if self.amount is None or self.unit_usd is None:
            return None
        return self.amount * self.unit_usd
