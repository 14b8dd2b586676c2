"""Resource policies: as AWS's clients add, read and remove them, and what they allow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.background import BackgroundSandbox
from sandbox.execution.executor import LocalExecutor
from sandbox.lambda_api.context import LambdaOptions
from sandbox.lambda_api.policies import allows_service, arn_like
from sandbox.lambda_api.records import Code, Function, Policy, Settings, Statement, Version
from sandbox.lambda_api.store import FunctionStore
from sandbox.server import SandboxOptions

GATEWAY = "apigateway.amazonaws.com"
ROUTES = "arn:aws:execute-api:us-east-1:000000000000:abc123/*/GET/orders"
SOURCE = "arn:aws:execute-api:us-east-1:000000000000:abc123/prod/GET/orders"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"

ALLOWED = {"StatementId": "s1", "Action": "lambda:InvokeFunction", "Principal": GATEWAY}


def policy_of(client: Any, name: str, **more: Any) -> dict[str, Any]:
    return dict(json.loads(client.get_policy(FunctionName=name, **more)["Policy"]))


def test_a_statement_is_shown_as_aws_shows_it(client: Any, new_function: Any) -> None:
    name = new_function()
    answer = client.add_permission(FunctionName=name, SourceArn=ROUTES, **ALLOWED)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    statement = {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": {"Service": GATEWAY},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN + name,
        "Condition": {"ArnLike": {"AWS:SourceArn": ROUTES}},
    }
    assert json.loads(answer["Statement"]) == statement
    assert policy_of(client, name) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [statement],
    }


@pytest.mark.parametrize(
    ("arguments", "principal", "condition"),
    [
        pytest.param({"Principal": "*"}, "*", None, id="everybody"),
        pytest.param(
            {"Principal": "123456789012"},
            {"AWS": "arn:aws:iam::123456789012:root"},
            None,
            id="an account",
        ),
        pytest.param(
            {"Principal": "arn:aws:iam::123456789012:role/r"},
            {"AWS": "arn:aws:iam::123456789012:role/r"},
            None,
            id="a role",
        ),
        pytest.param(
            {"Principal": "s3.amazonaws.com", "SourceAccount": "123456789012"},
            {"Service": "s3.amazonaws.com"},
            {"StringEquals": {"AWS:SourceAccount": "123456789012"}},
            id="a service for an account",
        ),
        pytest.param(
            {
                "Principal": "*",
                "Action": "lambda:InvokeFunctionUrl",
                "FunctionUrlAuthType": "NONE",
            },
            "*",
            {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
            id="a function URL",
        ),
        pytest.param(
            {"Principal": "*", "PrincipalOrgID": "o-abcdefghij"},
            "*",
            {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}},
            id="an organization",
        ),
        pytest.param(
            {"Principal": "*", "InvokedViaFunctionUrl": True},
            "*",
            {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
            id="by a function URL only",
        ),
    ],
)
def test_principals_and_conditions(
    client: Any, new_function: Any, arguments: Any, principal: Any, condition: Any
) -> None:
    answer = client.add_permission(FunctionName=new_function(), **{**ALLOWED, **arguments})
    statement = json.loads(answer["Statement"])
    assert statement["Principal"] == principal
    assert statement.get("Condition") == condition


def test_function_version_and_alias_have_policies_of_their_own(
    client: Any, new_function: Any, refused: Any
) -> None:
    name = new_function(Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.add_permission(FunctionName=name, Qualifier="live", **ALLOWED)
    client.add_permission(FunctionName=f"{name}:1", **ALLOWED)
    for qualifier in ("live", "1"):
        [statement] = policy_of(client, name, Qualifier=qualifier)["Statement"]
        assert statement["Resource"] == f"{ARN}{name}:{qualifier}"
    assert refused(client.get_policy, FunctionName=name)[1] == 404


def test_a_policy_goes_with_its_alias_and_its_version(
    client: Any, new_function: Any, refused: Any
) -> None:
    name = new_function(Publish=True)
    alias = {"FunctionName": name, "Name": "live", "FunctionVersion": "1"}
    client.create_alias(**alias)
    client.add_permission(FunctionName=name, Qualifier="live", **ALLOWED)
    client.delete_alias(FunctionName=name, Name="live")
    client.create_alias(**alias)
    assert refused(client.get_policy, FunctionName=name, Qualifier="live")[1] == 404


def test_a_statement_id_is_there_once(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    client.add_permission(FunctionName=name, **ALLOWED)
    assert refused(client.add_permission, FunctionName=name, **ALLOWED) == (
        "ResourceConflictException",
        409,
        (
            "The statement id (s1) provided already exists. Please provide a new statement id, or "
            "remove the existing statement."
        ),
    )
    client.add_permission(FunctionName=name, Qualifier="1", **ALLOWED)
    client.add_permission(FunctionName=name, **{**ALLOWED, "StatementId": "s2"})
    assert [it["Sid"] for it in policy_of(client, name)["Statement"]] == ["s1", "s2"]


def test_with_the_last_statement_the_policy_is_gone(
    client: Any, new_function: Any, refused: Any
) -> None:
    name = new_function()
    remove = client.remove_permission
    nothing = refused(remove, FunctionName=name, StatementId="s1")
    assert nothing[:2] == ("ResourceNotFoundException", 404)
    for number in ("s1", "s2"):
        client.add_permission(FunctionName=name, **{**ALLOWED, "StatementId": number})
    unknown = refused(remove, FunctionName=name, StatementId="s3")
    assert unknown == (
        "ResourceNotFoundException",
        404,
        "Statement s3 is not found in resource policy.",
    )
    assert remove(FunctionName=name, StatementId="s1")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert [it["Sid"] for it in policy_of(client, name)["Statement"]] == ["s2"]
    remove(FunctionName=name, StatementId="s2")
    assert refused(client.get_policy, FunctionName=name)[1] == 404


def test_changes_are_guarded_by_the_revision(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    client.add_permission(FunctionName=name, **ALLOWED)
    revision = client.get_policy(FunctionName=name)["RevisionId"]
    second = {**ALLOWED, "StatementId": "s2"}
    stale = refused(client.add_permission, FunctionName=name, RevisionId="old", **second)
    assert stale[:2] == ("PreconditionFailedException", 412)
    client.add_permission(FunctionName=name, RevisionId=revision, **second)
    remove = {"FunctionName": name, "StatementId": "s2"}
    stale = refused(client.remove_permission, RevisionId=revision, **remove)
    assert stale[:2] == ("PreconditionFailedException", 412)
    client.remove_permission(
        RevisionId=client.get_policy(FunctionName=name)["RevisionId"], **remove
    )


@pytest.mark.parametrize(
    ("arguments", "code", "status", "part"),
    [
        ({"Qualifier": "$LATEST"}, "InvalidParameterValueException", 400, "$LATEST"),
        ({"Qualifier": "9"}, "ResourceNotFoundException", 404, "Function not found"),
        ({"FunctionName": "absent"}, "ResourceNotFoundException", 404, "Function not found"),
        ({"Principal": "nobody"}, "InvalidParameterValueException", 400, "principal was invalid"),
        (
            {"FunctionUrlAuthType": "NONE"},
            "InvalidParameterValueException",
            400,
            "only supported for lambda:InvokeFunctionUrl",
        ),
        ({"StatementId": "a b"}, "ValidationException", 400, "statementId"),
        ({"Action": "s3:GetObject"}, "ValidationException", 400, "action"),
    ],
    ids=["$LATEST", "no version", "no function", "principal", "auth type", "id", "action"],
)
def test_what_aws_refuses_is_refused(
    client: Any,
    new_function: Any,
    refused: Any,
    arguments: Any,
    code: str,
    status: int,
    part: str,
) -> None:
    arguments = {"FunctionName": new_function(), **ALLOWED, **arguments}
    answer = refused(client.add_permission, **arguments)
    assert answer[:2] == (code, status)
    assert part in answer[2]


def test_a_policy_has_twenty_kilobytes(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    for number in range(4):
        changes = {"StatementId": f"s{number}", "SourceArn": ROUTES + "x" * 4700}
        client.add_permission(FunctionName=name, **{**ALLOWED, **changes})
    last = {**ALLOWED, "StatementId": "last", "SourceArn": ROUTES + "x" * 1000}
    answer = refused(client.add_permission, FunctionName=name, **last)
    assert answer[:2] == ("PolicyLengthExceededException", 400)
    assert len(policy_of(client, name)["Statement"]) == 4


def test_policies_survive_a_restart(tmp_path: Path, connect: Any, create_in: Any) -> None:
    options = SandboxOptions(state_dir=tmp_path, lambda_options=LambdaOptions(update_s=0))

    def start() -> BackgroundSandbox:
        return BackgroundSandbox(options, lambda variables: LocalExecutor())

    with start() as sandbox:
        client = connect(sandbox)
        create_in(client, "f")
        client.add_permission(FunctionName="f", SourceArn=ROUTES, **ALLOWED)
        before = client.get_policy(FunctionName="f")
    with start() as sandbox:
        after = connect(sandbox).get_policy(FunctionName="f")
    assert (after["Policy"], after["RevisionId"]) == (before["Policy"], before["RevisionId"])


def test_a_state_file_of_before_there_were_policies_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    latest = Version("$LATEST", Settings("python3.12", "a.b", "role"), Code("", 0), "r", "c", "t")
    FunctionStore(path).put(Function("f", latest, latest))
    document = json.loads(path.read_text())
    del document["functions"][0]["policies"]
    path.write_text(json.dumps(document))
    [function] = FunctionStore(path)
    assert function.policies == {}


STATEMENT = Statement("s", "lambda:InvokeFunction", GATEWAY, ROUTES)


@pytest.mark.parametrize(
    ("changes", "is_allowed"),
    [
        pytest.param({}, True, id="just this"),
        pytest.param({"source_arn": None}, True, id="any source"),
        pytest.param({"source_arn": SOURCE}, True, id="the very source"),
        pytest.param({"source_arn": ROUTES.replace("GET", "POST")}, False, id="another method"),
        pytest.param({"source_arn": ROUTES.replace("abc", "xyz")}, False, id="another API"),
        pytest.param({"principal": "*"}, True, id="everybody"),
        pytest.param({"principal": "s3.amazonaws.com"}, False, id="another service"),
        pytest.param({"action": "lambda:*"}, True, id="all of Lambda"),
        pytest.param({"action": "*"}, True, id="all actions"),
        pytest.param({"action": "lambda:invokefunction"}, True, id="actions have no case"),
        pytest.param({"action": "lambda:GetFunction"}, False, id="another action"),
        pytest.param({"source_account": "000000000000"}, True, id="the account"),
        pytest.param({"source_account": "123456789012"}, False, id="another account"),
        pytest.param({"function_url_auth_type": "NONE"}, False, id="for a function URL"),
        pytest.param({"invoked_via_function_url": True}, False, id="by a function URL"),
        pytest.param({"invoked_via_function_url": False}, True, id="not by a function URL"),
        pytest.param({"event_source_token": "t"}, False, id="with a token"),
        pytest.param({"principal_org_id": "o-abcdefghij"}, False, id="from an organization"),
    ],
)
def test_what_a_statement_allows(changes: Any, is_allowed: bool) -> None:  # noqa: FBT001
    other = Statement("other", "lambda:InvokeFunction", "s3.amazonaws.com")
    policy = Policy((other, replace(STATEMENT, **changes)), "r")
    assert allows_service(policy, GATEWAY, SOURCE) == is_allowed


@pytest.mark.parametrize(
    ("pattern", "is_like"),
    [
        (SOURCE, True),
        ("arn:aws:execute-api:us-east-1:000000000000:abc123/*/*/*", True),
        ("arn:aws:execute-api:us-east-1:000000000000:abc123/*", True),
        ("arn:aws:execute-api:us-east-1:000000000000:*", True),
        ("arn:aws:execute-api:*:*:abc123/prod/GET/orders", True),
        ("arn:*:*:*:*:*", True),
        ("arn:aws:execute-api:us-east-?:000000000000:abc12?/prod/G??/orders", True),
        ("arn:aws:execute-api:us-east-1:000000000000:abc123/prod/GET/order?", True),
        ("arn:aws:execute-api:us-east-1:000000000000:abc123/prod/GET", False),
        ("arn:aws:execute-api:us-east-1:000000000000:ABC123/*", False),
        ("arn:aws:execute-api:us-east-?:000000000000:abc123?/*", False),
        ("arn:aws:execute-api:us-east-1:*", False),
        ("*", False),
        ("arn:aws:execute-api:us-east-1:000000000000:abc1.3/*", False),
    ],
)
def test_arn_like(pattern: str, is_like: bool) -> None:  # noqa: FBT001
    assert arn_like(pattern, SOURCE) == is_like


PARTS = st.text(st.characters(exclude_characters=":*?", codec="ascii"), max_size=8)
ARNS = st.lists(PARTS, min_size=6, max_size=8).map(":".join)


@given(ARNS, st.data())
def test_a_star_in_the_place_of_any_piece_of_a_part_is_like(arn: str, data: st.DataObject) -> None:
    assert arn_like(arn, arn)
    parts = arn.split(":", 5)
    at = data.draw(st.integers(0, 5))
    start = data.draw(st.integers(0, len(parts[at])))
    end = data.draw(st.integers(start, len(parts[at])))
    parts[at] = parts[at][:start] + "*" + parts[at][end:]
    assert arn_like(":".join(parts), arn)


@given(ARNS, ARNS)
def test_without_wildcards_only_the_same_is_like(pattern: str, arn: str) -> None:
    assert arn_like(pattern, arn) == (pattern == arn)
