"""The log events of one group, on disk: records in blocks, blocks in segment files.

A block is some 64 KB of records, and the index in memory has one line for each: where it is, and
the range of its times. A query reads only the blocks whose range it needs. Reading never writes,
and no file stays open: nothing is inherited by a fork, and a segment may be dropped while somebody
reads (who then misses its events, as one who asks a moment later does).
"""

from __future__ import annotations

import logging
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

BLOCK_BYTES = 64 * 1024
# What CloudWatch Logs counts for each event beside its message (PutLogEvents, read 2026-09).
EVENT_OVERHEAD_BYTES = 26

# Time and ingestion time in ms, number of the stream, bytes of the message.
_RECORD = struct.Struct("<qqII")


class Record(NamedTuple):
    """An event as it is stored; records sort by their time, then by their arrival."""

    timestamp_ms: int
    sequence: int
    ingestion_ms: int
    stream: int
    message: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Records that stand together. `data` is None where they are in the file."""

    path: Path
    offset: int
    size: int
    data: bytes | None
    first_sequence: int
    count: int
    first_ms: int
    last_ms: int
    ingestion_ms: int  # of the first event: no other is older

    def records(self) -> Iterator[Record]:
        """The records in the order of their arrival; none if the segment was dropped."""
        data = self._load() if self.data is None else self.data
        offset, sequence = 0, self.first_sequence
        while offset < len(data):
            timestamp_ms, ingestion_ms, stream, size = _RECORD.unpack_from(data, offset)
            offset += _RECORD.size
            message = data[offset : offset + size]
            yield Record(timestamp_ms, sequence, ingestion_ms, stream, message)
            offset += size
            sequence += 1

    def _load(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except FileNotFoundError:
            return b""


@dataclass(slots=True)
class _Segment:
    path: Path
    blocks: list[Block] = field(default_factory=list)
    size: int = 0
    count: int = 0


class SegmentLog:
    """Appends the events of one group, and forgets the oldest segment when there are too many.

    At most `limit_bytes` are on disk; `dropped_events` says how many events went. A block that
    cannot be written, because the disk is full for instance, counts as dropped as well.
    """

    def __init__(self, path_stem: Path, *, segment_bytes: int, limit_bytes: int) -> None:
        self._stem = path_stem
        self._segment_bytes = segment_bytes
        self._limit_bytes = limit_bytes
        self._segments: deque[_Segment] = deque()
        self._segment_number = 0
        self._sequence = 0
        self._on_disk_bytes = 0
        self._buffer = bytearray()
        self._begin_block()
        self.events = 0
        self.dropped_events = 0
        self._record_bytes = 0

    def _begin_block(self) -> None:
        self._buffer.clear()
        self._first_sequence = self._sequence
        self._ingestion_ms = 0
        self._first_ms = self._last_ms = 0

    @property
    def stored_bytes(self) -> int:
        """The bytes of the messages, and 26 for each event, as CloudWatch Logs counts them."""
        return self._record_bytes + self.events * (EVENT_OVERHEAD_BYTES - _RECORD.size)

    def append(
        self, stream: int, ingestion_ms: int, events: Sequence[tuple[int, str]]
    ) -> tuple[int, int]:
        """Adds events of one stream; gives the earliest and the latest time among them."""
        buffer, pack, size = self._buffer, _RECORD.pack, len(self._buffer)
        for timestamp_ms, message in events:
            data = message.encode(errors="replace")
            buffer += pack(timestamp_ms, ingestion_ms, stream, len(data))
            buffer += data
        times = [timestamp_ms for timestamp_ms, _ in events]
        earliest_ms, latest_ms = min(times), max(times)
        if size == 0:
            self._first_ms, self._last_ms, self._ingestion_ms = earliest_ms, latest_ms, ingestion_ms
        else:
            self._first_ms = min(self._first_ms, earliest_ms)
            self._last_ms = max(self._last_ms, latest_ms)
        self._sequence += len(events)
        self.events += len(events)
        self._record_bytes += len(buffer) - size
        if len(buffer) >= BLOCK_BYTES:
            self._write_block()
        return earliest_ms, latest_ms

    def blocks(self, start_ms: int, end_ms: int) -> list[Block]:
        """The blocks that may have events between two times, both inclusive."""
        found = [block for segment in self._segments for block in segment.blocks]
        if self._buffer:
            path = self._segments[-1].path if self._segments else self._stem
            found.append(self._block(path, 0, bytes(self._buffer)))
        return [block for block in found if block.first_ms <= end_ms and block.last_ms >= start_ms]

    def remove(self) -> None:
        """Deletes everything."""
        for segment in self._segments:
            segment.path.unlink(missing_ok=True)
        self._segments.clear()
        self._begin_block()
        self.events = self._record_bytes = self._on_disk_bytes = 0

    def _block(self, path: Path, offset: int, data: bytes | None) -> Block:
        return Block(
            path,
            offset,
            len(self._buffer),
            data,
            self._first_sequence,
            self._sequence - self._first_sequence,
            self._first_ms,
            self._last_ms,
            self._ingestion_ms,
        )

    def _write_block(self) -> None:
        segment = self._current_segment()
        try:
            with segment.path.open("ab") as file:
                file.truncate(segment.size)  # what a write that broke off may have left
                file.write(self._buffer)
        except OSError as error:
            self._forget(self._sequence - self._first_sequence, len(self._buffer))
            logger.warning("could not write log events to %s: %s", segment.path, error)
        else:
            segment.blocks.append(self._block(segment.path, segment.size, None))
            segment.size += len(self._buffer)
            segment.count += self._sequence - self._first_sequence
            self._on_disk_bytes += len(self._buffer)
        self._begin_block()
        while self._on_disk_bytes > self._limit_bytes and len(self._segments) > 1:
            self._drop_oldest()

    def _current_segment(self) -> _Segment:
        if not self._segments or self._segments[-1].size >= self._segment_bytes:
            path = self._stem.with_name(f"{self._stem.name}-{self._segment_number:06d}.log")
            self._segment_number += 1
            self._segments.append(_Segment(path))
        return self._segments[-1]

    def _drop_oldest(self) -> None:
        segment = self._segments.popleft()
        segment.path.unlink(missing_ok=True)
        self._on_disk_bytes -= segment.size
        self._forget(segment.count, segment.size)

    def _forget(self, events: int, size: int) -> None:
        if self.dropped_events == 0:
            logger.warning("%s: the oldest log events are dropped from now on", self._stem.name)
        self.dropped_events += events
        self.events -= events
        self._record_bytes -= size
