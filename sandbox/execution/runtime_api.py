"""The Lambda Runtime API: where a runtime fetches invocations and posts their results.

One server on a loopback port of its own for each execution environment, because
AWS_LAMBDA_RUNTIME_API holds only a host and a port. Four calls, as AWS documents them
(runtimes-api, version 2018-06-01): next, response, error, init/error.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import random
import socket
import time
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import httptools

from sandbox.execution.contract import InvokeRequest, VersionSpec

_NEXT = b"/2018-06-01/runtime/invocation/next"
_INVOCATION = b"/2018-06-01/runtime/invocation/"
_INIT_ERROR = b"/2018-06-01/runtime/init/error"
_ERROR_TYPE_HEADER = b"lambda-runtime-function-error-type"
_ERROR_TYPE_BYTES = len(_ERROR_TYPE_HEADER)

_BUFFER_BYTES = 65536

_ACCEPTED = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
    b'Content-Length: 16\r\n\r\n{"status":"OK"}\n'
)


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
class Invocation:
    """What a runtime is told about one invocation."""

    request_id: str
    payload: bytes
    deadline_ms: int  # of the epoch
    invoked_arn: str
    trace_id: str
    client_context: str | None = None  # base64, as the caller sent it

    def to_http(self) -> bytes:
        """The answer to the runtime's `next`."""
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {self.request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {self.deadline_ms}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {self.invoked_arn}\r\n"
            f"Lambda-Runtime-Trace-Id: {self.trace_id}\r\n"
        )
        context = _client_context_json(self.client_context)
        if context is not None:
            head += f"Lambda-Runtime-Client-Context: {context}\r\n"
        return f"{head}Content-Length: {len(self.payload)}\r\n\r\n".encode() + self.payload


def invocation_of(request: InvokeRequest, spec: VersionSpec, limit_ms: float) -> Invocation:
    """What the runtime of `spec` is told about a request that may run for `limit_ms` from now."""
    now_s = time.time()
    return Invocation(
        request_id=request.request_id,
        payload=request.payload,
        deadline_ms=int(now_s * 1000 + limit_ms),
        invoked_arn=request.invoked_arn or spec.function_arn,
        trace_id=_trace_id(request.trace_id, int(now_s)),
        client_context=request.client_context,
    )


def _trace_id(given: str | None, now_s: int) -> str:
    """A tracing header for the function: the caller's, with what it lacks, or a new one.

    Lambda adds a parent and the decision not to sample. What no header may carry is no trace.
    """
    if given and given.isascii() and given.isprintable():
        trace_id = given
    else:
        trace_id = f"Root=1-{now_s:08x}-{random.getrandbits(96):024x}"
    if "Parent=" not in trace_id:
        trace_id += f";Parent={random.getrandbits(64):016x}"
    return trace_id if "Sampled=" in trace_id else f"{trace_id};Sampled=0"


class RuntimeEvents(Protocol):
    """What the runtime of one environment did; called on the event loop."""

    def on_next(self) -> None:
        """The runtime waits for an invocation."""

    def on_response(self, request_id: str, body: bytes) -> None:
        """The handler returned."""

    def on_error(self, request_id: str, body: bytes, error_type: str | None) -> None:
        """The handler raised, or could not be called."""

    def on_init_error(self, body: bytes, error_type: str | None) -> None:
        """The function could not be loaded."""

    def on_disconnect(self) -> None:
        """A connection closed; the process may have ended."""

    def on_refused(self, error: OSError) -> None:
        """The runtime's connection could not be accepted, nor can later ones."""


