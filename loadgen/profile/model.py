"""What a profile says, typed and frozen; names carry units where the YAML value carries its own.

Attributes whose YAML key has another name have it as their alias: `duration: 30s` is `duration_s`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, Tag

from core.quantities import (
    LIST,
    MAPPING,
    SINGLE,
    Count,
    DurationS,
    Flag,
    Name,
    Number,
    OneScalar,
    Scalars,
    Share,
    Text,
    Whole,
    shape,
    told_apart,
)
from loadgen.profile.fields import (
    Rate,
    RateText,
    Statuses,
    Tokens,
    Users,
    pair,
)

Json = JsonValue
Scalar = OneScalar


class Part(BaseModel):
    """A part of a profile."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


# -- where to ---------------------------------------------------------------------------------


class ApiTarget(Part):
    """A stage of an API Gateway API, by id or by name."""

    id: Text | None = None
    name: Text | None = None
    kind: Literal["rest", "http"] | None = None  # None: whichever has the id or name
    stage: Text | None = None  # None: the only stage, or $default of an HTTP API
    region: Text | None = None  # None: aws.region, or that of the AWS settings


class Target(Part):
    """Exactly one of these."""

    url: Text | None = None  # base URL; paths of steps are appended
    api: ApiTarget | None = None
    function_url: Text | None = None  # the name, ARN or NAME:ALIAS of a function


class SandboxUse(Part):
    """What `--sandbox` starts."""

    stack: Text = "orders"  # a bundled stack, or a stack file relative to the profile


class Aws(Part):
    """Reading what is configured before a run, and logs and metrics after it."""

    region: Text | None = None
    profile: Text | None = None
    discover: Flag = True  # limits in force: stages, usage plans, reserved concurrency
    access_logs: Flag = True  # look refused requests up in the access log of the stage
    metrics: Flag = True  # of the stage and of the functions behind the routes
    logs: Flag = False  # look every request up: access log, REPORT lines, X-Ray
    settle_s: DurationS = Field(default=180.0, alias="settle")  # how long to wait for logs, metrics


# -- who ----------------------------------------------------------------------------------------


class NoAuth(Part):
    """Requests go out as they are."""

    type: Literal["none"]


class ApiKeyAuth(Part):
    """`x-api-key`; write `value: ${env.NAME}` rather than the key."""

    type: Literal["api_key"]
    value: Text
    header: Text = "x-api-key"


class BearerAuth(Part):
    """A token from exactly one of: value, file (read again), command (run again; prints it)."""

    type: Literal["bearer"]
    value: Text | None = None
    file: Text | None = None
    command: tuple[Text, ...] | None = None  # argument list, no shell
    refresh_s: DurationS | None = Field(default=None, alias="refresh")  # None: by the token's exp
    header: Text = "Authorization"
    prefix: Text = "Bearer "


class SigV4Auth(Part):
    """IAM: requests are signed by botocore, with the credentials of the AWS settings."""

    type: Literal["sigv4"]
    service: Text = "execute-api"  # lambda for function URLs
    region: Text | None = None
    profile: Text | None = None


class CognitoAuth(Part):
    """A login at a Cognito user pool (USER_PASSWORD_AUTH), refreshed before it ends."""

    type: Literal["cognito"]
    client_id: Text
    username: Text
    password: Text
    client_secret: Text | None = None
    region: Text | None = None
    token: Literal["id", "access"] = "id"  # noqa: S105 # which token, no token
    header: Text = "Authorization"
    prefix: Text = "Bearer "


Auth = Annotated[
    NoAuth | ApiKeyAuth | BearerAuth | SigV4Auth | CognitoAuth, Field(discriminator="type")
]


# -- how ----------------------------------------------------------------------------------------


class Timeouts(Part):
    """`total` counts from the start of the request, connecting included."""

    connect_s: DurationS = Field(default=5.0, alias="connect")
    total_s: DurationS = Field(default=35.0, alias="total")


class Http(Part):
    """How requests travel. Redirects are not followed, nothing is sent twice."""

    timeout: Timeouts = Timeouts()
    connections: Literal["reuse", "per_request"] = "reuse"
    max_connections: Count = 1000  # of the whole run
    verify: Flag = True
    ca_file: Text | None = None
    cookies: Flag = False  # one jar for each run of a scenario
    headers: dict[str, Text] = {}
    keep_body_bytes: Count = 1_000_000  # what of a body checks and captures can see


