"""Log events of a time range, by FilterLogEvents: free of charge, 5 to 10 calls a second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.aws.session import aws_call

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


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
        yield [event.get("message", "") for event in answer.get("events", [])]
        token = answer.get("nextToken")
        if token is None:
            return