class RuntimeApi:
    """The server of one environment."""

    def __init__(self, events: RuntimeEvents) -> None:
        self.events = events
        self.connections: set[_Connection] = set()
        self._listener: socket.socket | None = None
        self._accepting: set[asyncio.Task[object]] = set()
        self._waiting: _Connection | None = None

    async def start(self) -> str:
        """Listens on a free loopback port; gives `host:port`."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def _accept(self) -> None:
        # asyncio's own servers log that they could not, and try again after a second, for ever.
        if self._listener is None:
            return
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._stop_listening()
            self.events.on_refused(error)
            return
        loop = asyncio.get_running_loop()
        connecting = loop.connect_accepted_socket(lambda: _Connection(self), accepted)
        task: asyncio.Task[object] = loop.create_task(connecting)
        self._accepting.add(task)
        task.add_done_callback(partial(self._on_accepted, accepted))

    def _on_accepted(self, accepted: socket.socket, task: asyncio.Task[object]) -> None:
        self._accepting.discard(task)
        if task.cancelled() or task.exception() is not None:
            # Cancelled before it began, the task has not taken the socket over.
            accepted.close()

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()

    @property
    def is_runtime_waiting(self) -> bool:
        """Whether the runtime has asked for an invocation and not been given one."""
        return self._waiting is not None

    def deliver(self, invocation: Invocation) -> None:
        """Answers the runtime's waiting `next`.

        Raises:
            RuntimeError: the runtime is not waiting.
        """
        if self._waiting is None:
            raise RuntimeError("the runtime is not waiting for an invocation")
        connection, self._waiting = self._waiting, None
        connection.write(invocation.to_http())

    def wait_for_invocation(self, connection: _Connection) -> None:
        """Parks a connection that asked for `next`."""
        self._waiting = connection
        self.events.on_next()

    def forget(self, connection: _Connection) -> None:
        """Drops a connection that closed."""
        self.connections.discard(connection)
        if self._waiting is connection:
            self._waiting = None
        self.events.on_disconnect()

    def close(self) -> None:
        """Stops listening and closes the connections, at which runtimes exit."""
        self._stop_listening()
        for task in tuple(self._accepting):
            task.cancel()
        for connection in tuple(self.connections):
            connection.abort()


class _Connection(asyncio.BufferedProtocol):
    """One HTTP connection of a runtime.

    It reads into a buffer of its own: a new one for each read costs more than all the parsing.
    """

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._transport: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._parser = httptools.HttpRequestParser(self)
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._body: list[bytes] = []
        self._error_type: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._api.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._api.forget(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Takes the bytes that came."""
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except httptools.HttpParserError:
            self.abort()

    def on_message_begin(self) -> None:
        self._reset()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        size = len(name)  # tells nearly all headers from these two, at less cost than lower case
        if size == _ERROR_TYPE_BYTES and name.lower() == _ERROR_TYPE_HEADER:
            self._error_type = value.decode("latin-1")
        elif size == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._dispatch(self._parser.get_method(), self._url)

    def _dispatch(self, method: bytes, path: bytes) -> None:
        if method == b"GET" and path == _NEXT:
            self._api.wait_for_invocation(self)
            return
        body = b"".join(self._body)
        events = self._api.events
        if method == b"POST" and path == _INIT_ERROR:
            self.write(_ACCEPTED)
            events.on_init_error(body, self._error_type)
        elif method == b"POST" and path.startswith(_INVOCATION):
            request_id, _, kind = path[len(_INVOCATION) :].decode("latin-1").partition("/")
            if kind == "response":
                events.on_response(request_id, body)
                self.write(_ACCEPTED)
            elif kind == "error":
                events.on_error(request_id, body, self._error_type)
                self.write(_ACCEPTED)
            else:
                self._not_found()
        else:
            self._not_found()

    def _not_found(self) -> None:
        body = b'{"errorType":"InvalidRequest","errorMessage":"No such call in the Runtime API"}'
        head = f"HTTP/1.1 404 Not Found\r\nContent-Length: {len(body)}\r\n\r\n"
        self.write(head.encode() + body)

    def write(self, data: bytes) -> None:
        """Sends bytes, unless the connection has gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """Closes the connection without waiting for anything."""
        if self._transport is not None:
            self._transport.abort()


def _client_context_json(encoded: str | None) -> str | None:
    """The client context as one line of ASCII JSON, which is what a header can carry."""
    if encoded is None:
        return None
    try:
        return json.dumps(json.loads(base64.b64decode(encoded, validate=True)))
    except (binascii.Error, ValueError):
        # Not what AWS would have let through; the runtime reports it to the function.
        return json.dumps(encoded)
