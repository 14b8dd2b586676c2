"""What a stack file may say, as types.

Names follow AWS's words, with the unit in the name. References to functions and APIs are checked
while the file is validated, against the names that the file defines (`Names`), so that one
reading finds all that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.errors import InputError
from sandbox.execution.model import MODEL_VARIABLE, Model
from sandbox.faults import FaultSpec
from sandbox.gateway.limits import Enforcement

DEFAULT_STAGE = "$default"

_SEGMENT = re.compile(r"[A-Za-z0-9._:~-]+|\{[A-Za-z0-9._-]+\+?\}")
_VARIABLE = re.compile(r"\{([A-Za-z0-9._-]+)\+?\}")
_HTTP_URL = re.compile(r"https?://[^\s/?#]+[^\s]*")
_CACHE_KEY = re.compile(r"(querystring|header|path)\.[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a file defines, and those that the sandbox brings along."""

    functions: frozenset[str] = frozenset()
    bundled: frozenset[str] = frozenset()
    apis: Mapping[str, str] = field(default_factory=dict)  # name to kind
    routes: Mapping[str, frozenset[str]] = field(default_factory=dict)  # API to route keys


def problem(message: str, *where: str | int) -> PydanticCustomError:
    """An error of a validator in words of our own; `where` leads on from what it validates."""
    return PydanticCustomError("stack", "{text}", {"text": message, "where": where})


def did_you_mean(name: str, known: frozenset[str] | set[str]) -> str:
    """A hint in parentheses for a name that is not among the known ones."""
    close = get_close_matches(name, sorted(known), n=1)
    if close:
        return f" (did you mean {close[0]}?)"
    listed = ", ".join(sorted(known)[:12])
    return f" (there are {listed})" if listed else ""


def _names(info: ValidationInfo) -> Names:
    return info.context if isinstance(info.context, Names) else Names()


def _known_function(name: str, info: ValidationInfo) -> str:
    known = _names(info).functions
    if name not in known:
        raise problem(f"there is no function '{name}'{did_you_mean(name, known)}")
    return name


def _known_bundled(name: str, info: ValidationInfo) -> str:
    known = _names(info).bundled
    if name not in known:
        raise problem(f"the sandbox brings no function '{name}'{did_you_mean(name, known)}")
    return name


def _known_rest_api(name: str, info: ValidationInfo) -> str:
    kinds = _names(info).apis
    if kinds.get(name) == "http":
        raise problem(f"'{name}' is an HTTP API: usage plans are for REST APIs only")
    if name not in kinds:
        known = {api for api, kind in kinds.items() if kind == "rest"}
        raise problem(f"there is no API '{name}'{did_you_mean(name, known)}")
    return name


def _route_path(path: str) -> str:
    if path == "/":
        return path
    segments = path.split("/")
    if segments[0] != "" or any(_SEGMENT.fullmatch(part) is None for part in segments[1:]):
        raise problem(f"must be a path such as /orders/{{id}} (got '{path}')")
    if any(part.endswith("+}") for part in segments[:-1]):
        raise problem(f"only the last part of a path may be greedy like {{proxy+}} (got '{path}')")
    variables = path_variables(path)
    if len(set(variables)) < len(variables):
        raise problem(f"has one variable twice (got '{path}')")
    return path


def path_variables(path: str) -> tuple[str, ...]:
    """The names in braces of a path or URL, without the + of greedy ones."""
    return tuple(_VARIABLE.findall(path))


def _http_url(url: str) -> str:
    if _HTTP_URL.fullmatch(url) is None:
        raise problem(f"must be a URL that begins with http:// or https:// (got '{url}')")
    return url


def _access_log(value: object) -> object:
    if not isinstance(value, bool | str):
        raise problem("must be true, false or a format with $context variables")
    return value


def _enforcement(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return Enforcement.parse(value)
    except InputError as error:
        raise problem(str(error).removeprefix("enforcement: ")) from error


def _cache_key(text: str) -> str:
    if _CACHE_KEY.fullmatch(text) is None:
        raise problem(f"must be querystring.NAME, header.NAME or path.NAME (got '{text}')")
    return text


Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ApiName = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9._-]{1,128}$")]
FunctionRef = Annotated[Text, AfterValidator(_known_function)]
BundledRef = Annotated[Text, AfterValidator(_known_bundled)]
RestApiRef = Annotated[Text, AfterValidator(_known_rest_api)]
RoutePath = Annotated[Text, AfterValidator(_route_path)]
Url = Annotated[Text, AfterValidator(_http_url)]
CacheKey = Annotated[Text, AfterValidator(_cache_key)]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"]
Status = Annotated[Whole, Field(ge=200, le=599)]
Seconds = Annotated[Whole, Field(ge=0, le=3600)]
# "Amazon API Gateway quotas": API keys have 20 to 128 characters.
KeyValue = Annotated[str, Field(strict=True, min_length=20, max_length=128)]
AccessLog = Annotated[bool | str, BeforeValidator(lambda value: _access_log(value))]
Variables = dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")], Text]


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
    return path if path == DEFAULT_STAGE else _route_path(path)


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
            known = _names(info).routes.get(api, frozenset())
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
    enforcement: Annotated[Enforcement, BeforeValidator(_enforcement)] | None = None
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
