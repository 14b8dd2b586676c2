"""What reaches a function, and what comes back: proxy integrations in both formats."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from gateway_rig import HttpRig, RestRig
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gateway.proxy_answers import MalformedAnswer, read_answer

ECHO = """
import json
def handler(event, context):
    given = json.loads(event.get("body") or "null") if not event.get("isBase64Encoded") else None
    if isinstance(given, dict) and "answer" in given:
        return given["answer"]
    return {"statusCode": 200, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def echo(client: Any, create_in: Any, make_zip: Any) -> str:
    code = {"ZipFile": make_zip({"app.py": ECHO})}
    return str(create_in(client, "events-echo", Environment={"Variables": {}}, Code=code))


@pytest.fixture(scope="module")
def rest(sandbox: Any, client: Any, connect: Callable[..., Any], echo: str) -> RestRig:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client)
    rig.create("events", binaryMediaTypes=["image/*"])
    rig.function("/items/{id}", echo, "ANY")
    rig.deploy()
    rig.client.update_stage(
        restApiId=rig.api_id,
        stageName=rig.stage,
        patchOperations=[{"op": "replace", "path": "/variables/color", "value": "blue"}],
    )
    return rig


@pytest.fixture(scope="module")
def http_api(sandbox: Any, client: Any, connect: Callable[..., Any], echo: str) -> HttpRig:
    rig = HttpRig(sandbox.endpoint_url, connect(sandbox, "apigatewayv2"), client)
    rig.create(
        "events",
        CorsConfiguration={
            "AllowOrigins": ["https://shop.example"],
            "AllowMethods": ["GET", "POST"],
            "AllowHeaders": ["content-type"],
            "MaxAge": 60,
        },
    )
    rig.function("ANY /items/{id}", echo)
    rig.function("GET /old/{id}", echo, payload="1.0")
    return rig.deploy(StageVariables={"color": "blue"})


def test_format_1_has_what_the_client_sent(rest: RestRig) -> None:
    answer = rest.get(
        "/items/a%20b?x=1&x=2&y=%C3%BC",
        "POST",
        body=b'{"q": 1}',
        headers={"Content-Type": "application/json", "X-Multi": "m", "User-Agent": "test/1"},
    )
    event = answer.json
    assert (event["resource"], event["path"]) == ("/items/{id}", "/items/a%20b")
    assert event["httpMethod"] == "POST"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"x": "2", "y": "ü"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": ["ü"]}
    assert event["headers"]["X-Multi"] == "m"
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert event["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert event["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert event["stageVariables"] == {"color": "blue"}
    assert (event["body"], event["isBase64Encoded"]) == ('{"q": 1}', False)
    context = event["requestContext"]
    assert context["requestId"] == answer.headers["x-amzn-requestid"]
    assert context["extendedRequestId"] == answer.headers["x-amz-apigw-id"]
    assert (context["stage"], context["path"]) == ("prod", "/prod/items/a%20b")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "test/1"
    assert context["resourcePath"] == "/items/{id}"


def test_format_1_has_null_for_what_is_not_there(rest: RestRig) -> None:
    event = rest.get("/items/1").json
    assert event["queryStringParameters"] is None
    assert event["multiValueQueryStringParameters"] is None
    assert event["body"] is None


def test_headers_of_the_hop_do_not_reach_a_function(rest: RestRig) -> None:
    headers = {"TE": "trailers", "Max-Forwards": "1", "Authorization": "AWS4-HMAC-SHA256 x"}
    names = {name.lower() for name in rest.get("/items/1", headers=headers).json["headers"]}
    assert not names & {"te", "max-forwards", "authorization", "connection"}


def test_a_binary_body_comes_in_base64(rest: RestRig, http_api: HttpRig) -> None:
    for rig in (rest, http_api):
        event = rig.get(
            "/items/1", "POST", body=b"\x00\xff", headers={"Content-Type": "image/png"}
        ).json
        assert event["isBase64Encoded"] is True
        assert base64.b64decode(event["body"]) == b"\x00\xff"


def test_format_2_has_what_the_client_sent(http_api: HttpRig) -> None:
    answer = http_api.get(
        "/items/a%20b?x=1&x=2", headers={"Cookie": "a=1; b=2", "X-Own": "v", "User-Agent": "t"}
    )
    event = answer.json
    assert (event["version"], event["routeKey"]) == ("2.0", "ANY /items/{id}")
    assert (event["rawPath"], event["rawQueryString"]) == ("/items/a%20b", "x=1&x=2")
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-own"] == "v"
    assert "cookie" not in event["headers"]
    assert event["pathParameters"] == {"id": "a b"}
    assert event["stageVariables"] == {"color": "blue"}
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["requestId"] == answer.headers["apigw-requestid"]
    assert event["requestContext"]["stage"] == "$default"
    assert "body" not in event


def test_an_http_api_speaks_format_1_on_request(http_api: HttpRig) -> None:
    event = http_api.get("/old/7").json
    assert (event["version"], event["httpMethod"], event["resource"]) == ("1.0", "GET", "/old/{id}")


def answering(rig: RestRig | HttpRig, answer: Any, **headers: str) -> Any:
    body = json.dumps({"answer": answer}).encode()
    headers = {"Content-Type": "application/json", **headers}
    return rig.get("/items/1", "POST", body=body, headers=headers)


def test_what_a_function_answers_reaches_the_client(rest: RestRig) -> None:
    shown = answering(
        rest,
        {
            "statusCode": 201,
            "headers": {"X-A": "1", "Content-Type": "text/plain", "Server": "own", "X-B": True},
            "multiValueHeaders": {"X-A": ["2", "3"]},
            "body": "made",
        },
    )
    assert (shown.status, shown.text) == (201, "made")
    # A name in both counts with the multiple values only.
    assert [value for name, value in shown.all_headers if name == "x-a"] == ["2", "3"]
    assert shown.headers["x-b"] == "true"
    assert shown.headers["x-amzn-remapped-server"] == "own"
    assert "server" not in shown.headers
    assert shown.headers["x-amzn-trace-id"].startswith("Root=")


def test_base64_is_undone_where_the_api_has_binary_types(rest: RestRig, http_api: HttpRig) -> None:
    answer = {
        "statusCode": 200,
        "headers": {"Content-Type": "image/png"},
        "body": base64.b64encode(b"\x89PNG").decode(),
        "isBase64Encoded": True,
    }
    assert answering(rest, answer).body == b"\x89PNG"
    assert answering(http_api, answer).body == b"\x89PNG"
    as_text = {**answer, "headers": {"Content-Type": "text/plain"}}
    assert answering(rest, as_text).text == answer["body"]
    assert answering(http_api, as_text).body == b"\x89PNG"


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        pytest.param({"hello": 1}, 200, '{"hello": 1}', id="an object without statusCode"),
        pytest.param("hello", 200, "hello", id="a text"),
        pytest.param({"statusCode": 204}, 204, "", id="no body"),
        pytest.param(
            {"statusCode": 200, "body": "b", "cookies": ["a=1"]}, 200, "b", id="with cookies"
        ),
    ],
)
def test_format_2_takes_answers_of_any_form(
    http_api: HttpRig, answer: Any, status: int, body: str
) -> None:
    shown = answering(http_api, answer)
    assert (shown.status, shown.text) == (status, body)
    if isinstance(answer, dict) and "cookies" in answer:
        assert shown.headers["set-cookie"] == "a=1"


