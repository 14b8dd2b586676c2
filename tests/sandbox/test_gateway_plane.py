"""The data plane as a whole: addresses, time-outs, stages that go while requests are in them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from authorizer_rig import HOME

from sandbox.execution.contract import InvokeResult, Report
from sandbox.front import Front
from sandbox.gateway import plane as data_plane
from sandbox.gateway.disturbance import Disturbance
from sandbox.gateway.limits import Enforcement, LimitLedger
from sandbox.gateway.meter import GatewayMeters
from sandbox.gateway.outcome import Failed
from sandbox.gateway.plane import GatewayPlane
from sandbox.gateway.snapshot import (
    CachePolicy,
    HttpIntegration,
    IamAuthorization,
    Integration,
    LambdaIntegration,
    Limit,
    MethodSettings,
    MockIntegration,
    MockResponse,
    Route,
    Snapshot,
    Stage,
    Template,
)
from sandbox.http import Misbehaviour, Request, Response
from sandbox.lambda_api.names import FunctionReference

MOCK = MockIntegration(
    {"application/json": Template('{"statusCode": 200}')},
    "WHEN_NO_MATCH",
    (MockResponse(200, None, {}, {"application/json": Template("ok")}),),
)
FUNCTION = LambdaIntegration(FunctionReference("f", None), "1.0", timeout_ms=80)


class Functions:
    """Lambda: answers after `takes_s`."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.calls = 0

    async def call(self, *_: Any, **__: Any) -> InvokeResult:
        self.calls += 1
        await asyncio.sleep(self.takes_s)
        payload = b'{"statusCode": 200, "body": "function"}'
        return InvokeResult(payload, None, b"", report=cast(Report, None))


class Everybody:
    """Lets everybody in, after `before` is done."""

    def __init__(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self._before = before

    async def check(self, *_: Any) -> Failed | None:
        if self._before is not None:
            await self._before()
        return None


class Disturbed:
    def __init__(self, disturbance: Disturbance) -> None:
        self._disturbance = disturbance
        self.count = 0

    def disturbance(self, *_: Any) -> Disturbance:
        self.count += 1
        return self._disturbance


def stage(integration: Integration = MOCK, **settings: Any) -> Stage:
    routes = (
        Route("ANY /x", "ANY", "/x", "r1", integration),
        Route("GET /{proxy+}", "GET", "/{proxy+}", "r2", integration),
    )
    return Stage(kind="REST", api_id="api", api_name="api", name="prod", routes=routes, **settings)


def serving(made: Stage, functions: Functions | None = None, **more: Any) -> GatewayPlane:
    plane = GatewayPlane(
        HOME,
        LimitLedger(more.pop("enforcement", Enforcement())),
        GatewayMeters(),
        functions or Functions(),
        more.pop("authorizers", Everybody()),
        **more,
    )
    plane.adopt(Snapshot(stages={made.key: made}))
    return plane


def request(path: str = "/x", method: str = "GET", host: bytes = b"localhost", **more: Any) -> Any:
    target = f"/_aws/execute-api/api/prod{path}".encode()
    return Request(method, target, more.pop("headers", []), host=host, **more)


def answer(plane: GatewayPlane, asked: Request) -> tuple[Response, float]:
    """The answer that the client gets first, and after how many seconds."""

    async def ask() -> tuple[Response, float]:
        early: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        asked.answer_early = early.set_result
        began_s = time.monotonic()
        answer = plane.serve(asked)
        if isinstance(answer, Response):
            return answer, 0.0
        task = asyncio.get_running_loop().create_task(answer)
        await asyncio.wait([task, early], return_when=asyncio.FIRST_COMPLETED)
        took_s = time.monotonic() - began_s
        first = early.result() if early.done() else task.result()
        await task
        return first, took_s

    return asyncio.run(ask())


def test_what_is_remembered_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_plane, "_MAX_KNOWN", 100)
    plane = serving(stage())
    for number in range(1_000):
        assert plane.serve(request(f"/{number}")).status == 200  # type: ignore[union-attr]
    plane.serve(request("/" + "x" * 9_000))
    assert len(plane._known) == 100
    kept = [path for _, path, _ in plane._known]
    assert kept[-1].endswith(b"/999"), "the newest is remembered"
    assert max(map(len, kept)) < 1_000, "a long one is not"


