"""Lambda: what is created, changed and published."""

from __future__ import annotations

import base64
import hashlib
import json

from tests.contract.account import Account, http_status, refusal, refused
from tests.contract.functions import (
    ECHO,
    RUNTIME,
    answers,
    arn_of,
    changed,
    create,
    new_function,
    package,
    settled,
)
from tests.contract.step import step


@step(moto="Active at once")
def a_new_function_is_pending_and_then_active(aws: Account) -> None:
    name = aws.name("fn")
    created = create(aws, name, MemorySize=256, Timeout=7, Description="echo")
    assert http_status(created) == 201
    assert created["State"] == "Pending"
    shown = settled(aws, name)
    assert shown["FunctionArn"] == f"arn:aws:lambda:us-east-1:{aws.id}:function:{name}"
    assert (shown["MemorySize"], shown["Timeout"], shown["Version"]) == (256, 7, "$LATEST")
    assert (shown["Runtime"], shown["Handler"]) == (RUNTIME, "app.handler")
    assert shown["CodeSha256"] == _sha256(package(ECHO))
    assert shown["CodeSize"] == len(package(ECHO))


@step()
def defaults_are_128_mb_and_3_seconds(aws: Account) -> None:
    shown = settled(aws, new_function(aws))
    assert (shown["MemorySize"], shown["Timeout"]) == (128, 3)
    assert shown["PackageType"] == "Zip"
    assert shown["Architectures"] == ["x86_64"]
    assert shown["EphemeralStorage"] == {"Size": 512}
    assert shown["TracingConfig"] == {"Mode": "PassThrough"}


@step()
def a_name_is_taken_once(aws: Account) -> None:
    name = new_function(aws)
    found = refusal(create, account=aws, name=name)
    assert (found.code, found.status) == ("ResourceConflictException", 409)
    assert name in found.message


@step()
def a_missing_function_is_404(aws: Account) -> None:
    name = aws.name("fn")
    functions = aws.client("lambda")
    missing = ("ResourceNotFoundException", 404)
    assert refused(functions.get_function, FunctionName=name) == missing
    assert refused(functions.get_function_configuration, FunctionName=name) == missing
    assert refused(functions.delete_function, FunctionName=name) == missing
    assert refused(functions.publish_version, FunctionName=name) == missing


