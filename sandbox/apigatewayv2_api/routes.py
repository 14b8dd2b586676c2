"""Routes: which requests go to which integration, and who may send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.context import HttpApiContext, find, given, new_id
from sandbox.apigatewayv2_api.deployments import redeploy
from sandbox.apigatewayv2_api.errors import (
    bad_request,
    conflict,
    limit_exceeded,
    not_for_http_apis,
    not_found,
)
from sandbox.apigatewayv2_api.paging import page
from sandbox.apigatewayv2_api.route_keys import parse_route_key
from sandbox.apigatewayv2_api.state import Document, HttpApi
from sandbox.rest_json.service import Operation

# Routes of an HTTP API (API Gateway quotas, 2026).
MAX_ROUTES = 300

_WEBSOCKET_ONLY = (
    "ApiKeyRequired",
    "ModelSelectionExpression",
    "RequestModels",
    "RequestParameters",
    "RouteResponseSelectionExpression",
)
# Which type of authorizer a type of authorization needs.
_AUTHORIZER_TYPES = {"JWT": "JWT", "CUSTOM": "REQUEST"}


class RouteOperations:
    """The operations on routes."""

    def __init__(self, context: HttpApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {
            "CreateRoute": self.create,
            "GetRoute": self.get,
            "GetRoutes": self.list,
            "UpdateRoute": self.update,
            "DeleteRoute": self.delete,
        }

    def create(self, parameters: Mapping[str, Any]) -> Document:
        """Creates a route; without a target it answers nothing."""
        api = self._context.api(parameters)
        return self._store(api, new_route(given(parameters, "ApiId"), api))

    def get(self, parameters: Mapping[str, Any]) -> Document:
        """One route."""
        return self._find(self._context.api(parameters), parameters)

    def list(self, parameters: Mapping[str, Any]) -> Document:
        """In the order in which they were made."""
        return page(list(self._context.api(parameters).routes.values()), parameters)

    def update(self, parameters: Mapping[str, Any]) -> Document:
        """Changes the members that are given."""
        api = self._context.api(parameters)
        document = self._find(api, parameters)
        changes = given(parameters, "ApiId", "RouteId")
        if document.get("ApiGatewayManaged") and "RouteKey" in changes:
            raise bad_request(
                f"Route {document['RouteId']} is managed by API Gateway: UpdateApi changes its key"
            )
        changed = _checked({**document, **changes}, api)
        return self._store(api, changed)

    def delete(self, parameters: Mapping[str, Any]) -> None:
        """Deletes a route."""
        api = self._context.api(parameters)
        document = self._find(api, parameters)
        if document.get("ApiGatewayManaged"):
            raise bad_request(f"Route {document['RouteId']} is managed by API Gateway")
        del api.routes[document["RouteId"]]
        redeploy(api, self._context.timestamp())
        self._context.on_change()

    def _find(self, api: HttpApi, parameters: Mapping[str, Any]) -> Document:
        return find(api.routes, parameters["RouteId"], "Route")

    def _store(self, api: HttpApi, document: Document) -> Document:
        api.routes[document["RouteId"]] = document
        redeploy(api, self._context.timestamp())
        self._context.on_change()
        return document


def new_route(members: Document, api: HttpApi) -> Document:
    """The route that `members` describe, with its defaults.

    Raises:
        ApiError: they break a rule, or there is such a route.
    """
    if len(api.routes) >= MAX_ROUTES:
        raise limit_exceeded("Maximum number of routes for this API has been reached")
    defaults = {"ApiKeyRequired": False, "AuthorizationType": "NONE"}
    return _checked({**defaults, **members, "RouteId": new_id(7, api.routes)}, api)


def _checked(document: Document, api: HttpApi) -> Document:
    for name in _WEBSOCKET_ONLY:
        if document.get(name):
            raise not_for_http_apis(name)
    check_free(document["RouteKey"], document["RouteId"], api)
    _check_target(document, api)
    return _with_authorization(document, api)


def check_free(route_key: str, route_id: str, api: HttpApi) -> None:
    """Checks a route key, and that no other route takes the same requests.

    Raises:
        ApiError: it is none, or another route has it.
    """
    shape = parse_route_key(route_key).shape
    for other in api.routes.values():
        if other["RouteId"] == route_id or parse_route_key(other["RouteKey"]).shape != shape:
            continue
        if other["RouteKey"] == route_key:
            raise conflict(f"Route with key {route_key} already exists for this API")
        raise conflict(f"Route with key {route_key} takes the same requests as {other['RouteKey']}")


def _check_target(document: Document, api: HttpApi) -> None:
    target = document.get("Target")
    if target is None:
        return
    kind, _, integration_id = target.partition("/")
    if kind != "integrations" or not integration_id:
        raise bad_request(f"Invalid target {target}: it has the form integrations/ID")
    if integration_id not in api.integrations:
        raise not_found(f"Invalid Integration identifier specified {integration_id}")


def _with_authorization(document: Document, api: HttpApi) -> Document:
    authorization = document["AuthorizationType"]
    needed = _AUTHORIZER_TYPES.get(authorization)
    scopes = document.get("AuthorizationScopes")
    if needed is None:
        # A route that was changed to another type loses what only the old one had.
        return given(document, "AuthorizerId", "AuthorizationScopes")
    authorizer_id = document.get("AuthorizerId")
    if not authorizer_id:
        raise bad_request(f"AuthorizerId is required for authorization type {authorization}")
    authorizer = find(api.authorizers, authorizer_id, "Authorizer")
    if authorizer["AuthorizerType"] != needed:
        raise bad_request(
            f"Authorization type {authorization} needs a {needed} authorizer: {authorizer_id} is "
            f"of type {authorizer['AuthorizerType']}"
        )
    if scopes and authorization != "JWT":
        raise bad_request("AuthorizationScopes are supported only for authorization type JWT")
    return document
