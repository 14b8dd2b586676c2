"""HTTP itself: framing, keep-alive, pipelining, limits."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import cast

import pytest

from sandbox.connection import MAX_BODY_BYTES, MAX_PIPELINED, HttpProtocol
from sandbox.http import Answer, Misbehaviour, Request, Response
from sandbox.server import HttpServer


@contextmanager
def serving(handler: Callable[[Request], Answer]) -> Iterator[int]:
    """A server with `handler` in a thread; gives its port."""
    started = threading.Event()
    ports: list[int] = []
    stops: list[Callable[[], None]] = []

    async def serve() -> None:
        server = await HttpServer.listen(0)
        await server.serve(handler)
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        ports.append(server.port)
        stops.append(lambda: loop.call_soon_threadsafe(stop.set) and None)
        started.set()
        await stop.wait()
        await server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait(10)
    try:
        yield ports[0]
    finally:
        stops[0]()
        thread.join()


def echo(request: Request) -> Response:
    text = f"{request.method} {request.path}?{request.query} {len(request.body)}"
    return Response(200, text.encode())


def slow_echo(request: Request) -> Answer:
    """Answers /slow later than what follows it, if order were not kept."""

    async def later() -> Response:
        await asyncio.sleep(0.05)
        return echo(request)

    return later() if request.path == "/slow" else echo(request)


def broken(request: Request) -> Answer:
    if request.path == "/now":
        raise RuntimeError("broken on purpose")

    async def later() -> Response:
        raise RuntimeError("broken on purpose, later")

    return later()


def talk(port: int, *pieces: bytes, answers: int = 1) -> bytes:
    """Sends `pieces`; gives what came back when `answers` bodies are there, or the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while len(re.findall(rb"HTTP/1.1 (?!100)", received)) < answers or not whole(received):
            data = connection.recv(65536)
            if not data:
                break
            received += data
        return received


def whole(received: bytes) -> bool:
    head, separator, body = received.rpartition(b"\r\n\r\n")
    length = re.findall(rb"content-length: (\d+)", head)
    return bool(separator) and len(body) >= (int(length[-1]) if length else 0)


def bodies(received: bytes) -> list[bytes]:
    return re.findall(rb"(?:GET|POST|PUT) [^ ]+ \d+", received)


def test_requests_of_one_connection_are_answered_in_order() -> None:
    requests = [
        b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/slow", b"/2", b"/slow", b"/4")
    ]
    with serving(slow_echo) as port:
        received = talk(port, b"".join(requests), answers=4)
    expected = [b"GET /slow? 0", b"GET /2? 0", b"GET /slow? 0", b"GET /4? 0"]
    assert bodies(received) == expected


def test_many_pipelined_requests_are_all_answered() -> None:
    count = 500
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(count))
    requests = requests.replace(b"/0 ", b"/slow ", 1)
    with serving(slow_echo) as port:
        received = talk(port, requests, answers=count)
    assert bodies(received)[1:] == [b"GET /%d? 0" % n for n in range(1, count)]


def test_a_request_may_come_byte_by_byte() -> None:
    request = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    with serving(echo) as port:
        received = talk(port, *(request[i : i + 1] for i in range(len(request))))
    assert bodies(received) == [b"POST /a?b=c 3"]


def test_a_chunked_body_is_read() -> None:
    request = (
        b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with serving(echo) as port:
        assert bodies(talk(port, request)) == [b"PUT /c? 5"]


def test_a_client_that_waits_for_100_continue_gets_it() -> None:
    head = b"POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with serving(echo) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(head)
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert b"POST /e? 2" in connection.recv(65536)


@pytest.mark.parametrize(("version", "told"), [(b"1.0", []), (b"1.1", [b"HTTP/1.1 100 Continue"])])
def test_an_old_client_is_told_nothing_before_its_answer(version: bytes, told: list[bytes]) -> None:
    written: list[bytes] = []
    transport = SimpleNamespace(write=written.append, is_closing=lambda: False)
    protocol = HttpProtocol(echo, set(), set())
    protocol.connection_made(cast(asyncio.BaseTransport, transport))
    head = b"POST /e HTTP/%b\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    data = head % version
    protocol.get_buffer(-1)[: len(data)] = data
    protocol.buffer_updated(len(data))
    assert [line.partition(b"\r\n")[0] for line in written] == told


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (b"http://localhost:1/a/b?c=d", b"localhost:1 /a/b c=d"),
        (b"HTTP://localhost/", b"localhost / "),
        (b"http://localhost", b"localhost / "),
        (b"http://localhost?c=http://d/", b"localhost / c=http://d/"),
        (b"/http://a/b", b"x /http://a/b "),
        (b"*", b"x * "),
    ],
)
def test_a_target_may_be_a_whole_url(target: bytes, seen: bytes) -> None:
    def where(request: Request) -> Response:
        host = (request.host or b"").decode()
        return Response(200, f"{host} {request.path} {request.query}".encode())

    with serving(where) as port:
        received = talk(port, b"OPTIONS %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
    assert received.endswith(b"\r\n\r\n" + seen)


def test_a_client_that_reads_late_and_closes_has_its_answers_without_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def answer(request: Request) -> Response:
        return Response(200, bytes(12_000_000 if request.path == "/large" else 3))

    asked = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with serving(answer) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(asked + last)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert re.findall(rb"content-length: (\d+)", received) == [b"12000000", b"3"]
    assert received.endswith(b"\r\n\r\n" + bytes(3))
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


def test_a_head_request_has_a_length_and_no_body() -> None:
    with serving(echo) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-length: 10" in head
    assert body == b""


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
    ],
    ids=["Connection: close", "HTTP/1.0"],
)
def test_connections_close_when_the_client_wants_it(request_head: bytes) -> None:
    with serving(echo) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request_head)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"connection: close" in received
    assert bodies(received) == [b"GET /? 0"]


