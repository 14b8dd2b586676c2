"""The pipes to the process that started this one: orders come in, reports go out.

Both are read and written by native threads, so that a slow reader of reports does not hold up the
arrivals. The threads are their own: gevent's pool also looks names up, and a name server that does
not answer would hold up the reports.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from gevent.queue import SimpleQueue
from gevent.threadpool import ThreadPool

from loadgen.messages import Message, from_line, to_line

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CHUNK_BYTES = 1 << 20


def take_pipes() -> tuple[int, int]:
    """The descriptors of orders and of reports, which nobody else has from now on.

    What a locustfile prints goes to stderr, where it is no report, and it finds nothing to read.
    """
    orders, reports = os.dup(_STDIN), os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    return orders, reports


class Orders:
    """The lines that come in on a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pool = ThreadPool(1)
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
            more = self._pool.apply(os.read, (self._descriptor, _CHUNK_BYTES))
            if not more:
                return
            self._rest += more


class Reports:
    """The lines that go out on a descriptor, written in their order by one greenlet."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pool = ThreadPool(1)
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()

    def send(self, message: Message) -> None:
        """Queues a message; returns at once."""
        self._queue.put(to_line(message))

    def end(self) -> None:
        """No more messages come."""
        self._queue.put(None)

    def write(self) -> None:
        """Writes what is queued until `end`; the reader going away ends it as well."""
        while (line := self._queue.get()) is not None:
            try:
                self._pool.apply(_write_all, (self._descriptor, line))
            except BrokenPipeError:
                return


def _write_all(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
