"""What the operations share: the store, the account, and how groups are named and missed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.lambda_api.names import Home
from sandbox.telemetry.log_store import LogGroup, LogStore, LogStream

_ARN = re.compile(
    r"arn:aws:logs:(?P<region>[^:]*):(?P<account>[^:]*):log-group:(?P<name>[^:]+)(?::\*)?"
)


@dataclass(frozen=True, slots=True)
class LogsContext:
    """The account and region, and the store of their log events."""

    home: Home
    store: LogStore

    def group_arn(self, name: str) -> str:
        """The ARN of a group, without the star that stands for its streams."""
        return f"arn:aws:logs:{self.home.region}:{self.home.account_id}:log-group:{name}"

    def group(self, name: str) -> LogGroup:
        """The group of that name.

        Raises:
            ApiError: there is none.
        """
        group = self.store.group(name)
        if group is None:
            raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def group_by_identifier(self, identifier: str) -> LogGroup:
        """The group that a name or an ARN names.

        Raises:
            ApiError: there is none, or the ARN is of another account or region.
        """
        if not identifier.startswith("arn:"):
            return self.group(identifier)
        found = _ARN.fullmatch(identifier)
        if found is None:
            raise invalid(f"'{identifier}' is no ARN of a log group")
        if (found["region"], found["account"]) != (self.home.region, self.home.account_id):
            raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
        return self.group(found["name"])

    def asked_group(self, parameters: Mapping[str, Any]) -> LogGroup:
        """The group of a call that takes `logGroupName` or `logGroupIdentifier`.

        Raises:
            ApiError: there is none, or the call has both or neither.
        """
        name = parameters.get("logGroupName")
        identifier = parameters.get("logGroupIdentifier")
        if name is not None and identifier is None:
            return self.group(name)
        if identifier is not None and name is None:
            return self.group_by_identifier(identifier)
        raise invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")

    def stream(self, group: LogGroup, name: str) -> LogStream:
        """The stream of that name.

        Raises:
            ApiError: there is none.
        """
        stream = group.streams.get(name)
        if stream is None:
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        return stream


def invalid(message: str) -> ApiError:
    """The error for parameters that do not fit."""
    return ApiError("InvalidParameterException", message)