def half_closed(port: int, request: bytes) -> bytes:
    """All that comes back to a client that ends its side of the connection after `request`."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("paths", [[b"/1"], [b"/slow"], [b"/1", b"/slow"], [b"/slow", b"/2"]])
def test_a_client_that_sends_no_more_is_answered(paths: list[bytes]) -> None:
    request = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in paths)
    with serving(slow_echo) as port:
        received = half_closed(port, request)
    assert bodies(received) == [b"GET %s? 0" % path for path in paths]


def test_many_requests_of_a_client_that_sends_no_more_are_answered() -> None:
    count = 3 * MAX_PIPELINED
    request = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(count))
    with serving(slow_echo) as port:
        received = half_closed(port, request.replace(b"/0 ", b"/slow ", 1))
    assert bodies(received)[1:] == [b"GET /%d? 0" % n for n in range(1, count)]


def test_a_large_answer_reaches_a_client_that_sends_no_more() -> None:
    async def large(request: Request) -> Response:
        return Response(200, b"x" * 20_000_000)

    with serving(lambda request: large(request)) as port:
        received = half_closed(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert len(received.partition(b"\r\n\r\n")[2]) == 20_000_000


@pytest.mark.parametrize(
    ("request_bytes", "answers"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHos", [], id="half a request"),
        pytest.param(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET", [b"/slow"], id="and a half"),
    ],
)
def test_a_client_that_ends_within_a_request_is_let_go(
    request_bytes: bytes, answers: list[bytes]
) -> None:
    with serving(slow_echo) as port:
        received = half_closed(port, request_bytes)
    assert bodies(received) == [b"GET %s? 0" % path for path in answers]


def test_a_refusal_reaches_a_client_that_sends_no_more() -> None:
    request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nnot http at all\r\n\r\n"
    with serving(slow_echo) as port:
        received = half_closed(port, request)
    assert bodies(received) == [b"GET /slow? 0"]
    assert b"HTTP/1.1 400" in received


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"not http at all\r\n\r\n", b"400", id="no HTTP"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", b"400", id="bad length"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\nBig: " + b"x" * 1_048_577 + b"\r\n\r\n",
            b"431",
            id="headers too large",
        ),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    request_bytes: bytes, status: bytes
) -> None:
    with serving(echo) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request_bytes)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 " + status)
    assert b"x-amzn-RequestId: " in received


def test_a_body_beyond_the_limit_is_refused_before_it_is_all_here() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1)
    with serving(echo) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(head)
        connection.sendall(b"x" * 3_000_000)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", [b"/now", b"/later"])
def test_a_failing_handler_is_answered_with_500_and_serving_goes_on(
    path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    request = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(broken) as port:
        assert talk(port, request + request, answers=2).count(b"HTTP/1.1 500") == 2
    assert "could not answer GET" in caplog.text


def test_an_upgrade_is_not_made() -> None:
    request = b"GET /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with serving(echo) as port:
        assert bodies(talk(port, request)) == [b"GET /u? 0"]


def test_closing_does_not_wait_for_answers() -> None:
    waiting = threading.Event()

    async def forever(request: Request) -> Response:
        waiting.set()
        await asyncio.Event().wait()
        return Response(200)

    answer: Callable[[Request], Awaitable[Response]] = forever
    with serving(answer) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:  # type: ignore[arg-type]
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert waiting.wait(10)


def headers_shown(request: Request) -> Response:
    lines = [b"%b=%b" % pair for pair in request.headers]
    return Response(200, b"|".join([*lines, b"host:" + (request.host or b"")]))


def test_trailers_are_no_headers() -> None:
    request = (
        b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\nHost: y\r\nX-Late: 1\r\n\r\n"
    )
    with serving(headers_shown) as port:
        received = talk(port, request)
    assert received.endswith(b"host=x|transfer-encoding=chunked|host:x")


def test_trailers_without_end_are_refused() -> None:
    head = b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    with serving(echo) as port:
        received = talk(port, head, *[b"X-Late: " + b"x" * 60_000 + b"\r\n"] * 20)
    assert received.startswith(b"HTTP/1.1 431")


def test_two_hosts_are_refused() -> None:
    with serving(echo) as port:
        received = talk(port, b"GET / HTTP/1.1\r\nHost: evil.example\r\nHost: x\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400")


def test_an_old_client_that_waits_for_the_end_gets_it() -> None:
    """HTTP/1.0 keeps a connection only where the answer says so, too."""
    request = b"GET / HTTP/1.0\r\nHost: x\r\nConnection: Keep-Alive\r\n\r\n"
    with serving(echo) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"connection: close" in received
    assert bodies(received) == [b"GET /? 0"]


def test_a_head_request_has_no_body_whatever_a_fault_does() -> None:
    async def stalled(request: Request) -> Response:
        return Response(200, b"body", then=Misbehaviour(after_bytes=5, stall_s=0.01))

    request = b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with serving(stalled) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.endswith(b"content-length: 4\r\n\r\n")


@pytest.mark.parametrize(
    "how",
    [
        Misbehaviour(reset=True),
        Misbehaviour(after_bytes=9, reset=True),
        Misbehaviour(stall_s=0.01, ends=True),
        Misbehaviour(stall_s=0.01, piece_bytes=1),
    ],
    ids=["reset", "reset later", "end", "pieces"],
)
def test_a_client_that_left_is_not_written_to(
    how: Misbehaviour, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault comes when nobody is there any more; nothing goes wrong by it."""
    arrived, gone, ended = threading.Event(), threading.Event(), threading.Event()

    async def disturbed(request: Request) -> Response:
        arrived.set()
        while not gone.is_set():
            await asyncio.sleep(0.001)
        # The connection's end has been seen after a few turns of the loop.
        await asyncio.sleep(0.02)
        asyncio.get_running_loop().call_later(0.05, ended.set)
        return Response(200, b"body", then=how)

    with serving(disturbed) as port:
        connection = socket.create_connection(("127.0.0.1", port), 10)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert arrived.wait(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        gone.set()
        assert ended.wait(10)
    gc.collect()
    assert caplog.text == ""


def test_an_early_answer_can_misbehave_and_the_late_one_is_dropped() -> None:
    async def late(request: Request) -> Response:
        stall = Misbehaviour(after_bytes=9, stall_s=0.1)
        request.answer_early(Response(504, b"early", then=stall))
        await asyncio.sleep(0.03)
        return Response(200, b"late")

    def handler(request: Request) -> Answer:
        return late(request) if request.path == "/late" else echo(request)

    requests = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/late", b"/2"))
    began_s = time.monotonic()
    with serving(handler) as port:
        received = talk(port, requests, answers=2)
    assert time.monotonic() - began_s >= 0.1
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"504", b"200"]
    assert b"late" not in received.replace(b"/late", b"")
    assert bodies(received) == [b"GET /2? 0"]


def test_a_slow_body_has_its_head_at_once() -> None:
    async def slow(request: Request) -> Response:
        return Response(200, b"01234", then=Misbehaviour(stall_s=0.4, piece_bytes=5))

    with serving(slow) as port, socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        pieces = list(iter(lambda: connection.recv(65536), b""))
    assert pieces[0].endswith(b"\r\n\r\n")
    assert pieces[1:] == [b"01234"]


def test_an_answer_that_is_dropped_before_it_began_leaves_no_warning() -> None:
    """A coroutine that nobody awaits is warned of, and warnings are errors here."""

    async def never() -> Response:
        return Response(200)

    async def close_at_once() -> None:
        server = await HttpServer.listen(0)
        closing: list[asyncio.Task[None]] = []

        def handler(request: Request) -> Answer:
            # It begins before the answer does, for which a task is made after this.
            closing.append(asyncio.get_running_loop().create_task(server.close()))
            return never()

        await server.serve(handler)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with suppress(ConnectionResetError):
            await reader.read()
        writer.close()
        await asyncio.gather(*closing)

    asyncio.run(close_at_once())
    gc.collect()
