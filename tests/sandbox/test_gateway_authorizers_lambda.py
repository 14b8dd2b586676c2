"""Lambda authorizers: what they are asked, what they say, and what is kept of it."""

from __future__ import annotations

import asyncio
import json

import pytest
from authorizer_rig import ARN, exchange
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gateway.authorizers import lambda_authorizer
from sandbox.gateway.authorizers.identity import identity_value
from sandbox.gateway.authorizers.lambda_answers import MalformedDecision, parse_decision
from sandbox.gateway.authorizers.lambda_authorizer import (
    AuthorizerFailed,
    CallRefused,
    FunctionAnswer,
    LambdaAuthorizers,
    Unauthorized,
)
from sandbox.gateway.snapshot import LambdaAuthorizer
from sandbox.lambda_api.names import FunctionReference

METHOD_ARN = f"{ARN}/live/GET/orders/7"
TOKEN = {"X-Token": "abc"}


def authorizer(**changes):
    members = {
        "id": "auth1",
        "name": "code",
        "kind": "REQUEST",
        "function": FunctionReference("guard"),
        "identity_sources": ("method.request.header.X-Token",),
        "result_ttl_s": 300,
        **changes,
    }
    return LambdaAuthorizer(**members)


def token_authorizer(**changes):
    return authorizer(kind="TOKEN", **changes)


def policy(effect="Allow", resource=f"{ARN}/*", **more):
    one = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"principalId": "me", "policyDocument": {"Statement": [one]}, **more}


class Function:
    """Answers with what it is given, and keeps the events."""

    def __init__(self, answer=None, *, error=None, refused=None):
        self.answer = policy() if answer is None else answer
        self.error, self.refused = error, refused
        self.events = []

    async def __call__(self, exchange, authorizer, event):
        self.events.append(json.loads(event))
        if self.refused:
            raise CallRefused(self.refused)
        return FunctionAnswer(json.dumps(self.answer).encode(), self.error)


def decide(function, made=None, of=None, *, kept=None):
    kept = kept or LambdaAuthorizers(function)
    return asyncio.run(kept.decide(made or exchange(headers=TOKEN), of or authorizer()))


# What they are asked


def test_the_event_of_a_token_authorizer():
    function = Function()
    decide(function, of=token_authorizer())
    assert function.events == [
        {"type": "TOKEN", "methodArn": METHOD_ARN, "authorizationToken": "abc"}
    ]


def test_the_event_of_a_request_authorizer_of_a_rest_api():
    function = Function()
    decide(function)
    (event,) = function.events
    assert (event["type"], event["methodArn"]) == ("REQUEST", METHOD_ARN)
    assert (event["resource"], event["path"]) == ("/orders/{id}", "/orders/7")
    assert event["httpMethod"] == "GET"
    assert event["headers"]["X-Token"] == "abc"
    assert event["queryStringParameters"] == {"who": "me"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["stageVariables"]["colour"] == "blue"
    assert event["requestContext"]["stage"] == "live"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert not {"body", "isBase64Encoded", "version", "identitySource"} & event.keys()


HTTP_SOURCES = ("$request.header.X-Token", "$request.querystring.who")


def test_the_event_of_an_http_api_in_format_1():
    function = Function()
    of = authorizer(identity_sources=HTTP_SOURCES)
    decide(function, exchange("HTTP", TOKEN), of)
    (event,) = function.events
    assert (event["version"], event["type"], event["methodArn"]) == ("1.0", "REQUEST", METHOD_ARN)
    assert event["identitySource"] == event["authorizationToken"] == "abc,me"
    assert "body" not in event


def test_the_event_of_an_http_api_in_format_2():
    function = Function()
    of = authorizer(identity_sources=HTTP_SOURCES, payload_format="2.0")
    decide(function, exchange("HTTP", {**TOKEN, "Cookie": "a=1; b=2"}), of)
    (event,) = function.events
    assert (event["version"], event["type"], event["routeArn"]) == ("2.0", "REQUEST", METHOD_ARN)
    assert event["identitySource"] == ["abc", "me"]
    assert event["routeKey"] == "GET /orders/{id}"
    assert event["rawPath"] == "/live/orders/7"
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["http"]["method"] == "GET"
    assert not {"body", "isBase64Encoded"} & event.keys()


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("method.request.header.x-token", "abc"),
        ("method.request.querystring.who", "me"),
        ("method.request.path.id", "7"),
        ("method.request.header.other", None),
        ("method.request.body.x", None),
        ("stageVariables.colour", "blue"),
        ("stageVariables.empty", None),
        ("context.identity.sourceIp", "127.0.0.1"),
        ("context.httpMethod", "GET"),
        ("context.apiId", "a1b2c3d4e5"),
        ("context.identity.apiKey", None),
        ("$request.header.X-Token", "abc"),
        ("$request.querystring.who", "me"),
        ("$context.routeKey", "GET /orders/{id}"),
        ("$stageVariables.colour", "blue"),
    ],
)
def test_identity_sources(source, value):
    assert identity_value(source, exchange(headers=TOKEN)) == value


