"""Signatures are botocore's, and the gateway accepts them for whatever a URL holds."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from unittest import mock
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from core.aws.session import LocalAccess, local_session
from core.aws.signing import SigningCredentials, sigv4_headers
from core.local_aws import local_aws

STACK = """
name: signed
functions:
  hello:
    model: {duration_ms: {"128": 1}, response: {statusCode: 200, body: hello}}
apis:
  rest:
    kind: rest
    routes:
      - {path: /, method: ANY, auth: iam, mock: {status: 200, body: hello}}
      - {path: "/{proxy+}", method: ANY, auth: iam, mock: {status: 200, body: hello}}
  http:
    kind: http
    routes:
      - {path: "/{proxy+}", method: ANY, auth: iam, function: hello}
"""

NOW_S = 1_790_000_000.0
OWN = SigningCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = replace(OWN, token="session/token==")
URL = "https://abc123.execute-api.eu-west-1.amazonaws.com"


def by_botocore(method, url, headers, body, credentials, region, service):
    """What botocore adds to a request that has only `headers`, all of which it signs."""
    described = AWSRequest(method, url, headers=dict(headers), data=body)
    frozen = ReadOnlyCredentials(credentials.access_key, credentials.secret_key, credentials.token)
    then = datetime.fromtimestamp(NOW_S, UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        SigV4Auth(frozen, service, region).add_auth(described)
    return {
        name: described.headers[name]
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
        if name in described.headers
    }


@pytest.mark.parametrize("credentials", [OWN, TEMPORARY], ids=["permanent", "temporary"])
@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "service"),
    [
        pytest.param("GET", URL, (), b"", "execute-api", id="no path"),
        pytest.param("GET", f"{URL}/prod/a%20b//c/../d", (), b"", "execute-api", id="path"),
        pytest.param("GET", f"{URL}/?b=2&a=1&a=0&c=", (), b"", "execute-api", id="query"),
        pytest.param(
            "POST",
            f"{URL}/prod/orders",
            (("Content-Type", "application/json"), ("X-Amz-Meta", " a   b ")),
            b'{"a": 1}',
            "execute-api",
            id="body and headers",
        ),
        pytest.param("GET", "http://127.0.0.1:8080/x", (), b"", "execute-api", id="with a port"),
        pytest.param("GET", "http://API.example:80/x", (), b"", "execute-api", id="its own port"),
        pytest.param("GET", "https://me:pw@api.example/x", (), b"", "execute-api", id="a user"),
        pytest.param("GET", "http://[::1]:8080/x", (), b"", "execute-api", id="IPv6"),
        pytest.param("POST", f"{URL}/", (), b"\x00\xff", "lambda", id="function URL"),
    ],
)
def test_signatures_are_those_of_botocore(method, url, headers, body, service, credentials) -> None:
    request = (method, url, headers, body, credentials, "eu-west-1", service)
    assert dict(sigv4_headers(*request, now=NOW_S)) == by_botocore(*request)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    parts=st.lists(st.text("ab09-_.~ äé%+/&=?*€", min_size=1, max_size=5), max_size=4),
    fields=st.lists(st.tuples(st.text("ab c&=+é", min_size=1), st.text("x y&=+é%,/"))),
    body=st.binary(max_size=20),
)
def test_any_encoded_url_is_signed_as_botocore_does(method, parts, fields, body) -> None:
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in fields)
    url = f"{URL}{path}?{query}" if query else URL + path
    request = (method, url, (), body, OWN, "eu-west-1", "execute-api")
    assert dict(sigv4_headers(*request, now=NOW_S)) == by_botocore(*request)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("a=x,y:z/", "a=x%2Cy%3Az%2F", id="characters that a query may hold as such"),
        pytest.param("a=%7e%41", "a=~A", id="encoded more than needed"),
        pytest.param("a=%c3%a4", "a=%C3%A4", id="lower-case digits"),
        pytest.param("a=b=c", "a=b%3Dc", id="a second equals sign"),
        pytest.param("a&b", "a=&b=", id="no value"),
        pytest.param("&a=1&&b=2&", "a=1&b=2", id="empty fields"),
        pytest.param("a=1+1", "a=1%2B1", id="a plus is no space"),
        pytest.param("a=%FF", "a=%FF", id="no UTF-8"),
        pytest.param("a=ä", "a=%C3%A4", id="not encoded"),
    ],
)
def test_it_does_not_matter_how_a_query_is_written(written: str, meant: str) -> None:
    rest = ("GET", (), b"", OWN, "eu-west-1", "execute-api", NOW_S)
    signed = [sigv4_headers(rest[0], f"{URL}/x?{query}", *rest[1:]) for query in (written, meant)]
    assert signed[0] == signed[1]


def signed_names(headers) -> str:
    made = dict(sigv4_headers("GET", URL, headers, b"", TEMPORARY, "r", "execute-api", now=NOW_S))
    return made["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        pytest.param((), "host;x-amz-date;x-amz-security-token", id="none"),
        pytest.param(
            (("Accept-Encoding", "gzip"), ("User-Agent", "x"), ("X-Api-Key", "k")),
            "host;x-amz-date;x-amz-security-token",
            id="those that may be changed on the way are not signed",
        ),
        pytest.param(
            (("CONTENT-TYPE", "text/plain"), ("X-Amz-Invocation-Type", "Event")),
            "content-type;host;x-amz-date;x-amz-invocation-type;x-amz-security-token",
            id="those that AWS demands are",
        ),
    ],
)
def test_the_signed_headers_are_those_that_arrive_as_sent(headers, names: str) -> None:
    assert signed_names(headers) == names


def test_the_host_that_is_sent_is_the_one_that_is_signed() -> None:
    def authorization(url, headers):
        rest = (b"", OWN, "eu-west-1", "execute-api", NOW_S)
        return sigv4_headers("GET", url, headers, *rest)[0]

    assert authorization("http://127.0.0.1/x", [("host", "api.example")]) == authorization(
        "http://api.example/x", []
    )
    assert authorization("http://127.0.0.1/x", []) != authorization("http://127.0.0.1:81/x", [])


def test_the_key_is_derived_anew_for_a_new_day_and_for_new_credentials() -> None:
    def at(now: float, credentials: SigningCredentials = OWN) -> str:
        rest = (b"", credentials, "eu-west-1", "execute-api", now)
        return sigv4_headers("GET", URL, (), *rest)[0][1]

    today, tomorrow = at(NOW_S), at(NOW_S + 86_400)
    assert today.partition("Signature")[2] != tomorrow.partition("Signature")[2]
    assert at(NOW_S) == today
    assert at(NOW_S, replace(OWN, secret_key="other")) != today


def test_credentials_do_not_show_their_secrets() -> None:
    assert "wJalr" not in repr(TEMPORARY)
    assert "session/token" not in repr(TEMPORARY)


# Against the gateway


class Apis(NamedTuple):
    access: LocalAccess
    urls: dict[str, str]
    temporary: SigningCredentials


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apis]:
    stack: Path = tmp_path_factory.mktemp("signed") / "stack.yaml"
    stack.write_text(STACK)
    with local_aws(("--stack", str(stack))) as access:
        session = local_session(access.access_key_id, access.secret_access_key, access.region)
        base = f"{access.endpoint_url}/_aws/execute-api"
        rest = session.client("apigateway", endpoint_url=access.endpoint_url)
        http_apis = session.client("apigatewayv2", endpoint_url=access.endpoint_url)
        sts = session.client("sts", endpoint_url=access.endpoint_url)
        urls = {
            "rest": f"{base}/{rest.get_rest_apis()['items'][0]['id']}/prod",
            "http": f"{base}/{http_apis.get_apis()['Items'][0]['ApiId']}",
        }
        given = sts.get_session_token()["Credentials"]
        for client in (rest, http_apis, sts):
            client.close()
        temporary = SigningCredentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )
        yield Apis(access, urls, temporary)


def ask(apis: Apis, url: str, *, method="GET", headers=(), body=b"", credentials=None) -> int:
    """The status of a signed request that goes over the wire exactly as written."""
    own = SigningCredentials(apis.access.access_key_id, apis.access.secret_access_key)
    signer = credentials or own
    made = sigv4_headers(method, url, headers, body, signer, apis.access.region, "execute-api")
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        target = url.removeprefix(apis.access.endpoint_url)
        connection.request(method, target, body, dict([*headers, *made]))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/orders", id="plain"),
        pytest.param("/a%20b/c%2Fd/%E2%82%AC", id="encoded path"),
        pytest.param("/a+b;c=d/~e@f", id="path with signs"),
        pytest.param("/orders?q=a%20b&name=%C3%84rger", id="spaces and unicode"),
        pytest.param("/orders?q=a+b%2Bc", id="plus"),
        pytest.param("/orders?b=2&a=1&a=0&a=", id="repeated keys"),
        pytest.param("/orders?ids=1,2,3&at=10:30&flag", id="not encoded"),
    ],
)
def test_the_gateway_accepts_what_is_signed(apis: Apis, kind: str, target: str) -> None:
    assert ask(apis, apis.urls[kind] + target) == 200


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_bodies_and_temporary_credentials_are_accepted_too(apis: Apis, kind: str) -> None:
    headers = (("Content-Type", "application/json"), ("Accept-Encoding", "gzip"))
    status = ask(
        apis,
        f"{apis.urls[kind]}/orders",
        method="POST",
        headers=headers,
        body='{"name": "Ä"}'.encode(),
        credentials=apis.temporary,
    )
    assert status == 200


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param(SigningCredentials("sandbox", "wrong"), id="another secret"),
        pytest.param(SigningCredentials("nobody", "sandbox"), id="another key"),
        pytest.param(SigningCredentials("sandbox", "sandbox", "made up"), id="a token too many"),
    ],
)
def test_the_gateway_refuses_other_credentials(apis: Apis, kind: str, credentials) -> None:
    assert ask(apis, f"{apis.urls[kind]}/orders", credentials=credentials) == 403