@pytest.mark.parametrize(
    "answer",
    [
        "a text",
        None,
        [],
        {},
        {"statusCode": 1000},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": "none"},
        {"statusCode": 200, "headers": {"X": {"y": 1}}},
        {"statusCode": 200, "headers": {"X": "a\r\nY: b"}},
        {"statusCode": 200, "multiValueHeaders": {"X": "1"}},
    ],
    ids=str,
)
def test_format_1_refuses_what_is_no_proxy_answer(rest: RestRig, answer: Any) -> None:
    assert answering(rest, answer).status == 502


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["statusCode", "headers", "multiValueHeaders", "body", "cookies"])
                | st.text(max_size=3),
                inner,
                max_size=5,
            )
        ),
        max_leaves=10,
    ),
    st.sampled_from(["1.0", "2.0"]),
)
def test_no_answer_breaks_the_reader(document: Any, payload_format: Any) -> None:
    try:
        answer = read_answer(json.dumps(document).encode(), payload_format)
    except MalformedAnswer:
        return
    assert 100 <= answer.status <= 599
    for name, value in answer.headers:
        assert b"\r" not in name + value
        assert b"\n" not in name + value


def test_cors_of_an_http_api(http_api: HttpRig) -> None:
    asking = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    preflight = http_api.get("/items/1", "OPTIONS", headers=asking)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    assert preflight.headers["access-control-allow-methods"] == "GET,POST"
    assert preflight.headers["access-control-max-age"] == "60"
    actual = http_api.get("/items/1", headers={"Origin": "https://shop.example"})
    assert actual.headers["access-control-allow-origin"] == "https://shop.example"
    stranger = http_api.get("/items/1", headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in stranger.headers


class _Backend(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        shown = {
            "path": self.path,
            "headers": dict(self.headers),
            "body": self.rfile.read(size).decode(),
        }
        body = json.dumps(shown).encode()
        self.send_response(202)
        self.send_header("X-Backend", "yes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def backend() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_http_proxy_gives_the_request_on(
    sandbox: Any, client: Any, connect: Callable[..., Any], backend: str
) -> None:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client).create("proxy")
    where = rig.method("/shop/{id}", "POST", requestParameters={"method.request.path.id": True})
    rig.client.put_integration(
        **where,
        type="HTTP_PROXY",
        integrationHttpMethod="POST",
        uri=f"{backend}/items/{{sku}}",
        requestParameters={"integration.request.path.sku": "method.request.path.id"},
    )
    rig.deploy()
    answer = rig.get("/shop/a%20b?q=1", "POST", body=b"text", headers={"X-Own": "v"})
    assert (answer.status, answer.headers["x-backend"]) == (202, "yes")
    assert answer.json["path"] == "/items/a%20b?q=1"
    assert answer.json["body"] == "text"
    seen = {name.lower(): value for name, value in answer.json["headers"].items()}
    assert seen["x-own"] == "v"
    assert seen["host"] == backend.removeprefix("http://")
    assert answer.headers["x-amzn-remapped-server"].startswith("BaseHTTP")


def test_a_trace_id_of_the_client_reaches_the_function(rest: RestRig) -> None:
    given = "Root=1-67891233-abcdef012345678912345678;Sampled=1"
    event = rest.get("/items/1", headers={"X-Amzn-Trace-Id": given}).json
    assert event["headers"]["X-Amzn-Trace-Id"] == given
