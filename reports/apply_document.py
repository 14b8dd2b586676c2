"""The document of an application: what was done with the size that a tuning recommends."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VersionCalls(_Part):
    """What CloudWatch counted of one version while an alias led to it."""

    version: str
    calls: int
    errors: int
    throttles: int
    median_ms: float | None


class ShiftResult(_Part):
    """What was counted while a share of an alias's calls went to the new version."""

    share: float
    seconds: float
    new: VersionCalls
    old: VersionCalls


class ApplyDocument(_Part):
    """One application, or why there was none."""

    schema_version: Literal[1] = 1
    kind: Literal["tune-apply"] = "tune-apply"
    verdict: Literal["pass", "fail", "inconclusive", "interrupted", "refused", "error"]
    exit_code: int
    errors: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list, description="what a user has to know or to do")
    run_id: str = Field(description="of the tuning")
    function_arn: str
    to: str | None = Field(description="latest, alias=NAME or shift=NAME; None when taken back")
    from_mb: int | None = None
    to_mb: int | None = None
    applied: bool = False
    version: str | None = Field(default=None, description="the version that an alias leads to")
    done: list[str] = Field(default_factory=list, description="what was changed, in order")
    taken_back: list[str] = Field(default_factory=list, description="what was put back")
    shift: ShiftResult | None = None
    undo: str | None = Field(default=None, description="the command that takes it back")
