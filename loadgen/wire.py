"""HTTP/1.1 over gevent sockets, parsed by llhttp: one request, one `Answer`, whatever happens.

Nothing is sent twice, no redirect is followed, no cookie is kept, and no response is decoded: what
the server did is in the answer, be it half a response. Connections are kept and used again, last in
first out. The socket of a kept connection is watched all the time, so that one that the server
closed while it was idle is not used again.

Only for processes that imported locust (or gevent) first.
"""

from __future__ import annotations

import errno
import socket as plain_socket
import ssl
from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Protocol

import gevent
from gevent import socket
from gevent.event import AsyncResult
from gevent.hub import Hub, get_hub
from gevent.ssl import SSLContext
from greenlet import getcurrent
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from loadgen.answer import Answer
from loadgen.outcome import Cause

_READ, _WRITE = 1, 2
_CHUNK_BYTES = 65_536
_NEVER = 1 << 62
# How exactly timeouts are kept: connections in use are looked at so often.
_SWEEP_S = 0.005
# Names behind API Gateway have many addresses that change by the minute.
_RESOLVE_AGAIN_NS = 10_000_000_000
# No server takes a megabyte for a head. One that never ends would take the memory and the time.
_MOST_HEAD_BYTES = 1 << 20
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})


class _Stream(Protocol):
    """The reading and writing end of a connection, with or without TLS; never blocks."""

    def recv(self, size: int, /) -> bytes: ...

    def send(self, data: bytes, /) -> int: ...


class _Tls:
    """The TLS object below a socket, called directly: the socket itself would wait by itself."""

    def __init__(self, wrapped: Any) -> None:
        self._object = wrapped._sslobj
        self.recv = self._object.read
        self.send = self._object.write
        self.pending = self._object.pending


class Origin:
    """A host and port that requests go to, and how to connect there."""

    def __init__(
        self, host: str, port: int, *, tls: SSLContext | None, connect_timeout_s: float
    ) -> None:
        self.host, self.port = host, port
        self.tls = tls
        self.connect_timeout_s = connect_timeout_s
        self._addresses: list[tuple[Any, ...]] = []
        self._resolved_ns = -_NEVER
        self._lookup: AsyncResult[list[tuple[Any, ...]]] | None = None
        self._turn = 0

    def addresses(self) -> list[tuple[Any, ...]]:
        """All addresses of the host, as `getaddrinfo` has them, another one first each time.

        Raises:
            OSError: the name is not known.
        """
        if perf_counter_ns() - self._resolved_ns > _RESOLVE_AGAIN_NS:
            # One at a time: a name server that is slow is not asked by all who connect at once.
            if self._lookup is None:
                self._lookup = AsyncResult()
                gevent.spawn(self._look_up, self._lookup)
            self._addresses = self._lookup.get() or self._addresses
        self._turn = (self._turn + 1) % len(self._addresses)
        return self._addresses[self._turn :] + self._addresses[: self._turn]

    def _look_up(self, found: AsyncResult[list[tuple[Any, ...]]]) -> None:
        try:
            found.set(socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM))
            self._resolved_ns = perf_counter_ns()
        except (OSError, UnicodeError) as error:
            found.set_exception(error)
        finally:
            self._lookup = None


