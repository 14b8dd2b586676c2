"""All that stands before an integration, together: who gets through, and what is noted."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from unittest import mock

import pytest
from authorizer_rig import ARN, HOST, NOW_S, exchange
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from sandbox.credentials import CredentialStore
from sandbox.gateway.authorizers.access import AccessControl
from sandbox.gateway.authorizers.jwt import KeyCache
from sandbox.gateway.authorizers.lambda_authorizer import FunctionAnswer, LambdaAuthorizers
from sandbox.gateway.context_variables import compiled
from sandbox.gateway.outcome import Failed
from sandbox.gateway.proxy_events import event_v1, event_v2
from sandbox.gateway.snapshot import IamAuthorization, JwtAuthorizer, LambdaAuthorizer, Route
from sandbox.lambda_api.names import FunctionReference

KEY = RSAKey.generate_key(2048, {"kid": "k"}, auto_kid=False)
ISSUER = "https://issuer.example"
JWT = JwtAuthorizer("a", "tokens", ("$request.header.Authorization",), ISSUER, ("orders",))
CODE = LambdaAuthorizer(
    "b", "code", "REQUEST", FunctionReference("guard"), ("method.request.header.X-Token",), 300
)
TARGET = "/live/orders/7?who=me"
NOW = datetime.fromtimestamp(NOW_S, UTC)


async def fetch(url):
    return json.dumps(KeySet([KEY]).as_dict(private=False)).encode()


def control(answer=None, clock=time.monotonic):
    async def call(exchange, authorizer, event):
        return FunctionAnswer(json.dumps(answer).encode())

    keys = CredentialStore("000000000000", clock=lambda: NOW_S)
    return AccessControl(keys.secret_of, KeyCache(fetch), LambdaAuthorizers(call), clock)


def check(made, authorization=None, *, scopes=(), answer=None, clock=time.monotonic):
    route = Route("GET /orders/{id}", "GET", "/orders/{id}", "r", None, authorization, scopes)
    return asyncio.run(control(answer, clock).check(made, route))


def resource_policy(effect="Allow", *more, **conditions):
    one = {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke"}
    one |= {"Resource": "execute-api:/*", **conditions}
    return {"Version": "2012-10-17", "Statement": [one, *more]}


def elsewhere():
    """A policy that allows all but requests from this machine."""
    denial = resource_policy("Deny", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})
    return resource_policy("Allow", *denial["Statement"])


def signature(secret="sandbox"):  # noqa: S107 - the sandbox's own
    described = AWSRequest("GET", f"https://{HOST}{TARGET}", headers={"Host": HOST})
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        SigV4Auth(Credentials("sandbox", secret), "execute-api", "us-east-1").add_auth(described)
    return {name: value for name, value in described.headers.items() if name != "Host"}


def bearer(**changes):
    claims = {"iss": ISSUER, "aud": "orders", "sub": "me", "exp": int(NOW_S) + 60, **changes}
    return {"Authorization": "Bearer " + jwt.encode({"alg": "RS256", "kid": "k"}, claims, KEY)}


def allow(resource=f"{ARN}/*", **more):
    one = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
    return {"principalId": "me", "policyDocument": {"Statement": [one]}, **more}


ANONYMOUS = "User: anonymous is not authorized to perform: execute-api:Invoke on resource: "
MASKED = f"{ARN.replace('000000000000', '********0000')}/live/GET/orders/7"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (None, None),
        (resource_policy(), None),
        (resource_policy(Resource="execute-api:/other/*"), ANONYMOUS + MASKED),
        (elsewhere(), f"{ANONYMOUS}{MASKED} with an explicit deny"),
    ],
    ids=["none", "allows", "says nothing", "denies"],
)
def test_a_resource_policy_without_other_authorization(policy, message):
    expected = None if message is None else Failed("ACCESS_DENIED", message=message)
    assert check(exchange(policy=policy)) == expected


def test_a_policy_that_is_none_lets_nobody_in():
    assert check(exchange(policy={"Statement": 7})) == Failed("API_CONFIGURATION_ERROR")


# Signatures


def test_a_signature_says_who_calls():
    made = exchange(headers=signature())
    assert check(made, IamAuthorization()) is None
    assert (made.access_key, made.principal_id) == ("sandbox", "000000000000")
    assert made.caller_arn == "arn:aws:iam::000000000000:root"
    assert event_v1(made)["requestContext"]["identity"]["userArn"] == made.caller_arn


LOGGED = " ".join(
    f"$context.{part}.{name}"
    for part in ("authenticate", "authorize", "authorizer")
    for name in ("status", "latency", "error")
)


@pytest.mark.parametrize(
    ("kind", "headers", "policy", "line"),
    [
        ("REST", signature(), None, "200 0 - 200 0 - - - -"),
        ("REST", {}, None, "403 0 Missing_Authentication_Token - - - - - -"),
        ("REST", signature(), elsewhere(), "- - - - - - - - -"),
        ("HTTP", {}, None, "403 0 - - - - - - Missing_Authentication_Token"),
    ],
    ids=["allowed", "unsigned", "denied by its address", "unsigned at an HTTP API"],
)
def test_logs_tell_authentication_from_authorization(kind, headers, policy, line):
    made = exchange(kind, headers, policy=policy)
    check(made, IamAuthorization(), clock=lambda: 0.0)
    shown = compiled(LOGGED).render(made, missing="-")
    assert shown.replace("Missing Authentication Token", "Missing_Authentication_Token") == line


def test_logs_tell_that_a_policy_denies_a_caller():
    root = resource_policy("Deny", Principal={"AWS": "arn:aws:iam::000000000000:root"})
    made = exchange(headers=signature(), policy=root)
    assert check(made, IamAuthorization()) is not None
    assert (made.authenticate_status, made.authorize_status) == (200, 403)
    assert "with an explicit deny" in made.authorize_error


@pytest.mark.parametrize(
    ("headers", "name", "part"),
    [
        ({}, "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token"),
        (signature("wrong"), "INVALID_SIGNATURE", "does not match"),
    ],
    ids=["unsigned", "wrong"],
)
def test_bad_signatures(headers, name, part):
    made = exchange(headers=headers)
    failed = check(made, IamAuthorization())
    assert failed.name == name
    assert part in failed.message
    assert made.caller_arn is None


@pytest.mark.parametrize(
    ("policy", "is_allowed"),
    [
        (resource_policy(Resource="execute-api:/other/*"), True),
        (resource_policy("Deny", Principal={"AWS": "000000000000"}), False),
        (elsewhere(), False),
    ],
    ids=["says nothing", "denies the account", "denies the address"],
)
def test_of_the_own_account_only_a_denial_keeps_one_out(policy, is_allowed):
    failed = check(exchange(headers=signature(), policy=policy), IamAuthorization())
    assert (failed is None) == is_allowed


# Tokens


def test_a_token_says_who_calls():
    made = exchange("HTTP", bearer(scope="read"))
    assert check(made, JWT, scopes=("read",)) is None
    claims = event_v2(made)["requestContext"]["authorizer"]["jwt"]
    assert claims["claims"]["sub"] == made.principal_id == "me"
    assert claims["scopes"] == ["read"]
    assert made.authorizer_status == 200
    assert made.authorizer_latency_ms is not None
    assert made.waited_ms > 0


@pytest.mark.parametrize(
    ("kind", "headers", "scopes", "name", "status"),
    [
        ("HTTP", {}, (), "UNAUTHORIZED", None),
        ("HTTP", {"Authorization": "Bearer x"}, (), "UNAUTHORIZED", 401),
        ("HTTP", bearer(exp=int(NOW_S)), (), "UNAUTHORIZED", 401),
        ("HTTP", bearer(), ("read",), "ACCESS_DENIED", 403),
        ("REST", bearer(), ("read",), "UNAUTHORIZED", 403),
    ],
    ids=["missing", "none", "expired", "scope", "scope of a REST API"],
)
def test_bad_tokens(kind, headers, scopes, name, status):
    made = exchange(kind, headers)
    assert check(made, JWT, scopes=scopes).name == name
    assert made.authorizer_status == status
    assert made.authorizer_error
    assert made.authorizer_context is None


def test_a_token_does_not_outweigh_a_resource_policy():
    policy = resource_policy(Resource="execute-api:/other/*")
    assert check(exchange(headers=bearer(), policy=policy), JWT).name == "ACCESS_DENIED"


# Functions

TOKEN = {"X-Token": "abc"}


def test_a_function_says_who_calls():
    made = exchange(headers=TOKEN)
    assert check(made, CODE, answer=allow(context={"n": 1}, usageIdentifierKey="key")) is None
    assert (made.principal_id, made.usage_identifier_key) == ("me", "key")
    assert made.authorizer_context == {"n": "1", "principalId": "me"}
    assert made.authorizer_status == 200


@pytest.mark.parametrize(
    ("headers", "answer", "failed", "status"),
    [
        ({}, allow(), Failed("UNAUTHORIZED"), 401),
        (
            TOKEN,
            allow(f"{ARN}/live/POST/*"),
            Failed("ACCESS_DENIED", message="User is not authorized to access this resource"),
            200,
        ),
        (TOKEN, {}, Failed("AUTHORIZER_CONFIGURATION_ERROR"), 500),
    ],
    ids=["no identity", "not allowed", "no decision"],
)
def test_a_function_keeps_somebody_out(headers, answer, failed, status):
    made = exchange(headers=headers)
    assert check(made, CODE, answer=answer) == failed
    assert made.authorizer_status == status


def test_an_explicit_denial_is_called_one():
    answer = allow()
    answer["policyDocument"]["Statement"][0]["Effect"] = "Deny"
    failed = check(exchange(headers=TOKEN), CODE, answer=answer)
    assert failed.message == (
        "User is not authorized to access this resource with an explicit deny"
    )


@pytest.mark.parametrize(
    ("policy", "is_allowed"),
    [
        (resource_policy(), True),
        (resource_policy(Resource="execute-api:/other/*"), False),
        (elsewhere(), False),
    ],
    ids=["allows", "says nothing", "denies"],
)
def test_both_the_function_and_the_policy_have_to_allow(policy, is_allowed):
    failed = check(exchange(headers=TOKEN, policy=policy), CODE, answer=allow())
    assert (failed is None) == is_allowed
