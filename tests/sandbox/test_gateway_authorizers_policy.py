"""Policies: what they allow, what they deny, and what is no policy."""

from __future__ import annotations

import pytest
from authorizer_rig import ARN, HOME
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gateway.authorizers.policy import PolicyError, parse_policy, wildcard
from sandbox.gateway.authorizers.resource_policy import (
    evaluate_resource_policy,
    parse_resource_policy,
)

GET_7 = f"{ARN}/live/GET/orders/7"
ROLE_SESSION = "arn:aws:sts::000000000000:assumed-role/tester/me"


def statement(effect="Allow", resource=f"{ARN}/*", action="execute-api:Invoke", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([statement()], "allow"),
        ([statement(resource=GET_7)], "allow"),
        ([statement(resource=[f"{ARN}/x", GET_7])], "allow"),
        ([statement(resource="*")], "allow"),
        ([statement(resource=f"{ARN}/live/GET/*")], "allow"),
        ([statement(resource=f"{ARN}/*/GET/orders/?")], "allow"),
        ([statement(resource=f"{ARN}/live/POST/*")], "implicit deny"),
        ([statement(resource=f"{ARN}/live/GET/orders")], "implicit deny"),
        ([statement(action="execute-api:*")], "allow"),
        ([statement(action="Execute-API:invoke")], "allow"),
        ([statement(action=["s3:GetObject", "*"])], "allow"),
        ([statement(action="execute-api:InvalidateCache")], "implicit deny"),
        ([statement(), statement("Deny", GET_7)], "deny"),
        ([statement("Deny", GET_7), statement()], "deny"),
        ([statement(), statement("Deny", f"{ARN}/live/DELETE/*")], "allow"),
        ([statement("Deny", f"{ARN}/live/DELETE/*")], "implicit deny"),
    ],
    ids=range(16),
)
def test_the_policy_of_an_authorizer(statements, verdict):
    policy = parse_policy(document(*statements), with_principals=False)
    assert policy.evaluate(GET_7) == verdict


def test_one_statement_may_stand_without_a_list():
    policy = parse_policy({"Statement": statement()}, with_principals=False)
    assert policy.evaluate(GET_7) == "allow"


ANYBODY = {"Principal": "*", "Resource": "execute-api:/*"}


@pytest.mark.parametrize(
    ("statements", "principal", "verdict"),
    [
        ([statement(**ANYBODY)], None, "allow"),
        ([statement(**{**ANYBODY, "Resource": "execute-api:/live/GET/*"})], None, "allow"),
        ([statement(**{**ANYBODY, "Resource": "execute-api:/test/*"})], None, "implicit deny"),
        ([statement(Principal={"AWS": "*"})], None, "allow"),
        ([statement(Principal={"AWS": "000000000000"})], None, "implicit deny"),
        ([statement(Principal={"AWS": "000000000000"})], ROLE_SESSION, "allow"),
        ([statement(Principal={"AWS": "arn:aws:iam::000000000000:root"})], ROLE_SESSION, "allow"),
        (
            [statement(Principal={"AWS": ["x", "arn:aws:iam::000000000000:role/tester"]})],
            ROLE_SESSION,
            "allow",
        ),
        (
            [statement(Principal={"AWS": "arn:aws:iam::000000000000:role/other"})],
            ROLE_SESSION,
            "implicit deny",
        ),
        ([statement(Principal={"AWS": "111111111111"})], ROLE_SESSION, "implicit deny"),
    ],
    ids=range(10),
)
def test_principals(statements, principal, verdict):
    policy = parse_resource_policy(document(*statements), HOME, "a1b2c3d4e5")
    assert evaluate_resource_policy(policy, HOME, GET_7, "10.0.0.1", principal) == verdict


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": ["192.168.0.0/16", "10.0.0.1"]}}, True),
        ({"IpAddress": {"aws:sourceip": "10.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.2"}}, False),
        ({"IpAddress": {"aws:SourceIp": "::/0"}}, False),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"NotIpAddress": {"aws:SourceIp": ["11.0.0.0/8", "12.0.0.0/8"]}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": "000000000000"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": ["1", "2"]}}, False),
        ({"StringNotEquals": {"aws:PrincipalAccount": "1"}}, True),
        ({"StringLike": {"aws:PrincipalArn": "*assumed-role/t?ster/*"}}, True),
        ({"StringNotLike": {"aws:PrincipalArn": "*tester*"}}, False),
        # What a request from the internet does not have.
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, False),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, True),
        (
            {
                "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
                "StringEquals": {"aws:PrincipalAccount": "1"},
            },
            False,
        ),
    ],
    ids=str,
)
def test_conditions(condition, holds):
    one = statement(Principal="*", Condition=condition)
    policy = parse_resource_policy(document(one), HOME, "a1b2c3d4e5")
    verdict = evaluate_resource_policy(policy, HOME, GET_7, "10.0.0.1", ROLE_SESSION)
    assert verdict == ("allow" if holds else "implicit deny")


def test_a_denial_of_other_addresses_as_the_docs_have_it():
    policy = parse_resource_policy(
        document(
            statement(**ANYBODY),
            statement(
                "Deny",
                Principal="*",
                resource="execute-api:/*",
                Condition={"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/24"]}},
            ),
        ),
        HOME,
        "a1b2c3d4e5",
    )
    assert evaluate_resource_policy(policy, HOME, GET_7, "10.0.0.9") == "allow"
    assert evaluate_resource_policy(policy, HOME, GET_7, "10.0.1.9") == "deny"


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"Statement": []},
        {"Statement": "x"},
        document("x"),
        document(statement("allow", Principal="*")),
        document(statement()),
        document(statement(Principal={"Service": "x"})),
        document(statement(Principal={"AWS": []})),
        document(statement(Principal="*", action=None)),
        document(statement(Principal="*", resource=[7])),
        document(statement(Principal="*", NotAction="x")),
        document(statement(Principal="*", Condition={"Bool": {"a": "true"}})),
        document(statement(Principal="*", Condition={"IpAddress": {"aws:SourceIp": "x"}})),
        document(statement(Principal="*", Condition={"IpAddress": "x"})),
        document(statement(Principal="*", Condition="x")),
    ],
    ids=range(17),
)
def test_what_is_no_policy(wrong):
    with pytest.raises(PolicyError):
        parse_resource_policy(wrong, HOME, "a1b2c3d4e5")


@given(st.text("a*?.", max_size=8), st.text("ab.\n", max_size=8))
def test_wildcards_are_those_of_a_slow_and_plain_matcher(pattern, text):
    def matches(p, t):
        if not p:
            return not t
        if p[0] == "*":
            return matches(p[1:], t) or (bool(t) and matches(p, t[1:]))
        return bool(t) and p[0] in ("?", t[0]) and matches(p[1:], t[1:])

    assert bool(wildcard(pattern).fullmatch(text)) == matches(pattern, text)
