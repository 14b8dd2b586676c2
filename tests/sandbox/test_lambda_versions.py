"""Publishing, deduplication, numbering and deletion of versions."""

from __future__ import annotations

from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


def test_a_version_freezes_latest(client: Any, new_function: Any, settled: Any) -> None:
    name = new_function(MemorySize=256)
    published = client.publish_version(FunctionName=name, Description="first")
    assert published["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert published["FunctionArn"] == f"{ARN}{name}:1"
    client.update_function_configuration(FunctionName=name, MemorySize=512)
    settled(client, name)
    frozen = client.get_function_configuration(FunctionName=name, Qualifier="1")
    assert (frozen["MemorySize"], frozen["Description"]) == (256, "first")
    assert frozen["RevisionId"] == published["RevisionId"]


@pytest.mark.parametrize("description", [None, "another"], ids=["plain", "with a description"])
def test_publishing_again_without_a_change_gives_the_same_version(
    client: Any, new_function: Any, description: str | None
) -> None:
    name = new_function()
    first = client.publish_version(FunctionName=name, Description="first")
    more = {} if description is None else {"Description": description}
    again = client.publish_version(FunctionName=name, **more)
    assert again["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (again["Version"], again["RevisionId"]) == ("1", first["RevisionId"])
    assert again["Description"] == "first"


@pytest.mark.parametrize(
    "change",
    [{"MemorySize": 192}, {"Description": "other"}, {"Environment": {"Variables": {"KEY": "1"}}}],
    ids=["memory", "description", "environment"],
)
def test_a_change_makes_a_new_version(
    client: Any, new_function: Any, settled: Any, change: dict[str, Any]
) -> None:
    name = new_function()
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, **change)
    settled(client, name)
    assert client.publish_version(FunctionName=name)["Version"] == "2"


def test_a_change_that_was_taken_back_is_no_change(
    client: Any, new_function: Any, settled: Any
) -> None:
    name = new_function()
    client.publish_version(FunctionName=name)
    for memory_mb in (256, 128):
        client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
        settled(client, name)
    assert client.publish_version(FunctionName=name)["Version"] == "1"


def test_numbers_are_never_used_twice(client: Any, new_function: Any, settled: Any) -> None:
    name = new_function()
    client.publish_version(FunctionName=name)
    client.delete_function(FunctionName=name, Qualifier="1")
    assert client.publish_version(FunctionName=name)["Version"] == "2"


def test_a_version_that_an_alias_points_to_stays(
    client: Any, new_function: Any, settled: Any, refused: Any
) -> None:
    name = new_function()
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    settled(client, name)
    client.publish_version(FunctionName=name)
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    for number in ("1", "2"):
        assert refused(client.delete_function, FunctionName=name, Qualifier=number) == (
            "ResourceConflictException",
            409,
            "Unable to delete version because the following aliases reference it: [live]",
        )
    client.delete_alias(FunctionName=name, Name="live")
    client.delete_function(FunctionName=name, Qualifier="1")
    expected = ("ResourceNotFoundException", 404, f"Function not found: {ARN}{name}:1")
    assert refused(client.invoke, FunctionName=name, Qualifier="1") == expected


def test_the_guard_on_the_code_is_checked(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    current = client.get_function_configuration(FunctionName=name)["CodeSha256"]
    message = (
        f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({current}). "
        "Please try again with the CodeSHA256 in $LATEST."
    )
    answer = refused(client.publish_version, FunctionName=name, CodeSha256="other")
    assert answer == ("InvalidParameterValueException", 400, message)
    assert client.publish_version(FunctionName=name, CodeSha256=current)["Version"] == "1"


def test_publish_while_creating_and_updating(
    client: Any, new_function: Any, settled: Any, make_zip: Any
) -> None:
    name = new_function(Publish=True)
    assert client.get_function_configuration(FunctionName=name, Qualifier="1")["State"] == "Active"
    package = make_zip({"app.py": "z = 3\n"})
    updated = client.update_function_code(FunctionName=name, ZipFile=package, Publish=True)
    assert updated["Version"] == "2"
    settled(client, name)
    listed = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2"]
    assert listed[0]["CodeSha256"] == listed[2]["CodeSha256"] != listed[1]["CodeSha256"]


def test_versions_are_listed_in_pages(client: Any, new_function: Any, settled: Any) -> None:
    name = new_function()
    for memory_mb in (128, 256, 512):
        client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
        settled(client, name)
        client.publish_version(FunctionName=name)
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1}
    )
    numbers = [version["Version"] for page in pages for version in page["Versions"]]
    assert numbers == ["$LATEST", "1", "2", "3"]


@pytest.fixture
def twelve_versions(start_sandbox: Any, connect: Any, create_in: Any) -> tuple[Any, str, list[str]]:
    """A client, and a function with `$LATEST` and the versions 1 to 12."""
    client = connect(start_sandbox(update_s=0.0))
    name = create_in(client, "many")
    for number in range(12):
        client.update_function_configuration(FunctionName=name, Description=str(number))
        client.publish_version(FunctionName=name)
    return client, name, [str(number) for number in range(1, 13)]


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_versions_can_be_deleted_page_by_page(
    twelve_versions: tuple[Any, str, list[str]], size: int
) -> None:
    client, name, numbers = twelve_versions
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": size}
    )
    deleted = []
    for page in pages:
        for version in page["Versions"]:
            if version["Version"] != "$LATEST":
                client.delete_function(FunctionName=name, Qualifier=version["Version"])
                deleted.append(version["Version"])
    assert deleted == numbers
    [latest] = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert latest["Version"] == "$LATEST"


def test_what_is_added_while_pages_are_read_is_listed_once(
    twelve_versions: tuple[Any, str, list[str]],
) -> None:
    client, name, numbers = twelve_versions
    first = client.list_versions_by_function(FunctionName=name, MaxItems=10)
    client.update_function_configuration(FunctionName=name, Description="new")
    client.publish_version(FunctionName=name)
    second = client.list_versions_by_function(FunctionName=name, Marker=first["NextMarker"])
    listed = [version["Version"] for version in (*first["Versions"], *second["Versions"])]
    assert listed == ["$LATEST", *numbers, "13"]
    assert "NextMarker" not in second


@pytest.mark.parametrize(
    "marker", ["1", "$LATEST", "", "no base64!", "ä", "MTIz", "Og==", "LTE6Zg==", "W" * 4000]
)
@pytest.mark.parametrize("listing", ["versions", "functions", "aliases"])
def test_a_marker_of_ones_own_is_refused(
    client: Any, new_function: Any, refused: Any, listing: str, marker: str
) -> None:
    name = {} if listing == "functions" else {"FunctionName": new_function()}
    call = {
        "versions": client.list_versions_by_function,
        "functions": client.list_functions,
        "aliases": client.list_aliases,
    }[listing]
    assert refused(call, **name, Marker=marker) == (
        "InvalidParameterValueException",
        400,
        "Invalid Marker",
    )
