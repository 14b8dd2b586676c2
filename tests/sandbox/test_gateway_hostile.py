"""What clients, functions and settings may send that no sensible one does: nothing breaks by it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from authorizer_rig import exchange

from sandbox.gateway import cache as stage_cache
from sandbox.gateway.access_log import ExecutionLogWriter
from sandbox.gateway.cache import StageCache
from sandbox.gateway.context_variables import compiled, domain_name
from sandbox.gateway.exchange import Exchange
from sandbox.gateway.mock import MalformedMock, MockResponder
from sandbox.gateway.outcome import Answered, Failed
from sandbox.gateway.proxy_answers import MalformedAnswer, read_answer
from sandbox.gateway.proxy_events import event_v2, proxy_event
from sandbox.gateway.responses import GatewayResponses
from sandbox.gateway.snapshot import (
    CachePolicy,
    GatewayResponse,
    MockIntegration,
    MockResponse,
    Stage,
    Template,
)
from sandbox.http import Request

DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"statusCode": "²"}, id="a digit that is no number"),
        pytest.param({"statusCode": "9" * 5000}, id="more digits than Python reads"),
        pytest.param({"statusCode": 101}, id="a status that ends no request"),
        pytest.param({"statusCode": 200, "headers": {"a\0": "b"}}, id="NUL in a name"),
        pytest.param({"statusCode": 200, "headers": {"ü": "b"}}, id="a name that is no token"),
        pytest.param({"statusCode": 200, "headers": {"a": "b\0c"}}, id="NUL in a value"),
        pytest.param({"statusCode": 200, "headers": {"a": "b\x0bc"}}, id="a control character"),
    ],
)
@pytest.mark.parametrize("payload_format", ["1.0", "2.0"])
def test_an_answer_that_cannot_be_sent_is_malformed(document: Any, payload_format: Any) -> None:
    with pytest.raises(MalformedAnswer):
        read_answer(json.dumps(document).encode(), payload_format)


@pytest.mark.parametrize("cookies", [5, "a=1", {"a": "1"}, True], ids=str)
def test_cookies_are_a_list_in_format_2_and_nothing_in_format_1(cookies: Any) -> None:
    payload = json.dumps({"statusCode": 200, "cookies": cookies}).encode()
    assert [name for name, _ in read_answer(payload, "1.0").headers] == [b"content-type"]
    with pytest.raises(MalformedAnswer, match="cookies must be a list"):
        read_answer(payload, "2.0")


@pytest.mark.parametrize("payload_format", ["1.0", "2.0"])
def test_an_answer_nested_without_end_is_malformed(payload_format: Any) -> None:
    with pytest.raises(MalformedAnswer):
        read_answer(DEEP, payload_format)


@pytest.mark.parametrize("document", ["\ud800", {"statusCode": 200, "body": "\ud800"}])
def test_half_a_character_is_replaced(document: Any) -> None:
    assert read_answer(json.dumps(document).encode(), "2.0").body == b"?"


@pytest.mark.parametrize("payload_format", ["1.0", "2.0"])
def test_an_authorizer_may_say_what_is_no_ordinary_json(payload_format: str) -> None:
    asked = exchange()
    asked.authorizer_context = {"half": "a\ud800b", "large": 2**70}
    context = json.loads(proxy_event(asked, payload_format))["requestContext"]["authorizer"]
    said = context if payload_format == "1.0" else context["lambda"]
    assert said == {"half": "a?b", "large": 2**70}


# Mocks and templates


def test_a_customised_answer_has_no_status_that_ends_no_request() -> None:
    stage = Stage(
        kind="REST",
        api_id="api",
        api_name="api",
        name="prod",
        routes=(),
        gateway_responses={"THROTTLED": GatewayResponse(102)},
    )
    answer = GatewayResponses(stage).answer(exchange(), Failed("THROTTLED"))
    assert answer.status == 429


def test_half_a_character_in_a_template_is_replaced() -> None:
    asked = exchange(method="POST")
    asked.request.body = b'{"a": "\\ud800"}'
    response = MockResponse(200, None, {}, {"application/json": Template("$input.path('$.a')")})
    integration = MockIntegration(mock().request_templates, "WHEN_NO_MATCH", (response,))
    assert MockResponder(integration).answer(asked).body == b"?"


def test_half_a_character_of_a_function_can_be_logged() -> None:
    lines: list[str] = []

    class Sink:
        def append(self, group: str, stream: str, events: Any) -> None:
            lines.extend(message for _, message in events)

    asked = exchange()
    asked.integration_error = "\ud800" * 1000
    ExecutionLogWriter(asked.stage, Sink()).write(asked, 0, everything=False)
    assert lines[0].encode().endswith(b"?" * 900)


def mock(
    headers: dict[str, str] | None = None, kind: str = "application/json", status: int = 200
) -> MockIntegration:
    response = MockResponse(status, None, headers or {}, {kind: Template("x")})
    return MockIntegration(
        {"application/json": Template('{"statusCode": 200}')}, "WHEN_NO_MATCH", (response,)
    )


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Connection", "Date"])
def test_a_mock_does_not_contradict_its_connection(name: str) -> None:
    answer = MockResponder(mock({name: "5", "x-own": "1"})).answer(exchange())
    assert [header for header, _ in answer.headers] == [b"content-type", b"x-own"]
    assert name.lower().encode() not in answer.block.lower()


def test_a_mock_cannot_begin_another_header() -> None:
    integration = mock({"X-A": "1\r\nX-B: 2\0"}, "text/plain\r\nX-C: 3")
    answer = MockResponder(integration).answer(exchange())
    assert answer.block.count(b"\r\n") == 2
    for responder, method in (
        (MockResponder(integration), "POST"),
        (MockResponder(integration), "GET"),
    ):
        for name, value in responder.answer(exchange(method=method)).headers:
            assert not set(name + value) & set(b"\r\n\0")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_mock_answers_with_no_status_that_ends_no_request(method: str) -> None:
    with pytest.raises(MalformedMock):
        MockResponder(mock(status=100)).answer(exchange(method=method))


@pytest.mark.parametrize("expression", ["$input.json('$')", "$input.path('$.a')"])
def test_a_template_makes_nothing_of_a_body_nested_without_end(expression: str) -> None:
    asked = exchange(method="POST")
    asked.request.body = DEEP
    assert compiled(expression).render(asked) == ""


def test_a_mock_refuses_a_status_nested_without_end() -> None:
    asked = exchange(method="POST", headers={"content-type": "text/other"})
    asked.request.body = DEEP
    with pytest.raises(MalformedMock):
        MockResponder(mock()).answer(asked)


@pytest.mark.parametrize(
    ("host", "name"),
    [(b"[::1]", "[::1]"), (b"[::1]:80", "[::1]"), (b"a.localhost", "a.localhost"), (b"a:1", "a")],
    ids=str,
)
def test_a_domain_name_has_no_port(host: bytes, name: str) -> None:
    asked = exchange()
    asked.request.host = host
    assert domain_name(asked) == name


# Events


def test_cookies_of_several_headers_are_told_apart() -> None:
    asked = exchange("HTTP")
    sent = [(b"cookie", b"a=1; b=2"), (b"cookie", b"c=3,4")]
    asked.request = Request("GET", b"/live/x", sent, host=b"localhost")
    event = event_v2(asked)
    assert event["cookies"] == ["a=1", "b=2", "c=3,4"]
    assert "cookie" not in event["headers"]


def test_an_event_is_as_large_as_its_text() -> None:
    """Lambda's limit is in bytes; escapes of three times the size are not what the client sent."""
    asked = exchange(method="POST")
    asked.request.body = "é".encode() * 1_000_000
    assert len(proxy_event(asked, "1.0")) < 2_010_000
    assert json.loads(proxy_event(asked, "1.0"))["body"] == "é" * 1_000_000


