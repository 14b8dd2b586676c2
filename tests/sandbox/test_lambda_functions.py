"""Creating, reading, changing and deleting functions with an unmodified boto3."""

from __future__ import annotations

import base64
import hashlib
import time
import urllib.request
from typing import Any

import pytest

ROLE = "arn:aws:iam::000000000000:role/any"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
BUSY = "The operation cannot be performed at this time. "


@pytest.fixture
def minimal(make_zip: Any) -> dict[str, Any]:
    return {
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Role": ROLE,
        "Code": {"ZipFile": make_zip({"app.py": "x = 1\n"})},
    }


def test_a_new_function_has_awss_defaults(client: Any, unused_name: Any, minimal: Any) -> None:
    name = unused_name()
    created = client.create_function(FunctionName=name, **minimal)
    zip_bytes = minimal["Code"]["ZipFile"]
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["FunctionArn"] == ARN + name
    assert created["CodeSha256"] == base64.b64encode(hashlib.sha256(zip_bytes).digest()).decode()
    expected = {
        "CodeSize": len(zip_bytes),
        "MemorySize": 128,
        "Timeout": 3,
        "Version": "$LATEST",
        "Description": "",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
    assert {key: created[key] for key in expected} == expected
    assert "Environment" not in created


def test_a_new_function_is_pending_and_then_active(
    client: Any, unused_name: Any, minimal: Any, settled: Any, refused: Any
) -> None:
    name = unused_name()
    created = client.create_function(FunctionName=name, **minimal)
    assert created["State"] == "Pending"
    shown = settled(client, name)
    assert shown["State"] == "Active"
    assert shown["RevisionId"] != created["RevisionId"]


def test_a_pending_function_can_be_neither_invoked_nor_changed(
    start_sandbox: Any, connect: Any, minimal: Any, refused: Any
) -> None:
    client = connect(start_sandbox(update_s=60))
    client.create_function(FunctionName="slow", **minimal)
    expected = (
        "ResourceConflictException",
        409,
        f"{BUSY}The function is currently in the following state: Pending",
    )
    assert refused(client.invoke, FunctionName="slow") == expected
    assert refused(client.publish_version, FunctionName="slow") == expected
    update = client.update_function_configuration
    assert refused(update, FunctionName="slow", MemorySize=256) == expected


@pytest.mark.parametrize("missing", ["Runtime", "Handler"])
def test_runtime_and_handler_are_mandatory(
    client: Any, unused_name: Any, minimal: Any, refused: Any, missing: str
) -> None:
    del minimal[missing]
    message = (
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages."
    )
    answer = refused(client.create_function, FunctionName=unused_name(), **minimal)
    assert answer == ("InvalidParameterValueException", 400, message)


def test_a_name_is_taken_once(client: Any, new_function: Any, minimal: Any, refused: Any) -> None:
    name = new_function()
    assert refused(client.create_function, FunctionName=name, **minimal) == (
        "ResourceConflictException",
        409,
        f"Function already exist: {name}",
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"Code": {}}, "Please provide a source for function code.", id="no code"),
        pytest.param(
            {"Code": {"S3Bucket": "bucket", "S3Key": "key"}},
            "S3Bucket: the sandbox takes code as ZipFile only",
            id="S3",
        ),
        pytest.param(
            {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:one:1"]},
            "Layers: the sandbox does not have layers",
            id="layers",
        ),
        pytest.param(
            {"PackageType": "Image"},
            "PackageType: the sandbox does not have container images",
            id="image",
        ),
        pytest.param(
            {"Environment": {"Variables": {"AWS_REGION": "x", "AWS_SESSION_TOKEN": "y"}}},
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            "for modification. Reserved keys used in this request: AWS_REGION, AWS_SESSION_TOKEN",
            id="reserved variables",
        ),
        pytest.param(
            {"Environment": {"Variables": {"GOOD": "x", "BAD": "a\0b"}}},
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains null characters, which no process can be given. "
            "Keys used in this request: BAD",
            id="null in a variable",
        ),
        pytest.param(
            {"Handler": "app\0.handler"},
            "Handler: must not contain a null character",
            id="null in the handler",
        ),
        pytest.param(
            {"Runtime": "python\0"},
            "Runtime: must not contain a null character",
            id="null in the runtime",
        ),
        pytest.param(
            {"Code": {"ZipFile": b"no zip"}},
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
            id="no zip",
        ),
        pytest.param(
            {"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "WARN"}},
            "To use ApplicationLogLevel or SystemLogLevel, you must set LogFormat to JSON.",
            id="log level of text",
        ),
    ],
)
def test_what_cannot_be_created_is_refused(
    loose_client: Any,
    unused_name: Any,
    minimal: Any,
    refused: Any,
    changes: dict[str, Any],
    message: str,
) -> None:
    name = unused_name()
    answer = refused(loose_client.create_function, FunctionName=name, **{**minimal, **changes})
    assert answer == ("InvalidParameterValueException", 400, message)
    assert refused(loose_client.get_function, FunctionName=name)[0] == "ResourceNotFoundException"


