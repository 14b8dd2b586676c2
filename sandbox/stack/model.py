"""What a stack file may say, as types. Names follow AWS's words, with the unit in the name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    model_validator,
)

from sandbox.execution.model import MODEL_VARIABLE, Model
from sandbox.faults import FaultSpec
from sandbox.stack.fields import (
    AccessLog,
    ApiName,
    BundledRef,
    CacheKey,
    EnforcementField,
    Flag,
    FunctionRef,
    KeyValue,
    Method,
    Name,
    Number,
    RestApiRef,
    RoutePath,
    Seconds,
    Status,
    Text,
    Url,
    Variables,
    Whole,
    did_you_mean,
    names_of,
    path_variables,
    problem,
    route_path,
)

DEFAULT_STAGE = "$default"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Throttle(_Strict):
    """A token bucket: `burst` requests at once, then `rate_rps` a second."""

    rate_rps: Annotated[Number, Field(ge=0, le=1_000_000)]
    burst: Annotated[Whole, Field(ge=0, le=1_000_000)]


class Account(_Strict):
    """What holds for the whole account; only a start of the sandbox can set it."""

    concurrency: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    throttle: Throttle | None = None


class Function(_Strict):
    """A Lambda function: code in a folder, one of the sandbox's own, or a model."""

    folder: Text | None = None
    bundled: BundledRef | None = None
    model: Model | None = None
    description: Text | None = None
    memory_mb: Annotated[Whole, Field(ge=128, le=10_240)] | None = None
    timeout_s: Annotated[Whole, Field(ge=1, le=900)] | None = None
    reserved_concurrency: Annotated[Whole, Field(ge=0, le=1_000_000)] | None = None
    environment: dict[str, Text] = {}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        _exactly_one(self, ("folder", "bundled", "model"))
        if MODEL_VARIABLE in self.environment:
            raise problem("write it as the function's model", "environment", MODEL_VARIABLE)
        return self


class Mock(_Strict):
    """An answer that API Gateway gives itself; a mapping or list as body becomes JSON."""

    status: Status = 200
    body: JsonValue = None
    headers: dict[str, Text] = {}


class RouteCache(_Strict):
    """How long a route's answers are cached, and what tells them apart."""

    ttl_s: Seconds
    keys: tuple[CacheKey, ...] = ()


class _Route(_Strict):
    path: RoutePath
    method: Method
    function: FunctionRef | None = None
    http: Url | None = None
    throttle: Throttle | None = None
    auth: Literal["none", "iam"] = "none"
    detailed_metrics: Flag | None = None

    @property
    def key(self) -> str:
        """The route as the data plane names it: `GET /orders/{id}`."""
        return f"{self.method} {self.path}"

    def _check_url(self) -> None:
        unknown = set(path_variables(self.http or "")) - set(path_variables(self.path))
        if unknown:
            raise problem(f"there is no {{{min(unknown)}}} in the path {self.path}", "http")


class RestRoute(_Route):
    """A method of a REST API."""

    mock: Mock | None = None
    api_key_required: Flag = False
    timeout_ms: Annotated[Whole, Field(ge=50, le=300_000)] | None = None
    cache: RouteCache | None = None

    @model_validator(mode="after")
    def _one_integration(self) -> Self:
        _exactly_one(self, ("function", "http", "mock"))
        self._check_url()
        if self.mock is not None and self.timeout_ms is not None:
            raise problem("a mock has no timeout", "timeout_ms")
        return self


class HttpRoute(_Route):
    """A route of an HTTP API; the path `$default` takes what no other route does."""

    path: Annotated[Text, AfterValidator(lambda path: _http_path(path))]
    method: Method = "ANY"
    timeout_ms: Annotated[Whole, Field(ge=50, le=30_000)] | None = None
    payload_format: Literal["1.0", "2.0"] = "2.0"

    @property
    def key(self) -> str:
        """The route key: `GET /orders/{id}` or `$default`."""
        return self.path if self.path == DEFAULT_STAGE else f"{self.method} {self.path}"

    @model_validator(mode="after")
    def _one_integration(self) -> Self:
        _exactly_one(self, ("function", "http"))
        self._check_url()
        return self


def _http_path(path: str) -> str:
    return path if path == DEFAULT_STAGE else route_path(path)


class GatewayResponse(_Strict):
    """How API Gateway words an answer of its own, such as THROTTLED."""

    status: Status | None = None
    headers: dict[str, Text] = {}
    body: JsonValue = None


class Cache(_Strict):
    """The cache of a stage, and how long it keeps answers to GET."""

    # "Amazon API Gateway quotas" and the CacheClusterSize of the API's model.
    size_gb: Literal["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"] = "0.5"
    ttl_s: Seconds = 300


class _Api(_Strict):
    description: Text = ""
    throttle: Throttle | None = None
    access_log: AccessLog = True
    detailed_metrics: Flag = False
    variables: Variables = {}


