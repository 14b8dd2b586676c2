"""Where log events go: groups and streams, and the events in files.

Memory holds an index and at most 64 KB of events for each group; 5,000 lines a second of 300 bytes
leave it as it is. A group keeps its newest 512 MB: the oldest events go first, 8 MB at once, which
CloudWatch Logs does not do, and `LogGroup.dropped_events` counts them.

All calls come from one thread, that of the event loop. The directory belongs to the store alone
and begins empty; whoever owns it removes it. A child of a fork may drop its copy of a store, and
must not use it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.telemetry.log_merge import LogEvent, Position, Source, merge
from sandbox.telemetry.log_segments import Record, SegmentLog

SEGMENT_BYTES = 8 * 1024 * 1024
GROUP_LIMIT_BYTES = 512 * 1024 * 1024

_DAY_MS = 86_400_000


@dataclass(slots=True)
class LogStream:
    """A stream; times are in ms since the epoch, and None before its first event."""

    name: str
    number: int
    created_ms: int
    first_event_ms: int | None = None
    last_event_ms: int | None = None
    last_ingestion_ms: int | None = None


@dataclass(slots=True)
class LogGroup:
    """A group with its streams by name; `retention_days` None keeps events for ever."""

    name: str
    created_ms: int
    log: SegmentLog
    retention_days: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    streams: dict[str, LogStream] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def stored_bytes(self) -> int:
        """The bytes of the messages, and 26 for each event."""
        return self.log.stored_bytes

    @property
    def dropped_events(self) -> int:
        """Events that had to go because the group had too many, or the disk was full."""
        return self.log.dropped_events


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRange:
    """Which events to read, and in which order.

    Times are in ms since the epoch, both inclusive. `streams` None means all. `after` is the last
    event that a reader of one group has seen: only what follows it in the order of reading comes.
    """

    groups: Sequence[str]
    start_ms: int
    end_ms: int
    streams: Collection[str] | None = None
    newest_first: bool = False
    after: Position | None = None


class LogStore:
    """The log groups of an account.

    Events become visible `arrival_delay_s` after they were appended, which may be changed at any
    time; 0 shows them at once.
    """

    def __init__(
        self,
        directory: Path,
        *,
        arrival_delay_s: float = 0.0,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        group_limit_bytes: int = GROUP_LIMIT_BYTES,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self._directory = directory
        self._clock_ms = clock_ms
        self._group_limit_bytes = group_limit_bytes
        self._segment_bytes = segment_bytes
        self._groups: dict[str, LogGroup] = {}
        self._group_numbers = itertools.count()
        self.arrival_delay_s = arrival_delay_s
        # What a fault adds to it, asked at each read.
        self.more_delay_s: Callable[[], float] = lambda: 0.0
        directory.mkdir(parents=True, exist_ok=True)

    def now_ms(self) -> int:
        """The time in ms since the epoch, by the clock that ingestion times come from."""
        return self._clock_ms()

    def append(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Adds events, each with its time in ms since the epoch; makes group and stream."""
        if not events:
            return
        target = self.create_group(group)
        into = target.streams.get(stream) or self._add_stream(target, stream)
        now_ms = self._clock_ms()
        first_ms, last_ms = target.log.append(into.number, now_ms, events)
        into.last_ingestion_ms = now_ms
        if into.first_event_ms is None or first_ms < into.first_event_ms:
            into.first_event_ms = first_ms
        if into.last_event_ms is None or last_ms > into.last_event_ms:
            into.last_event_ms = last_ms

    def group(self, name: str) -> LogGroup | None:
        """The group of that name."""
        return self._groups.get(name)

    def groups(self) -> list[LogGroup]:
        """All groups, by name."""
        return [self._groups[name] for name in sorted(self._groups)]

    def create_group(self, name: str) -> LogGroup:
        """The group of that name, made if need be."""
        group = self._groups.get(name)
        if group is None:
            log = SegmentLog(
                self._directory / f"group-{next(self._group_numbers):06d}",
                segment_bytes=self._segment_bytes,
                limit_bytes=self._group_limit_bytes,
            )
            group = self._groups[name] = LogGroup(name, self._clock_ms(), log)
        return group

    def delete_group(self, name: str) -> None:
        """Forgets a group and its events.

        Raises:
            KeyError: there is none.
        """
        self._groups.pop(name).log.remove()

    def create_stream(self, group: str, name: str) -> LogStream:
        """The stream of that name, made if need be, with its group."""
        target = self.create_group(group)
        return target.streams.get(name) or self._add_stream(target, name)

    def delete_stream(self, group: str, name: str) -> None:
        """Forgets a stream; its events are seen no more, and go with their segments.

        Raises:
            KeyError: there is no such group or stream.
        """
        del self._groups[group].streams[name]

    def read(self, wanted: ReadRange) -> Iterator[list[LogEvent]]:
        """The events in order of their times, a few hundred at once; lists may be empty.

        What is seen is decided now, and not when the lists are taken.
        """
        now_ms = self._clock_ms()
        delay_s = self.arrival_delay_s + self.more_delay_s()
        horizon_ms = None if not delay_s else now_ms - delay_s * 1000
        sources = [
            self._source(self._groups[name], wanted, now_ms)
            for name in wanted.groups
            if name in self._groups
        ]
        predicate = _predicate(wanted, horizon_ms)
        return merge(sources, predicate, newest_first=wanted.newest_first)

    def close(self) -> None:
        """Forgets everything, and deletes the files."""
        for name in list(self._groups):
            self.delete_group(name)

    def _add_stream(self, group: LogGroup, name: str) -> LogStream:
        stream = LogStream(name, next(group.numbers), self._clock_ms())
        group.streams[name] = stream
        return stream

    def _source(self, group: LogGroup, wanted: ReadRange, now_ms: int) -> Source:
        start_ms, end_ms = wanted.start_ms, wanted.end_ms
        if group.retention_days is not None:
            start_ms = max(start_ms, now_ms - group.retention_days * _DAY_MS)
        if wanted.after is not None and wanted.newest_first:
            end_ms = min(end_ms, wanted.after.timestamp_ms)
        elif wanted.after is not None:
            start_ms = max(start_ms, wanted.after.timestamp_ms)
        streams = {
            stream.number: stream.name
            for stream in group.streams.values()
            if wanted.streams is None or stream.name in wanted.streams
        }
        return Source(group.name, group.log.blocks(start_ms, end_ms), streams, start_ms, end_ms)


def _predicate(wanted: ReadRange, horizon_ms: float | None) -> Callable[[Record], bool] | None:
    """What a record has to fulfil besides its time; None where that is nothing."""
    after = wanted.after
    if after is None and horizon_ms is None:
        return None

    def is_wanted(record: Record) -> bool:
        if horizon_ms is not None and record.ingestion_ms > horizon_ms:
            return False
        if after is None:
            return True
        here = (record.timestamp_ms, record.sequence)
        return here < after if wanted.newest_first else here > after

    return is_wanted
