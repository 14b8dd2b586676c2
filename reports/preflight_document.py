"""The document of `loadgen preflight`: limits on the path, what is predicted, what stands against.

Nothing in it was measured by sending load.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.load_document import TargetFacts
from reports.load_prediction import LoadPrediction

# A note is worth knowing, a warning may spoil a run, a problem surely does.
CheckState = Literal["ok", "note", "warning", "problem"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PathLimit(_Part):
    """A limit on the path of some steps; exactly the figures that it has are set."""

    layer: str = Field(description="account, stage, ..., authorizer, integration, payload, ...")
    name: str
    steps: list[str] = Field(description="on whose path it is")
    source: str = Field(description="the call that was asked, or the page that says it")
    rate_rps: float | None = None
    burst: int | None = None
    quota: int | None = None
    used: int | None = None
    period: str | None = None
    concurrency: int | None = None
    timeout_ms: int | None = None
    size_bytes: int | None = None
    ttl_s: int | None = None
    words: str = Field(default="", description="what no figure says")


class Check(_Part):
    """Something that was looked at, and what to do about it."""

    name: str
    state: CheckState
    found: str
    to_do: str = ""


class PreflightDocument(_Part):
    """All that is known of a load before it is sent."""

    schema_version: Literal[1] = 1
    kind: Literal["load-preflight"] = "load-preflight"
    name: str
    verdict: Literal["pass", "error"]
    exit_code: int
    errors: list[str] = Field(description="the problems")
    target: TargetFacts
    limits: list[PathLimit]
    unknown: list[str] = Field(description="what could not be read, and which permission that is")
    checks: list[Check]
    prediction: LoadPrediction
    read_utc: str
    seed: int
    command: list[str]
    profile_file: str
    profile_sha256: str
    tool_version: str
    endpoint: str | None = None
