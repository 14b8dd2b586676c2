"""HTTP APIs of a stack: created or brought up to date, and deployed when routes have changed.

The stage does not deploy by itself: between two changes of one deployment, clients would see
routes that no file describes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.stack.access_log import HTTP_FORMAT, chosen_format
from sandbox.stack.clients import Clients, naming
from sandbox.stack.logs import put_log_group
from sandbox.stack.model import HttpApi, HttpRoute, Throttle

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2.type_defs import RouteTypeDef

Arguments = dict[str, Any]

# "Quotas for configuring and running an HTTP API": the time-out, which is the default.
_TIMEOUT_MS = 30_000


def made_http_apis(clients: Clients) -> dict[str, str]:
    """The ids of the HTTP APIs that the stack made, by name."""
    pages = clients.http.get_paginator("get_apis").paginate()
    return {
        item["Name"]: item["ApiId"]
        for page in pages
        for item in page["Items"]
        if clients.made(item.get("Tags"))
    }


def put_http_api(clients: Clients, name: str, api: HttpApi, api_id: str | None) -> str:
    """Makes an API what the stack says; gives its id, which never changes."""
    http = clients.http
    if api_id is None:
        api_id = http.create_api(
            Name=name, ProtocolType="HTTP", Description=api.description, Tags=clients.tags
        )["ApiId"]
    elif http.get_api(ApiId=api_id).get("Description", "") != api.description:
        http.update_api(ApiId=api_id, Description=api.description)
    _sync_routes(clients, api_id, api)
    log_group = put_log_group(clients, name, wanted=bool(api.access_log))
    with naming(f"stage {api.stage}"):
        _sync_stage(clients, api_id, api, log_group)
    return api_id


# Routes and integrations


def _integration(clients: Clients, route: HttpRoute) -> Arguments:
    timeout_ms = route.timeout_ms or _TIMEOUT_MS
    if route.function is not None:
        return {
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": clients.home.function_arn(route.function),
            "IntegrationMethod": "POST",
            "PayloadFormatVersion": route.payload_format,
            "TimeoutInMillis": timeout_ms,
        }
    return {
        "IntegrationType": "HTTP_PROXY",
        "IntegrationUri": str(route.http),
        "IntegrationMethod": route.method,
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": timeout_ms,
    }


def _route(route: HttpRoute) -> Arguments:
    return {"AuthorizationType": "AWS_IAM" if route.auth == "iam" else "NONE"}


def _sync_routes(clients: Clients, api_id: str, api: HttpApi) -> None:
    http = clients.http
    integrations: dict[str, Mapping[str, Any]] = {
        item["IntegrationId"]: item
        for page in http.get_paginator("get_integrations").paginate(ApiId=api_id)
        for item in page["Items"]
    }
    current = {item["RouteKey"]: item for item in _routes(clients, api_id)}
    used: set[str] = set()
    for route in api.routes:
        with naming(route.key):
            used.add(_put_route(clients, api_id, route, current.pop(route.key, None), integrations))
    for item in current.values():
        http.delete_route(ApiId=api_id, RouteId=item["RouteId"])
    for integration_id in integrations.keys() - used:
        http.delete_integration(ApiId=api_id, IntegrationId=integration_id)


def _put_route(
    clients: Clients,
    api_id: str,
    route: HttpRoute,
    current: RouteTypeDef | None,
    integrations: Mapping[str, Mapping[str, Any]],
) -> str:
    """The id of the route's integration."""
    http, wanted = clients.http, _integration(clients, route)
    target = current.get("Target", "").removeprefix("integrations/") if current else ""
    shown = integrations.get(target)
    if shown is None:
        target = http.create_integration(ApiId=api_id, **wanted)["IntegrationId"]
    elif any(shown.get(key) != value for key, value in wanted.items()):
        http.update_integration(ApiId=api_id, IntegrationId=target, **wanted)
    arguments = {**_route(route), "Target": f"integrations/{target}"}
    if current is None:
        http.create_route(ApiId=api_id, RouteKey=route.key, **arguments)
    elif any(current.get(key) != value for key, value in arguments.items()):
        http.update_route(ApiId=api_id, RouteId=current["RouteId"], **arguments)
    return target


def _routes(clients: Clients, api_id: str) -> list[RouteTypeDef]:
    pages = clients.http.get_paginator("get_routes").paginate(ApiId=api_id)
    return [item for page in pages for item in page["Items"]]


# Deployment and stage