class Feed(Part):
    """Rows of a CSV (with a header) or JSON lines file: `${data.NAME.COLUMN}`, one row a flow."""

    file: Text
    order: Literal["sequence", "random", "unique"] = "sequence"  # unique: each row at most once
    on_end: Literal["recycle", "stop"] | None = None  # None: recycle; unique always stops


class RetryModel(Part):
    """A modelled client that retries; the defaults are those of botocore 1.44."""

    mode: Literal["none", "standard", "adaptive"] = "standard"
    max_attempts: Annotated[Whole, Field(ge=1, le=100)] = 3  # the first one included
    base_s: DurationS = Field(default=0.05, alias="base")  # of the backoff, doubled each time
    throttle_base_s: DurationS = Field(default=1.0, alias="throttle_base")  # after a throttle
    cap_s: DurationS = Field(default=20.0, alias="cap")  # the longest backoff
    jitter: Literal["full", "none"] = "full"  # full: evenly between 0 and the backoff
    quota: Tokens = 500  # none: as many retries as attempts allow
    retry_cost: Annotated[Whole, Field(ge=0)] = 14  # tokens
    throttle_cost: Annotated[Whole, Field(ge=0)] = 5  # tokens of a retry after a throttle
    retry_after: Literal["aws", "any", "none"] = "aws"  # aws: x-amz-retry-after only
    statuses: Statuses = (500, 502, 503, 504)  # retried, as broken connections are
    throttle_statuses: Statuses = (429,)  # retried as throttles
    clients: Count | None = None  # of the whole run; None: one for each injector


RetryMode = Literal["none", "standard", "adaptive"]
Retry = Annotated[
    Annotated[RetryMode, Tag(SINGLE)] | Annotated[RetryModel, Tag(MAPPING)],
    told_apart("must be none, standard, adaptive, or a mapping such as {mode: standard}"),
]


# -- what ---------------------------------------------------------------------------------------


class BodyCheck(Part):
    """What the body of a response must have, as text."""

    contains: Text | None = None
    matches: Text | None = None  # a regular expression, searched


class Checks(Part):
    """A response that fails one of these is `check_failed`, if it would have been ok."""

    status: Statuses | None = None  # or one number
    headers: dict[str, Text] = {}  # regular expression, searched in the value
    json_: dict[str, Json] = Field(default={}, alias="json")  # JMESPath (or $.path) to its value
    body: BodyCheck | None = None
    latency_s: DurationS | None = Field(default=None, alias="latency")  # at most; service time


class RangeBetween(Part):
    """Evenly between two durations."""

    between: Annotated[tuple[DurationS, DurationS], BeforeValidator(pair)]


class RangeExponential(Part):
    """Exponentially distributed around a mean."""

    exponential: DurationS


def _kind_of_think(value: object) -> str:
    exponential = isinstance(value, RangeExponential) or (
        isinstance(value, dict) and "exponential" in value
    )
    return "exponential" if exponential else shape(value)


Think = Annotated[
    Annotated[DurationS, Tag(SINGLE)]
    | Annotated[RangeBetween, Tag(MAPPING)]
    | Annotated[RangeExponential, Tag("exponential")],
    told_apart("must be a duration, {between: [1s, 3s]} or {exponential: 2s}", by=_kind_of_think),
]


class Step(Part):
    """One request: exactly one of the methods, whose value is the path; or a `think` alone."""

    get: Text | None = None
    post: Text | None = None
    put: Text | None = None
    patch: Text | None = None
    delete: Text | None = None
    head: Text | None = None
    options: Text | None = None
    think: Think | None = None

    name: Text | None = None  # None: METHOD and the path as written
    headers: dict[str, Text] = {}
    query: dict[str, Scalars] = {}
    json_: Json = Field(default=None, alias="json")  # sent as JSON; texts in it are templates
    body: Text | None = None
    body_file: Text | None = None  # sent as it is
    form: dict[str, Scalar] | None = None
    auth: Auth | None = None  # None: of the scenario
    timeout_s: DurationS | None = Field(default=None, alias="timeout")
    checks: Checks | None = None
    # variable: `json: PATH`, `header: NAME`, `body: REGEX` (first group), or `$.path`/`header.X`
    capture: dict[str, Text] = {}


