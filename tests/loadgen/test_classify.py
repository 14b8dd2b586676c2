"""Kinds of answers: what the wire shows, and what rules of the profile make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.answer import Answer
from loadgen.classify import Classifier
from loadgen.outcome import OK, Cause, Evidence, Kind, Outcome
from loadgen.profile.model import OutcomeRule
from sandbox.gateway.response_types import HTTP_TYPES, REST_TYPES, REST_UNTYPED

REST = {"x-amzn-RequestId": "r", "x-amz-apigw-id": "e="}
HTTP = {"apigw-requestid": "e="}

TOO_MANY = '{"message":"Too Many Requests"}'
FORBIDDEN = '{"message":"Forbidden"}'


def answer(
    status: int, body: str = "", headers: Mapping[str, str] | None = None, cause: int = 0
) -> Answer:
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode()
    return Answer(status, head, body.encode(), cause, 1, 2, 3, 0, 0, len(body))


def kind_of(one: Answer, *rules: dict[str, Any], step: str = "GET /") -> Kind:
    parsed = [OutcomeRule.model_validate(rule) for rule in rules]
    return Kind.of(Classifier(parsed).kind(one, step))


def wire(outcome: Outcome, cause: Cause = Cause.NONE) -> Kind:
    evidence = Evidence.NONE if cause is Cause.NONE else Evidence.WIRE
    return Kind(outcome, cause, evidence)


@pytest.mark.parametrize("status", [200, 201, 204, 206, 299, 301, 304, 399])
def test_success_and_redirection_are_ok(status: int) -> None:
    assert kind_of(answer(status)) == OK


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (Cause.DNS, Outcome.CONNECTION_ERROR),
        (Cause.REFUSED, Outcome.CONNECTION_ERROR),
        (Cause.CONNECT_TIMEOUT, Outcome.TIMEOUT),
        (Cause.TLS, Outcome.CONNECTION_ERROR),
        (Cause.RESET, Outcome.CONNECTION_ERROR),
        (Cause.CLOSED_EARLY, Outcome.CONNECTION_ERROR),
        (Cause.MALFORMED, Outcome.CONNECTION_ERROR),
        (Cause.RESPONSE_TIMEOUT, Outcome.TIMEOUT),
        (Cause.NO_CONNECTION, Outcome.CONNECTION_ERROR),
    ],
)
@pytest.mark.parametrize("status", [0, 200, 429, 500])
def test_what_went_wrong_on_the_wire_outranks_a_part_of_a_response(
    status: int, cause: Cause, outcome: Outcome
) -> None:
    rule = {"when": {"step": "GET /"}, "outcome": "ok"}
    assert kind_of(answer(status, cause=cause), rule) == wire(outcome, cause)


@pytest.mark.parametrize("status", [0, 100, 101, 199])
def test_an_interim_status_alone_is_no_answer(status: int) -> None:
    assert kind_of(answer(status)) == wire(Outcome.CONNECTION_ERROR, Cause.MALFORMED)


@pytest.mark.parametrize(
    ("headers", "body", "cause"),
    [
        pytest.param(
            {**REST, "x-amzn-ErrorType": "TooManyRequestsException"},
            TOO_MANY,
            Cause.THROTTLE,
            id="rest-throttle",
        ),
        pytest.param(
            {**REST, "x-amzn-ErrorType": "TooManyRequestsException:http://internal.amazon.com/"},
            "slow down",
            Cause.THROTTLE,
            id="customised-body-keeps-its-type",
        ),
        pytest.param(
            {**REST, "x-amzn-ErrorType": "LimitExceededException"},
            '{"message":"Limit Exceeded"}',
            Cause.QUOTA,
            id="rest-quota",
        ),
        pytest.param({}, '{"message":"Limit Exceeded"}', Cause.QUOTA, id="quota-by-body"),
        pytest.param(
            {**REST, "x-amzn-ErrorType": "LimitExceededException"},
            TOO_MANY,
            Cause.QUOTA,
            id="the-type-outranks-the-body",
        ),
        pytest.param(HTTP, TOO_MANY, Cause.THROTTLE, id="http-throttle"),
        pytest.param({}, '{"Message": "too many requests"}', Cause.THROTTLE, id="capital-key"),
        pytest.param(HTTP, "Too Many Requests", Cause.THROTTLE, id="text-of-a-gateway"),
        pytest.param({}, "Too Many Requests\n", Cause.UNKNOWN, id="text-of-anybody"),
        pytest.param(
            {**HTTP, "Retry-After": "3"}, TOO_MANY, Cause.APPLICATION, id="gateways-never-retry"
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "0"}, "{}", Cause.APPLICATION, id="rate-limit-header"
        ),
        pytest.param({"RateLimit": "l;r=0"}, "", Cause.APPLICATION, id="ietf-rate-limit-header"),
        pytest.param(
            {**REST, "x-amzn-Remapped-Date": "x"}, "no", Cause.APPLICATION, id="integration"
        ),
        pytest.param(REST, '{"error":"busy"}', Cause.UNKNOWN, id="foreign-body"),
        pytest.param({}, "", Cause.UNKNOWN, id="empty"),
        pytest.param({}, '["Too Many Requests"]', Cause.UNKNOWN, id="json-list"),
        pytest.param({}, '{"message":7,"Reason":[]}', Cause.UNKNOWN, id="odd-types"),
        pytest.param(
            {"x-amzn-ErrorType": "TooManyRequestsException"},
            '{"Message":"Rate Exceeded."}',
            Cause.LAMBDA_CONCURRENCY,
            id="function-url",
        ),
        pytest.param(
            {"Retry-After": "1"},
            '{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User",'
            '"message":"Rate Exceeded."}',
            Cause.LAMBDA_CONCURRENCY,
            id="function-url-with-a-reason",
        ),
        pytest.param(
            REST,
            '{"Reason":"ConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}',
            Cause.LAMBDA_CONCURRENCY,
            id="lambda-through-an-api",
        ),
        pytest.param(REST, '{"message":"Rate exceeded"}', Cause.UNKNOWN, id="another-service"),
    ],
)
def test_a_429_is_throttled_by_whom_it_shows(
    headers: dict[str, str], body: str, cause: Cause
) -> None:
    found = kind_of(answer(429, body, headers))
    assert found == Kind(Outcome.THROTTLED, cause, Evidence.WIRE)


def test_a_throttle_with_another_status_is_known_by_its_type() -> None:
    headers = {**REST, "x-amzn-ErrorType": "TooManyRequestsException"}
    assert kind_of(answer(503, "busy", headers)) == wire(Outcome.THROTTLED, Cause.THROTTLE)


@pytest.mark.parametrize(
    ("status", "headers", "body", "cause"),
    [
        pytest.param(401, REST, '{"message":"Unauthorized"}', Cause.AUTHORIZER, id="401"),
        pytest.param(401, {}, "", Cause.AUTHORIZER, id="bare-401"),
        pytest.param(
            403,
            {**REST, "x-amzn-ErrorType": "MissingAuthenticationTokenException"},
            '{"message":"Missing Authentication Token"}',
            Cause.AUTHORIZER,
            id="no-token",
        ),
        pytest.param(
            403, {}, '{"message":"Missing Authentication Token"}', Cause.AUTHORIZER, id="by-body"
        ),
        pytest.param(
            403,
            REST,
            '{"Message":"User is not authorized to access this resource with an explicit deny"}',
            Cause.AUTHORIZER,
            id="denied",
        ),
        pytest.param(
            403,
            REST,
            '{"Message":"User: arn:aws:iam::1:user/a is not authorized to perform: execute-api"}',
            Cause.AUTHORIZER,
            id="iam-denied",
        ),
        pytest.param(
            403,
            REST,
            '{"message":"The security token included in the request is expired"}',
            Cause.AUTHORIZER,
            id="expired",
        ),
        pytest.param(
            403, {"x-amzn-ErrorType": "AccessDeniedException"}, "", Cause.AUTHORIZER, id="type"
        ),
        pytest.param(
            403,
            {**REST, "x-amzn-ErrorType": "ForbiddenException"},
            FORBIDDEN,
            Cause.UNKNOWN,
            id="key-or-waf-or-disabled-endpoint",
        ),
        pytest.param(403, {}, FORBIDDEN, Cause.UNKNOWN, id="forbidden-by-body"),
        pytest.param(
            403, {"x-amzn-ErrorType": "ForbiddenException"}, "x", Cause.UNKNOWN, id="other-words"
        ),
        pytest.param(403, HTTP, FORBIDDEN, Cause.AUTHORIZER, id="http-api-has-no-waf"),
        pytest.param(403, HTTP, "Forbidden", Cause.NONE, id="text-of-an-application"),
        pytest.param(403, {}, '{"error":"not yours"}', Cause.NONE, id="application"),
        pytest.param(
            403, {"Server": "awselb/2.0"}, "<html>403 Forbidden", Cause.WAF, id="load-balancer"
        ),
        pytest.param(
            403, {"x-amz-cf-id": "x"}, "<p>Request blocked.</p>", Cause.WAF, id="cloudfront"
        ),
        pytest.param(405, {"x-amzn-waf-action": "captcha"}, "", Cause.WAF, id="captcha"),
        pytest.param(400, REST, '{"message":"Invalid request body"}', Cause.NONE, id="400"),
        pytest.param(404, HTTP, '{"message":"Not Found"}', Cause.NONE, id="404"),
        pytest.param(499, {}, "", Cause.NONE, id="499"),
    ],
)
def test_other_4xx_are_client_errors(
    status: int, headers: dict[str, str], body: str, cause: Cause
) -> None:
    assert kind_of(answer(status, body, headers)) == wire(Outcome.CLIENT_ERROR, cause)


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (500, '{"message": "Internal server error"}', Cause.UNKNOWN),
        (500, '{"message":"Internal Server Error"}', Cause.UNKNOWN),
        (500, '{"error":"mine"}', Cause.NONE),
        (500, "", Cause.NONE),
        (502, '{"message": "Internal server error"}', Cause.NONE),
        (503, '{"message":"Service Unavailable"}', Cause.UNKNOWN),
        (503, "<html>", Cause.NONE),
        (504, '{"message": "Endpoint request timed out"}', Cause.INTEGRATION_TIMEOUT),
        (504, '{"message": "Internal server error"}', Cause.NONE),
        (504, "", Cause.NONE),
        (600, "", Cause.NONE),
        (999, "", Cause.NONE),
    ],
)
def test_5xx_are_server_errors_of_a_cause_if_it_shows(status: int, body: str, cause: Cause) -> None:
    assert kind_of(answer(status, body)) == wire(Outcome.SERVER_ERROR, cause)


OUTCOME_OF_STATUS = {4: Outcome.CLIENT_ERROR, 5: Outcome.SERVER_ERROR}


@pytest.mark.parametrize("name", [*REST_TYPES, *REST_UNTYPED])
def test_each_answer_of_a_rest_api_has_the_outcome_of_its_status(name: str) -> None:
    kind = (REST_TYPES | REST_UNTYPED)[name]
    one = answer(kind.status, kind.body(), {**REST, "x-amzn-ErrorType": kind.error_type})
    wanted = Outcome.THROTTLED if kind.status == 429 else OUTCOME_OF_STATUS[kind.status // 100]
    assert kind_of(one).outcome is wanted


@pytest.mark.parametrize("name", HTTP_TYPES)
def test_each_answer_of_an_http_api_has_the_outcome_of_its_status(name: str) -> None:
    status, message = HTTP_TYPES[name]
    one = answer(status, json.dumps({"message": message}), HTTP)
    wanted = Outcome.THROTTLED if status == 429 else OUTCOME_OF_STATUS[status // 100]
    assert kind_of(one).outcome is wanted


# -- rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        pytest.param({"status": [418]}, True, id="status"),
        pytest.param({"status": [404, 418]}, True, id="one-of-several"),
        pytest.param({"status": [404]}, False, id="another-status"),
        pytest.param({"headers": {"x-shed": "^y"}}, True, id="header"),
        pytest.param({"headers": {"x-shed": "no"}}, False, id="another-value"),
        pytest.param({"headers": {"x-absent": ""}}, False, id="no-such-header"),
        pytest.param({"body": "(?i)TEA"}, True, id="body"),
        pytest.param({"body": "coffee"}, False, id="another-body"),
        pytest.param({"step": "GET /"}, True, id="step"),
        pytest.param({"step": "GET"}, False, id="another-step"),
        pytest.param({"status": [418], "body": "coffee"}, False, id="all-must-hold"),
        pytest.param({}, True, id="everything"),
    ],
)
def test_a_rule_fits_when_all_of_it_holds(when: dict[str, Any], *, fits: bool) -> None:
    one = answer(418, "my tea", {"X-Shed": "yes"})
    found = kind_of(one, {"when": when, "outcome": "throttled", "cause": "application"})
    ruled = Kind(Outcome.THROTTLED, Cause.APPLICATION, Evidence.RULE)
    assert found == (ruled if fits else Kind(Outcome.CLIENT_ERROR))


def test_the_first_rule_that_fits_decides() -> None:
    rules = [
        {"when": {"status": [503], "body": "quota"}, "outcome": "throttled", "cause": "quota"},
        {"when": {"body": "busy"}, "outcome": "throttled", "cause": "stage"},
        {"when": {"status": [503]}, "outcome": "server_error", "cause": "application"},
    ]
    assert kind_of(answer(503, "quota, busy"), *rules).cause is Cause.QUOTA
    assert kind_of(answer(503, "busy"), *rules).cause is Cause.STAGE
    assert kind_of(answer(503), *rules).cause is Cause.APPLICATION
    assert kind_of(answer(504), *rules).cause is Cause.NONE


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("ok", OK),
        ("throttled", Kind(Outcome.THROTTLED, Cause.UNKNOWN, Evidence.RULE)),
        ("server_error", Kind(Outcome.SERVER_ERROR, Cause.NONE, Evidence.RULE)),
        ("timeout", Kind(Outcome.TIMEOUT, Cause.NONE, Evidence.RULE)),
        ("check_failed", Kind(Outcome.CHECK_FAILED, Cause.NONE, Evidence.RULE)),
    ],
)
def test_a_rule_need_not_name_a_cause(outcome: str, kind: Kind) -> None:
    assert kind_of(answer(429), {"when": {"status": [429]}, "outcome": outcome}) == kind


def test_a_rule_can_be_about_what_looks_like_success() -> None:
    rule = {"when": {"status": [200], "body": '"error"'}, "outcome": "server_error"}
    assert kind_of(answer(200, '{"error": 1}'), rule).outcome is Outcome.SERVER_ERROR
    assert kind_of(answer(200, "{}"), rule) == OK
    assert kind_of(answer(201, '{"error": 1}'), rule) == OK


@given(
    st.integers(0, 999),
    st.binary(max_size=60),
    st.binary(max_size=200),
    st.sampled_from([Cause.NONE, Cause.RESET, Cause.RESPONSE_TIMEOUT]),
)
def test_every_answer_has_a_kind(status: int, head: bytes, body: bytes, cause: Cause) -> None:
    one = Answer(status, head, body, cause, 1, 2, 3, 0, 0, 0)
    assert Kind.of(Classifier().kind(one, "GET /")).outcome in Outcome
