"""HTTP APIs themselves, also made in one call with a target ("quick create")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.context import HttpApiContext, given, new_id, shown
from sandbox.apigatewayv2_api.cors import check_cors
from sandbox.apigatewayv2_api.deployments import redeploy
from sandbox.apigatewayv2_api.errors import bad_request, not_for_http_apis, unserved
from sandbox.apigatewayv2_api.integrations import (
    managed_integration,
    new_integration,
    target_of,
)
from sandbox.apigatewayv2_api.paging import page
from sandbox.apigatewayv2_api.route_keys import DEFAULT
from sandbox.apigatewayv2_api.routes import check_free, new_route
from sandbox.apigatewayv2_api.stages import DEFAULT_STAGE, new_stage
from sandbox.apigatewayv2_api.state import Document, Documents, HttpApi
from sandbox.apigatewayv2_api.tags import check_tags
from sandbox.rest_json.service import Operation

# What AWS shows for each HTTP API; only a WebSocket API may have others.
_ROUTE_SELECTION = "$request.method $request.path"
_KEY_SELECTION = "$request.header.x-api-key"
# The model's documentation has the braces, AWS's answers have not; both mean the same.
_ROUTE_SELECTIONS = (_ROUTE_SELECTION, "${request.method} ${request.path}")

_QUICK = ("Target", "RouteKey", "CredentialsArn")


class ApiOperations:
    """The operations on APIs."""

    def __init__(self, context: HttpApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {
            "CreateApi": self.create,
            "GetApi": self.get,
            "GetApis": self.list,
            "UpdateApi": self.update,
            "DeleteApi": self.delete,
            "DeleteCorsConfiguration": self.delete_cors,
        }

    def create(self, parameters: Mapping[str, Any]) -> Document:
        """Creates an API; with a target it serves at once, at the stage $default."""
        if parameters["ProtocolType"] != "HTTP":
            raise unserved(f"{parameters['ProtocolType']} APIs (ProtocolType: only HTTP)")
        api = HttpApi(self.new_document(given(parameters, *_QUICK)))
        if "Target" in parameters:
            self._quick_create(api, parameters)
        elif "RouteKey" in parameters or "CredentialsArn" in parameters:
            raise bad_request("RouteKey and CredentialsArn are part of quick create: give a Target")
        self._context.state.apis[api.id] = api
        self._context.on_change()
        return shown(api.document)

    def new_document(self, members: Document) -> Document:
        """The document of a new API with its defaults.

        Raises:
            ApiError: `members` break a rule, or the sandbox does not serve them.
        """
        _check(members)
        check_tags(members.get("Tags", {}))
        home = self._context.home
        api_id = new_id(10, self._context.state.apis)
        return {
            "ApiKeySelectionExpression": _KEY_SELECTION,
            "DisableExecuteApiEndpoint": False,
            "IpAddressType": "ipv4",
            "Tags": {},
            **given(members, "DisableSchemaValidation"),
            "RouteSelectionExpression": _ROUTE_SELECTION,
            "ApiId": api_id,
            "ApiEndpoint": f"https://{api_id}.execute-api.{home.region}.amazonaws.com",
            "CreatedDate": self._context.timestamp(),
        }

    def get(self, parameters: Mapping[str, Any]) -> Document:
        """One API."""
        return shown(self._context.api(parameters).document)

    def list(self, parameters: Mapping[str, Any]) -> Document:
        """In the order in which they were made."""
        return page([api.document for api in self._context.state.apis.values()], parameters)

    def update(self, parameters: Mapping[str, Any]) -> Document:
        """Changes the members that are given; a CorsConfiguration replaces the old one."""
        api = self._context.api(parameters)
        changes = given(parameters, "ApiId", *_QUICK)
        _check(changes)
        if any(name in parameters for name in _QUICK):
            self._update_quick(api, parameters)
        changes = given(changes, "DisableSchemaValidation", "RouteSelectionExpression")
        api.document = {**api.document, **changes}
        redeploy(api, self._context.timestamp())
        self._context.on_change()
        return shown(api.document)

    def delete(self, parameters: Mapping[str, Any]) -> None:
        """Deletes an API with all of its parts."""
        del self._context.state.apis[self._context.api(parameters).id]
        self._context.on_change()

    def delete_cors(self, parameters: Mapping[str, Any]) -> None:
        """Takes the CORS configuration away."""
        api = self._context.api(parameters)
        api.document = given(api.document, "CorsConfiguration")
        redeploy(api, self._context.timestamp())
        self._context.on_change()

    def _quick_create(self, api: HttpApi, parameters: Mapping[str, Any]) -> None:
        members = managed_integration(parameters["Target"], parameters.get("CredentialsArn"))
        integration = new_integration(members, api, self._context.home)
        api.integrations[integration["IntegrationId"]] = integration
        route = new_route(
            {
                "RouteKey": parameters.get("RouteKey", DEFAULT),
                "Target": target_of(integration["IntegrationId"]),
                "ApiGatewayManaged": True,
            },
            api,
        )
        api.routes[route["RouteId"]] = route
        now = self._context.timestamp()
        members = {"StageName": DEFAULT_STAGE, "AutoDeploy": True, "ApiGatewayManaged": True}
        api.stages[DEFAULT_STAGE] = new_stage(members, now)
        redeploy(api, now)

    def _update_quick(self, api: HttpApi, parameters: Mapping[str, Any]) -> None:
        """Changes the integration and the route that a quick create made."""
        route, integration = _managed(api.routes), _managed(api.integrations)
        if route is None or integration is None:
            raise bad_request("Target, RouteKey and CredentialsArn need an API of a quick create")
        key = parameters.get("RouteKey", route["RouteKey"])
        check_free(key, route["RouteId"], api)
        members = managed_integration(
            parameters.get("Target", integration["IntegrationUri"]),
            parameters.get("CredentialsArn", integration.get("CredentialsArn")),
        )
        if "Target" not in parameters:
            members = {**integration, **members, "PayloadFormatVersion": _format(integration)}
        replaced = new_integration(given(members, "IntegrationId"), api, self._context.home)
        replaced["IntegrationId"] = integration["IntegrationId"]
        api.integrations[integration["IntegrationId"]] = replaced
        api.routes[route["RouteId"]] = {**route, "RouteKey": key}


def _format(integration: Document) -> str:
    return str(integration["PayloadFormatVersion"])


def _managed(documents: Documents) -> Document | None:
    return next((item for item in documents.values() if item.get("ApiGatewayManaged")), None)


def _check(members: Document) -> None:
    if members.get("RouteSelectionExpression", _ROUTE_SELECTION) not in _ROUTE_SELECTIONS:
        raise bad_request(f"RouteSelectionExpression has to be {_ROUTE_SELECTION} for HTTP APIs")
    if members.get("ApiKeySelectionExpression", _KEY_SELECTION) != _KEY_SELECTION:
        raise not_for_http_apis("ApiKeySelectionExpression")
    if members.get("DisableSchemaValidation"):
        raise not_for_http_apis("DisableSchemaValidation")
    if members.get("IpAddressType", "ipv4") != "ipv4":
        raise unserved("IpAddressType dualstack: it listens on IPv4 only")
    if "CorsConfiguration" in members:
        check_cors(members["CorsConfiguration"])
