"""ImportApi and ReimportApi: an API from an OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.apis import ApiOperations
from sandbox.apigatewayv2_api.authorizers import new_authorizer
from sandbox.apigatewayv2_api.context import HttpApiContext, shown
from sandbox.apigatewayv2_api.deployments import redeploy
from sandbox.apigatewayv2_api.errors import bad_request, unserved
from sandbox.apigatewayv2_api.integrations import new_integration, target_of
from sandbox.apigatewayv2_api.openapi import ImportedApi, ImportedRoute, parse_openapi
from sandbox.apigatewayv2_api.routes import new_route
from sandbox.apigatewayv2_api.state import Document, HttpApi
from sandbox.lambda_api.names import Home
from sandbox.rest_json.service import Operation


class ImportOperations:
    """The operations that take OpenAPI documents."""

    def __init__(self, context: HttpApiContext, apis: ApiOperations) -> None:
        self._context = context
        self._apis = apis

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {"ImportApi": self.create, "ReimportApi": self.replace}

    def create(self, parameters: Mapping[str, Any]) -> Document:
        """Creates an API with all that the document has; stages are for CreateStage."""
        imported = _parse(parameters)
        api = HttpApi(self._apis.new_document(imported.members))
        _fill(api, imported, self._context.home)
        self._context.state.apis[api.id] = api
        self._context.on_change()
        return shown(api.document)

    def replace(self, parameters: Mapping[str, Any]) -> Document:
        """Replaces all of an API but its id, its stages and its deployments."""
        api = self._context.api(parameters)
        imported = _parse(parameters)
        fresh = self._apis.new_document({**imported.members, "Tags": api.document["Tags"]})
        kept = {name: api.document[name] for name in ("ApiId", "ApiEndpoint", "CreatedDate")}
        replacement = HttpApi({**fresh, **kept})
        _fill(replacement, imported, self._context.home)
        api.document = replacement.document
        api.integrations = replacement.integrations
        api.routes = replacement.routes
        api.authorizers = replacement.authorizers
        redeploy(api, self._context.timestamp())
        self._context.on_change()
        return shown(api.document)


def _parse(parameters: Mapping[str, Any]) -> ImportedApi:
    if parameters.get("Basepath", "ignore") != "ignore":
        raise unserved(f"Basepath {parameters['Basepath']} (only ignore)")
    return parse_openapi(parameters["Body"])


def _fill(api: HttpApi, imported: ImportedApi, home: Home) -> None:
    ids: dict[str, str | None] = {}
    for name, members in imported.authorizers.items():
        ids[name] = None
        if members is not None:
            authorizer = new_authorizer(members, api, home)
            api.authorizers[authorizer["AuthorizerId"]] = authorizer
            ids[name] = authorizer["AuthorizerId"]
    for route in imported.routes:
        members = _authorization(route, imported, ids)
        if route.integration is not None:
            integration = new_integration(route.integration, api, home)
            api.integrations[integration["IntegrationId"]] = integration
            members["Target"] = target_of(integration["IntegrationId"])
        if route.operation_name is not None:
            members["OperationName"] = route.operation_name
        made = new_route({"RouteKey": route.key, **members}, api)
        api.routes[made["RouteId"]] = made


def _authorization(
    route: ImportedRoute, imported: ImportedApi, ids: Mapping[str, str | None]
) -> Document:
    if route.scheme is None:
        return {}
    if route.scheme not in ids:
        raise bad_request(f"{route.key}: the security scheme {route.scheme} has no authorizer")
    authorizer = imported.authorizers[route.scheme]
    if authorizer is None:
        return {"AuthorizationType": "AWS_IAM"}
    kind = "JWT" if authorizer["AuthorizerType"] == "JWT" else "CUSTOM"
    members: Document = {"AuthorizationType": kind, "AuthorizerId": ids[route.scheme]}
    if route.scopes:
        members["AuthorizationScopes"] = route.scopes
    return members
