"""Log events of several groups in the order of their times, without holding more than needed.

Blocks overlap a little, for events arrive somewhat out of order. A heap holds the records of the
blocks that have begun, and lets go of those that no later block can come before.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.telemetry.log_segments import Block, Record


class Position(NamedTuple):
    """A place in the order of the events: by time, then by arrival in the group."""

    timestamp_ms: int
    sequence: int


class LogEvent(NamedTuple):
    """A stored event; `sequence` counts the events of its group in the order of arrival."""

    timestamp_ms: int
    sequence: int
    ingestion_ms: int
    group: str
    stream: str
    message: str

    @property
    def position(self) -> Position:
        """Where it stands in its group."""
        return Position(self.timestamp_ms, self.sequence)


@dataclass(frozen=True, slots=True)
class Source:
    """Blocks of one group; the streams that are wanted, by their numbers; the range of times."""

    group: str
    blocks: Sequence[Block]
    streams: dict[int, str]
    start_ms: int
    end_ms: int

    def records(self, index: int) -> Iterator[Record]:
        """The records of one block that are in the range and of a wanted stream."""
        for record in self.blocks[index].records():
            if (
                self.start_ms <= record.timestamp_ms <= self.end_ms
                and record.stream in self.streams
            ):
                yield record


Wanted = Callable[[Record], bool]

# A record in the heap: its key in the direction of reading, the number of its source, itself.
_Entry = tuple[int, int, int, Record]


def merge(
    sources: Sequence[Source], wanted: Wanted | None, *, newest_first: bool
) -> Iterator[list[LogEvent]]:
    """The wanted events in order, a few hundred at once; lists may be empty.

    Each list costs about as much as one block, so that the caller can do something else between.
    """
    sign = -1 if newest_first else 1
    pending = sorted(
        (
            ((-block.last_ms if newest_first else block.first_ms), number, index)
            for number, source in enumerate(sources)
            for index, block in enumerate(source.blocks)
        ),
    )
    heap: list[_Entry] = []
    for place, (_, number, index) in enumerate(pending):
        for record in sources[number].records(index):
            if wanted is None or wanted(record):
                key = sign * record.timestamp_ms
                heapq.heappush(heap, (key, sign * record.sequence, number, record))
        border = pending[place + 1][0] if place + 1 < len(pending) else None
        yield _release(heap, border, sources)


def _release(heap: list[_Entry], border: int | None, sources: Sequence[Source]) -> list[LogEvent]:
    """The events before `border`, which are complete now."""
    released = []
    while heap and (border is None or heap[0][0] < border):
        _, _, number, record = heapq.heappop(heap)
        source = sources[number]
        released.append(
            LogEvent(
                record.timestamp_ms,
                record.sequence,
                record.ingestion_ms,
                source.group,
                source.streams[record.stream],
                record.message.decode(),
            )
        )
    return released