def test_methods_and_hosts_have_answers_of_their_own() -> None:
    plane = serving(stage())
    for _ in range(2):
        assert plane.serve(request("/y")).status == 200  # type: ignore[union-attr]
        assert plane.serve(request("/y", "POST")).status == 403  # type: ignore[union-attr]
        by_host = Request("GET", b"/prod/y", [], host=b"api.execute-api.localhost")
        assert plane.serve(by_host).status == 200  # type: ignore[union-attr]
        other = Request("GET", b"/prod/y", [], host=b"other.execute-api.localhost")
        assert plane.serve(other).status == 403  # type: ignore[union-attr]


@pytest.mark.parametrize("host", [b"API.EXECUTE-API.us-east-1.amazonaws.com", b"Api.Execute-Api.a"])
def test_a_host_may_be_written_in_capitals(host: bytes) -> None:
    plane = serving(stage())
    asked = Request("GET", b"/prod/x", [], host=host)
    handler = plane.match(asked)
    assert handler is not None
    assert handler(asked).status == 200  # type: ignore[union-attr]


def test_long_host_names_are_not_remembered() -> None:
    front = Front({}, [serving(stage())])
    for number in range(1_000):
        name = b"a%d.%s.localhost" % (number, b"a" * 9_000)
        front.handle(request(host=name))
    assert sum(map(len, front._known_hosts)) < 300_000
    assert front.handle(request()).status == 200  # type: ignore[union-attr]


@pytest.mark.parametrize("ttl_s", [60, None], ids=["cached", "not cached"])
def test_a_stage_may_go_while_a_request_is_with_its_authorizer(ttl_s: int | None) -> None:
    async def delete() -> None:
        plane.adopt(Snapshot())

    policy = CachePolicy(ttl_s) if ttl_s else None
    made = stage(FUNCTION, default=MethodSettings(cache=policy), resource_policy={})
    plane = serving(made, authorizers=Everybody(delete))
    assert answer(plane, request())[0].body == b"function"
    assert answer(plane, request())[0].status == 403


@pytest.mark.parametrize(
    "enforcement", [Enforcement(), Enforcement(shards=2), Enforcement(shards=2, sync_ms=500)]
)
def test_a_request_that_waited_for_its_authorizer_is_limited_by_the_present(
    enforcement: Enforcement,
) -> None:
    now_s = 1000.0

    async def others_come() -> None:
        nonlocal now_s
        now_s += 10
        others = [plane.serve(request("/open")) for _ in range(3)]
        assert [cast(Response, one).status for one in others] == [200] * 3

    guarded = Route("ANY /x", "ANY", "/x", "r1", MOCK, authorization=IamAuthorization())
    open_route = Route("GET /open", "GET", "/open", "r2", MOCK)
    made = replace(stage(default=MethodSettings(limit=Limit(1, 50))), routes=(guarded, open_route))
    plane = serving(
        made,
        authorizers=Everybody(others_come),
        enforcement=enforcement,
        clock=lambda: now_s,
    )
    assert [answer(plane, request())[0].status for _ in range(5)] == [200] * 5


def test_a_preflight_is_answered_before_any_fault_is_drawn() -> None:
    drawn = Disturbed(Disturbance(blocked=Failed("THROTTLED")))
    made = replace(stage(), kind="HTTP", cors={"AllowOrigins": ["*"], "AllowMethods": ["GET"]})
    plane = serving(made, disturbances=drawn)
    headers = [(b"origin", b"https://a.example"), (b"access-control-request-method", b"GET")]
    preflight = plane.serve(request(method="OPTIONS", headers=headers))
    assert isinstance(preflight, Response)
    assert (preflight.status, drawn.count) == (204, 0)
    assert answer(plane, request())[0].status == 429
    assert drawn.count == 1