def test_half_a_character_of_an_authorizer_reaches_the_function() -> None:
    asked = exchange()
    asked.authorizer_context = {"name": "\ud800"}
    assert json.loads(proxy_event(asked, "1.0"))["requestContext"]["authorizer"]


# The cache


def get(target: str, headers: dict[str, str] | None = None) -> Exchange:
    return exchange(headers=headers, target=f"/live{target}", path=target.partition("?")[0])


def test_a_cache_of_small_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_cache, "MAX_BYTES", 100_000)
    cache, policy = StageCache(), CachePolicy(60)
    for number in range(2_000):
        cache.keep(get(f"/{number}"), policy, Answered(200, (), b""), 0.0)
    kept = [n for n in range(2_000) if cache.find(get(f"/{n}"), policy, 1.0) is not None]
    assert len(kept) <= 1_000
    assert kept[-1] == 1_999


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(("/x?q=1", "a"), ("/x?q=2", "a"), id="another header beside the query"),
        pytest.param(("/x?v=a", "b"), ("/x?v=a", "c"), id="a header that has the query's name"),
    ],
)
def test_keys_are_taken_from_where_they_are_declared(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    policy = CachePolicy(60, ("method.request.querystring.q", "method.request.header.v"))
    cache = StageCache()
    cache.keep(get(first[0], {"v": first[1]}), policy, Answered(200, (), b"1"), 0.0)
    assert cache.find(get(second[0], {"v": second[1]}), policy, 1.0) is None
    assert cache.find(get(first[0], {"v": first[1]}), policy, 1.0) is not None


def test_a_key_may_have_dots_in_its_name() -> None:
    policy, cache = CachePolicy(60, ("method.request.querystring.page.size",)), StageCache()
    cache.keep(get("/x?page.size=1&size=9"), policy, Answered(200, (), b"1"), 0.0)
    assert cache.find(get("/x?page.size=2&size=9"), policy, 1.0) is None


def test_an_answer_is_kept_for_the_time_of_the_policy_and_no_longer() -> None:
    policy, cache = CachePolicy(60), StageCache()
    cache.keep(get("/x"), policy, Answered(200, (), b"1"), 100.0)
    assert cache.find(get("/x"), policy, 159.9) is not None
    assert cache.find(get("/x"), policy, 160.0) is None