class Scenario(Part):
    """A flow of steps. An arrival (open model) or an iteration of a user (closed) runs it once."""

    name: Name
    weight: Annotated[Number, Field(gt=0)] = 1.0
    stage: Text | None = None  # of the target's API; None: that of the target
    auth: Auth | None = None  # None: of the profile
    retry: Retry | None = None  # None: of the profile
    flow: Annotated[tuple[Step, ...], Field(min_length=1)]


class Locustfile(Part):
    """Users of an existing locustfile, in place of scenarios (closed model only)."""

    file: Text
    users: tuple[Text, ...] = ()  # class names; none: all


# -- how much -----------------------------------------------------------------------------------


class Steps(Part):
    """`count` levels of equal length from `from` to `to`."""

    from_: Rate = Field(alias="from")
    to: Rate
    count: Annotated[Whole, Field(ge=2, le=1000)]


RateOfPhase = Annotated[
    Annotated[Rate, Tag(SINGLE)]
    | Annotated[tuple[Rate, Rate], BeforeValidator(pair), Tag(LIST)]
    | Annotated[Steps, Tag(MAPPING)],
    told_apart("must be a number, [from, to] or {from, to, count}"),
]
UsersOfPhase = Annotated[
    Annotated[Users, Tag(SINGLE)]
    | Annotated[tuple[Users, Users], BeforeValidator(pair), Tag(LIST)],
    told_apart("must be a number or [from, to]"),
]


class Phase(Part):
    """A part of the schedule. Phases follow each other.

    Open model, exactly one of: `rate` (number: constant; [a, b]: ramp; {from, to, count}: steps)
    with `duration`; `burst` (arrivals at once, or within `within`); `pause`; or, as the last
    phase, `search` with `bounds` and `slo`.
    Closed model: `users` (number: constant; [a, b]: ramp) with `duration`; or `pause`.
    """

    name: Name
    duration_s: DurationS | None = Field(default=None, alias="duration")
    rate: RateOfPhase | None = None
    burst: Count | None = None
    within_s: DurationS | None = Field(default=None, alias="within")
    pause_s: DurationS | None = Field(default=None, alias="pause")
    users: UsersOfPhase | None = None
    scenarios: tuple[Text, ...] | None = None  # only these; None: all
    measure: Flag = True  # False: a warm-up, not in the totals
    search: Literal["max_rate"] | None = None  # the highest rate within bounds that holds slo
    bounds: Annotated[tuple[Rate, Rate], BeforeValidator(pair)] | None = None
    slo: tuple[Text, ...] = ()  # conditions as of thresholds: percentiles and shares
    step_s: DurationS = Field(default=10.0, alias="step")  # at one rate; longer where undecided
    confidence: Share = 0.95  # that the interval has the rate
    cool_down_s: DurationS = Field(default=5.0, alias="cool_down")  # between two rates
    resolution: Share = 0.02  # how near the rate that holds and the one that breaks may come


class Bursts(Part):
    """Arrivals in groups of `size` at once; the groups come as a Poisson process."""

    size: Count


Arrivals = Annotated[
    Annotated[Literal["poisson", "uniform"], Tag(SINGLE)] | Annotated[Bursts, Tag(MAPPING)],
    told_apart("must be poisson, uniform or {size: 20}"),
]


class Load(Part):
    """The model and its phases."""

    model: Literal["open", "closed"] = "open"
    unit: Literal["requests", "scenarios"] = "requests"  # what `rate` counts
    arrivals: Arrivals = "poisson"
    seed: Annotated[Whole, Field(ge=0, le=2**53 - 1)] | None = None  # None: drawn and recorded
    max_in_flight: Count = 1000  # of the whole run; arrivals beyond it are dropped and counted
    think: Think | None = None  # closed: between iterations
    drain_s: DurationS = Field(default=30.0, alias="drain")
    processes: Annotated[Whole, Field(ge=1, le=64)] = 1
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]


# -- what it means ------------------------------------------------------------------------------

OutcomeName = Literal[
    "ok", "throttled", "client_error", "server_error", "timeout", "connection_error", "check_failed"
]
CauseName = Literal[
    "throttle", "account", "stage", "method", "usage_plan", "usage_plan_method", "quota",
    "lambda_concurrency", "authorizer", "waf", "application", "unknown",
]  # fmt: skip


class When(Part):
    """All that is given must hold."""

    status: Statuses | None = None  # or one number
    headers: dict[str, Text] = {}  # regular expression, searched in the value
    body: Text | None = None  # regular expression, searched
    step: Text | None = None


