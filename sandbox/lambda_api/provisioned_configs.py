"""The operations on provisioned concurrency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sandbox.api_errors import ApiError
from sandbox.lambda_api.account import min_unreserved
from sandbox.lambda_api.context import LambdaContext, Operation, Output, Parameters, page
from sandbox.lambda_api.names import LATEST, function_not_found
from sandbox.lambda_api.provisioning import Provisioning
from sandbox.lambda_api.records import Function, Provisioned

_PAGE = 50


class ProvisionedConfigs:
    """Put, Get, Delete and List."""

    def __init__(self, context: LambdaContext, provisioning: Provisioning) -> None:
        self._context = context
        self._home = context.home
        self._provisioning = provisioning

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "PutProvisionedConcurrencyConfig": self.put,
            "GetProvisionedConcurrencyConfig": self.get,
            "DeleteProvisionedConcurrencyConfig": self.delete,
            "ListProvisionedConcurrencyConfigs": self.list,
        }

    def put(self, parameters: Parameters) -> Output:
        """Gives a version or alias environments of its own."""
        function, qualifier = self._named(parameters)
        wanted: int = parameters["ProvisionedConcurrentExecutions"]
        _check_published(function, qualifier)
        _check_single(function, qualifier)
        self._check_room(function, qualifier, wanted)
        config = Provisioned(wanted, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+0000")
        changed = replace(function, provisioned={**function.provisioned, qualifier: config})
        self._context.store.put(changed)
        return self._shown(changed, qualifier)

    def get(self, parameters: Parameters) -> Output:
        """How the one of a version or alias stands."""
        function, qualifier = self._named(parameters)
        if qualifier not in function.provisioned:
            raise ApiError(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
            )
        return self._shown(function, qualifier)

    def delete(self, parameters: Parameters) -> None:
        """Takes the environments away; where there are none, nothing happens."""
        function, qualifier = self._named(parameters)
        kept = {name: it for name, it in function.provisioned.items() if name != qualifier}
        if len(kept) != len(function.provisioned):
            self._context.store.put(replace(function, provisioned=kept))

    def list(self, parameters: Parameters) -> Output:
        """One page of those of a function."""
        name = self._home.resolve_function(parameters["FunctionName"])
        function = self._context.function(name)
        items = [
            {
                "FunctionArn": self._home.function_arn(name, qualifier),
                **self._shown(function, qualifier),
            }
            for qualifier in function.provisioned
        ]
        shown, marker = page(
            items, lambda item: (item["FunctionArn"].split(":")[-1], 0), parameters, largest=_PAGE
        )
        return {"ProvisionedConcurrencyConfigs": shown, "NextMarker": marker}

    def _named(self, parameters: Parameters) -> tuple[Function, str]:
        reference = self._home.resolve(parameters["FunctionName"], parameters["Qualifier"])
        function = self._context.function(reference.name, reference.qualifier)
        qualifier = reference.qualifier or LATEST
        if function.version(qualifier) is None and qualifier not in function.aliases:
            raise function_not_found(self._home, function.name, qualifier)
        return function, qualifier

    def _shown(self, function: Function, qualifier: str) -> Output:
        config = function.provisioned[qualifier]
        state = self._provisioning.state(function, qualifier)
        shown = {
            "RequestedProvisionedConcurrentExecutions": config.requested,
            "AvailableProvisionedConcurrentExecutions": state.available,
            "AllocatedProvisionedConcurrentExecutions": state.allocated,
            "Status": state.status,
            "LastModified": config.last_modified,
        }
        if state.reason is not None:
            shown["StatusReason"] = state.reason
        return shown

    def _check_room(self, function: Function, qualifier: str, wanted: int) -> None:
        before = function.provisioned.get(qualifier)
        total = function.provisioned_concurrency - (before.requested if before else 0) + wanted
        reserved = function.reserved_concurrency
        if reserved is not None:
            if total > reserved:
                raise _invalid(
                    "Requested Provisioned Concurrency should not be greater than the "
                    "reservedConcurrentExecution for function"
                )
            return
        by_others = self._context.store.reserved_concurrency - function.claimed_concurrency
        left = self._context.options.account_concurrency - by_others
        least = min_unreserved(self._context)
        if total > left:
            raise _invalid(
                "Specified ConcurrentExecutions for function is greater than function's "
                f"unreserved concurrency [{left}]."
            )
        if left - total < least:
            raise _invalid(
                "Specified ConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{least}]."
            )


def _check_published(function: Function, qualifier: str) -> None:
    alias = function.aliases.get(qualifier)
    number = qualifier if alias is None else alias.version
    if number == LATEST:
        raise _invalid(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        )
    if function.versions[number].settings.snap_start:
        raise _invalid("Provisioned Concurrency is not supported for functions with SnapStart.")


def _check_single(function: Function, qualifier: str) -> None:
    """A version has one configuration: its own, or that of one alias."""
    alias = function.aliases.get(qualifier)
    numbers = {qualifier} if alias is None else {alias.version, *alias.weights}
    for other in function.provisioned:
        if other == qualifier:
            continue
        known = function.aliases.get(other)
        if known is None and other in numbers:
            raise _conflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already "
                "Provisioned version"
            )
        if known is not None and numbers & {known.version, *known.weights}:
            raise _conflict("Version is pointed to by a Provisioned Concurrency alias")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)


def _conflict(message: str) -> ApiError:
    return ApiError("ResourceConflictException", message, status=409)