@pytest.mark.parametrize(
    ("delay_s", "takes_s", "calls"),
    [(0.5, 0.0, 0), (0.05, 0.05, 1), (0.0, 0.5, 1)],
    ids=["the fault alone", "both together", "the function alone"],
)
def test_latency_in_an_integration_counts_for_its_timeout(
    delay_s: float, takes_s: float, calls: int
) -> None:
    functions = Functions(takes_s)
    fault = Disturbance(integration_latency_s=delay_s)
    plane = serving(stage(FUNCTION), functions, disturbances=Disturbed(fault))
    response, took_s = answer(plane, request())
    assert (response.status, functions.calls) == (504, calls)
    assert took_s >= 0.08
    (meter,) = [one for one in plane._meters._meters.values() if one._current.count]
    assert dict(meter._current.integration_ms) == {80: 1}


def test_an_integration_that_is_delayed_and_in_time_is_answered() -> None:
    fault = Disturbance(integration_latency_s=0.03)
    plane = serving(stage(FUNCTION), disturbances=Disturbed(fault))
    response, took_s = answer(plane, request())
    assert (response.status, response.body) == (200, b"function")
    assert took_s >= 0.03


def test_what_comes_too_late_misbehaves_as_well() -> None:
    reset = Misbehaviour(reset=True)
    plane = serving(
        stage(FUNCTION), Functions(0.2), disturbances=Disturbed(Disturbance(misbehaviour=reset))
    )
    response, _ = answer(plane, request())
    assert (response.status, response.then) == (504, reset)


# HTTP proxies


@contextmanager
def upstream(answers: Callable[[socket.socket, bytes], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that has `answers` write to each connection; gives its URL and the requests."""
    seen: list[bytes] = []
    stop = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                head = connection.recv(65_536)
                seen.append(head)
                try:
                    answers(connection, head)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", seen
    finally:
        stop.set()
        thread.join()
        listening.close()


def whole(connection: socket.socket, _: bytes) -> None:
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nset-cookie: session=1; Path=/\r\ncontent-length: 2\r\n"
        b"connection: close\r\n\r\nup"
    )


def dribbling(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b".")
        time.sleep(0.02)


def proxied(url: str, *requests: Request, timeout_ms: int = 5_000) -> list[tuple[Response, float]]:
    plane = serving(stage(HttpIntegration(url, "ANY", timeout_ms)))

    async def ask() -> list[tuple[Response, float]]:
        given = []
        for one in requests:
            began_s = time.monotonic()
            given.append((await plane.serve(one), time.monotonic() - began_s))  # type: ignore[misc]
        await plane.close()
        return given

    return asyncio.run(ask())


def test_a_proxy_gives_on_header_values_of_any_bytes() -> None:
    headers = [(b"x-own", b"caf\xe9"), (b"x-utf", "ü".encode())]
    with upstream(whole) as (url, seen):
        ((response, _),) = proxied(url, request(headers=headers))
    assert (response.status, response.body) == (200, b"up")
    assert b"x-own: caf\xe9\r\n" in seen[0]
    assert "x-utf: ü\r\n".encode() in seen[0]


def test_a_proxy_keeps_no_cookies_of_one_client_for_the_next() -> None:
    with upstream(whole) as (url, seen):
        answers = proxied(url, request(), request(), request(headers=[(b"cookie", b"own=1")]))
    assert [dict(response.headers)[b"set-cookie"] for response, _ in answers] == [
        b"session=1; Path=/"
    ] * 3
    assert b"cookie" not in seen[1].lower()
    assert b"cookie: own=1\r\n" in seen[2].lower()


def test_a_timeout_is_that_of_the_whole_request() -> None:
    with upstream(dribbling) as (url, _):
        ((response, took_s),) = proxied(url, request(), timeout_ms=150)
    assert response.status == 504
    assert took_s < 1.0


def test_a_proxy_adds_no_headers_of_its_own() -> None:
    with upstream(whole) as (url, seen):
        proxied(url, request())
    head = seen[0].lower()
    assert b"python-httpx" not in head
    assert b"accept-encoding" not in head
