"""Aliases: their checks, their weights, and where they send invocations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


@pytest.fixture
def two_versions(client: Any, new_function: Any, settled: Any) -> str:
    """A function with the versions 1 and 2."""
    name = new_function(Publish=True)
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    settled(client, name)
    client.publish_version(FunctionName=name)
    return str(name)


def test_an_alias_lives_its_life(client: Any, two_versions: str, refused: Any) -> None:
    alias = {"FunctionName": two_versions, "Name": "live"}
    created = client.create_alias(**alias, FunctionVersion="1", Description="old")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["AliasArn"] == f"{ARN}{two_versions}:live"
    moved = client.update_alias(**alias, FunctionVersion="2")
    assert (moved["FunctionVersion"], moved["Description"]) == ("2", "old")
    assert moved["RevisionId"] != created["RevisionId"]
    assert client.get_alias(**alias)["FunctionVersion"] == "2"
    deleted = client.delete_alias(**alias)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    arn = f"{ARN}{two_versions}:live"
    gone = ("ResourceNotFoundException", 404)
    assert refused(client.get_alias, **alias) == (*gone, f"Cannot find alias arn: {arn}")
    assert refused(client.update_alias, **alias) == (*gone, f"Alias not found: {arn}")
    assert client.delete_alias(**alias)["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize(
    ("version", "weights", "code", "message"),
    [
        pytest.param(
            "1",
            {"2": 0.1, "3": 0.1},
            "InvalidParameterValueException",
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
            id="two more versions",
        ),
        pytest.param(
            "$LATEST",
            {"1": 0.1},
            "InvalidParameterValueException",
            "$LATEST is not supported for an alias pointing to more than 1 version",
            id="LATEST with weights",
        ),
        pytest.param(
            "1",
            {"1": 0.1},
            "InvalidParameterValueException",
            "Invalid function version 1. Function version 1 is already included in routing "
            "configuration.",
            id="the same version twice",
        ),
        pytest.param(
            "9",
            {},
            "ResourceNotFoundException",
            "Function not found: {arn}:9",
            id="no such version",
        ),
        pytest.param(
            "1",
            {"9": 0.5},
            "ResourceNotFoundException",
            "Function not found: {arn}:9",
            id="no such second version",
        ),
    ],
)
def test_what_an_alias_cannot_be(
    client: Any,
    two_versions: str,
    refused: Any,
    version: str,
    weights: dict[str, float],
    code: str,
    message: str,
) -> None:
    answer = refused(
        client.create_alias,
        FunctionName=two_versions,
        Name="live",
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": weights},
    )
    assert (answer[0], answer[2]) == (code, message.format(arn=ARN + two_versions))


def test_a_name_is_taken_once(client: Any, two_versions: str, refused: Any) -> None:
    alias = {"FunctionName": two_versions, "Name": "live", "FunctionVersion": "1"}
    client.create_alias(**alias)
    assert refused(client.create_alias, **alias) == (
        "ResourceConflictException",
        409,
        f"Alias already exists: {ARN}{two_versions}:live",
    )


def test_weights_are_between_0_and_1(loose_client: Any, two_versions: str, refused: Any) -> None:
    code, status, message = refused(
        loose_client.create_alias,
        FunctionName=two_versions,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 1.5}},
    )
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith(
        "1 validation error detected: Value '{2=1.5}' at 'routingConfig.additionalVersionWeights' "
        "failed to satisfy constraint:"
    )


def test_a_change_for_another_revision_is_refused(
    client: Any, two_versions: str, refused: Any
) -> None:
    alias = {"FunctionName": two_versions, "Name": "live"}
    created = client.create_alias(**alias, FunctionVersion="1")
    answer = refused(client.update_alias, **alias, FunctionVersion="2", RevisionId="stale")
    assert answer[:2] == ("PreconditionFailedException", 412)
    client.update_alias(**alias, FunctionVersion="2", RevisionId=created["RevisionId"])


def test_invocations_follow_the_weights(client: Any, two_versions: str) -> None:
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    client.create_alias(
        FunctionName=two_versions, Name="live", FunctionVersion="1", RoutingConfig=routing
    )
    served = Counter(
        client.invoke(FunctionName=two_versions, Qualifier="live")["ExecutedVersion"]
        for _ in range(400)
    )
    # 100 are expected, with a standard deviation of 8.7: 55 to 145 fails less than once in a
    # million runs.
    assert 55 < served["2"] < 145
    assert served["1"] + served["2"] == 400


def test_weights_are_taken_away_with_an_empty_routing(client: Any, two_versions: str) -> None:
    alias = {"FunctionName": two_versions, "Name": "live"}
    routing = {"AdditionalVersionWeights": {"2": 1.0}}
    client.create_alias(**alias, FunctionVersion="1", RoutingConfig=routing)
    assert client.get_alias(**alias)["RoutingConfig"] == routing
    changed = client.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in changed


def test_aliases_are_listed_by_version(client: Any, two_versions: str) -> None:
    for name, version in (("b", "1"), ("a", "2"), ("c", "1")):
        client.create_alias(FunctionName=two_versions, Name=name, FunctionVersion=version)
    listed = client.list_aliases(FunctionName=two_versions)["Aliases"]
    assert [alias["Name"] for alias in listed] == ["a", "b", "c"]
    of_one = client.list_aliases(FunctionName=two_versions, FunctionVersion="1")["Aliases"]
    assert [alias["Name"] for alias in of_one] == ["b", "c"]


def test_aliases_can_be_deleted_page_by_page(client: Any, two_versions: str) -> None:
    names = ["a", "b-c", "b_c", "d"]
    for name in names:
        client.create_alias(FunctionName=two_versions, Name=name, FunctionVersion="1")
    pages = client.get_paginator("list_aliases").paginate(
        FunctionName=two_versions, PaginationConfig={"PageSize": 1}
    )
    deleted = []
    for page in pages:
        for alias in page["Aliases"]:
            client.delete_alias(FunctionName=two_versions, Name=alias["Name"])
            deleted.append(alias["Name"])
    assert deleted == names


def test_an_alias_cannot_be_deleted_as_a_version(
    client: Any, two_versions: str, refused: Any
) -> None:
    client.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1")
    assert refused(client.delete_function, FunctionName=two_versions, Qualifier="live") == (
        "InvalidParameterValueException",
        400,
        "Deletion of aliases is not currently supported.",
    )
