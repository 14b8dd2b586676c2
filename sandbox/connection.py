"""HTTP/1.1 connections of the sandbox's front: parsed, answered in order, kept alive.

The hot path is one parser pass and one write. A handler that answers at once gives a `Response`;
one that has to wait gives a coroutine. Requests of one connection are answered one after the
other, so pipelining clients get their answers in order.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import struct
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import httptools

from sandbox.http import Handler, Header, Misbehaviour, Request, Response, encode
from sandbox.refusals import json_refusal

# The largest request that AWS Lambda takes is a CreateFunction with a 50 MB zip in base64.
MAX_BODY_BYTES = 70_167_211
# Lambda's limit for request line and headers together (quotas page, 2026).
MAX_HEADER_BYTES = 1_048_576
# Requests of one connection that may wait for the one being answered, before reading pauses.
MAX_PIPELINED = 64
# Requests of a load test have some hundred bytes; larger ones take several reads.
_BUFFER_BYTES = 65_536
# How long a client may go on to send a request that was refused.
LINGER_S = 5.0

# Headers that this module heeds itself.
_HEEDED = frozenset({b"connection", b"content-length", b"expect", b"host"})
_METHODS = {name.encode(): name for name in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")}

_BAD_REQUEST = json_refusal(400, "BadRequestException", "Bad Request")
_BODY_TOO_LARGE = json_refusal(
    413, "RequestEntityTooLargeException", f"Request must be smaller than {MAX_BODY_BYTES} bytes"
)
_HEADERS_TOO_LARGE = json_refusal(
    431, "RequestHeaderSectionTooLargeException", f"Headers must be below {MAX_HEADER_BYTES} bytes"
)

_NUMBERS = itertools.count()

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Turn:
    """A request that waits for its answer; `refusal` where it could not be read to its end.

    `is_answered` where it has been answered before its handler was done.
    """

    request: Request
    keep_alive: bool
    refusal: Response | None = None
    is_answered: bool = False


class HttpProtocol(asyncio.BufferedProtocol):
    """One connection: parses, calls the handler, writes, keeps alive.

    It reads into a buffer of its own: asyncio's way, a new one of 256 KB for each read, has cost
    more than all the parsing.
    """

    def __init__(
        self, handler: Handler, open_connections: set[HttpProtocol], tasks: set[asyncio.Task[None]]
    ) -> None:
        self._handler = handler
        self._open_connections = open_connections
        self._tasks = tasks
        self._parser = httptools.HttpRequestParser(self)
        self._turns: deque[_Turn] = deque()
        self._answering: _Turn | None = None  # the request whose answer takes time
        self._writable = True
        self._reading = True
        self._wants_continue = False
        self._deaf = False  # after a refusal nothing more is read
        self._client_is_done = False  # it has ended its side, and may still want answers
        self._number = next(_NUMBERS)
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._read_bytes = 0
        self._reset()

    def _reset(self) -> None:
        self._target = b""
        self._headers: list[Header] = []
        self._names: list[bytes] = []
        self._host: bytes | None = None
        self._may_close = False  # it has a Connection header
        # What is read already may hold the beginning of the next request.
        self._head_bytes = self._read_bytes
        self._chunks: list[bytes] = []
        self._body_bytes = 0
        self._bytes_after_body = 0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open_connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_connections.discard(self)
        self._turns.clear()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        # Not at once: a connection that closes while asyncio is writing to it is closed twice.
        asyncio.get_running_loop().call_soon(self._advance_if_open)

    def _advance_if_open(self) -> None:
        if not self._transport.is_closing():
            self._advance()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes are read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Takes what was read."""
        if self._deaf:
            return
        if not self._chunks:
            # Counted here, and not header by header, because this is cheap: what came while no
            # body had begun. It may be too high by a piece of a body, a few kilobytes.
            self._head_bytes += nbytes
        else:
            self._bytes_after_body += nbytes
        self._read_bytes = nbytes
        try:
            self._parser.feed_data(self._buffer[:nbytes])
            if self._head_bytes > MAX_HEADER_BYTES and not self._chunks:
                self._refuse(_HEADERS_TOO_LARGE)
            if self._bytes_after_body > MAX_HEADER_BYTES:  # trailers, and no end of them
                self._refuse(_HEADERS_TOO_LARGE)
        except httptools.HttpParserUpgrade:
            # Nothing here is upgraded: the request was complete, and is answered as it stands.
            self._deaf = True
            if self._turns:
                self._turns[-1].keep_alive = False
        except httptools.HttpParserError:
            self._refuse(_BAD_REQUEST)
        if self._turns or self._wants_continue or not self._reading:
            self._advance()

    def eof_received(self) -> bool:
        """Keeps the connection of a client that sends no more until its last answer is out."""
        self._client_is_done = True
        last = self._turns[-1] if self._turns else self._answering
        if last is None:
            return False
        last.keep_alive = False
        return True

    # httptools callbacks

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._chunks:
            return  # trailers are not to be taken for headers (RFC 9110, 6.5.1)
        self._names.append(name)
        name = name.lower()
        self._headers.append((name, value))
        if name in _HEEDED:
            self._heed(name, value)

    def _heed(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            if self._host is not None:
                self._refuse(_BAD_REQUEST)  # RFC 9112, 3.2
            self._host = value
        elif name == b"connection":
            self._may_close = True
        elif name == b"expect":
            self._wants_continue = value.lower() == b"100-continue"
        elif int(value) > MAX_BODY_BYTES:
            self._refuse(_BODY_TOO_LARGE)

    def on_headers_complete(self) -> None:
        if self._head_bytes > MAX_HEADER_BYTES:
            self._refuse(_HEADERS_TOO_LARGE)
        if self._wants_continue and self._parser.get_http_version() == "1.0":
            self._wants_continue = False  # RFC 9110, 10.1.1

    def on_body(self, body: bytes) -> None:
        if self._deaf:
            return
        self._body_bytes += len(body)
        self._bytes_after_body = 0
        if self._body_bytes > MAX_BODY_BYTES:
            self._refuse(_BODY_TOO_LARGE)
            return
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._deaf:
            return
        self._wants_continue = False
        parser = self._parser
        name = parser.get_method()
        method = _METHODS.get(name) or name.decode()
        body = b"".join(self._chunks) if self._chunks else b""
        target, host = self._target, self._host
        if not target.startswith(b"/"):
            target, host = _origin_form(target, host)
        request = Request(
            method,
            target,
            self._headers,
            body,
            host,
            self._names,
            self._head_bytes,
            self._number,
        )
        keep_alive = parser.should_keep_alive() and not parser.should_upgrade()
        if self._may_close and parser.get_http_version() == "1.0":
            # Such a client waits for the end unless the answer has a Connection header, too.
            keep_alive = False
        self._reset()
        if self._turns or self._answering is not None or not self._writable:
            self._turns.append(_Turn(request, keep_alive))
        else:
            self._answer(request, keep_alive=keep_alive)

    # Answers

    def _answer(self, request: Request, *, keep_alive: bool) -> None:
        """Answers the request whose turn it is, at once or as soon as its answer is there."""
        try:
            answer = self._handler(request)
        except Exception:
            answer = _internal_error(request)
        if isinstance(answer, Response):
            self._write(request, answer, keep_alive=keep_alive)
            return
        self._answering = turn = _Turn(request, keep_alive)
        request.answer_early = partial(self._answer_early, turn)
        self._start(self._answer_later(turn, answer), answer)

    def _answer_early(self, turn: _Turn, response: Response) -> None:
        """Answers while the coroutine that was to do so runs on."""
        if self._answering is not turn or turn.is_answered:
            return
        turn.is_answered = True
        if response.then is not None:
            self._start(self._misbehave(turn, response, response.then))
            return
        self._answering = None
        self._write(turn.request, response, keep_alive=turn.keep_alive)
        self._advance()

    def _start(
        self, work: Coroutine[Any, Any, None], answer: Coroutine[Any, Any, Response] | None = None
    ) -> None:
        def on_done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if answer is not None:
                # Where the server closes before the task has begun, nobody else would end it.
                answer.close()

        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(on_done)

    def _refuse(self, refusal: Response) -> None:
        """Answers, in its turn, a request that cannot be read, and closes after it."""
        if self._deaf:
            return
        self._deaf = True
        turn = _Turn(Request("", b"", []), keep_alive=False, refusal=refusal)
        self._turns.append(turn)

    def _advance(self) -> None:
        """Answers what has come in, as far as that needs no waiting."""
        while self._turns and self._answering is None and self._writable:
            turn = self._turns.popleft()
            if turn.refusal is None:
                self._answer(turn.request, keep_alive=turn.keep_alive)
            else:
                self._write(turn.request, turn.refusal, keep_alive=False, is_read=False)
        if self._deaf:
            return
        if self._wants_continue and not self._turns and self._answering is None:
            self._wants_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._turns or not self._reading:
            self._pace_reading()

    async def _answer_later(self, turn: _Turn, answer: Coroutine[Any, Any, Response]) -> None:
        try:
            response = await answer
        except Exception:
            response = _internal_error(turn.request)
        if turn.is_answered:
            return
        if response.then is not None:
            await self._misbehave(turn, response, response.then)
            return
        self._answering = None
        self._write(turn.request, response, keep_alive=turn.keep_alive)
        self._advance()

    def _write(
        self, request: Request, response: Response, *, keep_alive: bool, is_read: bool = True
    ) -> None:
        transport = self._transport
        if transport.is_closing():
            return
        head_only = request.method == "HEAD"
        transport.write(encode(response, request.id, keep_alive=keep_alive, head_only=head_only))
        if not keep_alive:
            self._turns.clear()
            self._finish(request_is_read=is_read)

    async def _misbehave(self, turn: _Turn, response: Response, how: Misbehaviour) -> None:
        """Writes the answer as a fault wants it; nothing else is written meanwhile."""
        request = turn.request
        if self._transport.is_closing():
            return  # the client did not wait for it
        head_only = request.method == "HEAD"
        wire = encode(response, request.id, keep_alive=turn.keep_alive, head_only=head_only)
        # What comes in pieces is the body; the head is no part of it.
        begun = how.after_bytes if how.piece_bytes is None else wire.index(b"\r\n\r\n") + 4
        self._transport.write(wire[:begun])
        if how.reset:
            reset(self._transport)
            return
        size = how.piece_bytes or len(wire)
        for start in range(begun, len(wire), size):
            await asyncio.sleep(how.stall_s)
            if how.ends:
                self._transport.close()
            if self._transport.is_closing():
                return
            self._transport.write(wire[start : start + size])
        self._answering = None
        if not turn.keep_alive:
            self._turns.clear()
            self._finish(request_is_read=True)
        self._advance()

    def _finish(self, *, request_is_read: bool) -> None:
        """Closes, after the answer to the last request is out."""
        if request_is_read or self._client_is_done:
            self._transport.close()
            return
        # The client may still be sending. To close now would reset the connection, and the
        # answer might be lost with it: what comes is thrown away for a while.
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)

    def _pace_reading(self) -> None:
        busy = len(self._turns) >= MAX_PIPELINED
        if busy == self._reading and not self._transport.is_closing():
            self._reading = not busy
            if busy:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def close(self) -> None:
        """Ends the connection, whatever is still to be answered."""
        self._transport.abort()


def _origin_form(target: bytes, host: bytes | None) -> tuple[bytes, bytes | None]:
    """Target and host of a request that names a whole URL, as for a proxy (RFC 9112, 3.2.2)."""
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() != b"http":
        return target, host
    end = next((at for at, byte in enumerate(rest) if byte in b"/?"), len(rest))
    path = rest[end:]
    return (path if path.startswith(b"/") else b"/" + path), rest[:end]


def reset(transport: asyncio.Transport) -> None:
    """Closes so that the client sees a reset connection, and not an ordinary end of it."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        # Closing with a linger time of zero sends RST (socket(7), SO_LINGER).
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


def _internal_error(request: Request) -> Response:
    logger.exception("could not answer %s %s", request.method, request.path)
    return Response(
        500,
        b'{"Type":"Service","Message":"The sandbox could not answer; its log says why."}',
        ((b"content-type", b"application/json"), (b"x-amzn-ErrorType", b"ServiceException")),
    )