def test_environment_variables_have_4_kb(
    client: Any, unused_name: Any, minimal: Any, refused: Any
) -> None:
    code, status, message = refused(
        client.create_function,
        FunctionName=unused_name(),
        Environment={"Variables": {"LONG": "x" * 4096}},
        **minimal,
    )
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert "exceeded the 4KB limit. String measured: {" in message


def test_a_model_that_cannot_be_read_is_refused_at_once(
    client: Any, new_function: Any, refused: Any
) -> None:
    update = client.update_function_configuration
    variables = {"Variables": {"SANDBOX_MODEL": '{"duration_ms": "long"}'}}
    code, status, message = refused(update, FunctionName=new_function(), Environment=variables)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message.startswith("SANDBOX_MODEL: ")


def test_get_function_tells_where_the_code_is(client: Any, unused_name: Any, minimal: Any) -> None:
    name = unused_name()
    client.create_function(FunctionName=name, Tags={"team": "blue"}, **minimal)
    shown = client.get_function(FunctionName=name)
    assert shown["Tags"] == {"team": "blue"}
    assert shown["Configuration"]["FunctionName"] == name
    location = shown["Code"]["Location"]
    assert location.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(location, timeout=10) as answer:  # noqa: S310 - checked above
        assert answer.read() == minimal["Code"]["ZipFile"]


def test_a_qualifier_is_part_of_the_arn(client: Any, new_function: Any) -> None:
    name = new_function()
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def arn_of(**qualifier: str) -> tuple[str, str]:
        shown = client.get_function_configuration(FunctionName=name, **qualifier)
        return shown["FunctionArn"], shown["Version"]

    assert arn_of() == (ARN + name, "$LATEST")
    assert arn_of(Qualifier="$LATEST") == (f"{ARN}{name}:$LATEST", "$LATEST")
    assert arn_of(Qualifier="1") == (f"{ARN}{name}:1", "1")
    assert arn_of(Qualifier="live") == (f"{ARN}{name}:live", "1")


def test_an_update_is_in_progress_for_a_while(client: Any, new_function: Any, settled: Any) -> None:
    name = new_function()
    before = settled(client, name)
    changed = client.update_function_configuration(
        FunctionName=name, MemorySize=512, Timeout=9, Description="new"
    )
    assert changed["LastUpdateStatus"] == "InProgress"
    assert changed["MemorySize"] == 512
    after = settled(client, name)
    assert (after["MemorySize"], after["Timeout"], after["Description"]) == (512, 9, "new")
    revisions = {shown["RevisionId"] for shown in (before, changed, after)}
    assert len(revisions) == 3


def test_an_update_in_progress_refuses_the_next_change(
    start_sandbox: Any, connect: Any, create_in: Any, refused: Any, make_zip: Any
) -> None:
    sandbox = start_sandbox(update_s=0.7)
    client = connect(sandbox)
    name = create_in(client, "busy")
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    expected = (
        "ResourceConflictException",
        409,
        f"{BUSY}An update is in progress for resource: {ARN}{name}",
    )
    configure, code = client.update_function_configuration, client.update_function_code
    assert refused(configure, FunctionName=name, MemorySize=512) == expected
    assert refused(code, FunctionName=name, ZipFile=make_zip({"a.py": ""})) == expected
    assert refused(client.publish_version, FunctionName=name) == expected


def test_invocations_keep_the_old_configuration_until_an_update_is_done(
    start_sandbox: Any, connect: Any, create_in: Any, settled: Any
) -> None:
    client = connect(start_sandbox(update_s=0.7))
    name = create_in(client, "sizes")

    def memory_of_a_call() -> bytes:
        log = client.invoke(FunctionName=name, LogType="Tail")["LogResult"]
        return base64.b64decode(log).split(b"Memory Size: ")[1].split(b" ")[0]

    client.update_function_configuration(FunctionName=name, MemorySize=1024)
    assert client.get_function_configuration(FunctionName=name)["MemorySize"] == 1024
    assert memory_of_a_call() == b"128"
    settled(client, name)
    assert memory_of_a_call() == b"1024"


