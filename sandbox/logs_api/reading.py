"""GetLogEvents and FilterLogEvents: pages of events, at most 1 MB or 10,000 of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.logs_api.context import LogsContext, invalid
from sandbox.logs_api.filter_pattern import PatternError, compile_pattern
from sandbox.logs_api.paging import (
    MAX_ID_MS,
    MAX_ID_SEQUENCE,
    bad_token,
    event_id,
    position_of,
    text_of_token,
    token_of,
)
from sandbox.rpc.service import Operation, Output
from sandbox.slices import Slices, made_of_each
from sandbox.telemetry.log_merge import LogEvent, Position
from sandbox.telemetry.log_segments import EVENT_OVERHEAD_BYTES
from sandbox.telemetry.log_store import LogGroup, ReadRange

Parameters = Mapping[str, Any]
Wanted = Callable[[str], bool]

MAX_PAGE_EVENTS = 10_000
MAX_PAGE_BYTES = 1_048_576
# A call looks at so many events at most, and answers with what it has: pages may be empty on AWS,
# too, and clients have to go on.
MAX_SCANNED = 200_000

_END_OF_TIME = 1 << 60
# Newest first only works from here on (FilterLogEvents, read 2026-09): 2024-01-01 in UTC.
_FIRST_BACKWARDS_MS = 1_704_067_200_000


@dataclass(slots=True)
class _Page:
    """Events in the order of reading; `last` is the last one that was looked at."""

    limit: int
    events: list[LogEvent] = field(default_factory=list)
    size: int = 0
    scanned: int = 0
    last: LogEvent | None = None
    is_cut_off: bool = False

    def takes(self, event: LogEvent, wanted: Wanted) -> bool:
        """Takes an event if it is wanted; False if the page ends before it."""
        if self.scanned >= MAX_SCANNED or len(self.events) >= self.limit:
            return False
        if wanted(event.message):
            size = len(event.message.encode()) + EVENT_OVERHEAD_BYTES
            if self.events and self.size + size > MAX_PAGE_BYTES:
                return False
            self.size += size
            self.events.append(event)
        self.scanned += 1
        self.last = event
        return True


async def _read_page(batches: Iterator[list[LogEvent]], limit: int, wanted: Wanted) -> _Page:
    page, slices = _Page(limit), Slices()
    for batch in batches:
        for event in batch:
            if not page.takes(event, wanted):
                page.is_cut_off = True
                return page
            if slices.is_over:
                await slices.rest()
        if slices.is_over:
            await slices.rest()
    return page


class ReadingOperations:
    """The operations that give events back."""

    def __init__(self, context: LogsContext) -> None:
        self._context = context
        self._store = context.store

    def operations(self) -> Mapping[str, Operation]:
        """They by their names."""
        return {"GetLogEvents": self._get, "FilterLogEvents": self._filter}

    async def _get(self, parameters: Parameters) -> Output:
        group = self._context.asked_group(parameters)
        stream = self._context.stream(group, parameters["logStreamName"])
        token = parameters.get("nextToken")
        wanted = ReadRange(
            groups=[group.name],
            start_ms=parameters.get("startTime", 0),
            end_ms=parameters.get("endTime", _END_OF_TIME) - 1,
            streams=[stream.name],
            newest_first=not parameters.get("startFromHead", False),
        )
        if token is not None:
            direction, position = _direction_and_position(token)
            wanted = replace(wanted, newest_first=direction == "b", after=position)
        limit = parameters.get("limit", MAX_PAGE_EVENTS)
        page = await _read_page(self._store.read(wanted), limit, lambda _: True)
        events = page.events[::-1] if wanted.newest_first else page.events
        return {
            "events": await made_of_each(events, _plain),
            **_stream_tokens(events, wanted),
        }

    async def _filter(self, parameters: Parameters) -> Output:
        group = self._context.asked_group(parameters)
        newest_first = not parameters.get("startFromHead", True)
        start_ms = parameters.get("startTime", 0)
        if newest_first and "nextToken" not in parameters and start_ms < _FIRST_BACKWARDS_MS:
            raise invalid(
                "startFromHead can be false only with a startTime on or after Jan 1, 2024 "
                "00:00:00 UTC."
            )
        wanted = ReadRange(
            groups=[group.name],
            start_ms=start_ms,
            end_ms=parameters.get("endTime", _END_OF_TIME),
            streams=self._streams(group, parameters),
            newest_first=newest_first,
        )
        if "nextToken" in parameters:
            direction, position = _direction_and_position(text_of_token(parameters["nextToken"]))
            wanted = replace(wanted, newest_first=direction == "b", after=position)
        page = await _read_page(
            self._store.read(wanted),
            parameters.get("limit", MAX_PAGE_EVENTS),
            _pattern(parameters.get("filterPattern", "")),
        )
        return {
            "events": await made_of_each(page.events, _filtered),
            "searchedLogStreams": [],  # always, since 2020
            "nextToken": _filter_token(page, wanted),
        }

    def _streams(self, group: LogGroup, parameters: Parameters) -> list[str] | None:
        names = parameters.get("logStreamNames")
        prefix = parameters.get("logStreamNamePrefix")
        if names is not None and prefix is not None:
            raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
        if names is not None:
            return [self._context.stream(group, name).name for name in names]
        if prefix is not None:
            return [name for name in group.streams if name.startswith(prefix)]
        return None


def _pattern(text: str) -> Wanted:
    try:
        return compile_pattern(text)
    except PatternError as error:
        raise ApiError("InvalidParameterException", f"Invalid filter pattern: {error}") from error


def _direction_and_position(token: str) -> tuple[str, Position]:
    """The meaning of "f/DIGITS" and "b/DIGITS": forwards or backwards from an event."""
    direction, _, identifier = token.partition("/")
    if direction not in ("f", "b"):
        raise bad_token()
    return direction, position_of(identifier)


def _stream_tokens(events: list[LogEvent], wanted: ReadRange) -> Output:
    """The tokens of GetLogEvents: where nothing came, the one that was given comes again."""
    if events:
        forward, backward = events[-1].position, events[0].position
    elif wanted.after is not None:
        forward = backward = wanted.after
    else:
        # After everything that is older than the range.
        before_ms = min(max(wanted.start_ms - 1, 0), MAX_ID_MS)
        forward = backward = Position(before_ms, MAX_ID_SEQUENCE)
    return {
        "nextForwardToken": f"f/{event_id(forward)}",
        "nextBackwardToken": f"b/{event_id(backward)}",
    }


def _filter_token(page: _Page, wanted: ReadRange) -> str | None:
    if not page.is_cut_off or page.last is None:
        return None
    return token_of(f"{'b' if wanted.newest_first else 'f'}/{event_id(page.last.position)}")


def _plain(event: LogEvent) -> Output:
    return {
        "timestamp": event.timestamp_ms,
        "message": event.message,
        "ingestionTime": event.ingestion_ms,
    }


def _filtered(event: LogEvent) -> Output:
    return {
        **_plain(event),
        "logStreamName": event.stream,
        "eventId": event_id(event.position),
    }
