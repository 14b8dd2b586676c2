"""Log events of a time range, by FilterLogEvents: free of charge, 5 to 10 calls a second."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import aws_call

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# What AWS says of a log group that is not there, or not yet.
NO_GROUP = "ResourceNotFoundException"

# Streams of functions are `2026/11/26/[version]id`, and in a group that functions share, with the
# name before the bracket ("Configuring CloudWatch log groups", Lambda Developer Guide).
_FUNCTION_STREAM = re.compile(r".*/(?P<function>[^/\[]*)\[(?P<version>[^\]]+)\].*")


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line of a log stream; the time is a Unix time in ms."""

    stream: str
    timestamp_ms: int
    message: str


def filter_events(
    client: CloudWatchLogsClient,
    group: str,
    pattern: str,
    *,
    start_ms: int,
    end_ms: int,
    max_pages: int,
) -> Iterator[list[str]]:
    """The messages that match `pattern`, page by page (up to 10,000 or 1 MB each).

    Raises:
        AwsError: the group does not exist, or may not be read.
    """
    pages = event_pages(
        client, group, pattern, start_ms=start_ms, end_ms=end_ms, max_pages=max_pages
    )
    for events, _ in pages:
        yield [event.message for event in events]


def event_pages(
    client: CloudWatchLogsClient,
    group: str,
    pattern: str,
    *,
    start_ms: int,
    end_ms: int,
    max_pages: int,
) -> Iterator[tuple[list[LogEvent], bool]]:
    """The events that match `pattern`, oldest first, and whether more pages follow.

    Raises:
        AwsError: the group does not exist, or may not be read.
    """
    token: str | None = None
    for _ in range(max_pages):
        with aws_call(f"read log group {group}"):
            if token is None:
                answer = client.filter_log_events(
                    logGroupName=group, filterPattern=pattern, startTime=start_ms, endTime=end_ms
                )
            else:
                answer = client.filter_log_events(
                    logGroupName=group,
                    filterPattern=pattern,
                    startTime=start_ms,
                    endTime=end_ms,
                    nextToken=token,
                )
        token = answer.get("nextToken")
        events = [
            LogEvent(
                event.get("logStreamName", ""), event.get("timestamp", 0), event.get("message", "")
            )
            for event in answer.get("events", [])
        ]
        yield events, token is not None
        if token is None:
            return


def version_of_stream(stream: str, function: str) -> str | None:
    """The version of `function` that writes a log stream; None where another function does."""
    found = _FUNCTION_STREAM.fullmatch(stream)
    return found["version"] if found and found["function"] in ("", function) else None
