"""Methods of resources, and their responses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext, chosen
from sandbox.apigateway_api.patching import (
    SERVED_OPS,
    Member,
    NamedInValue,
    Rules,
    as_bool,
    patched,
    read_patches,
)
from sandbox.apigateway_api.refusing import (
    bad_request,
    conflict,
    not_found,
    refuse_unserved,
)
from sandbox.apigateway_api.state import Document, RestApi

_METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_AUTHORIZER_TYPES = {
    "CUSTOM": ("TOKEN", "REQUEST"),
    "COGNITO_USER_POOLS": ("COGNITO_USER_POOLS",),
}
_AUTHORIZATIONS = ("NONE", "AWS_IAM", *_AUTHORIZER_TYPES)
# What each API has from the start ("Data models for REST APIs").
_MODELS = ("Empty", "Error")

_REQUEST_PARAMETER = re.compile(r"method\.request\.(?:path|querystring|header)\.[!-~]+")
_RESPONSE_PARAMETER = re.compile(r"method\.response\.header\.[!-~]+")

_RULES: Rules = {
    "/authorizationType": Member(),
    "/authorizerId": Member(ops=("replace", "remove")),
    "/apiKeyRequired": Member(as_bool),
    "/operationName": Member(ops=SERVED_OPS),
    "/authorizationScopes": NamedInValue(),
    "/requestParameters/*": Member(as_bool, SERVED_OPS),
    "/requestModels/*": Member(ops=SERVED_OPS),
}
_RESPONSE_RULES: Rules = {
    "/responseParameters/*": Member(as_bool, SERVED_OPS),
    "/responseModels/*": Member(ops=SERVED_OPS),
}


class MethodOperations:
    """The operations on methods and method responses."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "PutMethod": self.put,
            "GetMethod": self.get,
            "UpdateMethod": self.update,
            "DeleteMethod": self.delete,
            "PutMethodResponse": self.put_response,
            "GetMethodResponse": self.get_response,
            "UpdateMethodResponse": self.update_response,
            "DeleteMethodResponse": self.delete_response,
        }

    def put(self, parameters: Parameters) -> Output:
        """Adds a method to a resource."""
        api = self._context.api(parameters)
        return add_method(api, parameters["resourceId"], parameters["httpMethod"], parameters)

    def get(self, parameters: Parameters) -> Output:
        """One method."""
        return self._method(parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes a method."""
        api = self._context.api(parameters)
        method = patched(self._method(parameters), read_patches(parameters), _RULES)
        _check(api, method)
        put_method(api, parameters["resourceId"], method)
        return method

    def delete(self, parameters: Parameters) -> None:
        """Deletes a method with its integration."""
        api = self._context.api(parameters)
        resource_id, name = parameters["resourceId"], parameters["httpMethod"]
        api.method(resource_id, name)
        resource = api.resource(resource_id)
        kept = {key: it for key, it in resource["resourceMethods"].items() if key != name}
        api.resources[resource_id] = {**resource, "resourceMethods": kept}

    def put_response(self, parameters: Parameters) -> Output:
        """Adds a response to a method."""
        status = parameters["statusCode"]
        if status in self._method(parameters).get("methodResponses", {}):
            raise conflict("Response already exists for this resource")
        return self._store_response(
            parameters,
            {
                "statusCode": status,
                **chosen(parameters, ("responseParameters", "responseModels")),
            },
        )

    def get_response(self, parameters: Parameters) -> Output:
        """One response."""
        responses: Document = self._method(parameters).get("methodResponses", {})
        if parameters["statusCode"] not in responses:
            raise not_found("Response status code")
        response: Document = responses[parameters["statusCode"]]
        return response

    def update_response(self, parameters: Parameters) -> Output:
        """Changes a response."""
        response = self.get_response(parameters)
        changed = patched(response, read_patches(parameters), _RESPONSE_RULES)
        return self._store_response(parameters, changed)

    def delete_response(self, parameters: Parameters) -> None:
        """Deletes a response."""
        self.get_response(parameters)
        method = self._method(parameters)
        kept = dict(method["methodResponses"])
        del kept[parameters["statusCode"]]
        self._put_method(parameters, {**method, "methodResponses": kept})

    def _method(self, parameters: Parameters) -> Document:
        api = self._context.api(parameters)
        return api.method(parameters["resourceId"], parameters["httpMethod"])

    def _put_method(self, parameters: Parameters, method: Document) -> None:
        put_method(self._context.api(parameters), parameters["resourceId"], method)

    def _store_response(self, parameters: Parameters, response: Document) -> Output:
        _check_parameters(response.get("responseParameters", {}), _RESPONSE_PARAMETER)
        _check_models(response.get("responseModels", {}))
        method = self._method(parameters)
        responses = {**method.get("methodResponses", {}), response["statusCode"]: response}
        self._put_method(parameters, {**method, "methodResponses": responses})
        return response


def add_method(api: RestApi, resource_id: str, http_method: str, settings: Parameters) -> Document:
    """The new method `http_method` of a resource.

    Raises:
        ApiError: it is there already, or the settings do not fit.
    """
    resource = api.resource(resource_id)
    if http_method not in _METHODS:
        raise bad_request(f"Invalid HttpMethod specified. Valid options are {', '.join(_METHODS)}")
    if http_method in resource.get("resourceMethods", {}):
        raise conflict("Method already exists for this resource")
    refuse_unserved(settings, ("requestValidatorId",))
    kept = ("authorizerId", "operationName", "requestParameters", "requestModels")
    method = {
        "httpMethod": http_method,
        "authorizationType": settings["authorizationType"],
        "apiKeyRequired": settings.get("apiKeyRequired", False),
        **chosen(settings, (*kept, "authorizationScopes")),
    }
    _check(api, method)
    put_method(api, resource_id, method)
    return method


def put_method(api: RestApi, resource_id: str, method: Document) -> None:
    """Takes `method` for the one of its name."""
    resource = api.resource(resource_id)
    methods = {**resource.get("resourceMethods", {}), method["httpMethod"]: method}
    api.resources[resource_id] = {**resource, "resourceMethods": methods}


def _check(api: RestApi, method: Document) -> None:
    kind = method["authorizationType"]
    if kind not in _AUTHORIZATIONS:
        raise bad_request(
            f"Invalid authorization type specified: {kind}. Must be one of: "
            f"[{', '.join(_AUTHORIZATIONS)}]"
        )
    if kind in _AUTHORIZER_TYPES:
        authorizer = api.authorizers.get(method.get("authorizerId", ""), {})
        if authorizer.get("type") not in _AUTHORIZER_TYPES[kind]:
            raise bad_request(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
                "COGNITO_USER_POOLS requires a valid authorizer."
            )
    if method.get("authorizationScopes") and kind != "COGNITO_USER_POOLS":
        raise bad_request("Authorization scopes need the authorization type COGNITO_USER_POOLS")
    _check_parameters(method.get("requestParameters", {}), _REQUEST_PARAMETER)
    _check_models(method.get("requestModels", {}))


def _check_parameters(names: Mapping[str, object], form: re.Pattern[str]) -> None:
    for name in names:
        if form.fullmatch(name) is None:
            raise invalid_mapping(name)


def invalid_mapping(name: str) -> Exception:
    """AWS's answer to the name of a request or response parameter that cannot be."""
    return bad_request(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
        f"[Invalid mapping expression parameter specified: {name}]"
    )


def _check_models(models: Mapping[str, str]) -> None:
    for name in models.values():
        if name not in _MODELS:
            raise bad_request(
                f"Invalid model identifier specified: {name} (the sandbox has the models "
                f"{' and '.join(_MODELS)} only)"
            )
