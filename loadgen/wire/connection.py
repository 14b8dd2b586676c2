"""One kept connection: its socket, its parser, and who waits for it.

The socket is watched all the time, so that a connection that the server closed while it was idle
is not used again.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Protocol

from gevent.hub import Hub
from greenlet import getcurrent
from httptools import HttpResponseParser

from loadgen.outcome import Cause
from loadgen.wire.failure import WireFailure

_READ, _WRITE = 1, 2
NEVER_NS = 1 << 62


class Stream(Protocol):
    """The reading and writing end of a connection, with or without TLS; never blocks."""

    def recv(self, size: int, /) -> bytes: ...

    def send(self, data: bytes, /) -> int: ...


class TlsStream:
    """The TLS object below a socket, called directly: the socket itself would wait by itself."""

    def __init__(self, wrapped: Any) -> None:
        self._object = wrapped._sslobj
        self.recv = self._object.read
        self.send = self._object.write
        self.pending = self._object.pending


class Keeper(Protocol):
    """Who keeps connections."""

    hub: Hub
    keep_body_bytes: int
    polled_ns: int

    def forget(self, connection: Connection, /) -> None:
        """Closes a connection that will not be used again."""


class Connection:
    """One connection: its socket, its parser, and who waits for it."""

    __slots__ = (
        "begun",
        "body",
        "body_bytes",
        "complete",
        "dead",
        "deadline_ns",
        "keep_alive",
        "keep_bytes",
        "number",
        "parser",
        "pool",
        "status",
        "stream",
        "timed_out",
        "waiting",
        "watcher",
        "wrapped",
        "write_watcher",
    )

    def __init__(self, pool: Keeper, wrapped: Any, hub: Hub, number: int = 0) -> None:
        self.pool = pool
        self.number = number
        self.wrapped = wrapped
        self.stream: Stream = TlsStream(wrapped) if hasattr(wrapped, "_sslobj") else wrapped._sock
        self.waiting: Callable[[], object] | None = None
        self.dead = self.timed_out = False
        self.deadline_ns = NEVER_NS
        self.keep_bytes = pool.keep_body_bytes
        self.write_watcher: Any = None
        self.watcher = hub.loop.io(wrapped.fileno(), _READ)
        self.watcher.start(self._readable)
        self.reset()
        self.parser = HttpResponseParser(self)

    def reset(self) -> None:
        """Forgets the response before."""
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.begun = 0
        self.complete = self.keep_alive = False
        self.status = 0

    # What llhttp calls.

    def on_message_begin(self) -> None:
        """A message begins, interim ones included."""
        self.begun += 1

    def on_body(self, part: bytes) -> None:
        """A part of the body; what is beyond `keep_bytes` is only counted."""
        if self.complete:
            return  # of a message that nobody asked for
        if self.body_bytes < self.keep_bytes:
            self.body.append(part[: self.keep_bytes - self.body_bytes])
        self.body_bytes += len(part)

    def on_message_complete(self) -> None:
        """A message is whole."""
        status = self.parser.get_status_code()
        if self.complete:
            return
        if status < 200:
            # An interim response: the one that counts is still to come.
            self.reset()
        else:
            self.complete = True
            self.status = status
            # llhttp knows this only now: after the message it has forgotten it.
            self.keep_alive = self.parser.should_keep_alive()

    # Waiting.

    def _readable(self) -> None:
        waiting = self.waiting
        if waiting is not None:
            self.waiting = None
            waiting()
        else:
            # Nobody asked anything, so this is the end of the connection, or stray bytes.
            self.pool.forget(self)

    def wait(self) -> None:
        """Waits until the socket can be read, or written, or time is up."""
        self.waiting = getcurrent().switch
        try:
            self.pool.hub.switch()
        finally:
            self.waiting = None
        if self.timed_out:
            raise WireFailure(Cause.RESPONSE_TIMEOUT)

    def expire(self) -> None:
        """Wakes who waits here, because time is up."""
        self.timed_out = True
        self.deadline_ns = NEVER_NS
        waiting, self.waiting = self.waiting, None
        self.watcher.stop()
        if self.write_watcher is not None:
            self.write_watcher.stop()
        if waiting is not None:
            self.pool.hub.loop.run_callback(waiting)

    def send(self, data: bytes) -> None:
        """Writes all of `data`."""
        while True:
            try:
                sent = self.stream.send(data)
            except (BlockingIOError, ssl.SSLWantWriteError):
                sent = 0
            except ssl.SSLWantReadError:
                self.wait()
                continue
            if sent == len(data):
                return
            data = data[sent:]
            self._wait_writable()

    def _wait_writable(self) -> None:
        watcher = self.write_watcher
        if watcher is None:
            watcher = self.write_watcher = self.pool.hub.loop.io(self.wrapped.fileno(), _WRITE)
        # An answer that comes before the request is written wakes as well, and is read later.
        self.watcher.stop()
        watcher.start(self._readable)
        try:
            self.wait()
        finally:
            watcher.stop()
            if not self.timed_out:
                self.watcher.start(self._readable)

    def close(self) -> None:
        """Ends the connection at once."""
        if not self.dead:
            self.dead = True
            self.watcher.stop()
            if self.write_watcher is not None:
                self.write_watcher.close()
            self.watcher.close()
            self.wrapped.close()
