"""REST APIs themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.apigateway_api.context import (
    Operation,
    Output,
    Parameters,
    RestApiContext,
    chosen,
    shown,
)
from sandbox.apigateway_api.paging import page
from sandbox.apigateway_api.patching import (
    Member,
    NamedInPath,
    Parse,
    Patch,
    Rules,
    as_bool,
    one_of,
    patched,
    read_patches,
)
from sandbox.apigateway_api.refusing import bad_request, refuse_unserved, unserved
from sandbox.apigateway_api.state import LONG_ID, Document, RestApi, new_id
from sandbox.apigateway_api.tags import check_tags
from sandbox.gateway.authorizers.policy import PolicyError
from sandbox.gateway.authorizers.resource_policy import parse_resource_policy
from sandbox.lambda_api.names import Home

_KEY_SOURCES = ("HEADER", "AUTHORIZER")
_KEPT = (
    "description",
    "version",
    "binaryMediaTypes",
    "disableExecuteApiEndpoint",
    "policy",
    "tags",
)
_UNSERVED = ("cloneFrom", "minimumCompressionSize", "endpointAccessMode", "securityPolicy")
# AWS's words; what is wrong follows.
_NO_POLICY = (
    "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
)


def policy_parser(home: Home) -> Parse:
    """Reads a resource policy that the data plane can apply; empty text is none."""

    def parse(text: str, path: str) -> str:
        try:
            if text:
                # Which API it is of decides what it allows, not whether it is one.
                parse_resource_policy(json.loads(text), home, "any")
        except ValueError as error:
            reason = str(error) if isinstance(error, PolicyError) else "it is no JSON"
            raise bad_request(f"{_NO_POLICY} ({reason})") from error
        return text

    return parse


def as_name(text: str, path: str) -> str:
    """A name, which is not empty."""
    if not text.strip():
        raise bad_request("Name cannot be null or empty")
    return text


def as_endpoint_type(text: str, path: str) -> str:
    """EDGE or REGIONAL: the sandbox has no VPC."""
    if text == "PRIVATE":
        raise unserved("private APIs")
    if text not in ("EDGE", "REGIONAL"):
        raise bad_request(f"Invalid value {text} in {path}. Must be one of: [EDGE, REGIONAL]")
    return text


class _EndpointType:
    """The one endpoint type of an API: `replace /endpointConfiguration/types/EDGE`."""

    ops = ("replace",)

    def apply(self, document: Document, patch: Patch) -> None:
        """Takes the new type for the old one."""
        new = as_endpoint_type(patch.text(), patch.path)
        document["endpointConfiguration"] = {**document["endpointConfiguration"], "types": [new]}


_RULES: Rules = {
    "/name": Member(as_name),
    "/description": Member(),
    "/version": Member(),
    "/apiKeySource": Member(one_of(*_KEY_SOURCES)),
    "/disableExecuteApiEndpoint": Member(as_bool),
    "/binaryMediaTypes/*": NamedInPath(),
    "/endpointConfiguration/types/*": _EndpointType(),
}


class ApiOperations:
    """The operations on REST APIs."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context
        self._state = context.state
        self._as_policy = policy_parser(context.home)
        self._rules: Rules = {**_RULES, "/policy": Member(self._as_policy)}

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateRestApi": self.create,
            "GetRestApi": self.get,
            "GetRestApis": self.list,
            "UpdateRestApi": self.update,
            "DeleteRestApi": self.delete,
        }

    def create(self, parameters: Parameters) -> Output:
        """Creates an API with its root resource."""
        refuse_unserved(parameters, _UNSERVED)
        self._as_policy(parameters.get("policy", ""), "policy")
        check_tags(parameters.get("tags", {}))
        root_id = new_id(LONG_ID, ())
        document = {
            "id": new_id(LONG_ID, self._state.apis),
            "name": as_name(parameters["name"], "name"),
            "createdDate": self._context.now_s(),
            "apiKeySource": parameters.get("apiKeySource", "HEADER"),
            "endpointConfiguration": _endpoint(parameters.get("endpointConfiguration", {})),
            "disableExecuteApiEndpoint": False,
            "rootResourceId": root_id,
            **chosen(parameters, _KEPT),
        }
        root = {"id": root_id, "path": "/"}
        self._state.apis[document["id"]] = RestApi(document, {root_id: root})
        return shown_api(document)

    def get(self, parameters: Parameters) -> Output:
        """One API."""
        return shown_api(self._context.api(parameters).document)

    def list(self, parameters: Parameters) -> Output:
        """One page of the APIs."""
        apis = {api_id: shown_api(api.document) for api_id, api in self._state.apis.items()}
        return page(apis, parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes an API."""
        api = self._context.api(parameters)
        api.document = patched(api.document, read_patches(parameters), self._rules)
        return shown_api(api.document)

    def delete(self, parameters: Parameters) -> None:
        """Deletes an API with all that belongs to it."""
        api = self._context.api(parameters)
        identifier = api.document["id"]
        self._state.forget_stages(identifier, api.stages)
        del self._state.apis[identifier]


def shown_api(document: Document) -> Output:
    """An API as AWS shows it: the policy has its quotes escaped, and no quotes around it."""
    output = shown(document)
    if policy := document.get("policy"):
        output["policy"] = json.dumps(policy)[1:-1]
    return output


def _endpoint(given: Document) -> Document:
    """The endpoint configuration of a new API; EDGE is what AWS takes for none."""
    types = given.get("types") or ["EDGE"]
    if len(types) != 1:
        raise bad_request("Only one endpoint type can be specified")
    if given.get("vpcEndpointIds"):
        raise unserved("vpcEndpointIds")
    kind = as_endpoint_type(types[0], "endpointConfiguration.types")
    return {"types": [kind], "ipAddressType": given.get("ipAddressType", "ipv4")}
