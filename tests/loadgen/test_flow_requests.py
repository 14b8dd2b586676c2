"""Requests as they go over the wire, and what may not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.version import toolkit_version
from loadgen.flow.template import RenderError
from tests.loadgen.flow_rig import (
    BASE_URL,
    Key,
    Parsed,
    Signer,
    answer,
    flows,
    profile,
    session,
    step,
    steps_of,
)

AGENT = f"lambda-perf-toolkit/{toolkit_version()}"


def parsed(one: dict[str, Any], captured: dict[str, Any] | None = None, **more: Any) -> Parsed:
    return Parsed(step(one, **more).render(session(captured)))


def test_a_plain_get_is_these_bytes() -> None:
    assert step({"get": "/items?limit=10"}).render(session()) == (
        b"GET /prod/items?limit=10 HTTP/1.1\r\n"
        b"Host: 127.0.0.1:8080\r\n"
        b"User-Agent: " + AGENT.encode() + b"\r\n"
        b"Accept: */*\r\n"
        b"\r\n"
    )


def test_a_post_of_json_is_these_bytes() -> None:
    one = {
        "post": "/orders",
        "json": {"item": "${item}", "count": "${vars.count}", "note": "for ${who}", "deep": [{}]},
        "headers": {"X-Trace": "t-${item}"},
    }
    request = step(one, vars={"count": 3}, http={"connections": "per_request"})
    assert request.render(session({"item": 7, "who": 'Ann "A"'})) == (
        b"POST /prod/orders HTTP/1.1\r\n"
        b"Host: 127.0.0.1:8080\r\n"
        b"User-Agent: " + AGENT.encode() + b"\r\n"
        b"Accept: */*\r\n"
        b"Connection: close\r\n"
        b"Content-Type: application/json\r\n"
        b"X-Trace: t-7\r\n"
        b"Content-Length: 55\r\n"
        b"\r\n"
        b'{"item":7,"count":3,"note":"for Ann \\"A\\"","deep":[{}]}'
    )


@pytest.mark.parametrize(
    ("base_url", "path", "host", "target"),
    [
        ("http://h.example", "/a", "h.example", "/a"),
        ("http://h.example/", "/a", "h.example", "/a"),
        ("http://h.example/prod/", "/", "h.example", "/prod/"),
        ("http://H.example:80/p/q", "/a", "h.example", "/p/q/a"),
        ("http://h.example:8080", "/a", "h.example:8080", "/a"),
        ("https://h.example:443", "/a", "h.example", "/a"),
        ("https://h.example:80", "/a", "h.example:80", "/a"),
        ("http://[::1]:8080", "/a", "[::1]:8080", "/a"),
        ("http://user:secret@h.example", "/a", "h.example", "/a"),
    ],
)
def test_host_and_target_follow_from_the_base_url(
    base_url: str, path: str, host: str, target: str
) -> None:
    (flow,) = flows(profile([{"get": path}]), base_url=base_url)
    request = Parsed(steps_of(flow)[0].render(session()))
    assert request.header("host") == host
    assert request.url.decode() == target


@pytest.mark.parametrize("url", ["h.example", "ftp://h", "http://", "http://h?a=1", "http://h#a"])
def test_a_base_url_must_be_one(url: str) -> None:
    with pytest.raises(InputError, match="the base URL must be"):
        flows(profile([{"get": "/"}]), base_url=url)


@pytest.mark.parametrize(
    ("one", "target"),
    [
        pytest.param({"get": "/a/${x}/b"}, "/a/c%20%2Fd%3F%C3%A9/b", id="inserted-is-encoded"),
        pytest.param({"get": "/a%20b/(c);d=e@f"}, "/a%20b/(c);d=e@f", id="literal-stays"),
        pytest.param({"get": "/ü b#c"}, "/%C3%BC%20b%23c", id="but-for-what-cannot-be-there"),
        pytest.param({"get": "/a", "query": {"q": "${x}"}}, "/a?q=c%20%2Fd%3F%C3%A9", id="query"),
        pytest.param(
            {"get": "/a?b=1", "query": {"c d": "e&f", "g": 5}}, "/a?b=1&c%20d=e%26f&g=5", id="more"
        ),
        pytest.param(
            {"get": "/a", "query": {"t": ["x", 2, True, None], "n": None, "e": []}},
            "/a?t=x&t=2&t=true&t=&n=",
            id="lists",
        ),
        pytest.param({"get": "/a", "query": {}}, "/a", id="no-query"),
        pytest.param({"get": "/${vars.v}/$$"}, "/v%2F1/$", id="variable"),
        pytest.param({"get": "${vars.p}/${vars.v}"}, "/p/q/v%2F1", id="variable-first"),
        pytest.param({"get": "${next}"}, "/items?page=2&s=%C3%A9", id="link"),
        pytest.param({"get": "${full}/more"}, "/items/more", id="absolute-link"),
        pytest.param(
            {"get": "${next}", "query": {"a": 1}}, "/items?page=2&s=%C3%A9&a=1", id="link-and-query"
        ),
    ],
)
def test_targets_are_encoded_as_they_must_be(one: dict[str, Any], target: str) -> None:
    captured = {"x": "c /d?é", "next": "/items?page=2&s=é", "full": f"{BASE_URL}/items"}
    request = parsed(one, captured, vars={"v": "v/1", "p": "/p/q"})
    assert request.url.decode() == f"/prod{target}"


@pytest.mark.parametrize("link", ["http://elsewhere/items", "items", "", None, "//"])
def test_a_link_stays_at_the_target(link: str | None) -> None:
    one = step({"get": "${next}"})
    if link == "//":
        assert Parsed(one.render(session({"next": link}))).url == b"/prod//"
        return
    with pytest.raises(RenderError, match="the path of a request must begin with /"):
        one.render(session({"next": link}))


@pytest.mark.parametrize(
    ("one", "content_type", "body"),
    [
        pytest.param({"post": "/", "json": {}}, "application/json", b"{}", id="empty-object"),
        pytest.param({"put": "/", "json": [1, "a$$"]}, "application/json", b'[1,"a$"]', id="list"),
        pytest.param({"patch": "/", "json": "é"}, "application/json", b'"\xc3\xa9"', id="text"),
        pytest.param({"post": "/", "json": 0}, "application/json", b"0", id="zero"),
        pytest.param({"post": "/", "json": False}, "application/json", b"false", id="false"),
        pytest.param(
            {"post": "/", "json": {"n": 2**70}}, "application/json", b'{"n":%d}' % 2**70, id="big"
        ),
        pytest.param({"post": "/", "json": "${x}"}, "application/json", b"[null]", id="whole"),
        pytest.param(
            {"post": "/", "form": {"a b": "c&d", "n": 5, "t": True, "e": None, "x": "${x}"}},
            "application/x-www-form-urlencoded",
            b"a+b=c%26d&n=5&t=true&e=&x=%5Bnull%5D",
            id="form",
        ),
        pytest.param({"post": "/", "body": "ü ${x}"}, None, b"\xc3\xbc [null]", id="body"),
        pytest.param({"delete": "/", "body": "x"}, None, b"x", id="delete"),
        pytest.param({"post": "/"}, None, b"", id="none"),
        pytest.param(
            {"post": "/", "json": {}, "headers": {"content-type": "application/vnd+json"}},
            "application/vnd+json",
            b"{}",
            id="own-content-type",
        ),
    ],
)
def test_bodies_have_their_length_and_type(
    one: dict[str, Any], content_type: str | None, body: bytes
) -> None:
    request = parsed(one, {"x": [None]})
    assert request.header("content-type") == content_type
    assert request.header("content-length") == str(len(body))
    assert request.body == body


@pytest.mark.parametrize("method", ["get", "delete", "head", "options"])
def test_requests_without_a_body_have_no_length(method: str) -> None:
    request = parsed({method: "/"})
    assert request.method == method.upper()
    assert request.header("content-length") is None


def test_a_body_file_is_sent_as_it_is(tmp_path: Path) -> None:
    content = b"${x} \x00\xff\r\n"
    (tmp_path / "image.bin").write_bytes(content)
    (flow,) = flows(profile([{"post": "/", "body_file": "image.bin"}]), base_dir=tmp_path)
    assert Parsed(steps_of(flow)[0].render(session())).body == content
    (tmp_path / "image.bin").unlink()
    with pytest.raises(InputError, match=r"step 'POST /': body_file: could not read .*image\.bin"):
        flows(profile([{"post": "/", "body_file": "image.bin"}]), base_dir=tmp_path)


def test_headers_of_a_step_go_before_those_of_the_credentials_and_of_the_profile() -> None:
    general = {"X-A": "profile", "x-b": "profile", "X-Api-Key": "profile", "accept": "text/html"}
    steps = [{"get": "/", "headers": {"x-a": "step", "host": "other"}}, {"get": "/2"}]
    (flow,) = flows(profile(steps, http={"headers": general}), applier=Key([("x-api-key", "key")]))
    first, second = (Parsed(one.render(session())) for one in steps_of(flow))
    assert [first.header(name) for name in ("x-a", "x-b", "x-api-key", "accept", "host")] == [
        "step", "profile", "key", "text/html", "other",
    ]  # fmt: skip
    assert second.header("x-a") == "profile"
    (flow,) = flows(
        profile([{"get": "/", "headers": {"X-API-Key": "wrong"}}]),
        applier=Key([("x-api-key", "key")]),
    )
    assert Parsed(steps_of(flow)[0].render(session())).header("x-api-key") == "wrong"


def test_the_body_says_its_type_whatever_the_profile_says_of_all() -> None:
    general = {"headers": {"Content-Type": "text/plain"}}
    assert parsed({"post": "/", "form": {"a": 1}}, http=general).header("content-type") == (
        "application/x-www-form-urlencoded"
    )
    assert parsed({"post": "/", "body": "a"}, http=general).header("content-type") == "text/plain"


def test_what_never_varies_is_built_once_until_the_credentials_change() -> None:
    key = Key([("x-api-key", "old")])
    (flow,) = flows(
        profile([{"post": "/", "json": {"a": "${vars.x}"}}], vars={"x": 1}), applier=key
    )
    one = steps_of(flow)[0]
    first = one.render(session())
    assert one.render(session()) is first
    key.pairs = [("x-api-key", "new")]
    assert one.render(session()) is first
    key.version += 1
    assert Parsed(one.render(session())).header("x-api-key") == "new"


def test_what_varies_is_filled_in_for_each_session() -> None:
    one = step({"get": "/${iteration}", "headers": {"X-R": "${random_hex(8)}"}})
    assert one.render(session(seed=1)) != one.render(session(seed=2))
    assert one.render(session(seed=1)) == one.render(session(seed=1))


def test_what_is_signed_is_what_is_sent() -> None:
    signer = Signer()
    one = {
        "post": "/${random_hex(4)}",
        "query": {"q": "${random_hex(4)}"},
        "json": {"id": "${random_hex(4)}"},
        "headers": {"X-R": "${random_hex(4)}"},
    }
    (flow,) = flows(profile([one], http={"cookies": True}), applier=signer)
    for number, cookies in enumerate(({}, {"a": "1"}), 1):
        scope = session()
        scope.cookies.update(cookies)
        request = Parsed(steps_of(flow)[0].render(scope))
        method, url, headers, body = signer.seen[-1]
        assert request.header("authorization") == f"signed {number}"
        assert (method, url) == ("POST", f"http://127.0.0.1:8080{request.url.decode()}")
        assert body == request.body
        assert request.header("cookie") == ("a=1" if cookies else None)
        unsigned = [pair for pair in request.headers if pair[0] != "Authorization"]
        assert unsigned == [*headers, ("Content-Length", str(len(body)))]


@pytest.mark.parametrize(
    ("headers", "jar", "sent"),
    [
        ({}, {}, None),
        ({}, {"a": "1", "b": "2"}, "a=1; b=2"),
        ({"Cookie": "mine=${x}"}, {}, "mine=7"),
        ({"Cookie": "mine=${x}"}, {"a": "1"}, "mine=7; a=1"),
    ],
)
@pytest.mark.parametrize("in_step", [True, False])
def test_cookies_go_along(
    headers: dict[str, str], jar: dict[str, str], sent: str | None, *, in_step: bool
) -> None:
    common = {} if in_step else headers
    one = step(
        {"get": "/", "headers": headers if in_step else {}},
        http={"cookies": True, "headers": dict.fromkeys(common, "mine=7")},
    )
    scope = session({"x": 7})
    scope.cookies.update(jar)
    assert Parsed(one.render(scope)).header("cookie") == sent


def test_without_a_jar_no_cookie_is_sent() -> None:
    scope = session()
    scope.cookies["a"] = "1"
    assert Parsed(step({"get": "/"}).render(scope)).header("cookie") is None


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0", "\x7f", "🙂"], ids=repr)
def test_a_header_cannot_smuggle_anything(value: str) -> None:
    one = step({"get": "/", "headers": {"X-A": "${x}"}})
    with pytest.raises(RenderError, match="a header cannot have") as caught:
        one.render(session({"x": value}))
    assert "Evil" not in str(caught.value)
    (flow,) = flows(profile([{"get": "/"}]), applier=Key([("x-api-key", value)]))
    with pytest.raises(RenderError, match="a header cannot have"):
        steps_of(flow)[0].render(session())
    with pytest.raises(InputError, match=r"step .GET /.: headers\.X-A: a header cannot have"):
        step({"get": "/", "headers": {"X-A": value}})


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({"get": "items"}, "step 'GET items': path: must begin with / (got 'items')"),
        ({"get": ""}, "step 'GET ': path: must begin with / (got '')"),
        ({"get": "${vars.v}"}, "path: must begin with / (got '${vars.v}')"),
        ({"get": "/${"}, "step 'GET /${': path: character 2: ${ has no }"),
        ({"get": "/", "name": "x", "query": {"q": "${}"}}, "step 'x': query.q: character 1: must"),
        ({"post": "/", "json": {"a": ["${vars.y}"]}}, "json: character 1: there is no variable y"),
        ({"post": "/", "form": {"a": "${"}}, "form.a: character 1: ${ has no }"),
        ({"post": "/", "body": "${"}, "body: character 1: ${ has no }"),
        ({"get": "/", "headers": {"X A": "1"}}, "headers.X A: is no name of a header"),
        ({"get": "/", "headers": {"X:A": "1"}}, "headers.X:A: is no name of a header"),
        ({"get": "/", "headers": {"": "1"}}, "headers.: is no name of a header"),
        ({"get": "/", "headers": {"content-length": "1"}}, "is set by loadgen, from the body"),
        ({"get": "/", "headers": {"Transfer-Encoding": "x"}}, "is set by loadgen, from the body"),
    ],
)
def test_what_cannot_be_a_request_is_refused_with_its_step(
    one: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        step(one, vars={"v": "v"})


def test_common_headers_that_are_wrong_are_told_as_such() -> None:
    with pytest.raises(InputError, match=re.escape("http: headers.X-A: character 1: ${ has no }")):
        step({"get": "/"}, http={"headers": {"X-A": "${"}})


def test_data_that_is_missing_is_an_error_of_the_request() -> None:
    with pytest.raises(RenderError, match="id was not captured"):
        step({"get": "/${id}"}).render(session())


TEXT_STEP = step(
    {
        "post": "/${x}/end",
        "query": {"q": "${x}", "r": "<${x}>"},
        "json": {"x": "${x}", "y": "a${x}"},
    }
)
HEADER_STEP = step({"get": "/", "headers": {"X-A": "<${x}>"}})


@given(st.text())
def test_any_text_arrives_in_path_query_form_and_json(text: str) -> None:
    one = TEXT_STEP.render(session({"x": text}))
    request = Parsed(one)
    url = urlsplit(request.url.decode())
    assert unquote(url.path) == f"/prod/{text}/end"
    assert parse_qsl(url.query, keep_blank_values=True) == [("q", text), ("r", f"<{text}>")]
    assert orjson.loads(request.body)["x"] == text


@given(st.text(st.characters(codec="latin-1")))
def test_a_header_arrives_or_the_request_is_not_sent(text: str) -> None:
    try:
        request = HEADER_STEP.render(session({"x": text}))
    except RenderError:
        assert re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text)
    else:
        assert Parsed(request).header("x-a") == f"<{text}>"


def test_an_answer_can_be_sent_back() -> None:
    (flow,) = flows(
        profile(
            [
                {"post": "/orders", "capture": {"id": "$.id", "etag": "header: ETag"}},
                {"get": "/orders/${id}", "headers": {"If-None-Match": "${etag}"}},
            ]
        )
    )
    scope = flow.session()
    assert scope is not None
    first, second = steps_of(flow)
    first.judge(answer(201, {"id": "a/1"}, [("etag", '"x"')]), scope)
    request = Parsed(second.render(scope))
    assert request.url == b"/prod/orders/a%2F1"
    assert request.header("if-none-match") == '"x"'
