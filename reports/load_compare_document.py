"""The result document of `reports compare` for two load runs: what differs, and how surely."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.compare_document import Difference
from reports.document import Interval

Metric = Literal["p50", "p95", "p99", "throttled", "failed", "admitted", "cost"]
Unit = Literal["ms", "share", "rps", "usd_per_million"]
Way = Literal["worse", "better", "same", "cannot be told"]
LoadCompareVerdict = Literal[
    "regressed", "improved", "same", "cannot be told", "not comparable", "invalid"
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricChange(_Part):
    """One metric in both runs.

    Changes are after / before for latencies, rates and costs, and after - before for shares.
    Interval and verdict go by blocks of time; `change` may lie outside of the interval.
    """

    metric: Metric
    unit: Unit
    before: float | None
    after: float | None
    change: float | None = Field(description="of `before` and `after`; null where not known")
    block_change: float | None = Field(description="mean over blocks of time; null without them")
    interval: Interval | None = Field(description="95 %, of `block_change`; null without blocks")
    floor_share: float = Field(description="a change below this does not matter")
    p_value: float | None = Field(description="of no change, alone")
    p_holm: float | None = Field(description="by Holm's rule over all judged metrics")
    blocks: int = Field(default=0, description="of time, in each run")
    verdict: Way
    why: str = Field(default="", description="why it cannot be told")


class ComparedPart(_Part):
    """The whole run, or a step that both runs have."""

    name: str
    scenario: str | None = Field(description="null: the whole run")
    ok_before: int
    ok_after: int
    changes: list[MetricChange]


class SpectrumPoint(_Part):
    """A quantile of ok response times, with the simultaneous band of the whole line."""

    q: float
    ms: float
    low_ms: float | None
    high_ms: float | None


class BlockPoint(_Part):
    """What a block of time says of all steps."""

    from_s: float
    to_s: float
    p50_ms: float | None
    p95_ms: float | None
    admitted_rps: float
    throttled_rps: float


class ComparedLoad(_Part):
    """One of the two runs."""

    run: str = Field(description="the run folder or result file, as it was given")
    run_id: str
    name: str
    started_utc: str
    verdict: str
    valid: bool
    reasons: list[str] = Field(description="why it is not valid")
    url: str
    completed: int
    ok: int
    measured_s: float
    facts: list[tuple[str, str]] = Field(description="what it takes to repeat it")
    spectrum: list[SpectrumPoint]
    blocks: list[BlockPoint]


class LoadCompareDocument(_Part):
    """Two load runs compared, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["load-compare"] = "load-compare"
    verdict: LoadCompareVerdict
    exit_code: int
    errors: list[str]
    notes: list[str]
    next_step: str
    forced: bool = Field(description="compared although a difference speaks against it")
    before: ComparedLoad
    after: ComparedLoad
    differences: list[Difference]
    profile_changes: list[str] = Field(description="lines of the profile: - before, + after")
    parts: list[ComparedPart] = Field(description="the whole run first; empty: not comparable")
    only_before: list[str] = Field(description="steps that only the baseline has")
    only_after: list[str]
