"""Log streams: making, showing and deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.logs_api.context import LogsContext, invalid
from sandbox.logs_api.paging import bad_token, text_of_token, token_of
from sandbox.rpc.service import Operation, Output
from sandbox.telemetry.log_store import LogStream

Parameters = Mapping[str, Any]

_PAGE = 50


class StreamOperations:
    """The operations on log streams."""

    def __init__(self, context: LogsContext) -> None:
        self._context = context
        self._store = context.store

    def operations(self) -> Mapping[str, Operation]:
        """They by their names."""
        return {
            "CreateLogStream": self._create,
            "DeleteLogStream": self._delete,
            "DescribeLogStreams": self._describe,
        }

    def _create(self, parameters: Parameters) -> None:
        group, name = self._context.group(parameters["logGroupName"]), parameters["logStreamName"]
        if name in group.streams:
            raise ApiError(
                "ResourceAlreadyExistsException", "The specified log stream already exists"
            )
        self._store.create_stream(group.name, name)

    def _delete(self, parameters: Parameters) -> None:
        group = self._context.group(parameters["logGroupName"])
        stream = self._context.stream(group, parameters["logStreamName"])
        self._store.delete_stream(group.name, stream.name)

    def _describe(self, parameters: Parameters) -> Output:
        group = self._context.asked_group(parameters)
        by_time = parameters.get("orderBy") == "LastEventTime"
        prefix = parameters.get("logStreamNamePrefix")
        if by_time and prefix is not None:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams = sorted(
            (stream for stream in group.streams.values() if stream.name.startswith(prefix or "")),
            key=lambda stream: _key(stream, by_time=by_time),
            reverse=parameters.get("descending", False),
        )
        first = _first(streams, parameters.get("nextToken"))
        end = first + parameters.get("limit", _PAGE)
        arn = self._context.group_arn(group.name)
        return {
            "logStreams": [_shown(stream, arn) for stream in streams[first:end]],
            "nextToken": token_of(str(streams[end - 1].number)) if end < len(streams) else None,
        }


def _key(stream: LogStream, *, by_time: bool) -> tuple[int, str]:
    return (stream.last_event_ms or 0) if by_time else 0, stream.name


def _first(streams: list[LogStream], token: str | None) -> int:
    """Where the page begins: after the stream that the last one ended with."""
    if token is None:
        return 0
    last = text_of_token(token)
    for index, stream in enumerate(streams):
        if str(stream.number) == last:
            return index + 1
    raise bad_token()


def _shown(stream: LogStream, group_arn: str) -> Output:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "firstEventTimestamp": stream.first_event_ms,
        "lastEventTimestamp": stream.last_event_ms,
        "lastIngestionTime": stream.last_ingestion_ms,
        "arn": f"{group_arn}:log-stream:{stream.name}",
        "storedBytes": 0,  # always, since 2019
    }
