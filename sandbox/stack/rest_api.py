"""REST APIs of a stack: created or brought up to date, and deployed when routes have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.stack.clients import Clients, naming
from sandbox.stack.gateway_fields import body_text
from sandbox.stack.logs import put_log_group
from sandbox.stack.model import GatewayResponse, RestApi
from sandbox.stack.rest_routes import MethodPlan, planned_method, sync_routes
from sandbox.stack.rest_stage import sync_stage

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

# A name only: the sandbox asks no IAM. Without a role, API Gateway writes no logs.
_LOG_ROLE = "arn:aws:iam::{account_id}:role/apigateway-logs"


def made_rest_apis(clients: Clients) -> dict[str, str]:
    """The ids of the REST APIs that the stack made, by name."""
    pages = clients.rest.get_paginator("get_rest_apis").paginate()
    return {
        item["name"]: item["id"]
        for page in pages
        for item in page["items"]
        if clients.made(item.get("tags"))
    }


def put_rest_api(clients: Clients, name: str, api: RestApi, api_id: str | None) -> str:
    """Makes an API what the stack says; gives its id, which never changes."""
    types = list(api.binary_media_types)
    if api_id is None:
        api_id = clients.rest.create_rest_api(
            name=name, description=api.description, binaryMediaTypes=types, tags=clients.tags
        )["id"]
    else:
        _update_api(clients, api_id, api)
    plans: dict[tuple[str, str], MethodPlan] = {
        (route.path, route.method): planned_method(clients, route) for route in api.routes
    }
    sync_routes(clients, api_id, plans)
    responses = {kind: _response(wanted) for kind, wanted in api.gateway_responses.items()}
    _sync_gateway_responses(clients, api_id, responses)
    routes = {f"{method} {path}": plan.document() for (path, method), plan in plans.items()}
    mark = _mark(clients, {"routes": routes, "responses": responses, "types": types})
    log_group = put_log_group(clients, name, wanted=bool(api.access_log))
    _allow_logs(clients, api)
    deployment_id = _deployment(clients, api_id, api.stage, mark)
    with naming(f"stage {api.stage}"):
        sync_stage(clients, api_id, api, deployment_id, log_group)
    return api_id


def _update_api(clients: Clients, api_id: str, api: RestApi) -> None:
    current = clients.rest.get_rest_api(restApiId=api_id)
    patches: list[PatchOperationTypeDef] = []
    if current.get("description", "") != api.description:
        patches.append({"op": "replace", "path": "/description", "value": api.description})
    before, wanted = set(current.get("binaryMediaTypes", [])), set(api.binary_media_types)
    for op, types in (("remove", before - wanted), ("add", wanted - before)):
        for kind in sorted(types):
            path = f"/binaryMediaTypes/{kind.replace('/', '~1')}"
            patches.append({"op": op, "path": path})  # type: ignore[typeddict-item]
    if patches:
        clients.rest.update_rest_api(restApiId=api_id, patchOperations=patches)


def _mark(clients: Clients, document: Mapping[str, Any]) -> str:
    """What tells a deployment of these routes from any other one."""
    text = json.dumps(document, sort_keys=True)
    return f"stack {clients.stack} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _deployment(clients: Clients, api_id: str, stage: str, mark: str) -> str:
    """The deployment that the stage has to show: the one it shows, if that has these routes."""
    rest = clients.rest
    try:
        shown = rest.get_stage(restApiId=api_id, stageName=stage)
        current = rest.get_deployment(restApiId=api_id, deploymentId=shown["deploymentId"])
        if current.get("description") == mark:
            return current["id"]
    except rest.exceptions.NotFoundException:
        pass  # the first time there is no stage
    return rest.create_deployment(restApiId=api_id, description=mark)["id"]


def _response(wanted: GatewayResponse) -> dict[str, Any]:
    document: dict[str, Any] = {
        "responseParameters": {
            f"gatewayresponse.header.{name}": f"'{value}'" for name, value in wanted.headers.items()
        }
    }
    if wanted.status is not None:
        document["statusCode"] = str(wanted.status)
    if wanted.body is not None:
        document["responseTemplates"] = {"application/json": body_text(wanted.body)}
    return document


def _sync_gateway_responses(
    clients: Clients, api_id: str, wanted: Mapping[str, dict[str, Any]]
) -> None:
    rest = clients.rest
    shown = {
        str(item.get("responseType")): item
        for item in rest.get_gateway_responses(restApiId=api_id, limit=500).get("items", [])
        if not item.get("defaultResponse")
    }
    for kind in shown.keys() - wanted.keys():
        rest.delete_gateway_response(restApiId=api_id, responseType=kind)  # type: ignore[arg-type]
    for kind, arguments in wanted.items():
        before = shown.get(kind, {})
        if not before or any(before.get(key) != value for key, value in arguments.items()):
            with naming(f"gateway_responses.{kind}"):
                rest.put_gateway_response(restApiId=api_id, responseType=kind, **arguments)  # type: ignore[arg-type]


def _allow_logs(clients: Clients, api: RestApi) -> None:
    """Gives the account the role without which API Gateway refuses to log."""
    if not api.access_log and api.execution_log == "off":
        return
    if not clients.rest.get_account().get("cloudwatchRoleArn"):
        role = _LOG_ROLE.format(account_id=clients.home.account_id)
        clients.rest.update_account(
            patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
        )
