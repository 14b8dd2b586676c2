"""The answers that the gateway gives itself: their types, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.gateway.exchange import Exchange
from sandbox.gateway.outcome import Failed
from sandbox.gateway.response_types import (
    CUSTOMISED_AS,
    HTTP_TYPES,
    REST_TYPES,
    REST_UNTYPED,
    rest_type,
)
from sandbox.gateway.responses import GatewayResponses
from sandbox.gateway.snapshot import ApiKind, GatewayResponse, Stage, Template
from sandbox.http import Request, Response
from sandbox.lambda_api.names import Home

HOME = Home("000000000000", "us-east-1")


def answered(
    failed: Failed,
    kind: ApiKind = "REST",
    custom: dict[str, GatewayResponse] | None = None,
    **headers: str,
) -> tuple[Exchange, Response]:
    stage = Stage(
        kind=kind,
        api_id="api",
        api_name="api",
        name="prod",
        routes=(),
        gateway_responses=custom or {},
    )
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    exchange = Exchange(Request("GET", b"/x", sent), stage, HOME, "/x", 0.0, 1_780_000_000.0)
    return exchange, GatewayResponses(stage).answer(exchange, failed)


# "Gateway response types" of the API Gateway developer guide: type and default status.
DOCUMENTED = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}


def test_the_types_are_those_of_the_developer_guide() -> None:
    assert {name: kind.status for name, kind in REST_TYPES.items()} == DOCUMENTED


@pytest.mark.parametrize("name", [*REST_TYPES, *REST_UNTYPED])
def test_a_plain_answer_names_its_type_and_says_it_in_json(name: str) -> None:
    exchange, response = answered(Failed(name))
    kind = rest_type(name)
    assert response.status == kind.status
    assert json.loads(response.body) == {
        "Message" if kind.capital else "message": kind.message,
    }
    assert f"x-amzn-ErrorType: {kind.error_type}".encode() in response.block
    assert exchange.response_type == CUSTOMISED_AS.get(name, name)
    assert exchange.error_message == kind.message


@pytest.mark.parametrize("name", HTTP_TYPES)
def test_an_http_api_answers_without_a_type(name: str) -> None:
    _, response = answered(Failed(name), "HTTP")
    status, message = HTTP_TYPES[name]
    assert response.status == status
    assert json.loads(response.body) == {"message": message}
    assert dict(response.headers) == {b"content-type": b"application/json"}


@pytest.mark.parametrize(
    ("failed", "shown", "logged"),
    [
        pytest.param(
            Failed("FAULT", 503, "custom text"), "custom text", "custom text", id="a fault's"
        ),
        pytest.param(
            Failed("FAULT", 503),
            "Internal Server Error",
            "Internal Server Error",
            id="a fault without words",
        ),
        # HTTP APIs do not say why they refuse.
        pytest.param(
            Failed("ACCESS_DENIED", message="with an explicit deny"),
            "Forbidden",
            "with an explicit deny",
            id="an authorizer's",
        ),
        pytest.param(
            Failed("INVALID_SIGNATURE", message="The canonical string was ..."),
            "Forbidden",
            "The canonical string was ...",
            id="a signature's",
        ),
    ],
)
def test_an_http_api_shows_the_words_of_faults_only(
    failed: Failed, shown: str, logged: str
) -> None:
    exchange, response = answered(failed, "HTTP")
    assert json.loads(response.body) == {"message": shown}
    assert exchange.error_message == logged


def test_an_expired_token_is_told_from_a_bad_signature() -> None:
    _, expired = answered(Failed("EXPIRED_TOKEN"))
    assert expired.status == 403
    assert b"ExpiredTokenException" in expired.block
    assert json.loads(expired.body) == {
        "message": "The security token included in the request is expired"
    }


def custom(status: int | None = None, **templates: str) -> GatewayResponse:
    return GatewayResponse(
        status,
        {"X-Type": Template("$context.error.responseType")},
        {kind.replace("_", "/"): Template(text) for kind, text in templates.items()},
    )


@pytest.mark.parametrize(
    ("customised", "failed", "status", "body"),
    [
        pytest.param(
            {"THROTTLED": custom(420, application_json="slow down")},
            Failed("THROTTLED"),
            420,
            "slow down",
            id="the type's own",
        ),
        pytest.param(
            {"DEFAULT_4XX": custom(None, application_json="$context.error.message")},
            Failed("THROTTLED"),
            429,
            "Too Many Requests",
            id="the catch-all of its class",
        ),
        pytest.param(
            {"THROTTLED": custom(420), "DEFAULT_4XX": custom(499)},
            Failed("THROTTLED"),
            420,
            '{"message":"Too Many Requests"}',
            id="the type's own before the catch-all; the body of the type without a template",
        ),
        pytest.param(
            {"INTEGRATION_FAILURE": custom(None, application_json="down")},
            Failed("REFUSED_INVOCATION"),
            500,
            "down",
            id="Lambda's throttle keeps its status",
        ),
        pytest.param(
            {"DEFAULT_5XX": custom(None, application_json="$context.error.responseType")},
            Failed("BAD_GATEWAY"),
            502,
            "DEFAULT_5XX",
            id="a function's error",
        ),
    ],
)
def test_customised_answers(
    customised: dict[str, GatewayResponse], failed: Failed, status: int, body: str
) -> None:
    exchange, response = answered(failed, custom=customised)
    assert (response.status, response.body.decode()) == (status, body)
    assert dict(response.headers)[b"X-Type"].decode() == exchange.response_type


@pytest.mark.parametrize("catch_all", ["REQUEST_TOO_LARGE", "DEFAULT_4XX"])
def test_a_request_that_is_too_large_has_an_answer_that_nobody_customises(catch_all: str) -> None:
    customised = {catch_all: custom(420, application_json="mine")}
    exchange, response = answered(Failed("REQUEST_TOO_LARGE"), custom=customised)
    assert (response.status, response.body) == (413, b'{"message":"Request Too Long"}')
    assert exchange.response_type == "REQUEST_TOO_LARGE"
    _, other = answered(Failed("URI_TOO_LONG"), custom={"DEFAULT_4XX": customised[catch_all]})
    assert (other.status, other.body) == (420, b"mine")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            {},
            {"content-type": "application/json", "x-amzn-errortype": "LimitExceededException"},
            id="those of the type",
        ),
        pytest.param(
            {"Content-Type": "text/plain", "x-amzn-ErrorType": "MyQuota"},
            {"content-type": "text/plain", "x-amzn-errortype": "MyQuota"},
            id="replaced",
        ),
        pytest.param(
            {"CONTENT-TYPE": "text/plain", "X-AMZN-ERRORTYPE": "MyQuota", "x-amz-Apigw-Id": "i"},
            {"content-type": "text/plain", "x-amzn-errortype": "MyQuota", "x-amz-apigw-id": "i"},
            id="replaced whatever the case",
        ),
        pytest.param(
            {"X-Own": "1", "x-own": "2"},
            {"x-own": "2"},
            id="one of two that differ in their case",
        ),
        pytest.param(
            {"Content-Length": "1", "Date": "now", "Connection": "close", "x-amzn-RequestId": "i"},
            {"content-type": "application/json"},
            id="none that the connection writes",
        ),
    ],
)
def test_a_customised_answer_has_each_header_once(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    own = GatewayResponse(
        402,
        {name: Template(value) for name, value in given.items()},
        {"application/json": Template("quota gone")},
    )
    _, response = answered(Failed("QUOTA_EXCEEDED"), custom={"QUOTA_EXCEEDED": own})
    shown = [(name.decode().lower(), value.decode()) for name, value in response.headers]
    assert len(dict(shown)) == len(shown)
    assert expected.items() <= dict(shown).items()
    assert dict(shown).keys() <= {"content-type", "x-amzn-errortype", "x-amz-apigw-id", "x-own"}


def test_the_client_chooses_among_templates() -> None:
    both = {"THROTTLED": custom(None, application_json="{}", text_plain="no")}
    for accept, body in (("text/plain", b"no"), ("text/html, */*", b"{}"), ("", b"{}")):
        _, response = answered(Failed("THROTTLED"), custom=both, accept=accept)
        assert response.body == body


def test_a_rendered_header_cannot_begin_another_one() -> None:
    gateway_response = GatewayResponse(None, {"X-Agent": Template("$context.identity.userAgent")})
    _, response = answered(
        Failed("THROTTLED"), custom={"THROTTLED": gateway_response}, **{"user-agent": "a\r\nB: c"}
    )
    assert dict(response.headers)[b"X-Agent"] == b"a  B: c"


def test_special_words_replace_those_of_the_type() -> None:
    failed: Any = Failed("ACCESS_DENIED", message="User is not authorized: explicit deny")
    exchange, response = answered(failed)
    assert json.loads(response.body) == {"Message": "User is not authorized: explicit deny"}
    assert exchange.error_message == "User is not authorized: explicit deny"
