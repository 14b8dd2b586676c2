"""What a stack file may say, as types. Names follow AWS's words, with the unit in the name."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from core.located_model import Mistake, problem, refuse
from sandbox.apigateway_api.context import DEFAULT_MAX_TIMEOUT_MS
from sandbox.apigateway_api.integration_rules import MIN_TIMEOUT_MS
from sandbox.execution.model import MODEL_VARIABLE, Model
from sandbox.faults import FaultSpec
from sandbox.stack.fields import (
    ApiName,
    BundledRef,
    CacheKey,
    EnforcementField,
    Flag,
    FunctionRef,
    Method,
    Name,
    Rate,
    RestApiRef,
    RoutePath,
    Seconds,
    Status,
    Text,
    Whole,
    names_of,
    path_variables,
    route_path,
)
from sandbox.stack.fitting import (
    misfits_of_cache_keys,
    misfits_of_http_routes,
    misfits_of_keys,
    misfits_of_method_throttles,
    misfits_of_rest_routes,
)
from sandbox.stack.function_fields import (
    MAX_ENVIRONMENT_BYTES,
    Description,
    Environment,
    Folder,
    environment_bytes,
)
from sandbox.stack.gateway_fields import (
    AccessLog,
    Body,
    HttpVariables,
    KeyValue,
    MediaType,
    MockHeaders,
    ResponseHeaders,
    ResponseType,
    RestPath,
    RestVariables,
    Url,
)

DEFAULT_STAGE = "$default"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Throttle(_Strict):
    """A token bucket: `burst` requests at once, then `rate_rps` a second."""

    rate_rps: Rate
    burst: Annotated[Whole, Field(ge=0, le=1_000_000)]


class Account(_Strict):
    """What holds for the whole account; only a start of the sandbox can set it."""

    concurrency: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    throttle: Throttle | None = None


class Function(_Strict):
    """A Lambda function: code in a folder, one of the sandbox's own, or a model."""

    folder: Folder | None = None
    bundled: BundledRef | None = None
    model: Model | None = None
    description: Description | None = None
    memory_mb: Annotated[Whole, Field(ge=128, le=10_240)] | None = None
    timeout_s: Annotated[Whole, Field(ge=1, le=900)] | None = None
    reserved_concurrency: Annotated[Whole, Field(ge=0, le=1_000_000)] | None = None
    environment: Environment = {}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        _exactly_one(self, ("folder", "bundled", "model"))
        if MODEL_VARIABLE in self.environment:
            raise problem("write it as the function's model", "environment", MODEL_VARIABLE)
        self._check_size()
        return self

    def _check_size(self) -> None:
        size, limit = environment_bytes(self.variables), MAX_ENVIRONMENT_BYTES
        if size <= limit:
            return
        if self.model is None:
            raise problem(f"must have at most {limit} bytes as JSON (got {size})", "environment")
        raise problem(
            f"must have at most {limit} bytes as JSON, with the environment (got {size}): shorten "
            "the response",
            "model",
        )

    @property
    def variables(self) -> dict[str, str]:
        """The environment as Lambda gets it, without what a function.json adds."""
        if self.model is None:
            return self.environment
        return {MODEL_VARIABLE: model_text(self.model), **self.environment}


def model_text(model: Model) -> str:
    """A model as the variable of a function has it."""
    return model.model_dump_json(exclude_defaults=True)


class Mock(_Strict):
    """An answer that API Gateway gives itself; a mapping or list as body becomes JSON."""

    status: Status = 200
    body: Body = None
    headers: MockHeaders = {}


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

    path: RestPath
    mock: Mock | None = None
    api_key_required: Flag = False
    timeout_ms: Annotated[Whole, Field(ge=MIN_TIMEOUT_MS, le=DEFAULT_MAX_TIMEOUT_MS)] | None = None
    cache: RouteCache | None = None

    @model_validator(mode="after")
    def _one_integration(self) -> Self:
        _exactly_one(self, ("function", "http", "mock"))
        self._check_url()
        if self.mock is not None and self.timeout_ms is not None:
            raise problem("a mock has no timeout", "timeout_ms")
        refuse(misfits_of_cache_keys(self))
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
        if self.path == DEFAULT_STAGE and self.method != "ANY":
            raise problem(f"{DEFAULT_STAGE} takes all methods: leave it out", "method")
        if self.http is not None and "payload_format" in self.model_fields_set:
            raise problem("only calls of functions have one", "payload_format")
        return self


def _http_path(path: str) -> str:
    return path if path == DEFAULT_STAGE else route_path(path)


class GatewayResponse(_Strict):
    """How API Gateway words an answer of its own, such as THROTTLED."""

    status: Status | None = None
    headers: ResponseHeaders = {}
    body: Body = None


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


class RestApi(_Api):
    """A REST API with one stage."""

    kind: Literal["rest"]
    stage: Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]{1,128}$")] = "prod"
    routes: Annotated[tuple[RestRoute, ...], Field(min_length=1)]
    variables: RestVariables = {}
    gateway_responses: dict[ResponseType, GatewayResponse] = {}
    cache: Cache | None = None
    execution_log: Literal["off", "error", "info"] = "off"
    binary_media_types: tuple[MediaType, ...] = ()

    @model_validator(mode="after")
    def _routes_fit(self) -> Self:
        refuse(misfits_of_rest_routes(self))
        return self


class HttpApi(_Api):
    """An HTTP API with one stage."""

    kind: Literal["http"]
    # The model of CreateApi: StringWithLengthBetween0And1024.
    description: Annotated[Text, Field(max_length=1024)] = ""
    variables: HttpVariables = {}
    stage: Annotated[str, Field(strict=True, pattern=r"^(\$default|[A-Za-z0-9_-]{1,128})$")] = (
        DEFAULT_STAGE
    )
    routes: Annotated[tuple[HttpRoute, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _routes_fit(self) -> Self:
        refuse(misfits_of_http_routes(self.routes))
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

    @field_validator("apis")
    @classmethod
    def _apis_differ(cls, apis: tuple[str, ...]) -> tuple[str, ...]:
        refuse(
            Mistake(f"is in the list already (got '{api}')", (number,))
            for number, api in enumerate(apis)
            if api in apis[:number]
        )
        return apis

    @model_validator(mode="after")
    def _methods_exist(self, info: ValidationInfo) -> Self:
        refuse(misfits_of_method_throttles(self, names_of(info).routes))
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
        refuse(misfits_of_keys(self.usage_plans))
        return self


def _exactly_one(model: BaseModel, names: tuple[str, ...]) -> None:
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) == 1:
        return
    listed = f"{', '.join(names[:-1])} or {names[-1]}"
    got = " and ".join(given) if given else "none of them"
    raise problem(f"must have exactly one of {listed} (got {got})")
