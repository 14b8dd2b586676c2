"""APIs, stages and routes of API Gateway, read with few control calls and made into plain values.

The control plane takes 10 calls a second for the whole account ("Amazon API Gateway quotas",
2026), so everything is read once, in the largest pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.aws.session import AwsSession, aws_call
from core.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.type_defs import MethodSettingTypeDef
    from mypy_boto3_apigateway.type_defs import StageResponseTypeDef as RestStageTypeDef
    from mypy_boto3_apigateway.type_defs import StageTypeDef as ListedRestStageTypeDef
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_apigatewayv2.type_defs import RouteSettingsTypeDef
    from mypy_boto3_apigatewayv2.type_defs import StageTypeDef as HttpStageTypeDef

ApiKind = Literal["rest", "http"]

NOT_FOUND = "NotFoundException"
# Both are what IAM answers, depending on the service.
DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})

_PAGE_SIZE = 500  # the most that REST API calls give at once
_EVERY_METHOD = "*/*"

# ARNs of functions in integration URIs: of REST APIs within a path, of HTTP APIs alone.
_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]+:\d{12}:function:([A-Za-z0-9_-]+)(?::([^/:]+))?")


@dataclass(frozen=True, slots=True)
class Api:
    """An API; `endpoint` is its own address where AWS tells it, which is for HTTP APIs only."""

    kind: ApiKind
    id: str
    name: str
    endpoint: str | None = None
    key_source: str = "HEADER"


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket as it is configured; None is a half that nobody set."""

    rate_rps: float | None
    burst: int | None


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Where a stage writes its access log, and the format of a line.

    `group` is None where the lines go to Firehose, which cannot be read here.
    """

    group: str | None
    format: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its throttles; `own` has those of single routes, by `METHOD /path`."""

    name: str
    throttle: Throttle | None
    own: Mapping[str, Throttle]
    access_log: AccessLog | None
    logs_executions: bool = False  # REST: errors at least go to the execution log
    traces: bool = False  # REST: X-Ray samples its requests
    cached: bool = False  # REST: a cache answers some of them
    web_acl: bool = False  # REST: AWS WAF stands before it
    canary: bool = False  # REST: a part of the requests goes to another deployment


