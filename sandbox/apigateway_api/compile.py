"""From what the control plane knows to what the data plane serves.

Routes, authorizers and gateway responses are those of the stage's deployment; everything else is
as it is now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.apigateway_api.authorizers import identity_sources, issuer_of
from sandbox.apigateway_api.canaries import canary_variables
from sandbox.apigateway_api.compile_settings import compile_plans, method_settings
from sandbox.apigateway_api.context import DEFAULT_ACCOUNT_LIMIT
from sandbox.apigateway_api.function_uris import function_of
from sandbox.apigateway_api.gateway_responses import header_template
from sandbox.apigateway_api.integration_rules import path_parameters
from sandbox.apigateway_api.stages import log_group_of
from sandbox.apigateway_api.state import Deployment, Document, RestApi, RestState
from sandbox.gateway.snapshot import (
    AccessLog,
    ApiKey,
    Authorization,
    GatewayResponse,
    HttpIntegration,
    IamAuthorization,
    Integration,
    JwtAuthorizer,
    LambdaAuthorizer,
    LambdaIntegration,
    Limit,
    MockIntegration,
    MockResponse,
    Route,
    Stage,
    Template,
)
from sandbox.lambda_api.names import Home

__all__ = ["compile_keys", "compile_plans", "compile_stages"]

_HEADER_PREFIX = "method.response.header."


def compile_stages(
    state: RestState, home: Home, account_limit: Limit = DEFAULT_ACCOUNT_LIMIT
) -> tuple[Stage, ...]:
    """All stages of all APIs.

    `account_limit` is what the other half of a throttle is where only one half is set.
    """
    return tuple(
        _with_canary(_stage(api, stage, home, account_limit), api, stage, home, account_limit)
        for api in state.apis.values()
        for stage in api.stages.values()
    )


def compile_keys(state: RestState) -> Mapping[str, ApiKey]:
    """All API keys by their value."""
    return {
        key["value"]: ApiKey(
            key["id"],
            key.get("name", ""),
            key["value"],
            key["enabled"],
            tuple(state.plans_of_key(key["id"])),
        )
        for key in state.api_keys.values()
    }


def _with_canary(
    base: Stage, api: RestApi, stage: Document, home: Home, account_limit: Limit
) -> Stage:
    settings = stage.get("canarySettings")
    if settings is None:
        return base
    document = {
        **stage,
        "deploymentId": settings["deploymentId"],
        "variables": canary_variables(stage),
        "cacheClusterEnabled": stage["cacheClusterEnabled"] and settings["useStageCache"],
    }
    canary = _stage(api, document, home, account_limit)
    log = canary.access_log
    if log is not None:
        log = AccessLog(f"{log.log_group}/Canary", log.format)
    canary = replace(canary, access_log=log, is_canary=True)
    return replace(base, canary=canary, canary_share=settings["percentTraffic"] / 100)


def _stage(api: RestApi, stage: Document, home: Home, account_limit: Limit) -> Stage:
    deployment = api.deployments[stage["deploymentId"]]
    variables = stage.get("variables", {})
    routes = tuple(_routes(deployment, variables, home))
    default, overrides = method_settings(stage, deployment, account_limit)
    return Stage(
        kind="REST",
        api_id=api.document["id"],
        api_name=api.document["name"],
        name=stage["stageName"],
        routes=routes,
        default=default,
        overrides=overrides,
        variables=variables,
        access_log=_access_log(stage),
        gateway_responses={
            kind: _gateway_response(response)
            for kind, response in deployment.gateway_responses.items()
        },
        api_key_source=api.document["apiKeySource"],
        resource_policy=_policy(api.document, home),
        endpoint_disabled=api.document["disableExecuteApiEndpoint"],
        binary_media_types=tuple(api.document.get("binaryMediaTypes", ())),
        tracing=stage["tracingEnabled"],
        deployment_id=stage["deploymentId"],
    )


def _routes(deployment: Deployment, variables: Mapping[str, str], home: Home) -> list[Route]:
    routes = []
    for resource in deployment.resources.values():
        for name, method in resource.get("resourceMethods", {}).items():
            authorization = _authorization(deployment, method, variables, home)
            # A function that cannot be told must not leave its method open: nothing is behind it.
            lost = authorization is None and method["authorizationType"] != "NONE"
            integration = _integration(method["methodIntegration"], variables, home)
            routes.append(
                Route(
                    key=f"{name} {resource['path']}",
                    method=name,
                    path=resource["path"],
                    resource_id=resource["id"],
                    integration=None if lost else integration,
                    authorization=authorization,
                    scopes=tuple(method.get("authorizationScopes", ())),
                    api_key_required=method["apiKeyRequired"],
                )
            )
    return routes


def _integration(
    integration: Document, variables: Mapping[str, str], home: Home
) -> Integration | None:
    """The integration; None where a stage variable leads to no function (AWS answers 500)."""
    timeout_ms = integration["timeoutInMillis"]
    match integration["type"]:
        case "MOCK":
            return _mock(integration)
        case "HTTP_PROXY":
            method, uri = integration["httpMethod"], integration["uri"]
            return HttpIntegration(uri, method, timeout_ms, path_parameters(integration))
    function = function_of(integration["uri"], variables, home)
    # Lambda's Invoke is a POST: AWS takes other methods, and answers each request with a 500.
    if function is None or integration["httpMethod"] != "POST":
        return None
    return LambdaIntegration(function, "1.0", timeout_ms)


def _mock(integration: Document) -> MockIntegration:
    responses = []
    for response in integration.get("integrationResponses", {}).values():
        responses.append(
            MockResponse(
                status=int(response["statusCode"]),
                selection_pattern=response.get("selectionPattern") or None,
                headers={
                    name.removeprefix(_HEADER_PREFIX): value[1:-1]
                    for name, value in response.get("responseParameters", {}).items()
                },
                templates=_templates(response.get("responseTemplates", {})),
            )
        )
    return MockIntegration(
        _templates(integration.get("requestTemplates", {})),
        integration["passthroughBehavior"],
        tuple(responses),
    )


def _templates(texts: Mapping[str, str]) -> dict[str, Template]:
    return {content_type: Template(text) for content_type, text in texts.items()}


def _authorization(
    deployment: Deployment, method: Document, variables: Mapping[str, str], home: Home
) -> Authorization | None:
    kind = method["authorizationType"]
    if kind == "NONE":
        return None
    if kind == "AWS_IAM":
        return IamAuthorization()
    authorizer = deployment.authorizers[method["authorizerId"]]
    if authorizer["type"] == "COGNITO_USER_POOLS":
        return JwtAuthorizer(
            authorizer["id"],
            authorizer["name"],
            identity_sources(authorizer),
            issuer_of(authorizer["providerARNs"][0]) or "",
            audiences=(),  # any client of the pool
        )
    return _lambda_authorizer(authorizer, variables, home)


def _lambda_authorizer(
    authorizer: Document, variables: Mapping[str, str], home: Home
) -> LambdaAuthorizer | None:
    function = function_of(authorizer["authorizerUri"], variables, home)
    if function is None:
        return None
    return LambdaAuthorizer(
        authorizer["id"],
        authorizer["name"],
        authorizer["type"],
        function,
        identity_sources(authorizer),
        authorizer["authorizerResultTtlInSeconds"],
        authorizer.get("identityValidationExpression") or None,
    )


def _access_log(stage: Document) -> AccessLog | None:
    settings = stage.get("accessLogSettings", {})
    group = log_group_of(settings.get("destinationArn", ""))
    if group is None or "format" not in settings:
        return None
    return AccessLog(group, settings["format"])


def _gateway_response(response: Document) -> GatewayResponse:
    status = response.get("statusCode")
    return GatewayResponse(
        None if status is None else int(status),
        {
            name.removeprefix("gatewayresponse.header."): Template(header_template(name, value))
            for name, value in response["responseParameters"].items()
        },
        _templates(response["responseTemplates"]),
    )


def _policy(api: Document, home: Home) -> Mapping[str, Any] | None:
    """The resource policy, with `execute-api:/stage/...` written out as AWS does."""
    if not api.get("policy"):
        return None
    arn = f"arn:aws:execute-api:{home.region}:{home.account_id}:{api['id']}/"
    policy: Mapping[str, Any] = json.loads(
        api["policy"],
        object_hook=lambda members: {
            name: _written_out(value, arn) if name in ("Resource", "NotResource") else value
            for name, value in members.items()
        },
    )
    return policy


def _written_out(resource: object, arn: str) -> object:
    if isinstance(resource, list):
        return [_written_out(one, arn) for one in resource]
    if isinstance(resource, str) and resource.startswith("execute-api:/"):
        return arn + resource.removeprefix("execute-api:/")
    return resource