@pytest.mark.parametrize("headers", [{}, {"X-Token": ""}], ids=["missing", "empty"])
@pytest.mark.parametrize("ttl_s", [0, 300])
@pytest.mark.parametrize("of", [authorizer, token_authorizer])
def test_without_an_identity_nobody_is_asked(headers, ttl_s, of):
    function = Function()
    with pytest.raises(Unauthorized):
        decide(function, exchange(headers=headers), of(result_ttl_s=ttl_s))
    assert function.events == []


@pytest.mark.parametrize(("pattern", "asked"), [("[a-c]+", 1), ("[a-b]+", 0), ("", 1)])
def test_a_token_has_to_match_as_a_whole(pattern, asked):
    function = Function()
    of = token_authorizer(identity_validation=pattern)
    if asked:
        decide(function, of=of)
    else:
        with pytest.raises(Unauthorized):
            decide(function, of=of)
    assert len(function.events) == asked


def test_without_identity_sources_each_request_is_asked_for():
    function = Function()
    kept = LambdaAuthorizers(function)
    for _ in range(2):
        decide(function, of=authorizer(identity_sources=()), kept=kept)
    assert len(function.events) == 2


# What they say


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (policy(), "allow"),
        (policy("Deny"), "deny"),
        (policy(resource=f"{ARN}/live/POST/*"), "implicit deny"),
        (policy(resource=METHOD_ARN), "allow"),
    ],
    ids=range(4),
)
def test_policies(answer, verdict):
    assert decide(Function(answer)).verdict(METHOD_ARN) == verdict


@pytest.mark.parametrize(("allowed", "verdict"), [(True, "allow"), (False, "implicit deny")])
def test_simple_answers(allowed, verdict):
    answer = {"isAuthorized": allowed, "context": {"list": [1], "map": {"a": True}}}
    of = authorizer(payload_format="2.0", simple_responses=True)
    decision = decide(Function(answer), of=of)
    assert decision.verdict(METHOD_ARN) == verdict
    assert decision.context == {"list": [1], "map": {"a": True}}


def test_what_a_decision_tells_the_integration():
    answer = policy(
        context={"text": "a", "number": 1.5, "yes": True, "none": None}, usageIdentifierKey="key"
    )
    decision = decide(Function(answer))
    assert decision.principal_id == "me"
    assert decision.usage_identifier_key == "key"
    assert decision.context == {"text": "a", "number": "1.5", "yes": "true"}


def test_format_2_hands_on_values_as_they_are():
    answer = policy(context={"number": 1, "list": ["a"]})
    decision = decide(Function(answer), of=authorizer(payload_format="2.0"))
    assert decision.context == {"number": 1, "list": ["a"]}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        "Unauthorized",
        {"isAuthorized": True},
        {"principalId": "me"},
        {**policy(), "principalId": None},
        {**policy(), "principalId": ""},
        {**policy(), "policyDocument": {"Statement": [{"Effect": "Allow"}]}},
        policy(context="x"),
        policy(context={"list": [1]}),
        policy(usageIdentifierKey=7),
    ],
    ids=range(10),
)
def test_answers_that_are_no_decision(answer):
    with pytest.raises(AuthorizerFailed) as caught:
        decide(Function(answer))
    assert caught.value.response_type == "AUTHORIZER_CONFIGURATION_ERROR"


