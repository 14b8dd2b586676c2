"""PutLogEvents, with its limits (CloudWatch Logs API reference, read 2026-09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sandbox.logs_api.context import LogsContext, invalid
from sandbox.logs_api.paging import event_id
from sandbox.rpc.service import Operation, Output
from sandbox.telemetry.log_merge import Position
from sandbox.telemetry.log_segments import EVENT_OVERHEAD_BYTES
from sandbox.telemetry.log_store import LogGroup

Parameters = Mapping[str, Any]
Events = Sequence[tuple[int, str]]

MAX_BATCH_BYTES = 1_048_576
MAX_EVENT_BYTES = 1_048_576
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_MAX_FUTURE_MS = 2 * _HOUR_MS
_MAX_AGE_MS = 14 * _DAY_MS


class IngestionOperations:
    """Takes log events of clients."""

    def __init__(self, context: LogsContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operation by its name."""
        return {"PutLogEvents": self._put}

    def _put(self, parameters: Parameters) -> Output:
        group = self._context.group(parameters["logGroupName"])
        stream = self._context.stream(group, parameters["logStreamName"])
        events = [(event["timestamp"], event["message"]) for event in parameters["logEvents"]]
        _check_sizes(events)
        if any(later < earlier for (earlier, _), (later, _) in pairwise(events)):
            raise invalid(
                "Log events in a single PutLogEvents request must be in chronological order."
            )
        store = self._context.store
        now_ms = store.now_ms()
        first, end, rejected = _acceptable(events, group, now_ms)
        accepted = events[first:end]
        if accepted and accepted[-1][0] - accepted[0][0] > _DAY_MS:
            raise invalid(
                "The batch of log events in a single PutLogEvents request cannot span more than "
                "24 hours."
            )
        store.append(group.name, stream.name, accepted)
        token = event_id(Position(now_ms, group.log.events))
        return {"nextSequenceToken": token, "rejectedLogEventsInfo": rejected or None}


def _check_sizes(events: Events) -> None:
    total = 0
    for _, message in events:
        size = len(message.encode())
        if size > MAX_EVENT_BYTES:
            raise invalid(f"Log event too large: {size} bytes exceeds limit of {MAX_EVENT_BYTES}")
        total += size + EVENT_OVERHEAD_BYTES
    if total > MAX_BATCH_BYTES:
        raise invalid(f"Upload too large: {total} bytes exceeds limit of {MAX_BATCH_BYTES}")


def _acceptable(events: Events, group: LogGroup, now_ms: int) -> tuple[int, int, Output]:
    """From where to where the events of a batch are accepted, and what AWS says of the others."""
    too_old = _count_before(events, now_ms - _MAX_AGE_MS)
    expired = 0
    if group.retention_days is not None:
        expired = _count_before(events, now_ms - group.retention_days * _DAY_MS)
    end = _count_before(events, now_ms + _MAX_FUTURE_MS + 1)
    rejected: Output = {}
    if end < len(events):
        rejected["tooNewLogEventStartIndex"] = end
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    return max(too_old, expired), end, rejected


def _count_before(events: Events, time_ms: int) -> int:
    return sum(timestamp_ms < time_ms for timestamp_ms, _ in events)
