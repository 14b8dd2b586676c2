"""From the documents of HTTP APIs to what the data plane serves."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.apigatewayv2_api.function_uri import function_of
from sandbox.apigatewayv2_api.route_keys import parse_route_key
from sandbox.apigatewayv2_api.stage_settings import log_group_of
from sandbox.apigatewayv2_api.state import Configuration, Document, HttpApi, HttpState
from sandbox.gateway.snapshot import (
    AccessLog,
    Authorization,
    HttpIntegration,
    IamAuthorization,
    Integration,
    JwtAuthorizer,
    LambdaAuthorizer,
    LambdaIntegration,
    Limit,
    MethodSettings,
    Route,
    Snapshot,
    Stage,
)

_ACCOUNT_LIMIT = Snapshot().account_limit
_NOTHING = Configuration(settings={}, routes={}, integrations={}, authorizers={})

Variables = Mapping[str, str]


def compile_stages(state: HttpState, account_limit: Limit = _ACCOUNT_LIMIT) -> tuple[Stage, ...]:
    """All stages of all HTTP APIs.

    Routes, integrations, authorizers, CORS and the state of the endpoint are those of the stage's
    deployment; a stage without one has no routes. What the stage says itself holds at once. Where
    a throttle has a rate or a burst only, the other one is the account's.
    """
    return tuple(
        _stage(api, stage, account_limit)
        for api in state.apis.values()
        for stage in api.stages.values()
    )


def _stage(api: HttpApi, stage: Document, account_limit: Limit) -> Stage:
    deployment_id = stage.get("DeploymentId", "")
    deployed = api.configurations.get(deployment_id, _NOTHING)
    variables = stage["StageVariables"]
    default = stage["DefaultRouteSettings"]
    return Stage(
        kind="HTTP",
        api_id=api.id,
        api_name=api.document["Name"],
        name=stage["StageName"],
        routes=tuple(_route(route, deployed, variables) for route in deployed.routes.values()),
        default=_settings(default, account_limit),
        overrides={
            # What a route's settings leave open is as the stage's default has it.
            key: _settings({**_metrics(default), **settings}, account_limit)
            for key, settings in stage["RouteSettings"].items()
        },
        variables=variables,
        access_log=_access_log(stage),
        endpoint_disabled=deployed.settings.get("DisableExecuteApiEndpoint", False),
        cors=deployed.settings.get("CorsConfiguration"),
        detailed_metrics=default.get("DetailedMetricsEnabled", False),
        deployment_id=deployment_id,
    )


def _route(route: Document, deployed: Configuration, variables: Variables) -> Route:
    key = parse_route_key(route["RouteKey"])
    _, _, integration_id = route.get("Target", "").partition("/")
    integration = deployed.integrations.get(integration_id)
    return Route(
        key=route["RouteKey"],
        method=key.method,
        path=key.path,
        resource_id=route["RouteId"],
        integration=None if integration is None else _integration(integration, variables),
        authorization=_authorization(route, deployed, variables),
        scopes=tuple(route.get("AuthorizationScopes", ())),
    )


def _integration(document: Document, variables: Variables) -> Integration:
    uri, timeout_ms = document["IntegrationUri"], document["TimeoutInMillis"]
    if document["IntegrationType"] == "AWS_PROXY":
        payload_format = document["PayloadFormatVersion"]
        return LambdaIntegration(function_of(uri, variables), payload_format, timeout_ms)
    return HttpIntegration(uri, document["IntegrationMethod"], timeout_ms)


def _authorization(
    route: Document, deployed: Configuration, variables: Variables
) -> Authorization | None:
    match route["AuthorizationType"]:
        case "NONE":
            return None
        case "AWS_IAM":
            return IamAuthorization()
    authorizer = deployed.authorizers[route["AuthorizerId"]]
    sources = tuple(authorizer["IdentitySource"])
    if authorizer["AuthorizerType"] == "JWT":
        configuration = authorizer["JwtConfiguration"]
        return JwtAuthorizer(
            id=authorizer["AuthorizerId"],
            name=authorizer["Name"],
            identity_sources=sources,
            issuer=configuration["Issuer"],
            audiences=tuple(configuration["Audience"]),
        )
    return LambdaAuthorizer(
        id=authorizer["AuthorizerId"],
        name=authorizer["Name"],
        kind="REQUEST",
        function=function_of(authorizer["AuthorizerUri"], variables),
        identity_sources=sources,
        result_ttl_s=authorizer.get("AuthorizerResultTtlInSeconds", 0),
        payload_format=authorizer["AuthorizerPayloadFormatVersion"],
        simple_responses=authorizer.get("EnableSimpleResponses", False),
    )


def _settings(settings: Document, account: Limit) -> MethodSettings:
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    limit = None
    if rate is not None or burst is not None:
        limit = Limit(
            account.rate_rps if rate is None else float(rate),
            account.burst if burst is None else float(burst),
        )
    return MethodSettings(limit, detailed_metrics=settings.get("DetailedMetricsEnabled", False))


def _metrics(default: Document) -> Document:
    name = "DetailedMetricsEnabled"
    return {name: default[name]} if name in default else {}


def _access_log(stage: Document) -> AccessLog | None:
    settings = stage.get("AccessLogSettings")
    if settings is None:
        return None
    group = log_group_of(settings["DestinationArn"])
    return None if group is None else AccessLog(group, settings["Format"])
