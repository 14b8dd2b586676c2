"""What a nightly plan can say. Durations are in seconds and shares between 0 and 1, as read.

Keys of a plan's file are the names here, except where a field has another: `time_limit: 30m` is
`time_limit_s`, `load: orders.yaml` is the `profile` of a step. What has to fit together across
fields is in `reports/nightly/plan_checks.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from core.errors import InputError
from core.located_model import expected
from core.located_yaml import Unreadable, read_document
from core.quantities import (
    Count,
    DurationS,
    Flag,
    Name,
    Number,
    Share,
    Text,
    Whole,
    one_as_list,
    scalar,
    told_apart,
)

Kind = Literal["load", "tune"]
Metric = Literal["p50", "p95", "p99", "duration", "cost", "curve"]

# A name of a plan is a folder of the history and a part of S3 keys.
PlanName = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
LongS = Annotated[DurationS, Field(gt=0)]
_LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._ -]+")


def setting_value(value: object) -> object:
    """A value as `--set PATH=VALUE` writes it, so that it is read as the same value again."""
    if isinstance(value, dict):
        raise expected("must be text, a number, true, false or a list")
    for each in value if isinstance(value, list) else [value]:
        scalar(each)
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        same = read_document(value).value == value
    except (Unreadable, InputError):
        same = False
    return value if same else _in_quotes(value)


def _in_quotes(text: str) -> str:
    """Text in quotes of YAML, which has no pairs of halves for what JSON writes so."""
    letters = (
        json.dumps(letter)[1:-1] if letter <= "\uffff" else f"\\U{ord(letter):08x}"
        for letter in text
    )
    return f'"{"".join(letters)}"'


def option_value(value: object) -> object:
    """A value of an option: of one that can be repeated, a list of texts."""
    if value is None or isinstance(value, dict):
        raise expected("must be text, a number, true, false or a list")
    if isinstance(value, list):
        return [f"{scalar(each)}" for each in value]
    return scalar(value)


def _one_or_list(item: JsonDict) -> WithJsonSchema:
    """The schema of what stands alone or in a list."""
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


_SCALAR: JsonDict = {"type": ["string", "number", "boolean"]}
SettingValue = Annotated[
    str,
    BeforeValidator(setting_value),
    _one_or_list({"type": ["string", "number", "boolean", "null"]}),
]
OptionValue = Annotated[
    str | bool | int | float | list[str], BeforeValidator(option_value), _one_or_list(_SCALAR)
]
Metrics = Annotated[
    tuple[Metric, ...],
    Field(min_length=1),
    BeforeValidator(one_as_list),
    _one_or_list({"type": "string", "enum": [*get_args(Metric)]}),
]
Budgets = Annotated[
    tuple[Text, ...], BeforeValidator(one_as_list), _one_or_list({"type": "string"})
]
Sizes = Annotated[
    tuple[Annotated[Whole, Field(ge=128, le=10_240)], ...],
    BeforeValidator(one_as_list),
    _one_or_list({"type": "integer", "minimum": 128, "maximum": 10_240}),
]


class _Part(BaseModel):
    """By name as well, because other modules build plans; files have only what is an alias here."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Floors(_Part):
    """Changes below these do not matter, however sure they are."""

    p50: Share = 0.05
    p95: Share = 0.07
    p99: Share = 0.10
    duration: Share = 0.05
    cost: Share = 0.03
    curve: Share = 0.03


class Confirm(_Part):
    """How a suspected change is confirmed before the night fails.

    `by: rerun`: in A/B blocks against the step's baseline where it has one, else by plain reruns
    of the step; `next_night`: nothing more is sent, and the next night decides.
    """

    by: Literal["rerun", "next_night"] = "rerun"
    reruns: Annotated[Whole, Field(ge=1, le=10)] = 2
    pairs: Annotated[Whole, Field(ge=4, le=40)] = 8
    time_limit_s: LongS = Field(default=3600.0, validation_alias="time_limit")


class Gates(_Part):
    """The relative gate."""

    metrics: Metrics = ("p50", "p95", "p99", "duration", "cost", "curve")
    window: Annotated[Whole, Field(ge=10, le=400)] = 28
    min_nights: Annotated[Whole, Field(ge=4, le=100)] = 10
    family_error: Annotated[Share, Field(gt=0, le=0.5)] = 0.05
    floors: Floors = Floors()
    regret: Share = Field(default=0.05, description="of the configured size of a tuned function")
    confirm: Confirm = Confirm()
    inconclusive: Literal["fail", "pass"] = "fail"


class Baseline(_Part):
    """Where the version stands that a suspected change is compared with at once, in turns."""

    env: Text | None = None
    set: dict[str, SettingValue] = {}
    function: Text | None = Field(default=None, description="of a tuning: NAME:ALIAS")