@dataclass(frozen=True, slots=True)
class Route:
    """A method of a REST resource, or a route of an HTTP API.

    `path` is `$default` for the route of that name. `function` is the function of a Lambda proxy
    integration without its qualifier; None for every other integration.
    """

    method: str  # ANY for all
    path: str
    function: str | None
    qualifier: str | None
    api_key_required: bool
    auth: str  # NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS, JWT
    authorizer_id: str | None = None
    timeout_ms: int | None = None  # of the integration; None where there is none, or AWS is silent

    @property
    def key(self) -> str:
        """`GET /orders/{id}`, as AWS names routes."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


class GatewayReader:
    """Reads APIs; every method makes as few calls as AWS allows, and raises `AwsError`."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._rest_client: APIGatewayClient | None = None
        self._http_client: ApiGatewayV2Client | None = None

    @property
    def rest(self) -> APIGatewayClient:
        """The client for REST APIs, made on first use."""
        if self._rest_client is None:
            self._rest_client = self._session.rest_apis()
        return self._rest_client

    @property
    def http(self) -> ApiGatewayV2Client:
        """The client for HTTP APIs, made on first use."""
        if self._http_client is None:
            self._http_client = self._session.http_apis()
        return self._http_client

    @property
    def custom_endpoint(self) -> str | None:
        """Where API Gateway is, when that is not AWS's own address."""
        return self._session.custom_endpoint(self.rest)

    def api(self, api_id: str, kind: ApiKind | None = None) -> Api | None:
        """The API with an id; None where there is none. Of unknown kind it takes two calls."""
        for each in ("rest", "http") if kind is None else (kind,):
            try:
                return self._rest_api(api_id) if each == "rest" else self._http_api(api_id)
            except AwsError as error:
                if error.code != NOT_FOUND:
                    raise
        return None

    def apis(self, kind: ApiKind | None = None) -> list[Api]:
        """All APIs of the region, or those of one kind."""
        found: list[Api] = []
        if kind != "http":
            with aws_call("list REST APIs"):
                for page in self.rest.get_paginator("get_rest_apis").paginate(
                    PaginationConfig={"PageSize": _PAGE_SIZE}
                ):
                    for item in page["items"]:
                        source = item.get("apiKeySource", "HEADER")
                        found.append(Api("rest", item["id"], item["name"], key_source=source))
        if kind != "rest":
            with aws_call("list HTTP APIs"):
                for listed in self.http.get_paginator("get_apis").paginate(
                    PaginationConfig={"PageSize": _PAGE_SIZE}
                ):
                    found += [
                        Api("http", item["ApiId"], item["Name"], item.get("ApiEndpoint"))
                        for item in listed["Items"]
                        if item["ProtocolType"] == "HTTP"
                    ]
        return found

    def stages(self, kind: ApiKind, api_id: str) -> list[Stage]:
        """All stages of an API."""
        if kind == "rest":
            with aws_call(f"read the stages of {api_id}"):
                return [rest_stage(item) for item in self.rest.get_stages(restApiId=api_id)["item"]]
        with aws_call(f"read the stages of {api_id}"):
            return [
                http_stage(item)
                for page in self.http.get_paginator("get_stages").paginate(ApiId=api_id)
                for item in page["Items"]
            ]

    def routes(self, kind: ApiKind, api_id: str) -> list[Route]:
        """All routes of an API as they are now, deployed or not."""
        with aws_call(f"read the routes of {api_id}"):
            return self._rest_routes(api_id) if kind == "rest" else self._http_routes(api_id)

    def throttled_status(self, api_id: str) -> int | None:
        """The status with which a REST API answers throttled requests; None: not told.

        A response of its own for all 4xx goes before the default of THROTTLED (API Gateway
        developer guide, "Gateway response types", read 2026-09).
        """
        with aws_call(f"read the gateway responses of {api_id}"):
            answer = self.rest.get_gateway_responses(restApiId=api_id, limit=500)
        found = {one.get("responseType"): one for one in answer.get("items", [])}
        throttled, all_4xx = found.get("THROTTLED", {}), found.get("DEFAULT_4XX", {})
        own = throttled if not throttled.get("defaultResponse", True) else all_4xx
        status = own.get("statusCode") or throttled.get("statusCode")
        return None if status is None else int(status)

    def _rest_api(self, api_id: str) -> Api:
        with aws_call(f"read REST API {api_id}"):
            answer = self.rest.get_rest_api(restApiId=api_id)
        return Api(
            "rest", answer["id"], answer["name"], key_source=answer.get("apiKeySource", "HEADER")
        )

    def _http_api(self, api_id: str) -> Api | None:
        with aws_call(f"read HTTP API {api_id}"):
            answer = self.http.get_api(ApiId=api_id)
        if answer["ProtocolType"] != "HTTP":
            return None
        return Api("http", answer["ApiId"], answer["Name"], answer.get("ApiEndpoint"))

    def _rest_routes(self, api_id: str) -> list[Route]:
        pages = self.rest.get_paginator("get_resources").paginate(
            restApiId=api_id, embed=["methods"], PaginationConfig={"PageSize": _PAGE_SIZE}
        )
        routes = []
        for page in pages:
            for resource in page["items"]:
                for name, method in resource.get("resourceMethods", {}).items():
                    integration = method.get("methodIntegration", {})
                    function, qualifier = function_of(integration.get("uri", ""))
                    routes.append(
                        Route(
                            name,
                            resource["path"],
                            function,
                            qualifier,
                            method.get("apiKeyRequired", False),
                            method.get("authorizationType", "NONE"),
                            method.get("authorizerId"),
                            integration.get("timeoutInMillis"),
                        )
                    )
        return routes

    def _http_routes(self, api_id: str) -> list[Route]:
        targets = {
            f"integrations/{item['IntegrationId']}": (
                item.get("IntegrationUri", ""),
                item.get("TimeoutInMillis"),
            )
            for page in self.http.get_paginator("get_integrations").paginate(
                ApiId=api_id, PaginationConfig={"PageSize": _PAGE_SIZE}
            )
            for item in page["Items"]
        }
        routes = []
        for listed in self.http.get_paginator("get_routes").paginate(
            ApiId=api_id, PaginationConfig={"PageSize": _PAGE_SIZE}
        ):
            for item in listed["Items"]:
                method, _, path = item["RouteKey"].rpartition(" ")
                uri, timeout_ms = targets.get(item.get("Target", ""), ("", None))
                function, qualifier = function_of(uri)
                auth = item.get("AuthorizationType", "NONE")
                routes.append(
                    Route(
                        method or "ANY",
                        path,
                        function,
                        qualifier,
                        auth=auth,
                        api_key_required=False,
                        authorizer_id=item.get("AuthorizerId"),
                        timeout_ms=timeout_ms,
                    )
                )
        return routes