class OutcomeRule(Part):
    """For APIs with responses of their own: the first rule that fits decides."""

    when: When
    outcome: OutcomeName
    cause: CauseName | None = None  # of throttled and errors


class Threshold(Part):
    """`that` must hold: over the whole run, or in each window of `window`."""

    that: Text  # `p95(response) < 300ms`, `rate(throttled) < 1%`
    step: Text | None = None
    phase: Text | None = None
    window_s: DurationS | None = Field(default=None, alias="window")
    after_s: DurationS = Field(default=0.0, alias="after")  # not before
    for_windows: Annotated[Whole, Field(ge=1)] = Field(default=1, alias="for")  # in a row
    abort: Flag = False  # end the run as soon as it does not hold


AnyThreshold = Annotated[
    Annotated[Text, Tag(SINGLE)] | Annotated[Threshold, Tag(MAPPING)],
    told_apart("must be a condition such as p95(response) < 300ms, or a mapping with that"),
]


class Validity(Part):
    """When the measurement itself cannot be trusted."""

    max_start_lag_s: DurationS = Field(default=0.010, alias="max_start_lag")  # p99
    max_dropped: Share = 0.001
    max_cpu: Share = 0.9  # of one core, by an injector, over any 5 seconds
    max_cut: Share = 0.01
    min_requests: Annotated[Whole, Field(ge=0)] = 1


class LimitsProbe(Part):
    """What `loadgen limits` sends: as which scenario, beside which others, and how much at most.

    `method`, `key` and `stage` name scenarios that differ from `scenario` in that alone.
    """

    scenario: Text | None = (
        None  # whose limit is looked for; None: the first that sends one request
    )
    method: Text | None = None  # None: chosen, if there is one
    key: Text | None = None
    stage: Text | None = None
    canary: Text | None = None  # on another stage, with another key; None: chosen
    max_admitted: Count = 20_000  # requests; refused ones cost nothing
    max_rate: Annotated[Rate, Field(gt=0)] = 2_000
    max_duration_s: DurationS = Field(default=300.0, alias="max_duration")
    account: Flag = False  # whether the bucket of the whole account may be drained


class Guards(Part):
    """What a run must not exceed; checked before, and while it goes on."""

    max_requests: Count = 1_000_000
    max_rate: Rate = 10_000
    max_cost_usd: Annotated[Number, Field(ge=0)] = 5.0
    max_quota_share: Share | None = None  # of the whole quota of a key; None: not watched
    hosts: tuple[Text, ...] = ()  # besides *.execute-api.*.amazonaws.com, function URLs, loopback


# -- what stands behind it -------------------------------------------------------------------


class Downstream(Part):
    """A limit of something that functions call: `rate`, `concurrency`, or both.

    Nothing is sent there. What happens beyond it is the business of the function.
    """

    name: Name
    rate: Annotated[RateText, Field(gt=0)] | None = None  # units a second; `500/s` too
    burst: Count | None = None  # None: what a second gives
    concurrency: Count | None = None  # at once
    per_request: Annotated[Number, Field(gt=0)] = 1.0  # units that a request uses
    steps: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None  # None: all


class Production(Part):
    """What the API gets besides the run, for the projection of quotas."""

    requests_per_day: Annotated[Number, Field(ge=0)]  # of all steps, mixed as scenarios are


class Output(Part):
    """What a run writes besides its result."""

    records: Flag = True  # one record a request, on disk


class Profile(Part):
    """A whole profile."""

    version: Literal[1]
    name: Name
    description: Text = ""
    target: Target
    sandbox: SandboxUse = SandboxUse()
    aws: Aws = Aws()
    auth: Auth = NoAuth(type="none")
    http: Http = Http()
    retry: Retry | None = None  # None: no client is modelled, each request stands for itself
    vars: dict[str, Scalar] = {}
    data: dict[str, Feed] = {}
    load: Load
    scenarios: tuple[Scenario, ...] = ()
    locustfile: Locustfile | None = None
    outcomes: tuple[OutcomeRule, ...] = ()
    thresholds: tuple[AnyThreshold, ...] = ()
    validity: Validity = Validity()
    guards: Guards = Guards()
    limits: LimitsProbe = LimitsProbe()
    durations: dict[str, DurationS] = {}  # of the function behind a step, by its name; the mean
    downstream: tuple[Downstream, ...] = ()
    production: Production | None = None
    output: Output = Output()
    # What differs by environment, merged over the rest by `--env NAME` before it is checked.
    environments: dict[str, dict[str, Json]] = {}
