"""What the history of nights is made of: runs, nights, and what people decided.

Each is one immutable object. A run has all that is needed to judge it again: histograms by block
of time, and never percentiles alone. Order is by `sequence`, which each night takes as one more
than the highest that it sees, and then by id: a clock that jumps does not reorder nights.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.load_cost_parts import LoadCostPart
from reports.load_histograms import LatencyBlock

SCHEMA_VERSION = 1

Purpose = Literal["night", "rerun", "baseline", "candidate"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Key(_Part):
    """What must be alike before two runs are compared: the same question to the same thing.

    Texts that say what was run: for a load, the sections of its profile that make its requests;
    for a tuning, the options that decide what is measured.
    """

    kind: Literal["load", "tune"]
    asked_sha256: str = Field(description="of what was asked for, in canonical form")
    target: str = Field(description="host and stage, API id, or function ARN with its qualifier")
    region: str | None
    arch: str | None = Field(description="of the functions behind it; None where not known")
    memory_mb: list[int] = Field(description="of the functions behind it, in their order")
    tool_schema: int = 1


class SeriesPoint(_Part):
    """One figure of a run: what a gate judges and a trend draws.

    `value` is positive, in `unit`; `error_ln` is the standard error of ln(value) within the night,
    from blocks of time; None where there are too few.
    """

    scope: str = Field(description="`GET /search`, `the run`, `512 MB`, `today's size`")
    metric: str = Field(description="p50, p95, p99, duration, cost, curve")
    unit: Literal["ms", "usd_per_million"]
    value: float
    error_ln: float | None
    n: int = Field(description="requests or calls behind it")


class ScopeBlocks(_Part):
    """The blocks of time of a part of a load run."""

    scope: str
    blocks: list[LatencyBlock]


class CurveRow(_Part):
    """A memory size of a tuning: what a call is billed there, and how sure that is.

    Cost at any price list is billed_ms / 1000 * (memory_mb / 1024 * price + storage) + fee. Sizes
    without a call of their own (n = 0) are what an adaptive run expects there.
    """

    memory_mb: int
    billed_ms: float
    error_ln: float | None = Field(description="standard error of ln(billed_ms)")
    duration_ms: float | None = None
    n: int = 0


class PricesUsed(_Part):
    """The list prices that were in force for a run."""

    table_date: str
    gb_second_usd: float
    request_usd: float
    storage_second_usd: float = Field(
        default=0.0, description="of /tmp above 512 MB, for each second that is billed"
    )


class RunRecord(_Part):
    """One run of a step: a night's, or one that confirms or clears what a night suspects."""

    schema_version: Literal[1] = 1
    type: Literal["run"] = "run"
    run_id: str
    night_id: str
    sequence: int
    night: Annotated[str, Field(description="the date that it counts for: 2026-11-27")]
    plan: str
    step: str
    kind: Literal["load", "tune"]
    purpose: Purpose = "night"
    started_utc: str
    finished_utc: str
    verdict: str = Field(description="of the run itself")
    valid: bool
    invalid_reasons: list[str] = []
    key: Key
    asked: dict[str, str] = Field(
        default={}, description="what `key` was made of, so that a change can be named"
    )
    branch: str | None = None
    git_commit: str | None = None
    tool_version: str = ""
    code_sha256: list[str] = []
    versions: list[str] = Field(default=[], description="of the functions, where known")
    runtime: str | None = Field(default=None, description="of the functions, where known")
    environment: str | None = None
    prices: PricesUsed | None = None
    points: list[SeriesPoint] = []
    blocks: list[ScopeBlocks] = []
    bill: list[LoadCostPart] = Field(
        default=[], description="of a load run, all phases: what it costs at any unit prices"
    )
    bill_requests: int | None = Field(default=None, description="admitted ones, of all phases")
    sizes: list[CurveRow] = []
    current_mb: int | None = None
    recommended_mb: int | None = None
    spent_usd: float | None = None


class SeriesId(_Part):
    """Which figure of which step."""

    step: str
    scope: str
    metric: str

    def __str__(self) -> str:
        return f"{self.step} / {self.scope} / {self.metric}"


AlarmState = Literal["suspect", "confirmed", "cleared", "muted", "accepted"]


class AlarmRecord(_Part):
    """A change of one figure for the worse, as a night saw it."""

    alarm_id: str = Field(description="of the figure and the night it began: the same every night")
    series: SeriesId
    state: AlarmState
    since_night: str
    since_night_id: str
    since_sequence: int
    change_share: float = Field(description="0.12: 12 % more than the baseline")
    change_interval: tuple[float, float] | None
    p_value: float | None = Field(description="one-sided, adjusted for all figures of the night")
    floor_share: float
    baseline_value: float | None
    value: float
    unit: str
    confirmed_by: str = Field(default="", description="in words: `2 reruns`, `the next night`")
    commits: tuple[str | None, str | None] = Field(
        default=(None, None), description="of the last night without it, and of the first with it"
    )


class NightRecord(_Part):
    """What a night decided."""

    schema_version: Literal[1] = 1
    type: Literal["night"] = "night"
    night_id: str
    sequence: int
    night: str
    plan: str
    started_utc: str
    finished_utc: str
    verdict: str
    exit_code: int
    branch: str | None = None
    git_commit: str | None = None
    alarms: list[AlarmRecord] = []
    judged: int = Field(default=0, description="figures that the relative gate judged")
    failed: list[str] | None = Field(
        default=None, description="budgets that failed, as `STEP / SCOPE / TEXT`; None: not kept"
    )
    untold: list[str] = Field(
        default=[], description="places of `notify` that could not be told, as `notify[0] (slack)`"
    )
    notes: list[str] = []


class EventRecord(_Part):
    """What somebody decided about an alarm or a figure."""

    schema_version: Literal[1] = 1
    type: Literal["event"] = "event"
    event_id: str
    plan: str
    at_utc: str
    sequence: int = Field(description="highest of the plan when it was decided")
    action: Literal["accept", "mute", "unmute"]
    alarm_id: str | None = None
    series: SeriesId | None = Field(default=None, description="None: all figures of the plan")
    from_sequence: int | None = Field(
        default=None, description="accept: the new level holds from this night on"
    )
    until_utc: str | None = Field(default=None, description="mute: it ends by itself")
    reason: str
    who: str | None = None


Record = Annotated[RunRecord | NightRecord | EventRecord, Field(discriminator="type")]
