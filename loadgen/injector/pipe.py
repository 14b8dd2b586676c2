"""The pipes to the process that started this one: orders come in, reports go out.

Both are read and written by native threads of gevent's pool, so that a slow reader of reports does
not hold up the arrivals.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from gevent.hub import get_hub
from gevent.queue import SimpleQueue

from loadgen.messages import Message, from_line, to_line

_STDIN, _STDOUT = 0, 1
_CHUNK_BYTES = 1 << 20


class Orders:
    """The lines on stdin."""

    def __init__(self) -> None:
        self._rest = b""

    def __iter__(self) -> Iterator[Message]:
        """Each message as it comes, until the other side closes.

        Raises:
            ValueError: a line is no message.
        """
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                yield from_line(line)
                continue
            more = get_hub().threadpool.apply(os.read, (_STDIN, _CHUNK_BYTES))
            if not more:
                return
            self._rest += more


class Reports:
    """The lines on stdout, written in their order by one greenlet."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()

    def send(self, message: Message) -> None:
        """Queues a message; returns at once."""
        self._queue.put(to_line(message))

    def end(self) -> None:
        """No more messages come."""
        self._queue.put(None)

    def write(self) -> None:
        """Writes what is queued until `end`; the reader going away ends it as well."""
        pool = get_hub().threadpool
        while (line := self._queue.get()) is not None:
            try:
                pool.apply(_write_all, (line,))
            except BrokenPipeError:
                return


def _write_all(line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(_STDOUT, rest) :]
