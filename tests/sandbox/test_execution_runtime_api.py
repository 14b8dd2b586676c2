"""The Runtime API over a real socket, as a runtime of one's own would use it."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from execution_rig import version

from sandbox.execution.contract import InvokeRequest
from sandbox.execution.runtime_api import Invocation, RuntimeApi, invocation_of

INVOCATION = Invocation(
    request_id="id-1",
    payload=b'{"a": 1}',
    deadline_ms=1767607872345,
    invoked_arn="arn:aws:lambda:eu-west-1:123456789012:function:f",
    trace_id="Root=1-00000000-000000000000000000000000",
)


@dataclass
class Events:
    """Remembers what the runtime did."""

    seen: list[tuple[object, ...]] = field(default_factory=list)

    def on_next(self):
        self.seen.append(("next",))

    def on_response(self, request_id, body):
        self.seen.append(("response", request_id, body))

    def on_error(self, request_id, body, error_type):
        self.seen.append(("error", request_id, body, error_type))

    def on_init_error(self, body, error_type):
        self.seen.append(("init error", body, error_type))

    def on_disconnect(self):
        self.seen.append(("disconnect",))

    def on_refused(self, error):
        self.seen.append(("refused", error.errno))


def with_api(work):
    async def main():
        events = Events()
        api = RuntimeApi(events)
        host, port = (await api.start()).split(":")
        assert host == "127.0.0.1"
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            async with asyncio.timeout(10):
                await work(api, events, reader, writer)
        finally:
            writer.close()
            api.close()
            await asyncio.sleep(0.01)

    asyncio.run(main())


async def answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    body = await reader.readexactly(int(headers["Content-Length"]))
    return int(status.split()[1]), headers, body


def sent(method, path, body=b"", **headers):
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Host: x"]
    return (
        f"{method} /2018-06-01/runtime/{path} HTTP/1.1\r\n".encode()
        + ("\r\n".join(lines) + "\r\n\r\n").encode()
        + body
    )


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_next_waits_for_an_invocation_and_gets_its_headers():
    async def work(api, events, reader, writer):
        writer.write(sent("GET", "invocation/next"))
        await until(lambda: api.is_runtime_waiting)
        assert events.seen == [("next",)]
        api.deliver(INVOCATION)
        status, headers, body = await answer(reader)
        assert status == 200
        assert body == b'{"a": 1}'
        assert headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
        assert headers["Lambda-Runtime-Deadline-Ms"] == "1767607872345"
        assert headers["Lambda-Runtime-Invoked-Function-Arn"].endswith(":function:f")
        assert headers["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
        assert "Lambda-Runtime-Client-Context" not in headers
        assert not api.is_runtime_waiting
        with pytest.raises(RuntimeError, match="is not waiting"):
            api.deliver(INVOCATION)

    with_api(work)


NEW_TRACE = "Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0"


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        pytest.param(
            None, "Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", id="no"
        ),
        pytest.param(
            "", "Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", id="empty"
        ),
        pytest.param("Root=1-2-3", "Root=1-2-3;Parent=[0-9a-f]{16};Sampled=0", id="a root"),
        pytest.param(
            "Root=1-2-3;Sampled=1", "Root=1-2-3;Sampled=1;Parent=[0-9a-f]{16}", id="sampled"
        ),
        pytest.param(
            "Root=1-2-3;Parent=4;Sampled=?", "Root=1-2-3;Parent=4;Sampled=.", id="complete"
        ),
        pytest.param("Root=1\r\nEvil: 1", "Root=1-[^\r]*;Sampled=0", id="two headers"),
        pytest.param("Root=1-é", "Root=1-[0-9a-f]{8}-[^é]*", id="no ASCII"),
    ],
)
def test_each_invocation_has_one_tracing_header(given, pattern):
    spec = version(Path(), "echo")
    invocation = invocation_of(InvokeRequest("id", b"{}", trace_id=given), spec, 1000)
    assert re.fullmatch(pattern, invocation.trace_id)
    assert invocation.to_http().count(b"\r\n") == 8


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (base64.b64encode('{"who": "Zoë\\n"}'.encode()).decode(), {"who": "Zoë\n"}),
        ("not base64!\r\nEvil: 1", "not base64!\r\nEvil: 1"),
    ],
    ids=["json", "not base64"],
)
def test_a_client_context_is_one_safe_header(encoded, expected):
    async def work(api, events, reader, writer):
        writer.write(sent("GET", "invocation/next"))
        await until(lambda: api.is_runtime_waiting)
        api.deliver(replace(INVOCATION, client_context=encoded))
        _, headers, _ = await answer(reader)
        assert json.loads(headers["Lambda-Runtime-Client-Context"]) == expected
        assert "Evil" not in headers

    with_api(work)


@pytest.mark.parametrize(
    ("request_bytes", "event"),
    [
        (sent("POST", "invocation/id-1/response", b"[1]"), ("response", "id-1", b"[1]")),
        (
            sent("POST", "invocation/id-1/error", b"{}", Lambda_Runtime_Function_Error_Type="E"),
            ("error", "id-1", b"{}", "E"),
        ),
        (sent("POST", "invocation/id-1/error", b"{}"), ("error", "id-1", b"{}", None)),
        (
            sent("POST", "init/error", b"{}", lambda_runtime_function_error_type="Runtime.X"),
            ("init error", b"{}", "Runtime.X"),
        ),
    ],
    ids=["response", "error", "error without a type", "init error"],
)
def test_what_a_runtime_posts_arrives(request_bytes, event):
    async def work(api, events, reader, writer):
        for at in range(0, len(request_bytes), 7):  # in pieces, as networks may cut it
            writer.write(request_bytes[at : at + 7])
            await writer.drain()
        status, _, _ = await answer(reader)
        assert status == 202
        assert events.seen == [event]

    with_api(work)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "invocation"),
        ("POST", "invocation/next"),
        ("POST", "invocation/id-1/other"),
        ("GET", "invocation/id-1/response"),
        ("DELETE", "init/error"),
    ],
)
def test_other_calls_are_not_found(method, path):
    async def work(api, events, reader, writer):
        writer.write(sent(method, path))
        status, _, body = await answer(reader)
        assert status == 404
        assert json.loads(body)["errorType"] == "InvalidRequest"
        assert events.seen == []

    with_api(work)


def test_what_is_not_http_is_hung_up_on():
    async def work(api, events, reader, writer):
        writer.write(b"\x00\x01 nonsense\r\n\r\n")
        assert await reader.read() == b""

    with_api(work)


def test_a_large_body_with_expect_is_asked_for():
    async def work(api, events, reader, writer):
        body = b"x" * 3_000_000
        request = sent("POST", "invocation/id-1/response", body, Expect="100-continue")
        head, _, _ = request.partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        status, _, _ = await answer(reader)
        assert status == 202
        assert events.seen == [("response", "id-1", body)]

    with_api(work)


def test_several_calls_in_one_piece_are_several_calls():
    async def work(api, events, reader, writer):
        response = sent("POST", "invocation/id-1/response", b"[1]")
        writer.write(response + sent("GET", "invocation/next"))
        assert (await answer(reader))[0] == 202
        await until(lambda: api.is_runtime_waiting)
        assert events.seen == [("response", "id-1", b"[1]"), ("next",)]

    with_api(work)


def test_a_runtime_that_goes_away_waits_no_more():
    async def work(api, events, reader, writer):
        writer.write(sent("GET", "invocation/next"))
        await until(lambda: api.is_runtime_waiting)
        writer.close()
        await until(lambda: ("disconnect",) in events.seen)
        assert not api.is_runtime_waiting

    with_api(work)


@pytest.mark.parametrize("turns", range(6))
def test_a_connection_that_is_being_accepted_at_the_close_is_closed(turns):
    """Warnings are errors here, and a socket that nobody closed is one."""

    async def main():
        api = RuntimeApi(Events())
        host, port = (await api.start()).split(":")
        with socket.create_connection((host, int(port))) as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            api.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            client.settimeout(10)
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""

    asyncio.run(main())
    gc.collect()