def function_of(uri: str) -> tuple[str | None, str | None]:
    """Name and qualifier of the function that an integration URI calls; None for other URIs."""
    found = _FUNCTION.search(uri)
    return (found[1], found[2]) if found else (None, None)


def rest_stage(answer: RestStageTypeDef | ListedRestStageTypeDef) -> Stage:
    """A stage of a REST API. `*/*` is the stage itself, every other key one of its methods."""
    settings = answer.get("methodSettings", {})
    every = settings.get(_EVERY_METHOD)
    log = answer.get("accessLogSettings", {})
    return Stage(
        answer["stageName"],
        None if every is None else _rest_throttle(every),
        {
            _route_key(key): throttle
            for key, own in settings.items()
            if key != _EVERY_METHOD and (throttle := _rest_throttle(own)) is not None
        },
        _access_log(log.get("destinationArn"), log.get("format")),
        logs_executions=(every or {}).get("loggingLevel", "OFF") != "OFF",
        traces=answer.get("tracingEnabled", False),
        cached=answer.get("cacheClusterEnabled", False),
        web_acl="webAclArn" in answer,
        canary="canarySettings" in answer,
    )


def http_stage(answer: HttpStageTypeDef) -> Stage:
    """A stage of an HTTP API."""
    log = answer.get("AccessLogSettings", {})
    return Stage(
        answer["StageName"],
        _http_throttle(answer.get("DefaultRouteSettings", {})),
        {
            key: throttle
            for key, own in answer.get("RouteSettings", {}).items()
            if (throttle := _http_throttle(own)) is not None
        },
        _access_log(log.get("DestinationArn"), log.get("Format")),
    )


def throttle_of(rate_rps: float | None, burst: int | None) -> Throttle | None:
    """A throttle; None where neither half is set. REST APIs say so with -1."""
    rate = None if rate_rps is None or rate_rps < 0 else float(rate_rps)
    size = None if burst is None or burst < 0 else int(burst)
    return None if rate is None and size is None else Throttle(rate, size)


def _rest_throttle(settings: MethodSettingTypeDef) -> Throttle | None:
    return throttle_of(settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit"))


def _http_throttle(settings: RouteSettingsTypeDef) -> Throttle | None:
    return throttle_of(settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit"))


def _route_key(key: str) -> str:
    """`GET /a/b` of `~1a~1b/GET`, as methodSettings have it."""
    path, _, method = key.rpartition("/")
    path = path.replace("~1", "/").replace("~0", "~")
    return f"{method} /{path.lstrip('/')}"


def _access_log(destination_arn: str | None, log_format: str | None) -> AccessLog | None:
    if not destination_arn or not log_format:
        return None
    _, is_group, name = destination_arn.partition(":log-group:")
    return AccessLog(name.removesuffix(":*") if is_group else None, log_format)
