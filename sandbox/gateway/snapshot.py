"""What the data plane knows of all APIs: compiled from the control planes, never changed.

Each change of a control plane makes a new `Snapshot`, which takes the place of the old one between
two requests. What must outlive that (token buckets, quota counters, metrics, caches) is kept
elsewhere by the keys that are given here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.lambda_api.names import FunctionReference

ApiKind = Literal["REST", "HTTP"]
PayloadFormat = Literal["1.0", "2.0"]

# (API id, stage name)
StageKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limit:
    """A throttle: a bucket of `burst` tokens, refilled with `rate_rps` a second."""

    rate_rps: float
    burst: float


@dataclass(frozen=True, slots=True)
class Template:
    """Text with the expressions that the sandbox replaces, such as `$context.requestId`."""

    text: str


# Integrations


@dataclass(frozen=True, slots=True)
class LambdaIntegration:
    """A Lambda proxy integration."""

    function: FunctionReference
    payload_format: PayloadFormat
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class HttpIntegration:
    """An HTTP proxy integration.

    `url` may have `{name}` for path parameters (which `path_parameters` may rename: name in the
    URL to name in the route) and `${stageVariables.name}`. `method` ANY passes the client's on.
    """

    url: str
    method: str
    timeout_ms: int
    path_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MockResponse:
    """One integration response of a mock; `selection_pattern` None is the default one."""

    status: int
    selection_pattern: str | None
    headers: Mapping[str, str] = field(default_factory=dict)  # literals only
    templates: Mapping[str, Template] = field(default_factory=dict)  # by content type


@dataclass(frozen=True, slots=True)
class MockIntegration:
    """A mock integration: the request template gives `statusCode`, which selects a response."""

    request_templates: Mapping[str, Template]
    passthrough: Literal["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"]
    responses: tuple[MockResponse, ...]


Integration = LambdaIntegration | HttpIntegration | MockIntegration


# Authorization


@dataclass(frozen=True, slots=True)
class LambdaAuthorizer:
    """A Lambda authorizer.

    `identity_sources` are expressions as the API gave them (`method.request.header.Authorization`,
    `$request.header.Authorization`, ...). A TOKEN authorizer has exactly one.
    """

    id: str
    name: str
    kind: Literal["TOKEN", "REQUEST"]
    function: FunctionReference
    identity_sources: tuple[str, ...]
    result_ttl_s: int
    identity_validation: str | None = None  # regular expression of a TOKEN authorizer
    payload_format: PayloadFormat = "1.0"
    simple_responses: bool = False


@dataclass(frozen=True, slots=True)
class JwtAuthorizer:
    """A JWT authorizer of an HTTP API, or a Cognito user pool of a REST API."""

    id: str
    name: str
    identity_sources: tuple[str, ...]
    issuer: str
    audiences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IamAuthorization:
    """The request has to be signed with SigV4 for execute-api."""


Authorization = LambdaAuthorizer | JwtAuthorizer | IamAuthorization


# Routes and stages


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a REST API or a route of an HTTP API.

    `key` names it in limits and metrics: "GET /orders/{id}", and "$default" for the route of an
    HTTP API that takes what no other does. `method` ANY takes all methods.
    """

    key: str
    method: str
    path: str
    resource_id: str
    integration: Integration | None
    authorization: Authorization | None = None
    scopes: tuple[str, ...] = ()
    api_key_required: bool = False


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Where access logs go, and their format with `$context` variables."""

    log_group: str
    format: str


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A customised gateway response; `status` None keeps the one of the type.

    Header values are templates or quoted literals as `gatewayresponse.header.X` parameters are:
    here without the quotes. `templates` are by content type.
    """

    status: int | None
    headers: Mapping[str, Template] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How the answers of a method are cached; `key_parameters` are `method.request.*` names."""

    ttl_s: int
    key_parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MethodSettings:
    """What a stage says of one method or route."""

    limit: Limit | None = None
    detailed_metrics: bool = False
    cache: CachePolicy | None = None
    logging_level: Literal["OFF", "ERROR", "INFO"] = "OFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One deployed stage of one API, complete.

    `default` is for routes that `overrides` (by route key) do not name. Its limit is one bucket
    for all of them; an override with a limit is a bucket of its own. `canary` takes `canary_share`
    (0 to 1) of the requests; it has the same name, so that limits and metrics are shared.
    """

    kind: ApiKind
    api_id: str
    api_name: str
    name: str
    routes: tuple[Route, ...]
    default: MethodSettings = MethodSettings()
    overrides: Mapping[str, MethodSettings] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    access_log: AccessLog | None = None
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    api_key_source: Literal["HEADER", "AUTHORIZER"] = "HEADER"
    resource_policy: Mapping[str, Any] | None = None
    endpoint_disabled: bool = False
    binary_media_types: tuple[str, ...] = ()
    cors: Mapping[str, Any] | None = None  # CorsConfiguration of an HTTP API
    detailed_metrics: bool = False  # HTTP APIs: DefaultRouteSettings.DetailedMetricsEnabled
    tracing: bool = False
    deployment_id: str = ""
    canary: Stage | None = None
    canary_share: float = 0.0
    is_canary: bool = False

    @property
    def key(self) -> StageKey:
        """What names the stage."""
        return self.api_id, self.name


# Usage plans


Period = Literal["DAY", "WEEK", "MONTH"]


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` requests in a period, less `offset` in the first one."""

    limit: int
    period: Period
    offset: int = 0


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """A usage plan; `stages` has, for each stage in it, the limits of single methods.

    Those limits are by "path/METHOD" as `apiStages[].throttle` writes it, for example
    "/orders/{id}/GET".
    """

    id: str
    name: str
    limit: Limit | None
    quota: Quota | None
    stages: Mapping[StageKey, Mapping[str, Limit]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key with the ids of its usage plans."""

    id: str
    name: str
    value: str
    enabled: bool
    plan_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything: REST and HTTP stages, keys by value, plans by id, the account's throttle."""

    stages: Mapping[StageKey, Stage] = field(default_factory=dict)
    keys: Mapping[str, ApiKey] = field(default_factory=dict)
    plans: Mapping[str, UsagePlan] = field(default_factory=dict)
    account_limit: Limit = Limit(10_000.0, 5_000.0)