@step(moto="accepts any size", ministack="accepts any size")
def memory_above_10240_mb_is_refused(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    found = refusal(functions.update_function_configuration, FunctionName=name, MemorySize=10_241)
    assert found.status == 400
    # Of the model's constraints: some accounts are told so by InvalidParameterValueException.
    assert found.code in ("ValidationException", "InvalidParameterValueException")
    assert settled(aws, name)["MemorySize"] == 128


@step(moto="Successful at once")
def a_change_is_in_progress_and_then_successful(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    answer = functions.update_function_configuration(FunctionName=name, MemorySize=512)
    assert http_status(answer) == 200
    assert (answer["MemorySize"], answer["LastUpdateStatus"]) == (512, "InProgress")
    assert settled(aws, name)["MemorySize"] == 512


@step(moto="shows no RevisionId", ministack="PublishVersion ignores the RevisionId")
def a_revision_guards_against_lost_updates(aws: Account) -> None:
    name = new_function(aws)
    first = settled(aws, name)["RevisionId"]
    second = changed(aws, name, RevisionId=first, Timeout=9)["RevisionId"]
    assert first != second
    functions = aws.client("lambda")
    guarded = {"FunctionName": name, "RevisionId": first}
    stale = ("PreconditionFailedException", 412)
    assert refused(functions.update_function_configuration, **guarded, Timeout=10) == stale
    assert refused(functions.publish_version, **guarded) == stale
    assert settled(aws, name)["Timeout"] == 9


@step()
def new_code_has_a_new_sum(aws: Account) -> None:
    name = new_function(aws)
    code = package(answers(body="new"))
    aws.client("lambda").update_function_code(FunctionName=name, ZipFile=code)
    shown = settled(aws, name)
    assert shown["CodeSha256"] == _sha256(code)


@step()
def versions_count_from_one(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    first = functions.publish_version(FunctionName=name, Description="one")
    assert (http_status(first), first["Version"]) == (201, "1")
    assert first["FunctionArn"] == f"{arn_of(aws, name)}:1"
    changed(aws, name, MemorySize=256)
    assert functions.publish_version(FunctionName=name)["Version"] == "2"
    listed = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2"]


@step(moto="a new version each time")
def publishing_what_is_published_gives_the_same_version(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    first = functions.publish_version(FunctionName=name)
    again = functions.publish_version(FunctionName=name)
    assert http_status(again) == 201
    assert (again["Version"], again["RevisionId"]) == (first["Version"], first["RevisionId"])


@step()
def a_version_keeps_its_configuration(aws: Account) -> None:
    name = new_function(aws, MemorySize=256)
    functions = aws.client("lambda")
    functions.publish_version(FunctionName=name)
    changed(aws, name, MemorySize=1024)
    old = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    new = functions.get_function_configuration(FunctionName=name, Qualifier="$LATEST")
    assert (old["MemorySize"], new["MemorySize"]) == (256, 1024)


@step(moto="ignores CodeSha256", ministack="ignores CodeSha256")
def the_sum_guards_what_is_published(aws: Account) -> None:
    name = new_function(aws)
    publish = aws.client("lambda").publish_version
    wrong = refused(publish, FunctionName=name, CodeSha256=_sha256(b"other"))
    assert wrong == ("InvalidParameterValueException", 400)


@step(moto="ConflictException for a name that is taken")
def an_alias_points_to_a_version(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    functions.publish_version(FunctionName=name)
    alias = {"FunctionName": name, "Name": "live"}
    created = functions.create_alias(**alias, FunctionVersion="1")
    assert http_status(created) == 201
    assert created["AliasArn"] == f"{arn_of(aws, name)}:live"
    assert functions.get_alias(**alias)["FunctionVersion"] == "1"
    taken = refused(functions.create_alias, **alias, FunctionVersion="1")
    assert taken == ("ResourceConflictException", 409)
    assert [entry["Name"] for entry in functions.list_aliases(FunctionName=name)["Aliases"]] == [
        "live"
    ]
    assert http_status(functions.delete_alias(**alias)) == 204
    assert refused(functions.get_alias, **alias) == ("ResourceNotFoundException", 404)


@step(ministack="accepts any version")
def an_alias_needs_a_version_that_exists(aws: Account) -> None:
    name = new_function(aws)
    create_alias = aws.client("lambda").create_alias
    missing = refused(create_alias, FunctionName=name, Name="live", FunctionVersion="7")
    assert missing == ("ResourceNotFoundException", 404)


@step()
def an_alias_divides_calls_between_two_versions(aws: Account) -> None:
    name = _two_versions(aws)
    functions = aws.client("lambda")
    alias = {"FunctionName": name, "Name": "live"}
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    functions.create_alias(**alias, FunctionVersion="1", RoutingConfig=weights)
    assert functions.get_alias(**alias)["RoutingConfig"] == weights
    functions.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})
    assert not functions.get_alias(**alias).get("RoutingConfig", {}).get("AdditionalVersionWeights")


@step(moto="accepts any weights", ministack="accepts any weights")
def weights_are_checked(aws: Account) -> None:
    name = _two_versions(aws)
    functions = aws.client("lambda")
    wrong = ("InvalidParameterValueException", 400)

    def create_alias(version: str, weights: dict[str, float]) -> tuple[str, int]:
        return refused(
            functions.create_alias,
            FunctionName=name,
            Name="live",
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights},
        )

    assert create_alias("1", {"1": 0.5}) == wrong
    assert create_alias("1", {"1": 0.1, "2": 0.1}) == wrong
    assert create_alias("$LATEST", {"1": 0.5}) == wrong


@step(moto="deletes the version")
def a_version_with_an_alias_stays(aws: Account) -> None:
    name = _two_versions(aws)
    functions = aws.client("lambda")
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    held = refused(functions.delete_function, FunctionName=name, Qualifier="1")
    assert held == ("ResourceConflictException", 409)
    assert http_status(functions.delete_function(FunctionName=name, Qualifier="2")) in (200, 204)
    gone = refused(functions.get_function_configuration, FunctionName=name, Qualifier="2")
    assert gone == ("ResourceNotFoundException", 404)


@step()
def reserved_concurrency_is_set_and_removed(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    concurrency = functions.get_function_concurrency(FunctionName=name)
    assert concurrency["ReservedConcurrentExecutions"] == 7
    assert functions.get_function(FunctionName=name)["Concurrency"] == {
        "ReservedConcurrentExecutions": 7
    }
    assert http_status(functions.delete_function_concurrency(FunctionName=name)) == 204
    concurrency = functions.get_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in concurrency


@step(moto="404 for GetAccountSettings", ministack="lets all be reserved")
def a_hundred_executions_stay_unreserved(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    total = functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    found = refusal(
        functions.put_function_concurrency,
        FunctionName=name,
        ReservedConcurrentExecutions=total - 99,
    )
    assert (found.code, found.status) == ("InvalidParameterValueException", 400)
    assert "UnreservedConcurrentExecution" in found.message


@step(moto="404 for GetAccountSettings")
def the_account_knows_its_limits(aws: Account) -> None:
    new_function(aws)
    settings = aws.client("lambda").get_account_settings()
    limit = settings["AccountLimit"]
    assert limit["ConcurrentExecutions"] >= limit["UnreservedConcurrentExecutions"] > 0
    assert (limit["CodeSizeZipped"], limit["CodeSizeUnzipped"]) == (52_428_800, 262_144_000)
    assert settings["AccountUsage"]["FunctionCount"] >= 1


@step(
    moto="200 for AddPermission, where AWS has 201",
    ministack="shows an empty policy, where AWS has a 404",
)
def who_may_invoke_is_a_policy(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    permission = {
        "FunctionName": name,
        "StatementId": "api",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": f"arn:aws:execute-api:us-east-1:{aws.id}:abc/*",
    }
    added = functions.add_permission(**permission)
    assert http_status(added) == 201
    assert refused(functions.add_permission, **permission) == ("ResourceConflictException", 409)
    statement = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"][0]
    assert statement == json.loads(added["Statement"])
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": permission["SourceArn"]}}
    assert statement["Resource"] == arn_of(aws, name)
    functions.remove_permission(FunctionName=name, StatementId="api")
    assert refused(functions.get_policy, FunctionName=name) == ("ResourceNotFoundException", 404)


@step(moto="ignores MaxItems")
def functions_are_listed_in_pages(aws: Account) -> None:
    names = {new_function(aws) for _ in range(3)}
    functions = aws.client("lambda")
    first = functions.list_functions(MaxItems=1)
    assert len(first["Functions"]) == 1
    assert first["NextMarker"]
    pages = functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
    listed = {function["FunctionName"] for page in pages for function in page["Functions"]}
    assert names <= listed


@step()
def a_deleted_function_is_gone(aws: Account) -> None:
    name = _two_versions(aws)
    functions = aws.client("lambda")
    assert http_status(functions.delete_function(FunctionName=name)) in (200, 204)
    gone = refused(functions.get_function_configuration, FunctionName=name, Qualifier="1")
    assert gone == ("ResourceNotFoundException", 404)


def _two_versions(aws: Account) -> str:
    name = new_function(aws)
    functions = aws.client("lambda")
    functions.publish_version(FunctionName=name)
    changed(aws, name, MemorySize=256)
    functions.publish_version(FunctionName=name)
    return name


def _sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
