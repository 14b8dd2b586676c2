"""The result document of a night: what `reports nightly` writes, and what its page is made from."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.history.record import AlarmRecord, SeriesId

NightVerdict = Literal[
    "pass", "failed", "inconclusive", "invalid", "refused", "interrupted", "error"
]
GateKind = Literal["validity", "budget", "relative", "curve"]
GateStatus = Literal["passed", "failed", "suspect", "muted", "inconclusive", "invalid"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NightRun(_Part):
    """A run of a step that this night made, and where it is."""

    purpose: Literal["night", "rerun", "baseline", "candidate"]
    run_id: str | None
    folder: str | None = Field(description="relative to the night's folder; None: none was made")
    verdict: str
    exit_code: int
    started_utc: str
    seconds: float
    spent_usd: float | None = None


class NightStep(_Part):
    """A step of the plan and what came of it."""

    name: str
    kind: Literal["load", "tune"]
    verdict: str = Field(description="of its run, or `not begun`, `timed out`, `no result`")
    exit_code: int
    errors: list[str]
    headline: str = Field(description="the answer of its run in one sentence; may be empty")
    runs: list[NightRun]


class NightGate(_Part):
    """One condition and what came of it; `text` names it in CI: `p95 within 7 % of 28 nights`."""

    step: str
    scope: str
    metric: str
    kind: GateKind
    text: str
    status: GateStatus
    message: str = Field(description="value, limit, interval and n in words")
    unit: str = ""
    value: float | None = None
    baseline: float | None = None
    limit: float | None = Field(default=None, description="the value from which it alarms")
    change_share: float | None = None
    change_interval: tuple[float, float] | None = None
    p_value: float | None = None
    nights: int = Field(default=0, description="in the baseline")
    nights_needed: int = Field(default=0, description="for a baseline; 0: not told")
    n: int = 0
    smallest_step_share: float | None = Field(
        default=None, description="the change that one night finds with 80 % power"
    )


class TrendPoint(_Part):
    """A figure of one night; the interval is of the night alone, 95 %."""

    night: str
    night_id: str
    sequence: int
    at_utc: str
    value: float
    low: float | None
    high: float | None
    n: int
    status: Literal["counted", "suspect", "confirmed", "invalid", "unlike"]
    git_commit: str | None = None


class TrendMark(_Part):
    """What happened at a night: a change point, an accepted change, other prices, a new version."""

    night: str
    sequence: int
    kind: Literal["change", "accepted", "prices", "version", "runtime", "profile", "mute"]
    text: str


class TrendLevel(_Part):
    """Between two changes: the typical value and the band in which single nights lie (95 %)."""

    from_sequence: int
    to_sequence: int
    center: float
    low: float
    high: float


class Trend(_Part):
    """A figure over the last 90 nights."""

    series: SeriesId
    unit: str
    points: list[TrendPoint]
    levels: list[TrendLevel] = []
    marks: list[TrendMark] = []
    missing: list[str] = Field(default=[], description="dates between the nights without one")


class SavingFound(_Part):
    """A tuning's advice that is sure enough to say on the line of a template."""

    step: str
    function: str
    from_mb: int
    to_mb: int
    saving_share: float
    saving_interval: tuple[float, float]


class NightProvenance(_Part):
    """What somebody needs to repeat the night."""

    tool_version: str
    command: list[str]
    started_utc: str
    finished_utc: str
    plan_file: str
    plan_sha256: str
    plan_text: str
    environment: str | None
    history: str
    branch: str | None = None
    git_commit: str | None = None


class NightlyDocument(_Part):
    """One night, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["nightly"] = "nightly"
    name: str
    night: str
    night_id: str
    sequence: int
    verdict: NightVerdict
    exit_code: int
    errors: list[str]
    notes: list[str]
    headline: str
    steps: list[NightStep]
    gates: list[NightGate]
    alarms: list[AlarmRecord]
    cleared: list[AlarmRecord] = Field(
        default=[], description="suspected, and not confirmed; tonight's and of late nights"
    )
    trends: list[Trend] = []
    savings: list[SavingFound] = []
    history_problems: list[str] = []
    spent_usd: float | None = None
    provenance: NightProvenance
