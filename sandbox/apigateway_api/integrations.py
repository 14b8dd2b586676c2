"""What stands behind methods: integrations, and the responses of mocks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext, chosen
from sandbox.apigateway_api.integration_rules import (
    DEFAULT_PASSTHROUGH,
    DEFAULT_TIMEOUT_MS,
    check_integration,
)
from sandbox.apigateway_api.methods import invalid_mapping, put_method
from sandbox.apigateway_api.patching import (
    SERVED_OPS,
    Member,
    NamedInPath,
    Rules,
    as_whole,
    patched,
    read_patches,
)
from sandbox.apigateway_api.refusing import bad_request, not_found, unserved
from sandbox.apigateway_api.state import Document, RestApi
from sandbox.apigateway_api.templates import check_templates

_KEPT = (
    "type",
    "uri",
    "connectionType",
    "connectionId",
    "credentials",
    "requestParameters",
    "requestTemplates",
    "contentHandling",
    "cacheNamespace",
    "cacheKeyParameters",
    "tlsConfig",
    "responseTransferMode",
    "integrationTarget",
    "passthroughBehavior",
    "timeoutInMillis",
)
_RESPONSE_KEPT = (
    "statusCode",
    "selectionPattern",
    "responseParameters",
    "responseTemplates",
    "contentHandling",
)
_RULES: Rules = {
    "/httpMethod": Member(),
    "/uri": Member(),
    "/passthroughBehavior": Member(),
    "/timeoutInMillis": Member(as_whole),
    "/connectionType": Member(),
    "/responseTransferMode": Member(),
    "/contentHandling": Member(ops=SERVED_OPS),
    "/cacheNamespace": Member(),
    "/cacheKeyParameters/*": NamedInPath(("add", "remove")),
    "/requestParameters/*": Member(ops=SERVED_OPS),
    "/requestTemplates/*": Member(ops=SERVED_OPS),
}
_RESPONSE_RULES: Rules = {
    "/selectionPattern": Member(),
    "/contentHandling": Member(ops=SERVED_OPS),
    "/responseParameters/*": Member(ops=SERVED_OPS),
    "/responseTemplates/*": Member(ops=SERVED_OPS),
}
_LITERAL = re.compile(r"'[^'\r\n]*'")


class IntegrationOperations:
    """The operations on integrations and integration responses."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "PutIntegration": self.put,
            "GetIntegration": self.get,
            "UpdateIntegration": self.update,
            "DeleteIntegration": self.delete,
            "PutIntegrationResponse": self.put_response,
            "GetIntegrationResponse": self.get_response,
            "UpdateIntegrationResponse": self.update_response,
            "DeleteIntegrationResponse": self.delete_response,
        }

    def put(self, parameters: Parameters) -> Output:
        """Sets the integration of a method."""
        api = self._context.api(parameters)
        return set_integration(
            self._context, api, parameters["resourceId"], parameters["httpMethod"], parameters
        )

    def get(self, parameters: Parameters) -> Output:
        """One integration."""
        return self._integration(parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes an integration."""
        changed = patched(self._integration(parameters), read_patches(parameters), _RULES)
        check_integration(self._context, self._method(parameters), changed)
        self._put(parameters, changed)
        return changed

    def delete(self, parameters: Parameters) -> None:
        """Deletes an integration."""
        self._integration(parameters)
        method = dict(self._method(parameters))
        del method["methodIntegration"]
        put_method(self._context.api(parameters), parameters["resourceId"], method)

    def put_response(self, parameters: Parameters) -> Output:
        """Sets the response of an integration for a status."""
        api = self._context.api(parameters)
        return set_response(api, parameters["resourceId"], parameters["httpMethod"], parameters)

    def get_response(self, parameters: Parameters) -> Output:
        """One response."""
        responses: Document = self._integration(parameters).get("integrationResponses", {})
        if parameters["statusCode"] not in responses:
            raise not_found("Response status code")
        response: Document = responses[parameters["statusCode"]]
        return response

    def update_response(self, parameters: Parameters) -> Output:
        """Changes a response."""
        old = self.get_response(parameters)
        changed = patched(old, read_patches(parameters), _RESPONSE_RULES)
        api = self._context.api(parameters)
        return set_response(api, parameters["resourceId"], parameters["httpMethod"], changed)

    def delete_response(self, parameters: Parameters) -> None:
        """Deletes a response."""
        self.get_response(parameters)
        integration = self._integration(parameters)
        kept = dict(integration["integrationResponses"])
        del kept[parameters["statusCode"]]
        self._put(parameters, {**integration, "integrationResponses": kept})

    def _method(self, parameters: Parameters) -> Document:
        api = self._context.api(parameters)
        return api.method(parameters["resourceId"], parameters["httpMethod"])

    def _integration(self, parameters: Parameters) -> Document:
        api = self._context.api(parameters)
        return api.integration(parameters["resourceId"], parameters["httpMethod"])

    def _put(self, parameters: Parameters, integration: Document) -> None:
        method = {**self._method(parameters), "methodIntegration": integration}
        put_method(self._context.api(parameters), parameters["resourceId"], method)


def set_integration(
    context: RestApiContext,
    api: RestApi,
    resource_id: str,
    http_method: str,
    settings: Parameters,
) -> Document:
    """The new integration of a method; the old one is gone with its responses.

    Raises:
        ApiError: there is no such method, or the settings cannot be.
    """
    method = api.method(resource_id, http_method)
    integration: Document = {
        "passthroughBehavior": DEFAULT_PASSTHROUGH,
        "timeoutInMillis": DEFAULT_TIMEOUT_MS,
        "cacheNamespace": resource_id,
        "cacheKeyParameters": [],
        **chosen(settings, _KEPT),
    }
    if settings.get("integrationHttpMethod"):
        integration["httpMethod"] = settings["integrationHttpMethod"]
    check_integration(context, method, integration)
    put_method(api, resource_id, {**method, "methodIntegration": integration})
    return integration


def set_response(
    api: RestApi, resource_id: str, http_method: str, settings: Parameters
) -> Document:
    """The integration's new response for `settings["statusCode"]`.

    Raises:
        ApiError: there is no integration, or no method response for it, or the sandbox cannot
            make such a response.
    """
    method = api.method(resource_id, http_method)
    integration = api.integration(resource_id, http_method)
    response = chosen(settings, _RESPONSE_KEPT)
    _check_response(method, integration, response)
    responses = {**integration.get("integrationResponses", {}), response["statusCode"]: response}
    changed = {**integration, "integrationResponses": responses}
    put_method(api, resource_id, {**method, "methodIntegration": changed})
    return response


def _check_response(method: Document, integration: Document, response: Document) -> None:
    status = response["statusCode"]
    method_response = method.get("methodResponses", {}).get(status)
    if method_response is None:
        raise bad_request(f"Output mapping refers to an invalid method response: {status}")
    for name in response.get("responseParameters", {}):
        if name not in method_response.get("responseParameters", {}):
            raise invalid_mapping(name)
    try:
        re.compile(response.get("selectionPattern", ""))
    except re.error as error:
        raise bad_request(f"Invalid selection pattern specified: {error}") from error
    if integration["type"] == "MOCK":  # AWS ignores the responses of proxy integrations
        _check_mock_response(response)


def _check_mock_response(response: Document) -> None:
    if response.get("contentHandling"):
        raise unserved(f"the content handling {response['contentHandling']}")
    for name, value in response.get("responseParameters", {}).items():
        if _LITERAL.fullmatch(value) is None:
            raise unserved(f"the mapping of {value} to {name} (it serves literals: 'text')")
    check_templates(response.get("responseTemplates", {}))
