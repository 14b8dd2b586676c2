"""The routes of a REST API: resources, methods and integrations, as far as they differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.stack.clients import Clients, naming
from sandbox.stack.fields import path_variables
from sandbox.stack.gateway_fields import body_text
from sandbox.stack.model import Mock, RestRoute

Arguments = dict[str, Any]

# The default of the API, written out so that it can be compared.
_TIMEOUT_MS = 29_000


@dataclass(frozen=True, slots=True)
class MethodPlan:
    """A method as it should be: arguments of PutMethod, PutIntegration and the mock's answer."""

    method: Arguments
    integration: Arguments
    answer: Arguments | None = None

    def document(self) -> Arguments:
        """All of it as one JSON value."""
        return {"method": self.method, "integration": self.integration, "answer": self.answer}


def planned_method(clients: Clients, route: RestRoute) -> MethodPlan:
    """The method that a route asks for."""
    cache_keys = [f"method.request.{key}" for key in (route.cache.keys if route.cache else ())]
    method: Arguments = {
        "authorizationType": "AWS_IAM" if route.auth == "iam" else "NONE",
        "apiKeyRequired": route.api_key_required,
        "requestParameters": dict.fromkeys(cache_keys, False),
    }
    integration: Arguments = {"cacheKeyParameters": cache_keys}
    if route.mock is not None:
        integration |= {"type": "MOCK", "passthroughBehavior": "WHEN_NO_MATCH"}
        template = json.dumps({"statusCode": route.mock.status})
        integration["requestTemplates"] = {"application/json": template}
        return MethodPlan(method, integration, _answer(route.mock))
    integration["timeoutInMillis"] = route.timeout_ms or _TIMEOUT_MS
    if route.function is not None:
        arn = clients.home.function_arn(route.function)
        integration |= {"type": "AWS_PROXY", "integrationHttpMethod": "POST"}
        integration["uri"] = (
            f"arn:aws:apigateway:{clients.home.region}:lambda:path/2015-03-31/functions/{arn}"
            "/invocations"
        )
        return MethodPlan(method, integration)
    url = str(route.http)
    parameters = {name: f"method.request.path.{name}" for name in path_variables(url)}
    method["requestParameters"] |= dict.fromkeys(parameters.values(), True)
    integration |= {"type": "HTTP_PROXY", "integrationHttpMethod": route.method, "uri": url}
    integration["requestParameters"] = {
        f"integration.request.path.{name}": value for name, value in parameters.items()
    }
    return MethodPlan(method, integration)


def _answer(mock: Mock) -> Arguments:
    headers = {f"method.response.header.{name}": f"'{mock.headers[name]}'" for name in mock.headers}
    return {
        "statusCode": str(mock.status),
        "responseParameters": headers,
        "responseTemplates": {"application/json": body_text(mock.body)},
    }


def sync_routes(clients: Clients, api_id: str, plans: Mapping[tuple[str, str], MethodPlan]) -> None:
    """Makes resources and methods what `plans`, by path and method, has."""
    resources = _resources(clients, api_id)
    wanted = {path for path, _ in plans} | _parents(path for path, _ in plans)
    for path in _topmost(set(resources) - wanted):
        clients.rest.delete_resource(restApiId=api_id, resourceId=resources[path]["id"])
    for path in sorted(wanted - set(resources), key=len):
        with naming(path):
            parent, _, part = path.rpartition("/")
            resources[path] = dict(
                clients.rest.create_resource(
                    restApiId=api_id, parentId=resources[parent or "/"]["id"], pathPart=part
                )
            )
    for path in sorted(wanted):
        methods = {method: plan for (at, method), plan in plans.items() if at == path}
        _sync_methods(clients, api_id, resources[path], methods, path)


def _sync_methods(
    clients: Clients,
    api_id: str,
    resource: Mapping[str, Any],
    plans: Mapping[str, MethodPlan],
    path: str,
) -> None:
    current = resource.get("resourceMethods", {})
    for method, shown in current.items():
        if method not in plans or _shown(shown, plans[method]) != plans[method].document():
            clients.rest.delete_method(
                restApiId=api_id, resourceId=resource["id"], httpMethod=method
            )
    for method, plan in plans.items():
        if method in current and _shown(current[method], plan) == plan.document():
            continue
        with naming(f"{method} {path}"):
            _put_method(clients, plan, restApiId=api_id, resourceId=resource["id"], method=method)


def _put_method(
    clients: Clients, plan: MethodPlan, *, restApiId: str, resourceId: str, method: str
) -> None:
    where: Arguments = {"restApiId": restApiId, "resourceId": resourceId, "httpMethod": method}
    clients.rest.put_method(**where, **plan.method)
    clients.rest.put_integration(**where, **plan.integration)
    if plan.answer is not None:
        status: Arguments = {**where, "statusCode": plan.answer["statusCode"]}
        declared = dict.fromkeys(plan.answer["responseParameters"], False)
        clients.rest.put_method_response(**status, responseParameters=declared)
        clients.rest.put_integration_response(**where, **plan.answer)


def _shown(shown: Mapping[str, Any], plan: MethodPlan) -> Arguments:
    """A method as GetResources shows it, reduced to what a plan has."""
    integration = dict(shown.get("methodIntegration", {}))
    integration["integrationHttpMethod"] = integration.pop("httpMethod", None)
    responses = integration.get("integrationResponses", {})
    answer = None
    if plan.answer is not None and len(responses) == 1:
        only = next(iter(responses.values()))
        answer = _reduced(only, plan.answer)
    return MethodPlan(
        _reduced(shown, plan.method), _reduced(integration, plan.integration), answer
    ).document()


def _reduced(shown: Mapping[str, Any], wanted: Arguments) -> Arguments:
    """The keys of `wanted` in `shown`; an empty mapping or list and none at all are the same."""
    return {
        key: type(value)()
        if shown.get(key) is None and isinstance(value, dict | list)
        else shown.get(key)
        for key, value in wanted.items()
    }


def _resources(clients: Clients, api_id: str) -> dict[str, dict[str, Any]]:
    pages = clients.rest.get_paginator("get_resources").paginate(
        restApiId=api_id, embed=["methods"], PaginationConfig={"PageSize": 500}
    )
    return {item["path"]: dict(item) for page in pages for item in page["items"]}


def _parents(paths: Iterable[str]) -> set[str]:
    found = {"/"}
    for path in paths:
        parts = path.split("/")
        found.update("/".join(parts[:length]) for length in range(2, len(parts)))
    return found


def _topmost(paths: set[str]) -> Sequence[str]:
    """Those whose parent stays: with each goes all that is below it."""
    return sorted(path for path in paths if path.rpartition("/")[0] not in paths)
