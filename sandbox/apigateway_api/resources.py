"""The tree of resources of an API."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext
from sandbox.apigateway_api.paging import page
from sandbox.apigateway_api.patching import Member, Rules, patched, read_patches
from sandbox.apigateway_api.refusing import bad_request, conflict, limit_exceeded
from sandbox.apigateway_api.state import SHORT_ID, Document, RestApi, new_id

# "Resources per REST API" (quota L-01C8A9E0, raisable; 2026).
MAX_RESOURCES = 300

_PATH_PART = re.compile(r"[a-zA-Z0-9._:-]+|\{[a-zA-Z0-9._:-]+\+?\}")
_RULES: Rules = {"/pathPart": Member(), "/parentId": Member()}


class ResourceOperations:
    """The operations on resources."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateResource": self.create,
            "GetResource": self.get,
            "GetResources": self.list,
            "UpdateResource": self.update,
            "DeleteResource": self.delete,
        }

    def create(self, parameters: Parameters) -> Output:
        """Creates a resource below another."""
        api = self._context.api(parameters)
        return add_resource(api, parameters["parentId"], parameters["pathPart"])

    def get(self, parameters: Parameters) -> Output:
        """One resource."""
        resource = self._context.api(parameters).resource(parameters["resourceId"])
        return _shown(resource, parameters)

    def list(self, parameters: Parameters) -> Output:
        """One page of the resources."""
        resources = self._context.api(parameters).resources
        shown = {key: _shown(resource, parameters) for key, resource in resources.items()}
        return page(shown, parameters)

    def update(self, parameters: Parameters) -> Output:
        """Gives a resource another name or another parent."""
        api = self._context.api(parameters)
        old = api.resource(parameters["resourceId"])
        if "parentId" not in old:
            raise bad_request("Root resource cannot be updated")
        new = patched(old, read_patches(parameters), _RULES)
        parent = api.resource(new["parentId"])
        below = subtree(api, old["id"])
        if parent["id"] in below:
            raise bad_request("A resource cannot be moved below itself")
        _check_place(api, parent, new["pathPart"], but=old["id"])
        api.resources[old["id"]] = new
        for identifier in below:
            _set_path(api, identifier)
        return _shown(api.resources[old["id"]], parameters)

    def delete(self, parameters: Parameters) -> None:
        """Deletes a resource with all below it."""
        api = self._context.api(parameters)
        resource = api.resource(parameters["resourceId"])
        if "parentId" not in resource:
            raise bad_request("Root resource cannot be deleted")
        for identifier in subtree(api, resource["id"]):
            del api.resources[identifier]


def add_resource(api: RestApi, parent_id: str, path_part: str) -> Document:
    """The new resource `path_part` below `parent_id`.

    Raises:
        ApiError: it cannot be there.
    """
    parent = api.resource(parent_id)
    _check_place(api, parent, path_part)
    if len(api.resources) >= MAX_RESOURCES:
        raise limit_exceeded("Maximum number of resources for this API has been reached")
    identifier = new_id(SHORT_ID, api.resources)
    path = f"{parent['path'].rstrip('/')}/{path_part}"
    resource = {"id": identifier, "parentId": parent_id, "pathPart": path_part, "path": path}
    api.resources[identifier] = resource
    return resource


def subtree(api: RestApi, identifier: str) -> list[str]:
    """The ids of a resource and of all below it, each after its parent."""
    found = [identifier]
    for current in found:  # which grows on the way
        found += [key for key, it in api.resources.items() if it.get("parentId") == current]
    return found


def _check_place(api: RestApi, parent: Document, path_part: str, but: str = "") -> None:
    """Refuses a path part that cannot be below `parent`, beside all others except `but`."""
    if _PATH_PART.fullmatch(path_part) is None:
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and "
            "curly braces at the beginning and the end."
        )
    if parent.get("pathPart", "").endswith("+}"):
        raise bad_request("Cannot create a child of a resource with a greedy path variable.")
    siblings = [
        resource["pathPart"]
        for key, resource in api.resources.items()
        if resource.get("parentId") == parent["id"] and key != but
    ]
    if path_part in siblings:
        raise conflict(f"Another resource with the same parent already has this name: {path_part}")
    variables = [sibling for sibling in siblings if sibling.startswith("{")]
    if path_part.startswith("{") and variables:
        raise bad_request(
            f"A sibling ({variables[0]}) of this resource already has a variable path part -- "
            "only one is allowed"
        )


def _set_path(api: RestApi, identifier: str) -> None:
    resource = api.resources[identifier]
    parent_path = api.resources[resource["parentId"]]["path"].rstrip("/")
    api.resources[identifier] = {**resource, "path": f"{parent_path}/{resource['pathPart']}"}


def _shown(resource: Document, parameters: Parameters) -> Output:
    """A resource; with `embed=methods` its methods as a whole, else their names."""
    methods = resource.get("resourceMethods")
    if not methods:
        return {key: value for key, value in resource.items() if key != "resourceMethods"}
    if "methods" in parameters.get("embed", ()):
        return dict(resource)
    return {**resource, "resourceMethods": {name: {} for name in methods}}
