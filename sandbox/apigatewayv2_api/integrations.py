"""Integrations: Lambda proxy and HTTP proxy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.context import HttpApiContext, find, given, new_id
from sandbox.apigatewayv2_api.deployments import redeploy
from sandbox.apigatewayv2_api.errors import bad_request, conflict, not_for_http_apis, unserved
from sandbox.apigatewayv2_api.function_uri import check_function_uri, is_function_uri
from sandbox.apigatewayv2_api.paging import page
from sandbox.apigatewayv2_api.route_keys import METHODS
from sandbox.apigatewayv2_api.state import Document, HttpApi
from sandbox.lambda_api.names import Home
from sandbox.rest_json.service import Operation

# HTTP APIs, in ms (model of CreateIntegration, TimeoutInMillis, 2026).
DEFAULT_TIMEOUT_MS = 30_000

_WEBSOCKET_ONLY = (
    "ContentHandlingStrategy",
    "PassthroughBehavior",
    "RequestTemplates",
    "TemplateSelectionExpression",
)
_UNSERVED = ("IntegrationSubtype", "RequestParameters", "ResponseParameters", "TlsConfig")
_URL = re.compile(r"https?://[^\s/?#]+[^\s#]*")


class IntegrationOperations:
    """The operations on integrations."""

    def __init__(self, context: HttpApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {
            "CreateIntegration": self.create,
            "GetIntegration": self.get,
            "GetIntegrations": self.list,
            "UpdateIntegration": self.update,
            "DeleteIntegration": self.delete,
        }

    def create(self, parameters: Mapping[str, Any]) -> Document:
        """Creates an integration; a route has to target it to serve anything."""
        api = self._context.api(parameters)
        document = new_integration(given(parameters, "ApiId"), api, self._context.home)
        return self._store(api, document)

    def get(self, parameters: Mapping[str, Any]) -> Document:
        """One integration."""
        return self._find(self._context.api(parameters), parameters)

    def list(self, parameters: Mapping[str, Any]) -> Document:
        """In the order in which they were made."""
        return page(list(self._context.api(parameters).integrations.values()), parameters)

    def update(self, parameters: Mapping[str, Any]) -> Document:
        """Changes the members that are given."""
        api = self._context.api(parameters)
        document = self._find(api, parameters)
        changed = {**document, **given(parameters, "ApiId", "IntegrationId")}
        _check(changed, self._context.home)
        return self._store(api, changed)

    def delete(self, parameters: Mapping[str, Any]) -> None:
        """Deletes an integration that no route targets."""
        api = self._context.api(parameters)
        document = self._find(api, parameters)
        integration_id = document["IntegrationId"]
        if document.get("ApiGatewayManaged"):
            raise bad_request(f"Integration {integration_id} is managed by API Gateway")
        for route in api.routes.values():
            if route.get("Target") == target_of(integration_id):
                raise conflict(
                    f"Cannot delete Integration {integration_id}: route {route['RouteId']} "
                    f"({route['RouteKey']}) targets it"
                )
        del api.integrations[integration_id]
        redeploy(api, self._context.timestamp())
        self._context.on_change()

    def _find(self, api: HttpApi, parameters: Mapping[str, Any]) -> Document:
        return find(api.integrations, parameters["IntegrationId"], "Integration")

    def _store(self, api: HttpApi, document: Document) -> Document:
        api.integrations[document["IntegrationId"]] = document
        redeploy(api, self._context.timestamp())
        self._context.on_change()
        return document


def new_integration(members: Document, api: HttpApi, home: Home) -> Document:
    """The integration that `members` describe, with its defaults.

    Raises:
        ApiError: they break a rule, or the sandbox does not serve them.
    """
    document: Document = {
        "ConnectionType": "INTERNET",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": DEFAULT_TIMEOUT_MS,
        **members,
        "IntegrationId": new_id(7, api.integrations),
    }
    if document["IntegrationType"] == "AWS_PROXY":
        document.setdefault("IntegrationMethod", "POST")
    _check(document, home)
    return document


def managed_integration(target: str, credentials: str | None) -> Document:
    """The members of the integration that a quick create makes for a function or a URL."""
    members: Document = {"IntegrationUri": target, "ApiGatewayManaged": True}
    if is_function_uri(target):
        members |= {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
        members |= {"IntegrationMethod": "POST"}
    else:
        members |= {"IntegrationType": "HTTP_PROXY", "PayloadFormatVersion": "1.0"}
        members |= {"IntegrationMethod": "ANY"}
    if credentials is not None:
        members["CredentialsArn"] = credentials
    return members


def target_of(integration_id: str) -> str:
    """What the `Target` of a route says for an integration."""
    return f"integrations/{integration_id}"


def _check(document: Document, home: Home) -> None:
    for name in _WEBSOCKET_ONLY:
        if document.get(name):
            raise not_for_http_apis(name)
    for name in _UNSERVED:
        if document.get(name):
            raise unserved(f"{name} of integrations")
    if document["ConnectionType"] != "INTERNET" or document.get("ConnectionId"):
        raise unserved("private integrations (ConnectionType VPC_LINK)")
    match document["IntegrationType"]:
        case "AWS_PROXY":
            _check_lambda(document, home)
        case "HTTP_PROXY":
            _check_http(document)
        case other:
            raise bad_request(
                f"Integration type {other} is not supported for HTTP APIs (AWS_PROXY, HTTP_PROXY)"
            )


def _check_lambda(document: Document, home: Home) -> None:
    uri = document.get("IntegrationUri")
    if not uri:
        raise bad_request("IntegrationUri is required for an AWS_PROXY integration")
    check_function_uri(uri, home)
    if document["PayloadFormatVersion"] not in ("1.0", "2.0"):
        raise bad_request(
            f"Invalid payloadFormatVersion {document['PayloadFormatVersion']} (1.0 or 2.0)"
        )
    if document["IntegrationMethod"] != "POST":
        raise bad_request("IntegrationMethod has to be POST for a Lambda function")


def _check_http(document: Document) -> None:
    uri = document.get("IntegrationUri")
    if not uri or _URL.fullmatch(uri) is None:
        raise bad_request(f"Invalid HTTP endpoint specified for URI: {uri}")
    if document.get("IntegrationMethod") not in METHODS:
        raise bad_request(
            f"Invalid IntegrationMethod {document.get('IntegrationMethod')} for an HTTP_PROXY "
            f"integration ({', '.join(METHODS)})"
        )
    if document["PayloadFormatVersion"] != "1.0":
        raise bad_request("PayloadFormatVersion has to be 1.0 for an HTTP_PROXY integration")
