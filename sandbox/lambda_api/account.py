"""Reserved concurrency, account settings, tags and what is always empty here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sandbox.api_errors import ApiError
from sandbox.lambda_api.context import LambdaContext, Operation, Output, Parameters
from sandbox.lambda_api.packages import MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES
from sandbox.lambda_api.records import Function

# Code storage for each region (Lambda quotas, 2026).
MAX_CODE_STORAGE_BYTES = 300 * 1024**3
# What an account keeps for the functions that reserve nothing.
MIN_UNRESERVED = 100


def min_unreserved(context: LambdaContext) -> int:
    """What stays unreserved; a new account with 10 cannot keep 100 back."""
    return min(MIN_UNRESERVED, context.options.account_concurrency)


class AccountOperations:
    """The operations on limits and tags."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._home = context.home
        self._min_unreserved = min_unreserved(context)

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "PutFunctionConcurrency": self.put_concurrency,
            "GetFunctionConcurrency": self.get_concurrency,
            "DeleteFunctionConcurrency": self.delete_concurrency,
            "GetAccountSettings": self.get_settings,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTags": self.list_tags,
        }

    def put_concurrency(self, parameters: Parameters) -> Output:
        """Reserves concurrency for a function."""
        function = self._function(parameters)
        wanted: int = parameters["ReservedConcurrentExecutions"]
        by_others = self._context.store.reserved_concurrency - function.claimed_concurrency
        left = self._context.options.account_concurrency - by_others - wanted
        provisioned = function.provisioned_concurrency
        if wanted < provisioned:
            raise ApiError(
                "InvalidParameterValueException",
                f"ReservedConcurrentExecutions {wanted} should not be lower than function's "
                f"total provisioned concurrency [{provisioned}].",
            )
        # Reserving 0 takes nothing from anybody: it is how a function is switched off.
        if wanted and left < self._min_unreserved:
            raise ApiError(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of "
                f"[{self._min_unreserved}].",
            )
        self._context.store.put(replace(function, reserved_concurrency=wanted))
        return {"ReservedConcurrentExecutions": wanted}

    def get_concurrency(self, parameters: Parameters) -> Output:
        """The reserved concurrency, if there is any."""
        return {"ReservedConcurrentExecutions": self._function(parameters).reserved_concurrency}

    def delete_concurrency(self, parameters: Parameters) -> None:
        """Gives the reserved concurrency back."""
        function = self._function(parameters)
        self._context.store.put(replace(function, reserved_concurrency=None))

    def get_settings(self, parameters: Parameters) -> Output:
        """The limits of the account, and what is used of them."""
        store = self._context.store
        limit = self._context.options.account_concurrency
        sizes = [
            version.code.size_bytes
            for function in store
            for version in (function.latest, *function.versions.values())
        ]
        return {
            "AccountLimit": {
                "TotalCodeSize": MAX_CODE_STORAGE_BYTES,
                "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
                "CodeSizeZipped": MAX_ZIPPED_BYTES,
                "ConcurrentExecutions": limit,
                "UnreservedConcurrentExecutions": limit - store.reserved_concurrency,
            },
            "AccountUsage": {"TotalCodeSize": sum(sizes), "FunctionCount": len(store)},
        }

    def tag(self, parameters: Parameters) -> None:
        """Adds tags."""
        function = self._tagged(parameters)
        tags = {**function.tags, **parameters["Tags"]}
        self._context.store.put(replace(function, tags=tags))

    def untag(self, parameters: Parameters) -> None:
        """Removes tags."""
        function = self._tagged(parameters)
        gone = parameters["TagKeys"]
        tags = {key: value for key, value in function.tags.items() if key not in gone}
        self._context.store.put(replace(function, tags=tags))

    def list_tags(self, parameters: Parameters) -> Output:
        """All tags."""
        return {"Tags": dict(self._tagged(parameters).tags)}

    def _function(self, parameters: Parameters) -> Function:
        return self._context.function(self._home.resolve_function(parameters["FunctionName"]))

    def _tagged(self, parameters: Parameters) -> Function:
        reference = self._home.resolve(parameters["Resource"])
        if reference.qualifier is not None:
            raise ApiError(
                "InvalidParameterValueException",
                "Tags on function aliases and versions are not supported. Please specify a "
                "function ARN.",
            )
        return self._context.function(reference.name)