class RestApi(_Api):
    """A REST API with one stage."""

    kind: Literal["rest"]
    stage: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]{1,128}$")] = "prod"
    routes: Annotated[tuple[RestRoute, ...], Field(min_length=1)]
    gateway_responses: dict[str, GatewayResponse] = {}
    cache: Cache | None = None
    execution_log: Literal["off", "error", "info"] = "off"
    binary_media_types: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _routes_fit(self) -> Self:
        _check_unique(self.routes)
        _check_siblings(self.routes)
        for number, route in enumerate(self.routes):
            if route.cache is not None and self.cache is None:
                raise problem("the API has no cache: add cache to it", "routes", number, "cache")
        return self


class HttpApi(_Api):
    """An HTTP API with one stage."""

    kind: Literal["http"]
    stage: Annotated[str, Field(strict=True, pattern=r"^(\$default|[A-Za-z0-9_-]{1,128})$")] = (
        DEFAULT_STAGE
    )
    routes: Annotated[tuple[HttpRoute, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _routes_fit(self) -> Self:
        _check_unique(self.routes)
        return self


Api = Annotated[RestApi | HttpApi, Field(discriminator="kind")]


class Quota(_Strict):
    """So many requests of each key in a calendar period (UTC)."""

    limit: Annotated[Whole, Field(ge=1, le=2_147_483_647)]
    period: Literal["day", "week", "month"]


class UsagePlan(_Strict):
    """Limits for each API key of the plan."""

    description: Text = ""
    apis: Annotated[tuple[RestApiRef, ...], Field(min_length=1)]
    throttle: Throttle | None = None
    quota: Quota | None = None
    method_throttles: dict[RestApiRef, dict[str, Throttle]] = {}
    keys: dict[ApiName, KeyValue] = {}

    @model_validator(mode="after")
    def _methods_exist(self, info: ValidationInfo) -> Self:
        for api, throttles in self.method_throttles.items():
            if api not in self.apis:
                raise problem("the API is not among the plan's apis", "method_throttles", api)
            known = names_of(info).routes.get(api, frozenset())
            for key in throttles:
                if key not in known:
                    raise problem(
                        f"there is no route '{key}'{did_you_mean(key, known)}",
                        "method_throttles",
                        api,
                        key,
                    )
        return self


class Stack(_Strict):
    """A whole file."""

    name: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    account: Account = Account()
    functions: dict[Name, Function] = {}
    apis: dict[ApiName, Api] = {}
    usage_plans: dict[ApiName, UsagePlan] = {}
    enforcement: EnforcementField | None = None
    faults: tuple[Annotated[FaultSpec, Field(discriminator="kind")], ...] = ()

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        _check_key_values(self.usage_plans)
        _check_key_stages(self.usage_plans)
        return self


def _check_key_values(plans: Mapping[str, UsagePlan]) -> None:
    """A key has one value, and a value is of one key."""
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for plan_name, plan in plans.items():
        for key, value in plan.keys.items():
            where = ("usage_plans", plan_name, "keys", key)
            if values.setdefault(key, value) != value:
                raise problem("the key has another value in another plan", *where)
            if names.setdefault(value, key) != key:
                raise problem(f"the key {names[value]} has this value already", *where)


def _check_key_stages(plans: Mapping[str, UsagePlan]) -> None:
    """For one stage, a key is in one plan only (developer guide, usage plans)."""
    owners: dict[tuple[str, str], str] = {}
    for name, plan in plans.items():
        for key in plan.keys:
            for api in plan.apis:
                other = owners.setdefault((key, api), name)
                if other != name:
                    raise problem(
                        f"the key is in the plan {other}, which has the API {api} as well",
                        *("usage_plans", name, "keys", key),
                    )


def _exactly_one(model: BaseModel, names: tuple[str, ...]) -> None:
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) == 1:
        return
    listed = f"{', '.join(names[:-1])} or {names[-1]}"
    got = " and ".join(given) if given else "none of them"
    raise problem(f"must have exactly one of {listed} (got {got})")


def _check_unique(routes: tuple[RestRoute, ...] | tuple[HttpRoute, ...]) -> None:
    seen: dict[str, int] = {}
    for number, route in enumerate(routes):
        first = seen.setdefault(route.key, number)
        if first != number:
            raise problem(f"{route.key} is routes[{first}] already", "routes", number)


def _check_siblings(routes: tuple[RestRoute, ...]) -> None:
    """REST APIs have at most one variable among the resources below one parent."""
    variables: dict[str, str] = {}
    for number, route in enumerate(routes):
        parts = route.path.split("/")
        for length, part in enumerate(parts):
            parent = "/".join(parts[:length])
            if part.startswith("{") and variables.setdefault(parent, part) != part:
                raise problem(
                    f"below {parent or '/'} there is {variables[parent]} already: a REST API takes "
                    f"one variable there (got {part})",
                    *("routes", number, "path"),
                )