def _mark(clients: Clients, api: HttpApi) -> str:
    """What tells a deployment of these routes from any other one."""
    routes = {route.key: {**_route(route), **_integration(clients, route)} for route in api.routes}
    digest = hashlib.sha256(json.dumps(routes, sort_keys=True).encode()).hexdigest()
    return f"stack {clients.stack} {digest[:16]}"


def _sync_stage(clients: Clients, api_id: str, api: HttpApi, log_group: str) -> None:
    http, mark = clients.http, _mark(clients, api)
    try:
        current: Mapping[str, Any] = http.get_stage(ApiId=api_id, StageName=api.stage)
    except http.exceptions.NotFoundException:
        current = http.create_stage(ApiId=api_id, StageName=api.stage, Tags=clients.tags)
    deployment_id = _deployment(clients, api_id, current.get("DeploymentId"), mark)
    changes: Arguments = {}
    if current.get("DeploymentId") != deployment_id:
        changes["DeploymentId"] = deployment_id
    before = current.get("DefaultRouteSettings") or {}
    wanted = _default_settings(clients, api, before)
    if any((before.get(key) or False) != value for key, value in wanted.items()):
        changes["DefaultRouteSettings"] = wanted
    changes |= _route_settings(clients, api_id, api, current.get("RouteSettings") or {})
    changes |= _variables(current.get("StageVariables") or {}, api.variables)
    changes |= _access_log(clients, api_id, api, current.get("AccessLogSettings") or {}, log_group)
    if changes:
        http.update_stage(ApiId=api_id, StageName=api.stage, **changes)


def _deployment(clients: Clients, api_id: str, current: str | None, mark: str) -> str:
    http = clients.http
    if current:
        shown = http.get_deployment(ApiId=api_id, DeploymentId=current)
        if shown.get("Description") == mark:
            return current
    return http.create_deployment(ApiId=api_id, Description=mark)["DeploymentId"]


def _default_settings(clients: Clients, api: HttpApi, before: Mapping[str, Any]) -> Arguments:
    metrics = {"DetailedMetricsEnabled": api.detailed_metrics}
    if api.throttle is None and "ThrottlingRateLimit" in before:
        # UpdateStage merges and takes no throttle away; the account's own limit binds no sooner.
        account = clients.rest.get_account()["throttleSettings"]
        limit = Throttle(rate_rps=account["rateLimit"], burst=account["burstLimit"])
        return {**_throttle(limit), **metrics}
    return {**_throttle(api.throttle), **metrics}


def _throttle(throttle: Throttle | None) -> Arguments:
    if throttle is None:
        return {}
    return {"ThrottlingRateLimit": throttle.rate_rps, "ThrottlingBurstLimit": throttle.burst}


def _covers(shown: Mapping[str, Any], wanted: Arguments) -> bool:
    """Whether settings are as wanted, with no throttle beside them."""
    throttles = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
    return all(shown.get(key) == wanted.get(key) for key in throttles) and all(
        (shown.get(key) or False) == value for key, value in wanted.items()
    )


def _route_settings(
    clients: Clients, api_id: str, api: HttpApi, current: Mapping[str, Mapping[str, Any]]
) -> Arguments:
    """The settings of single routes that differ; those that nobody wants any more are deleted."""
    wanted: dict[str, Arguments] = {}
    for route in api.routes:
        if route.throttle is not None or route.detailed_metrics is not None:
            detailed = route.detailed_metrics
            wanted[route.key] = {
                **_throttle(route.throttle),
                "DetailedMetricsEnabled": api.detailed_metrics if detailed is None else detailed,
            }
    for key, shown in current.items():
        if key not in wanted or not _covers(shown, wanted[key]):
            clients.http.delete_route_settings(ApiId=api_id, StageName=api.stage, RouteKey=key)
    changed = {
        key: value for key, value in wanted.items() if not _covers(current.get(key, {}), value)
    }
    return {"RouteSettings": changed} if changed else {}


def _variables(current: Mapping[str, str], wanted: Mapping[str, str]) -> Arguments:
    if dict(current) == dict(wanted):
        return {}
    # UpdateStage merges: an empty value takes a variable away.
    return {"StageVariables": {**dict.fromkeys(current, ""), **wanted}}


def _access_log(
    clients: Clients, api_id: str, api: HttpApi, current: Mapping[str, Any], log_group: str
) -> Arguments:
    wanted = chosen_format(HTTP_FORMAT, wanted=api.access_log)
    if wanted is None:
        if current:
            clients.http.delete_access_log_settings(ApiId=api_id, StageName=api.stage)
        return {}
    settings = {"DestinationArn": clients.log_group_arn(log_group), "Format": wanted}
    same = all(current.get(key) == value for key, value in settings.items())
    return {} if same else {"AccessLogSettings": settings}
