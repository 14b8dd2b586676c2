"""Log groups: making, showing and deleting them, their retention and their tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.logs_api.context import LogsContext, invalid
from sandbox.logs_api.paging import text_of_token, token_of
from sandbox.rpc.service import Operation, Output
from sandbox.telemetry.log_store import LogGroup

Parameters = Mapping[str, Any]

# CloudWatch Logs API reference, PutRetentionPolicy (read 2026-09).
RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731}
    | {1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
_PAGE = 50
_MAX_TAGS = 50


class GroupOperations:
    """The operations on log groups."""

    def __init__(self, context: LogsContext) -> None:
        self._context = context
        self._store = context.store

    def operations(self) -> Mapping[str, Operation]:
        """They by their names."""
        return {
            "CreateLogGroup": self._create,
            "DeleteLogGroup": self._delete,
            "DescribeLogGroups": self._describe,
            "PutRetentionPolicy": self._put_retention,
            "DeleteRetentionPolicy": self._delete_retention,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    def _create(self, parameters: Parameters) -> None:
        name = parameters["logGroupName"]
        if self._store.group(name) is not None:
            raise ApiError(
                "ResourceAlreadyExistsException", "The specified log group already exists"
            )
        if parameters.get("kmsKeyId") is not None:
            raise invalid("kmsKeyId: the sandbox does not encrypt log groups")
        if parameters.get("deletionProtectionEnabled"):
            raise invalid("deletionProtectionEnabled: the sandbox does not protect log groups")
        wanted_class = parameters.get("logGroupClass", "STANDARD")
        if wanted_class != "STANDARD":
            raise invalid(f"logGroupClass: the sandbox has STANDARD only (got {wanted_class})")
        self._store.create_group(name).tags.update(parameters.get("tags", {}))

    def _delete(self, parameters: Parameters) -> None:
        self._store.delete_group(self._context.group(parameters["logGroupName"]).name)

    def _describe(self, parameters: Parameters) -> Output:
        if parameters.get("includeLinkedAccounts"):
            raise invalid("includeLinkedAccounts: the sandbox is no monitoring account")
        groups = self._matching(parameters)
        if "nextToken" in parameters:
            last = text_of_token(parameters["nextToken"])
            groups = [group for group in groups if group.name > last]
        count = parameters.get("limit", _PAGE)
        page = groups[:count]
        return {
            "logGroups": [self._shown(group) for group in page],
            "nextToken": token_of(page[-1].name) if len(groups) > count else None,
        }

    def _matching(self, parameters: Parameters) -> list[LogGroup]:
        prefix = parameters.get("logGroupNamePrefix")
        pattern = parameters.get("logGroupNamePattern")
        identifiers = parameters.get("logGroupIdentifiers")
        if len([given for given in (prefix, pattern, identifiers) if given is not None]) > 1:
            raise invalid(
                "logGroupNamePrefix, logGroupNamePattern and logGroupIdentifiers are mutually "
                "exclusive parameters."
            )
        if parameters.get("logGroupClass", "STANDARD") != "STANDARD":
            return []
        groups = self._store.groups()
        if identifiers is not None:
            names = {self._context.group_by_identifier(text).name for text in identifiers}
            return [group for group in groups if group.name in names]
        if pattern is not None:
            return [group for group in groups if pattern in group.name]
        return [group for group in groups if group.name.startswith(prefix or "")]

    def _shown(self, group: LogGroup) -> Output:
        arn = self._context.group_arn(group.name)
        return {
            "logGroupName": group.name,
            "creationTime": group.created_ms,
            "retentionInDays": group.retention_days,
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": group.stored_bytes,
            "logGroupClass": "STANDARD",
        }

    def _put_retention(self, parameters: Parameters) -> None:
        group = self._context.group(parameters["logGroupName"])
        days = parameters["retentionInDays"]
        if days not in RETENTION_DAYS:
            allowed = ", ".join(map(str, sorted(RETENTION_DAYS)))
            raise invalid(f"retentionInDays: expected one of {allowed} (got {days})")
        group.retention_days = days

    def _delete_retention(self, parameters: Parameters) -> None:
        self._context.group(parameters["logGroupName"]).retention_days = None

    def _tag(self, parameters: Parameters) -> None:
        group = self._context.group_by_identifier(parameters["resourceArn"])
        tags = group.tags | parameters["tags"]
        if len(tags) > _MAX_TAGS:
            raise ApiError("TooManyTagsException", f"A resource can have at most {_MAX_TAGS} tags.")
        group.tags = tags

    def _untag(self, parameters: Parameters) -> None:
        group = self._context.group_by_identifier(parameters["resourceArn"])
        for key in parameters["tagKeys"]:
            group.tags.pop(key, None)

    def _list_tags(self, parameters: Parameters) -> Output:
        return {"tags": self._context.group_by_identifier(parameters["resourceArn"]).tags}
