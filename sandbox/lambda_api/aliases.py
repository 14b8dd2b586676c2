"""Aliases, with their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sandbox.api_errors import ApiError
from sandbox.lambda_api.context import (
    LambdaContext,
    Operation,
    Output,
    Parameters,
    check_revision,
    page,
)
from sandbox.lambda_api.names import LATEST, function_not_found
from sandbox.lambda_api.presentation import alias as shown_alias
from sandbox.lambda_api.records import Alias, Function, new_id

_PAGE = 50


class AliasOperations:
    """The operations on aliases."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._home = context.home

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateAlias": self.create,
            "GetAlias": self.get,
            "UpdateAlias": self.update,
            "DeleteAlias": self.delete,
            "ListAliases": self.list,
        }

    def create(self, parameters: Parameters) -> Output:
        """Names a version."""
        function = self._function(parameters)
        name = parameters["Name"]
        if name in function.aliases:
            arn = self._home.function_arn(function.name, name)
            raise ApiError("ResourceConflictException", f"Alias already exists: {arn}")
        alias = Alias(
            name,
            parameters["FunctionVersion"],
            parameters.get("Description", ""),
            new_id(),
            _weights(parameters) or {},
        )
        return self._store(function, alias)

    def get(self, parameters: Parameters) -> Output:
        """One alias."""
        function = self._function(parameters)
        alias = function.aliases.get(parameters["Name"])
        if alias is None:
            arn = self._home.function_arn(function.name, parameters["Name"])
            raise ApiError("ResourceNotFoundException", f"Cannot find alias arn: {arn}")
        return shown_alias(self._home, function, alias)

    def update(self, parameters: Parameters) -> Output:
        """Points an alias elsewhere; what `parameters` leave out stays."""
        function = self._function(parameters)
        alias = function.aliases.get(parameters["Name"])
        if alias is None:
            arn = self._home.function_arn(function.name, parameters["Name"])
            raise ApiError("ResourceNotFoundException", f"Alias not found: {arn}")
        check_revision(parameters.get("RevisionId"), alias.revision_id)
        weights = _weights(parameters)
        changed = replace(
            alias,
            version=parameters.get("FunctionVersion", alias.version),
            description=parameters.get("Description", alias.description),
            weights=alias.weights if weights is None else weights,
            revision_id=new_id(),
        )
        return self._store(function, changed)

    def delete(self, parameters: Parameters) -> None:
        """Forgets an alias; one that does not exist is forgotten already."""
        function = self._function(parameters)
        aliases = {
            name: alias for name, alias in function.aliases.items() if name != parameters["Name"]
        }
        changed = replace(function, aliases=aliases)
        self._context.store.put(changed.without(parameters["Name"]))

    def list(self, parameters: Parameters) -> Output:
        """One page of the aliases, of one version where it is given."""
        function = self._function(parameters)
        wanted = parameters.get("FunctionVersion")
        items = [
            shown_alias(self._home, function, alias)
            for alias in function.aliases.values()
            if wanted is None or alias.version == wanted or wanted in alias.weights
        ]
        shown, marker = page(items, lambda item: (item["Name"], 0), parameters, largest=_PAGE)
        return {"Aliases": shown, "NextMarker": marker}

    def _function(self, parameters: Parameters) -> Function:
        return self._context.function(self._home.resolve_function(parameters["FunctionName"]))

    def _store(self, function: Function, alias: Alias) -> Output:
        self._check_versions(function, alias)
        changed = replace(function, aliases={**function.aliases, alias.name: alias})
        self._context.store.put(changed)
        return shown_alias(self._home, changed, alias)

    def _check_versions(self, function: Function, alias: Alias) -> None:
        if len(alias.weights) > 1:
            raise _invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
        if alias.weights and alias.version == LATEST:
            raise _invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if alias.version in alias.weights:
            raise _invalid(
                f"Invalid function version {alias.version}. Function version {alias.version} is "
                "already included in routing configuration."
            )
        for number in (alias.version, *alias.weights):
            if function.version(number) is None:
                raise function_not_found(self._home, function.name, number)


def _weights(parameters: Parameters) -> Mapping[str, float] | None:
    """The weights that a call sets; None where it leaves them."""
    routing = parameters.get("RoutingConfig")
    if routing is None:
        return None
    return {number: float(w) for number, w in routing.get("AdditionalVersionWeights", {}).items()}


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)
