"""HTTP proxies: which path the backend is asked for, and that its answer comes back unchanged."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from gateway_rig import HttpRig, RestRig

TEXT = b"what the backend says, " * 10
BODIES = {
    "gzip": gzip.compress(TEXT),
    "br": b"\x0b\x02\x80hi\x03",
    "zstd": b"\x28\xb5\x2f\xfd\x04\x00\x09\x00\x00hi\x00",
    "gzip, br": b"\x0b\x02\x80\x1f\x8b\x08\x03",
    "x-own": b"\x00\x01\x02",
    "identity": TEXT,
}


class _Backend(BaseHTTPRequestHandler):
    """Shows what it was asked; /encoded and /chunked answer in the encoding that X-Encoding names.

    To HEAD it says the length, but for /chunked.
    """

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        encoding = self.headers.get("X-Encoding")
        if encoding is None:
            body = json.dumps({"method": self.command, "path": self.path}).encode()
        else:
            body = b"no such thing" if path.startswith("/broken") else BODIES[encoding]
        self.send_response(200)
        if encoding is not None:
            self.send_header("Content-Encoding", encoding)
        if path.startswith("/chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = _answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def backend() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


# Path of the route, and the path of the integration's URL.
ROUTES = {
    "/greedy/{proxy+}": "/{proxy}",
    "/plus/{proxy+}": "/{proxy+}",
    "/one/{id}": "/items/{id}",
    "/mixed/{id}/{proxy+}": "/{id}/of/{proxy}",
}


@pytest.fixture(scope="module")
def rest(sandbox: Any, client: Any, connect: Callable[..., Any], backend: str) -> RestRig:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client).create("proxies")

    def proxy(path: str, url: str, method: str = "ANY", **renamed: str) -> None:
        sources = {f"method.request.path.{name}": True for name in renamed.values()}
        where = rig.method(path, requestParameters=sources, method="ANY")
        rig.client.put_integration(
            **where,
            type="HTTP_PROXY",
            integrationHttpMethod=method,
            uri=backend + url,
            requestParameters={
                f"integration.request.path.{target}": f"method.request.path.{source}"
                for target, source in renamed.items()
            },
        )

    for path, url in ROUTES.items():
        proxy(path, url)
    proxy("/renamed/{proxy+}", "/to/{rest}", rest="proxy")
    proxy("/always-get/{proxy+}", "/{proxy}", "GET")
    proxy("/always-head/{proxy+}", "/{proxy}", "HEAD")
    return rig.deploy()


@pytest.fixture(scope="module")
def http_api(sandbox: Any, client: Any, connect: Callable[..., Any], backend: str) -> HttpRig:
    rig = HttpRig(sandbox.endpoint_url, connect(sandbox, "apigatewayv2"), client).create("proxies")
    for path, url in ROUTES.items():
        made = rig.client.create_integration(
            ApiId=rig.api_id,
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="ANY",
            IntegrationUri=backend + url,
            PayloadFormatVersion="1.0",
        )
        rig.client.create_route(
            ApiId=rig.api_id,
            RouteKey=f"ANY {path}",
            Target=f"integrations/{made['IntegrationId']}",
        )
    return rig.deploy()


@pytest.fixture(params=["REST", "HTTP"])
def api(request: pytest.FixtureRequest) -> RestRig | HttpRig:
    made: RestRig | HttpRig = request.getfixturevalue(
        "rest" if request.param == "REST" else "http_api"
    )
    return made


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        # The parameter of the route is greedy: its slashes are those of a path.
        pytest.param("/greedy/a/b?q=1", "/a/b?q=1", id="greedy in the route only"),
        pytest.param("/greedy/a%20b/c", "/a%20b/c", id="all but the slash is encoded again"),
        pytest.param("/plus/a/b", "/a/b", id="greedy in the URL, too"),
        # It is not: a slash in it is no slash of a path.
        pytest.param("/one/a%2Fb", "/items/a%2Fb", id="one segment"),
        pytest.param("/mixed/a%2Fb/c/d", "/a%2Fb/of/c/d", id="each by its own kind"),
    ],
)
def test_the_slashes_of_a_greedy_parameter_stay(
    api: RestRig | HttpRig, path: str, asked: str
) -> None:
    assert api.get(path).json["path"] == asked


def test_a_greedy_parameter_may_have_another_name_in_the_url(rest: RestRig) -> None:
    assert rest.get("/renamed/a/b").json["path"] == "/to/a/b"


@pytest.mark.parametrize("encoding", BODIES)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_encoded_body_comes_back_as_the_backend_sent_it(
    api: RestRig | HttpRig, encoding: str, framing: str
) -> None:
    headers = {"X-Encoding": encoding, "Accept-Encoding": encoding}
    answer = api.get(f"/greedy/{framing}/x", headers=headers)
    assert (answer.status, answer.body) == (200, BODIES[encoding])
    assert answer.headers["content-encoding"] == encoding
    assert answer.headers["content-length"] == str(len(BODIES[encoding]))
    assert "transfer-encoding" not in answer.headers


def test_a_body_that_is_not_what_its_encoding_says_comes_back(api: RestRig | HttpRig) -> None:
    answer = api.get("/greedy/broken", headers={"X-Encoding": "gzip"})
    assert (answer.status, answer.body) == (200, b"no such thing")
    assert answer.headers["content-encoding"] == "gzip"


def test_a_body_without_an_encoding_gets_none(api: RestRig | HttpRig) -> None:
    assert "content-encoding" not in api.get("/greedy/plain").headers


@pytest.mark.parametrize(
    ("path", "encoding", "length"),
    [
        pytest.param("/greedy/x", "identity", str(len(TEXT)), id="that of the backend"),
        pytest.param("/greedy/x", "gzip", str(len(BODIES["gzip"])), id="that of an encoded body"),
        pytest.param("/greedy/chunked", "identity", None, id="none, where the backend names none"),
    ],
)
def test_head_has_the_length_that_the_backend_named(
    api: RestRig | HttpRig, path: str, encoding: str, length: str | None
) -> None:
    answer = api.get(path, "HEAD", headers={"X-Encoding": encoding})
    assert (answer.status, answer.body) == (200, b"")
    assert [value for name, value in answer.all_headers if name == "content-length"] == (
        [] if length is None else [length]
    )
    assert answer.headers["content-encoding"] == encoding


def test_head_for_an_integration_that_gets_has_the_length_of_the_body(rest: RestRig) -> None:
    answer = rest.get("/always-get/x", "HEAD", headers={"X-Encoding": "identity"})
    assert (answer.headers["content-length"], answer.body) == (str(len(TEXT)), b"")


def test_get_for_an_integration_that_asks_for_the_head_has_no_body(rest: RestRig) -> None:
    answer = rest.get("/always-head/x", headers={"X-Encoding": "identity"})
    assert (answer.headers["content-length"], answer.body) == ("0", b"")