class _Step(_Part):
    name: Name = Field(description="By default `load PROFILE` or `tune FUNCTION`.")
    time_limit_s: LongS = Field(default=3600.0, validation_alias="time_limit")
    budgets: Budgets = Field(
        default=(), description="`GET /search: p95 < 300ms`, `usd_per_million < 5`, `regret < 10%`"
    )
    floors: Floors | None = None
    metrics: Metrics | None = None
    baseline: Baseline | None = None
    options: dict[str, OptionValue] = Field(
        default={}, description="further options of the command, without their dashes"
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """A step without a name is called by what it runs."""
        if isinstance(value, dict) and value.get("name") is None:
            name = default_name(value)
            return {**value, "name": name} if name is not None else value
        return value


class TuneStep(_Step):
    """`tune FUNCTION` with these options."""

    kind: SkipJsonSchema[Literal["tune"]] = "tune"
    function: Text = Field(validation_alias="tune", description="name, ARN, or NAME:ALIAS")
    payload: Text | None = None
    sizes: Sizes = ()
    samples: Count | None = None
    template: Text | None = Field(
        default=None, description="file with the function's MemorySize, for annotations"
    )
    resource: Text | None = Field(
        default=None, description="the function's logical id in the template"
    )


class LoadStep(_Step):
    """`loadgen run PROFILE` with these options."""

    kind: SkipJsonSchema[Literal["load"]] = "load"
    profile: Text = Field(validation_alias="load", description="the profile, a YAML file")
    env: Text | None = None
    set: dict[str, SettingValue] = {}


class Retention(_Part):
    """What is kept; None keeps all. Pinned nights of baselines are never pruned."""

    runs_days: Count | None = 30
    history_days: Count | None = None


class Webhook(_Part):
    """Where a change of state is told. The URL is a secret: it is in no document or log."""

    kind: Literal["webhook", "slack"]
    url: Text


class Outputs(_Part):
    """Files besides those in the night's folder; paths are relative to the plan's file."""

    html: Text | None = None
    junit: Text | None = None
    md: Text | None = None
    json_: Text | None = Field(default=None, alias="json")
    badge: Text | None = None


def kind_of(value: object) -> Kind | None:
    """Which step a mapping of the file, or a step itself, is; None: it does not say."""
    if isinstance(value, TuneStep | LoadStep):
        return value.kind
    if not isinstance(value, Mapping):
        return None
    said = value.get("kind")
    if "tune" in value or "function" in value or said == "tune":
        return "tune"
    return "load" if "load" in value or "profile" in value or said == "load" else None


def default_name(step: Mapping[str, object]) -> str | None:
    """What a step is called that has no name: `load orders`, `tune thumbnail`."""
    kind = kind_of(step)
    what = step.get("load", step.get("profile")) if kind == "load" else None
    what = step.get("tune", step.get("function")) if kind == "tune" else what
    if kind is None:
        return None
    if not isinstance(what, str):
        return f"{kind} step"  # what is wrong with it is told without a word on its name
    short = re.sub(r"^arn:[^:]*:lambda:[^:]*:[^:]*:function:", "", what)
    if kind == "load":
        short = re.sub(r"\.ya?ml$", "", what.rpartition("/")[2])
    name = _NOT_IN_NAMES.sub("-", short).strip("-") or "step"
    return f"{kind} {name}"[:_LONGEST_NAME]


Step = Annotated[
    Annotated[TuneStep, Tag("tune")] | Annotated[LoadStep, Tag("load")],
    told_apart("must have load: PROFILE or tune: FUNCTION", by=kind_of),
]


class NightlyPlan(_Part):
    """A list of steps, where their history is, and how they are judged and told."""

    version: Literal[1] = 1
    name: PlanName
    description: Text = ""
    history: Text = Field(
        default="", description="folder relative to the plan's file, or s3://BUCKET/PREFIX"
    )
    branch: Text | None = Field(default=None, description="None: the one that is checked out")
    region: Text | None = None
    profile: Text | None = Field(default=None, description="AWS profile")
    sandbox: Flag = Field(default=False, description="each step runs with --sandbox")
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=100)]
    gates: Gates = Gates()
    every_s: LongS = Field(
        default=86_400.0,
        validation_alias="every",
        description="how far apart nights are meant to be",
    )
    retention: Retention = Retention()
    notify: tuple[Webhook, ...] = ()
    report_url: Text | None = Field(default=None, description="where messages link to")
    outputs: Outputs = Outputs()
    max_usd: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="no further step or rerun begins above it"
    )
    environments: dict[str, dict[str, JsonValue]] = Field(
        default={}, description="laid over the plan by --env"
    )

    def metrics_of(self, step: TuneStep | LoadStep) -> tuple[Metric, ...]:
        """Which figures of a step are compared with those of earlier nights."""
        return step.metrics if step.metrics is not None else self.gates.metrics

    def floor_of(self, step: TuneStep | LoadStep, metric: str) -> float:
        """The least change of a metric of a step that matters, as a share."""
        floors = step.floors if step.floors is not None else self.gates.floors
        return float(getattr(floors, metric, 0.0))
