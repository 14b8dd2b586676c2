"""What the gateway answers itself: errors before, after and instead of an integration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.api_errors import ApiError
from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext, chosen
from sandbox.apigateway_api.paging import page
from sandbox.apigateway_api.patching import SERVED_OPS, Member, Rules, patched, read_patches
from sandbox.apigateway_api.refusing import bad_request, unserved
from sandbox.apigateway_api.state import Document, RestApi
from sandbox.apigateway_api.templates import check_templates
from sandbox.gateway.response_types import REST_TYPES

# The two catch-alls have no status: they keep the one that the type in question has.
DEFAULT_STATUSES: Mapping[str, str | None] = dict(
    sorted(
        {
            **{name: str(kind.status) for name, kind in REST_TYPES.items()},
            "DEFAULT_4XX": None,
            "DEFAULT_5XX": None,
        }.items()
    )
)
DEFAULT_TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}

_NAME = re.compile(r"gatewayresponse\.header\.[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LITERAL = re.compile(r"'[^'$\r\n]*'")
_EXPRESSION = re.compile(r"(?:context\.[A-Za-z0-9_.-]+|stageVariables\.[A-Za-z0-9_]+)")
_RULES: Rules = {
    "/statusCode": Member(),
    "/responseParameters/*": Member(ops=SERVED_OPS),
    "/responseTemplates/*": Member(ops=SERVED_OPS),
}


class GatewayResponseOperations:
    """The operations on gateway responses."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "PutGatewayResponse": self.put,
            "GetGatewayResponse": self.get,
            "GetGatewayResponses": self.list,
            "UpdateGatewayResponse": self.update,
            "DeleteGatewayResponse": self.delete,
        }

    def put(self, parameters: Parameters) -> Output:
        """Takes a response of the API's own for the default one."""
        return put_gateway_response(
            self._context.api(parameters), parameters["responseType"], parameters
        )

    def get(self, parameters: Parameters) -> Output:
        """One response."""
        return _response(self._context.api(parameters), parameters["responseType"])

    def list(self, parameters: Parameters) -> Output:
        """One page of the responses, default ones included."""
        api = self._context.api(parameters)
        return page({kind: _response(api, kind) for kind in DEFAULT_STATUSES}, parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes a response, which is then the API's own."""
        api = self._context.api(parameters)
        kind = parameters["responseType"]
        changed = patched(_response(api, kind), read_patches(parameters), _RULES)
        return put_gateway_response(api, kind, changed)

    def delete(self, parameters: Parameters) -> None:
        """Goes back to the default response."""
        api = self._context.api(parameters)
        if api.gateway_responses.pop(parameters["responseType"], None) is None:
            raise ApiError("NotFoundException", "Gateway response type not defined on api")


def put_gateway_response(api: RestApi, kind: str, settings: Parameters) -> Document:
    """The API's own response for the type `kind`.

    Raises:
        ApiError: the sandbox cannot make it.
    """
    kept = ("statusCode", "responseParameters", "responseTemplates")
    response = {**_default(kind), **chosen(settings, kept), "defaultResponse": False}
    for name, value in response.get("responseParameters", {}).items():
        header_template(name, value)
    status = response.get("statusCode")
    if status is not None and re.fullmatch(r"[1-5][0-9][0-9]", status) is None:
        raise bad_request(f"Invalid status code specified: {status}")
    check_templates(response["responseTemplates"])
    api.gateway_responses[kind] = response
    return response


def header_template(name: str, value: str) -> str:
    """The template text of a header that a gateway response adds.

    Raises:
        ApiError: `name` is no header, or `value` is neither a literal nor a served expression.
    """
    if _NAME.fullmatch(name) is None:
        raise unserved(f"{name} in a gateway response (it serves gatewayresponse.header.NAME)")
    if _LITERAL.fullmatch(value):
        return value[1:-1]
    if _EXPRESSION.fullmatch(value):
        return f"${value}"
    raise unserved(
        f"the mapping of {value} to {name} (it serves literals, 'text', and context.* and "
        "stageVariables.*)"
    )


def _default(kind: str) -> Document:
    response: Document = {
        "responseType": kind,
        "responseParameters": {},
        "responseTemplates": dict(DEFAULT_TEMPLATES),
        "defaultResponse": True,
    }
    status = DEFAULT_STATUSES[kind]
    return response if status is None else {**response, "statusCode": status}


def _response(api: RestApi, kind: str) -> Document:
    return api.gateway_responses.get(kind) or _default(kind)