def test_new_code_changes_the_hash_and_a_dry_run_does_not(
    client: Any, new_function: Any, settled: Any, make_zip: Any
) -> None:
    name = new_function()
    before = settled(client, name)
    package = make_zip({"app.py": "y = 2\n"})
    dry = client.update_function_code(FunctionName=name, ZipFile=package, DryRun=True)
    assert dry["CodeSha256"] != before["CodeSha256"]
    assert settled(client, name)["CodeSha256"] == before["CodeSha256"]
    client.update_function_code(FunctionName=name, ZipFile=package)
    assert settled(client, name)["CodeSha256"] == dry["CodeSha256"]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("update_function_configuration", {"MemorySize": 256}),
        ("update_function_code", {"ZipFile": b"any"}),
        ("publish_version", {}),
    ],
)
def test_a_change_for_another_revision_is_refused(
    client: Any, new_function: Any, refused: Any, operation: str, arguments: dict[str, Any]
) -> None:
    name = new_function()
    call = getattr(client, operation)
    message = (
        "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetFunction/GetAlias API to retrieve the latest Revision Id"
    )
    answer = refused(call, FunctionName=name, RevisionId="stale", **arguments)
    assert answer == ("PreconditionFailedException", 412, message)


def test_deleted_functions_are_gone_and_start_over(
    client: Any, new_function: Any, create_in: Any, refused: Any
) -> None:
    name = new_function()
    assert client.publish_version(FunctionName=name)["Version"] == "1"
    deleted = client.delete_function(FunctionName=name)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    gone = ("ResourceNotFoundException", 404, f"Function not found: {ARN}{name}")
    assert refused(client.get_function, FunctionName=name) == gone
    assert refused(client.invoke, FunctionName=name) == gone
    assert refused(client.delete_function, FunctionName=name) == gone
    create_in(client, name)
    assert client.publish_version(FunctionName=name)["Version"] == "1"


def test_latest_cannot_be_deleted_alone(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    assert refused(client.delete_function, FunctionName=name, Qualifier="$LATEST") == (
        "InvalidParameterValueException",
        400,
        "$LATEST version cannot be deleted without deleting the function.",
    )


def test_functions_are_listed_in_pages(start_sandbox: Any, connect: Any, create_in: Any) -> None:
    client = connect(start_sandbox(update_s=0.0))
    names = [create_in(client, f"page-{number}") for number in range(5)]
    first = client.list_functions(MaxItems=2)
    assert [shown["FunctionName"] for shown in first["Functions"]] == names[:2]
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    assert [shown["FunctionName"] for page in pages for shown in page["Functions"]] == names
    assert "State" not in first["Functions"][0]
    client.publish_version(FunctionName=names[0])
    everything = client.list_functions(FunctionVersion="ALL")["Functions"]
    assert len(everything) == 6


@pytest.mark.parametrize("size", [1, 2, 3])
def test_functions_can_be_deleted_page_by_page(
    start_sandbox: Any, connect: Any, create_in: Any, size: int
) -> None:
    client = connect(start_sandbox(update_s=0.0))
    names = [create_in(client, name) for name in ("a", "a-b", "a_b", "ab", "b", "B")]
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": size})
    deleted = []
    for page in pages:
        for shown in page["Functions"]:
            client.delete_function(FunctionName=shown["FunctionName"])
            deleted.append(shown["FunctionName"])
    assert sorted(deleted) == sorted(names)


def test_tags_come_and_go(client: Any, new_function: Any, refused: Any) -> None:
    arn = ARN + new_function()
    client.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    client.untag_resource(Resource=arn, TagKeys=["a"])
    assert client.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    assert refused(client.list_tags, Resource=f"{arn}:1")[:2] == (
        "InvalidParameterValueException",
        400,
    )


def test_there_is_no_policy(client: Any, new_function: Any, refused: Any) -> None:
    assert refused(client.get_policy, FunctionName=new_function()) == (
        "ResourceNotFoundException",
        404,
        "The resource you requested does not exist.",
    )


def test_what_is_not_served_says_so(client: Any, refused: Any) -> None:
    started = time.monotonic()
    assert refused(client.list_layers) == (
        "UnknownOperationException",
        501,
        "the sandbox does not serve the Lambda operation ListLayers",
    )
    assert time.monotonic() - started < 5
