"""The result document of `reports compare` for two probes of limits: rate, burst and layer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.compare_document import Difference
from reports.limits_document import Quantity

LimitsCompareVerdict = Literal["same", "differs", "cannot be told", "not comparable", "invalid"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ComparedQuantity(_Part):
    """A quantity of both probes, and whether their intervals overlap."""

    what: Literal["rate", "burst"]
    unit: str
    before: Quantity | None
    after: Quantity | None
    overlap: bool | None = Field(description="null: one of them does not know it")


class ComparedFact(_Part):
    """Something that is named, not measured with an interval: kind and layer."""

    what: Literal["kind of limit", "layer"]
    before: str
    after: str
    same: bool | None = Field(description="null: one of them does not know it")


class ComparedProbe(_Part):
    """One of the two probes."""

    run: str
    run_id: str
    name: str
    started_utc: str
    verdict: str
    facts: list[tuple[str, str]]


class LimitsCompareDocument(_Part):
    """Two probes of limits compared, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["limits-compare"] = "limits-compare"
    verdict: LimitsCompareVerdict
    exit_code: int
    errors: list[str]
    notes: list[str]
    forced: bool
    before: ComparedProbe
    after: ComparedProbe
    differences: list[Difference]
    quantities: list[ComparedQuantity]
    named: list[ComparedFact]
