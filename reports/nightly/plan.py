"""What a nightly plan can say. Durations are in seconds and shares between 0 and 1, as read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Metric = Literal["p50", "p95", "p99", "duration", "cost", "curve"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Floors(_Part):
    """Changes below these do not matter, however sure they are."""

    p50: float = 0.05
    p95: float = 0.07
    p99: float = 0.10
    duration: float = 0.05
    cost: float = 0.03
    curve: float = 0.03


class Confirm(_Part):
    """How a suspected change is confirmed before the night fails.

    `by: rerun`: in A/B blocks against the step's baseline where it has one, else by plain reruns
    of the step; `next_night`: nothing more is sent, and the next night decides.
    """

    by: Literal["rerun", "next_night"] = "rerun"
    reruns: Annotated[int, Field(ge=1, le=10)] = 2
    pairs: Annotated[int, Field(ge=4, le=40)] = 8
    time_limit_s: float = 3600.0


class Gates(_Part):
    """The relative gate."""

    metrics: tuple[Metric, ...] = ("p50", "p95", "p99", "duration", "cost", "curve")
    window: Annotated[int, Field(ge=10, le=400)] = 28
    min_nights: Annotated[int, Field(ge=4, le=100)] = 10
    family_error: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    floors: Floors = Floors()
    regret: float = Field(default=0.05, description="of the configured size of a tuned function")
    confirm: Confirm = Confirm()
    inconclusive: Literal["fail", "pass"] = "fail"


class Baseline(_Part):
    """Where the version stands that a suspected change is compared with at once, in turns."""

    env: str | None = None
    set: dict[str, str] = {}
    function: str | None = Field(default=None, description="of a tuning: NAME:ALIAS")


class _Step(_Part):
    name: str
    time_limit_s: float = 3600.0
    budgets: tuple[str, ...] = Field(
        default=(), description="`GET /search: p95 < 300ms`, `usd_per_million < 5`, `regret < 10%`"
    )
    floors: Floors | None = None
    metrics: tuple[Metric, ...] | None = None
    baseline: Baseline | None = None
    options: dict[str, str | bool | int | float | list[str]] = Field(
        default={}, description="further options of the command, without their dashes"
    )


class TuneStep(_Step):
    """`tune FUNCTION` with these options."""

    kind: Literal["tune"] = "tune"
    function: str
    payload: str | None = None
    sizes: tuple[int, ...] = ()
    samples: int | None = None
    template: str | None = Field(
        default=None, description="file with the function's MemorySize, for annotations"
    )
    resource: str | None = Field(
        default=None, description="the function's logical id in the template"
    )


class LoadStep(_Step):
    """`loadgen run PROFILE` with these options."""

    kind: Literal["load"] = "load"
    profile: str
    env: str | None = None
    set: dict[str, str] = {}


class Retention(_Part):
    """What is kept; None keeps all. Pinned nights of baselines are never pruned."""

    runs_days: int | None = 30
    history_days: int | None = None


class Webhook(_Part):
    """Where a change of state is told. The URL is a secret: it is in no document or log."""

    kind: Literal["webhook", "slack"]
    url: str


class Outputs(_Part):
    """Files besides those in the night's folder; paths are relative to the plan's file."""

    html: str | None = None
    junit: str | None = None
    md: str | None = None
    json_: str | None = Field(default=None, alias="json")
    badge: str | None = None


class NightlyPlan(_Part):
    """A list of steps, where their history is, and how they are judged and told."""

    version: Literal[1] = 1
    name: str
    description: str = ""
    history: str = Field(
        default="", description="folder relative to the plan's file, or s3://BUCKET/PREFIX"
    )
    branch: str | None = Field(default=None, description="None: the one that is checked out")
    region: str | None = None
    profile: str | None = Field(default=None, description="AWS profile")
    sandbox: bool = Field(default=False, description="each step runs with --sandbox")
    steps: tuple[Annotated[TuneStep | LoadStep, Field(discriminator="kind")], ...]
    gates: Gates = Gates()
    every_s: float = Field(default=86_400.0, description="how far apart nights are meant to be")
    retention: Retention = Retention()
    notify: tuple[Webhook, ...] = ()
    report_url: str | None = Field(default=None, description="where messages link to")
    outputs: Outputs = Outputs()
    max_usd: float | None = Field(
        default=None, description="no further step or rerun begins above it"
    )