class _Failure(Exception):
    """What went wrong on the wire, as a cause."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.name)
        self.cause = cause


class _Connection:
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
        "parser",
        "pool",
        "raw",
        "status",
        "stream",
        "timed_out",
        "waiting",
        "watcher",
        "wrapped",
        "write_watcher",
    )

    def __init__(self, pool: Pool, wrapped: Any, stream: _Stream, hub: Hub) -> None:
        self.pool = pool
        self.wrapped = wrapped
        self.raw = wrapped._sock if hasattr(wrapped, "_sock") else wrapped
        self.stream = stream
        self.waiting: Callable[[], object] | None = None
        self.dead = self.timed_out = False
        self.deadline_ns = _NEVER
        self.keep_bytes = pool.keep_body_bytes
        self.write_watcher: Any = None
        self.watcher = hub.loop.io(wrapped.fileno(), _READ)
        self.watcher.start(self._readable)
        self._reset()
        self.parser = HttpResponseParser(self)

    def _reset(self) -> None:
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.begun = 0
        self.complete = self.keep_alive = False
        self.status = 0

    # What llhttp calls.

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_body(self, part: bytes) -> None:
        if self.complete:
            return  # of a message that nobody asked for
        if self.body_bytes < self.keep_bytes:
            self.body.append(part[: self.keep_bytes - self.body_bytes])
        self.body_bytes += len(part)

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        if self.complete:
            return
        if status < 200:
            # An interim response: the one that counts is still to come.
            self._reset()
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
            raise _Failure(Cause.RESPONSE_TIMEOUT)

    def expire(self) -> None:
        """Wakes who waits here, because time is up."""
        self.timed_out = True
        self.deadline_ns = _NEVER
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


class Pool:
    """Kept connections to one origin, at most `max_connections`; who finds none waits in turn."""

    def __init__(
        self, origin: Origin, *, max_connections: int, keep_body_bytes: int, keep_alive: bool = True
    ) -> None:
        self.origin = origin
        self.max_connections = max_connections
        self.keep_body_bytes = keep_body_bytes
        self.keep_alive = keep_alive
        self.hub = get_hub()
        self.opened = 0  # connections that were ever made
        self.waited = 0  # requests that found none free
        self._free: list[_Connection] = []
        self._used: set[_Connection] = set()
        self._count = 0
        self._queue: deque[Callable[[], object]] = deque()
        # When the loop last looked at its sockets. What was there to read then has come by then,
        # however long others have their turn before.
        self.polled_ns = perf_counter_ns()
        self._check = self.hub.loop.check(ref=False)
        self._check.start(self._polled)
        self._sweeper = gevent.spawn(self._sweep)

    @property
    def connections(self) -> int:
        """How many connections there are now."""
        return self._count

    def exchange(self, request: bytes, timeout_s: float, *, is_head: bool = False) -> Answer:
        """Sends `request`, a whole HTTP/1.1 request, and gives what came of it.

        `timeout_s` counts from the start, connecting included. Never raises for what a server or
        a network does.
        """
        while not self._free and self._count >= self.max_connections:
            self._wait_for_turn()
        start_ns = perf_counter_ns()
        connect_ns = tls_ns = 0
        if self._free:
            connection = self._free.pop()
        else:
            self._count += 1
            try:
                connection, connect_ns, tls_ns = self._connect(timeout_s)
            except _Failure as failure:
                self._count -= 1
                self._next_turn()
                end_ns = perf_counter_ns()
                return Answer(0, b"", b"", failure.cause, start_ns, 0, end_ns, 0, 0, 0)
            except BaseException:
                self._count -= 1
                self._next_turn()
                raise
        self._used.add(connection)
        connection.deadline_ns = start_ns + int(timeout_s * 1e9)
        reusable = False
        try:
            answer, reusable = _converse(
                connection, request, start_ns, connect_ns, tls_ns, is_head=is_head
            )
            return answer
        finally:
            connection.deadline_ns = _NEVER
            self._used.discard(connection)
            if reusable and self.keep_alive and not connection.dead:
                self._free.append(connection)
            else:
                self.forget(connection)
            if self._queue:
                self._next_turn()

    def forget(self, connection: _Connection) -> None:
        """Closes a connection that will not be used again."""
        if connection.dead:
            return
        connection.close()
        self._count -= 1
        if connection in self._free:
            self._free.remove(connection)

    def _polled(self) -> None:
        self.polled_ns = perf_counter_ns()

    def close(self) -> None:
        """Closes what is idle; connections in use are closed by those who use them."""
        self._sweeper.kill(block=False)
        self._check.close()
        for connection in list(self._free):
            self.forget(connection)

    def _wait_for_turn(self) -> None:
        self.waited += 1
        self._queue.append(getcurrent().switch)
        mine = self._queue[-1]
        try:
            self.hub.switch()
        except BaseException:
            if mine in self._queue:
                self._queue.remove(mine)
            raise

    def _next_turn(self) -> None:
        if self._queue:
            self.hub.loop.run_callback(self._queue.popleft())

    def _connect(self, timeout_s: float) -> tuple[_Connection, int, int]:
        """A new connection, and how long TCP (with the name's lookup) and TLS took, in ns."""
        begin_ns = perf_counter_ns()
        limit_s = min(self.origin.connect_timeout_s, timeout_s)
        try:
            with gevent.Timeout(limit_s, _Failure(Cause.CONNECT_TIMEOUT)):
                plain = self._connect_tcp()
                connected_ns = perf_counter_ns()
                if self.origin.tls is None:
                    self.opened += 1
                    return (
                        _Connection(self, plain, plain._sock, self.hub),
                        connected_ns - begin_ns,
                        0,
                    )
                secured = self._secure(plain, self.origin.tls)
        except OSError as error:
            raise _Failure(_cause_of_connecting(error)) from error
        self.opened += 1
        tls_ns = perf_counter_ns() - connected_ns
        stream = _Tls(secured)
        return _Connection(self, secured, stream, self.hub), connected_ns - begin_ns, tls_ns

    def _connect_tcp(self) -> Any:
        try:
            addresses = self.origin.addresses()
        except UnicodeError as error:  # a name that cannot be
            raise _Failure(Cause.DNS) from error
        except OSError as error:
            cause = Cause.NO_CONNECTION if error.errno in _NO_ROOM else Cause.DNS
            raise _Failure(cause) from error
        last: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            plain = socket.socket(family, kind, protocol)
            try:
                plain.setsockopt(plain_socket.IPPROTO_TCP, plain_socket.TCP_NODELAY, 1)
                plain.connect(address)
            except OSError as error:
                plain.close()
                last = error
            except BaseException:
                plain.close()
                raise
            else:
                return plain
        raise last or OSError("no address")

    def _secure(self, plain: Any, context: SSLContext) -> Any:
        try:
            return context.wrap_socket(plain, server_hostname=self.origin.host)
        except ConnectionError as error:
            plain.close()
            raise _Failure(_cause_of_reading(error)) from error
        except (ssl.SSLError, ssl.CertificateError, OSError) as error:
            plain.close()
            raise _Failure(Cause.TLS) from error
        except BaseException:
            plain.close()
            raise

    def _sweep(self) -> None:
        while True:
            gevent.sleep(_SWEEP_S)
            now = perf_counter_ns()
            for connection in [used for used in self._used if used.deadline_ns <= now]:
                connection.expire()


def _converse(
    connection: _Connection,
    request: bytes,
    start_ns: int,
    connect_ns: int,
    tls_ns: int,
    *,
    is_head: bool,
) -> tuple[Answer, bool]:
    """Sends a request over a connection; what came, and whether another one may follow."""
    connection._reset()
    parser = connection.parser
    recv = connection.stream.recv
    pending = getattr(connection.stream, "pending", None)
    raw = head = b""
    headed = ahead = False
    first_byte_ns = bytes_in = came_ns = 0
    cause = Cause.NONE
    try:
        connection.send(request)
        while not connection.complete:
            if not ahead:
                connection.wait()
                came_ns = connection.pool.polled_ns
            try:
                data = recv(_CHUNK_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                ahead = False
                continue
            except ssl.SSLZeroReturnError:
                data = b""  # the other side ended TLS in order
            if not first_byte_ns and data:
                first_byte_ns = came_ns
            if not data:
                cause = _end_of_stream(connection, head, headed=headed)
                break
            bytes_in += len(data)
            if not headed:
                raw = raw + data if raw else data
                head, headed = _final_head(raw)
                if not headed and len(raw) > _MOST_HEAD_BYTES:
                    cause = Cause.MALFORMED
                    break
            parser.feed_data(data)
            if is_head and headed and not connection.complete:
                # llhttp waits for the body that the length announces and HEAD leaves out.
                connection.complete = True
                connection.keep_alive = parser.should_keep_alive()
                connection.parser = HttpResponseParser(connection)
            ahead = pending is not None and pending() > 0
    except HttpParserUpgrade:
        # 101, which nobody asked for: the answer is whole, the connection no longer speaks HTTP.
        connection.complete = True
        connection.begun += 1
    except HttpParserError:
        if not connection.complete:
            cause = Cause.MALFORMED
        connection.begun += 1
    except _Failure as failure:
        cause = failure.cause
    except (OSError, ValueError) as error:
        cause = _cause_of_reading(error)
    end_ns = came_ns if connection.complete and not cause else perf_counter_ns()
    parts = connection.body
    answer = Answer(
        connection.status or (parser.get_status_code() if headed else 0),
        head,
        parts[0] if len(parts) == 1 else b"".join(parts),
        cause,
        start_ns,
        first_byte_ns,
        end_ns,
        connect_ns,
        tls_ns,
        bytes_in,
    )
    # More than one message begun means bytes that nobody asked for: they would be taken for the
    # answer to the next request.
    return answer, cause == 0 and connection.begun == 1 and connection.keep_alive


def _final_head(raw: bytes) -> tuple[bytes, bool]:
    """The head of the response in `raw` that is not an interim one (1xx), and if it is whole."""
    while True:
        end = raw.find(b"\r\n\r\n")
        if end < 0:
            return raw, False
        if raw[9:10] != b"1" or raw[9:12] == b"101":
            return raw[: end + 4], True
        raw = raw[end + 4 :]


def _end_of_stream(connection: _Connection, head: bytes, *, headed: bool) -> Cause:
    """What the end of the connection means: without a length, it is the end of the body."""
    lower = head.lower()
    sized = b"\r\ncontent-length:" in lower or b"\r\ntransfer-encoding:" in lower
    connection.complete = headed and not sized
    connection.begun += 1  # there is nothing to use again
    return Cause.NONE if connection.complete else Cause.CLOSED_EARLY


def _cause_of_connecting(error: OSError) -> Cause:
    if error.errno in _NO_ROOM:
        return Cause.NO_CONNECTION
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return Cause.CONNECT_TIMEOUT
    if isinstance(error, ssl.SSLError):
        return Cause.TLS
    if isinstance(error, ConnectionResetError):
        return Cause.RESET
    return Cause.REFUSED


def _cause_of_reading(error: Exception) -> Cause:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Cause.CLOSED_EARLY
    if isinstance(error, ssl.SSLError):
        return Cause.TLS
    return Cause.RESET
