"""The result document of `tune compare`: what changed between two tunings, and how surely."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reports.document import Interval

ChangeVerdict = Literal["slower", "faster", "dearer", "cheaper", "same", "cannot be told"]
CompareVerdict = Literal["pass", "fail", "inconclusive"]
Role = Literal["in use", "recommended"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Change(_Part):
    """What a quantity became, as a multiple of what it was: 1.1 is a tenth more."""

    ratio: float
    interval: Interval
    verdict: ChangeVerdict


class ComparedRun(_Part):
    """One of the two tunings."""

    run: str = Field(description="the run folder or result file, as it was given")
    run_id: str
    started_utc: str
    function: str
    arn: str
    verdict: str
    current_mb: int
    recommended_mb: int | None
    invocations: int


class Difference(_Part):
    """Something that differs between the two runs besides their durations."""

    what: str
    before: str
    after: str
    meaning: str = Field(description="what it means for the comparison; empty where it is plain")
    comparable: bool = Field(default=True, description="false: durations say nothing of a change")


class SizeChange(_Part):
    """One size that both runs measured; durations are typical warm ones."""

    memory_mb: int
    n_before: int
    n_after: int
    before_ms: float
    after_ms: float
    duration: Change
    cost: Change


class JudgedSize(_Part):
    """A size that the verdict goes by; its changes are null where it fails in one of the runs."""

    memory_mb: int
    roles: list[Role]
    measured: bool = Field(description="by both runs; else estimated from those that were")
    duration: Change | None
    cost: Change | None
    fails_before: str | None
    fails_after: str | None


class ChoiceChange(_Part):
    """The recommendations of the two runs.

    `changed`: each run shows the other's choice to be worse. `surer`: only the later one does.
    """

    before_mb: int
    after_mb: int
    objective_before: str
    objective_after: str
    verdict: Literal["same", "changed", "surer", "cannot be told", "not compared"]
    old_cost: Change | None = Field(
        description="what the earlier choice costs now, against the later one"
    )
    old_duration: Change | None


class CallFailures(_Part):
    """Failed and lost calls at sizes that work in both runs, and sizes that began or ceased to."""

    before_failed: int
    before_calls: int
    after_failed: int
    after_calls: int
    verdict: Literal["more", "fewer", "cannot be told"]
    newly_failing: dict[int, str]
    no_longer_failing: list[int]


class StartChange(_Part):
    """INIT (or restore) of cold calls, by the sizes that both runs saw one of."""

    sizes: int
    before_ms: float
    after_ms: float
    start: Change | None = Field(description="None where fewer than three sizes have both")


class CompareDocument(_Part):
    """Two tunings compared, complete."""

    schema_version: Literal[1] = 1
    kind: Literal["tune-compare"] = "tune-compare"
    verdict: CompareVerdict
    exit_code: int
    errors: list[str]
    notes: list[str]
    tolerance_share: float
    before: ComparedRun
    after: ComparedRun
    differences: list[Difference]
    duration: Change | None = Field(description="the mean over all sizes that both runs measured")
    cost: Change | None
    sizes: list[SizeChange]
    judged: list[JudgedSize]
    choice: ChoiceChange | None
    failures: CallFailures
    starts: StartChange | None
