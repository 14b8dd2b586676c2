"""The result document of `tune` for several functions: what became of each, and all together."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.document import Budget, Spent, TuneDocument

PartVerdict = Literal[
    "pass", "fail", "inconclusive", "invalid", "interrupted", "error", "not begun"
]
SeveralVerdict = Literal["pass", "fail", "inconclusive", "invalid", "interrupted", "error"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FunctionResult(_Part):
    """What became of one function."""

    name: str
    arn: str
    current_mb: int = Field(description="its size when the plan was made")
    verdict: PartVerdict
    exit_code: int
    reason: str | None = Field(description="why it was not measured")
    spent: Spent
    folder: str | None = Field(description="of its run; None where nothing was measured")
    document: TuneDocument | None = Field(description="as in its folder")


class SkippedFunction(_Part):
    """A function of a stack that no tuning fits."""

    name: str
    reason: str


class SeveralDocument(_Part):
    """Several tunings of one command, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["tune-several"] = "tune-several"
    verdict: SeveralVerdict = Field(description="that of the most severe exit code")
    exit_code: int
    errors: list[str]
    notes: list[str]
    source: str | None = Field(description="where the names are from; None where they were given")
    functions: list[FunctionResult]
    skipped: list[SkippedFunction]
    spent: Spent
    budget: Budget | None = Field(description="the limits that all shared")