@pytest.mark.parametrize("answer", [policy(), {}, {"isAuthorized": "true"}], ids=range(3))
def test_simple_answers_have_a_boolean(answer):
    of = authorizer(payload_format="2.0", simple_responses=True)
    with pytest.raises(AuthorizerFailed):
        decide(Function(answer), of=of)


@given(st.binary(max_size=50) | st.text(max_size=50).map(lambda text: json.dumps(text).encode()))
def test_any_answer_is_a_decision_or_none(payload):
    with pytest.raises(MalformedDecision):
        parse_decision(payload, authorizer())


def test_a_function_says_unauthorized_by_failing_with_the_word():
    with pytest.raises(Unauthorized):
        decide(Function({"errorMessage": "Unauthorized"}, error="Unhandled"))


@pytest.mark.parametrize(
    "function",
    [
        Function({"errorMessage": "unauthorized"}, error="Unhandled"),
        Function({"errorMessage": "Unauthorized: no"}, error="Unhandled"),
        Function([], error="Unhandled"),
        Function(refused="Rate exceeded"),
    ],
    ids=["other case", "more words", "no message", "refused by Lambda"],
)
def test_a_function_that_fails(function):
    with pytest.raises(AuthorizerFailed) as caught:
        decide(function)
    assert caught.value.response_type == "AUTHORIZER_FAILURE"


def test_a_function_that_takes_too_long_runs_on_and_is_dropped_at_the_end(monkeypatch):
    monkeypatch.setattr(lambda_authorizer, "TIMEOUT_S", 0.01)
    ended = []

    async def slow(exchange, authorizer, event):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def late():
        kept = LambdaAuthorizers(slow)
        with pytest.raises(AuthorizerFailed, match="timed out"):
            await kept.decide(exchange(headers=TOKEN), authorizer())
        assert ended == []
        await kept.close()
        assert ended == [True]

    asyncio.run(late())


# What is kept


def keeping(function, **options):
    time = [0.0]
    return LambdaAuthorizers(function, clock=lambda: time[0], **options), time


def test_an_answer_is_kept_for_its_time():
    function = Function()
    kept, time = keeping(function)
    for moment, asked in ((0.0, 1), (299.9, 1), (300.0, 2), (599.9, 2)):
        time[0] = moment
        decide(function, kept=kept)
        assert len(function.events) == asked


def test_no_time_keeps_nothing():
    function = Function()
    kept, _ = keeping(function)
    for _ in range(2):
        decide(function, of=authorizer(result_ttl_s=0), kept=kept)
    assert len(function.events) == 2


@pytest.mark.parametrize(
    ("headers", "of"),
    [({"X-Token": "other"}, {}), (TOKEN, {"id": "auth2"})],
    ids=["other identity", "other authorizer"],
)
def test_answers_are_kept_apart(headers, of):
    function = Function()
    kept, _ = keeping(function)
    decide(function, kept=kept)
    decide(function, exchange(headers=headers), authorizer(**of), kept=kept)
    assert len(function.events) == 2


def test_failures_are_not_kept():
    function = Function([])
    kept, _ = keeping(function)
    for _ in range(2):
        with pytest.raises(AuthorizerFailed):
            decide(function, kept=kept)
    assert len(function.events) == 2


def test_a_kept_policy_is_asked_anew_for_each_method():
    function = Function(policy(resource=METHOD_ARN))
    kept, _ = keeping(function)
    decide(function, kept=kept)
    decision = decide(function, kept=kept)
    assert len(function.events) == 1
    assert decision.verdict(METHOD_ARN) == "allow"
    assert decision.verdict(f"{ARN}/live/DELETE/orders/7") == "implicit deny"


def test_what_was_used_last_is_kept_longest():
    function = Function()
    kept, _ = keeping(function, capacity=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        decide(function, exchange(headers={"X-Token": name}), kept=kept)
    asked = [event["headers"]["X-Token"] for event in function.events]
    assert asked == ["a", "b", "c", "b"]


def test_a_reset_forgets_one_stage():
    function = Function()
    kept, _ = keeping(function)
    decide(function, kept=kept)
    kept.reset(("a1b2c3d4e5", "other"))
    decide(function, kept=kept)
    assert len(function.events) == 1
    kept.reset(("a1b2c3d4e5", "live"))
    decide(function, kept=kept)
    assert len(function.events) == 2
