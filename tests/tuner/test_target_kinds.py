"""What AWS says of functions of every kind, and which of them can be tuned."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from core.aws.session import AwsSession
from core.errors import AwsError, InputError, Refused
from tests.conftest import MakeFunction
from tests.core.aws_server import AwsServer, answer, aws_server
from tuner.preparation import read_usable
from tuner.target import read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"
# GetFunction of a plain function (Lambda API reference; keys that tune does not read left out).
PLAIN: dict[str, Any] = {
    "FunctionName": "orders",
    "FunctionArn": ARN,
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::123456789012:role/orders",
    "Handler": "app.handler",
    "CodeSize": 304,
    "Description": "",
    "Timeout": 15,
    "MemorySize": 512,
    "LastModified": "2026-03-04T10:00:00.000+0000",
    "CodeSha256": "FIqyhGyLEpZB1FDfxd2uXCzOiUa6pt/8ZrYDnCVx4Ag=",
    "Version": "$LATEST",
    "TracingConfig": {"Mode": "PassThrough"},
    "RevisionId": "a65801f2-b7ba-4ba7-8a5b-3a7ba5e5dc1e",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/orders"},
}


@contextmanager
def lambda_of(
    changes: Mapping[str, Any], *, region: str = "us-east-1", **more: Any
) -> Iterator[tuple[LambdaClient, AwsServer]]:
    """A client of a Lambda with one function, which AWS describes so."""
    shown = {key: value for key, value in {**PLAIN, **changes}.items() if value is not None}
    body = json.dumps({"Configuration": shown, **more}).encode()
    with aws_server(lambda request: answer(body)) as server:
        client = AwsSession(local=replace(server.access, region=region)).control_lambda()
        yield client, server
        client.close()


def read(changes: Mapping[str, Any], tenant_id: str | None = None, **more: Any) -> Any:
    with lambda_of(changes, **more) as (client, _):
        return read_usable(client, "orders", "us-east-1", tenant_id)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"runtime": "python3.13", "snap_start": False}, id="zip"),
        pytest.param(
            {
                "PackageType": "Image",
                "Runtime": None,
                "Handler": None,
                "CodeSha256": "1f5b2fbf1d0e2f9a6c5b9d2d8a1b7e4c1f5b2fbf1d0e2f9a6c5b9d2d8a1b7e4c",
                "ImageConfigResponse": {"ImageConfig": {"Command": ["app.handler"]}},
            },
            {"runtime": None, "memory_mb": 512},
            id="container image",
        ),
        pytest.param(
            {
                "VpcConfig": {
                    "SubnetIds": ["subnet-1"],
                    "SecurityGroupIds": ["sg-1"],
                    "VpcId": "vpc-1",
                    "Ipv6AllowedForDualStack": False,
                }
            },
            {"name": "orders"},
            id="VPC",
        ),
        pytest.param(
            {"Layers": [{"Arn": "arn:aws:lambda:us-east-1:1:layer:one:1", "CodeSize": 9}]},
            {"name": "orders"},
            id="layers",
        ),
        pytest.param(
            {"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}},
            {"snap_start": True},
            id="SnapStart",
        ),
        pytest.param(
            {
                "LoggingConfig": {
                    "LogFormat": "JSON",
                    "ApplicationLogLevel": "ERROR",
                    "SystemLogLevel": "INFO",
                    "LogGroup": "/shop/all",
                }
            },
            {"log_format": "JSON", "log_group": "/shop/all", "logs_reports": True},
            id="JSON logs in a group of their own",
        ),
        pytest.param({"Architectures": ["arm64"]}, {"arch": "arm64"}, id="arm64"),
        pytest.param({"Timeout": 900}, {"timeout_s": 900}, id="15 minutes"),
        pytest.param(
            {"State": "Inactive", "StateReasonCode": "Idle"}, {"settled": True}, id="idle long"
        ),
        pytest.param({"Runtime": "ruby9.9"}, {"runtime": "ruby9.9"}, id="unknown runtime"),
    ],
)
def test_a_function_is_read_whatever_it_is_made_of(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    target = read(changes)

    assert {key: getattr(target, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("changes", "more", "message"),
    [
        pytest.param(
            {
                "CapacityProviderConfig": {
                    "LambdaManagedInstancesCapacityProviderConfig": {
                        "CapacityProviderArn": "arn:aws:lambda:us-east-1:1:capacity-provider:c"
                    }
                }
            },
            {},
            "Lambda Managed Instances, which are not billed by memory",
            id="managed instances",
        ),
        pytest.param(
            {"DurableConfig": {"RetentionPeriodInDays": 14, "ExecutionTimeout": 3600}},
            {},
            "a durable function",
            id="durable",
        ),
        pytest.param(
            {"AcceleratorConfig": {"AcceleratorMemorySize": 24}},
            {},
            "accelerators",
            id="accelerators",
        ),
        pytest.param(
            {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}},
            {},
            "isolates tenants, .* --tenant-id",
            id="tenants",
        ),
        pytest.param(
            {"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN"}},
            {},
            "hides the REPORT lines .*set LoggingConfig.SystemLogLevel to INFO",
            id="hidden REPORT",
        ),
        pytest.param(
            {},
            {"Concurrency": {"ReservedConcurrentExecutions": 0}},
            "reserved concurrency is 0, .* nothing was changed",
            id="switched off",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_reason_by_reading_alone(
    changes: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    with lambda_of(changes, **more) as (client, server):
        with pytest.raises(Refused, match=message):
            read_usable(client, "orders", "us-east-1")
        asked = [request.method for request in server.requests]

    assert asked == ["GET"]


@pytest.mark.parametrize("state", ["Failed", "Deleting", "ActiveNonInvocable"])
def test_a_function_that_cannot_be_invoked_is_an_error(state: str) -> None:
    with pytest.raises(AwsError, match=f"is in state {state}: the key is gone"):
        read({"State": state, "StateReason": "the key is gone"})


def test_a_tenant_id_is_for_functions_that_isolate_tenants() -> None:
    isolated = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}

    assert read(isolated, "blue").isolates_tenants
    with pytest.raises(InputError, match=r"--tenant-id: function 'orders' .* \(got 'blue'\)"):
        read({}, "blue")


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "us-east-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_a_full_arn_is_taken_in_every_partition(partition: str, region: str) -> None:
    arn = ARN.replace("arn:aws:", f"arn:{partition}:").replace("us-east-1", region)

    with lambda_of({"FunctionArn": f"{arn}:$LATEST"}, region=region) as (client, server):
        target = read_target(client, arn, region)
        (path,) = [unquote(request.path) for request in server.requests]

    assert target.arn == arn
    assert path.endswith(f"/functions/{arn}")


def test_an_arn_of_another_region_is_said_before_aws_is_asked() -> None:
    with lambda_of({}, region="eu-west-1") as (client, server):
        with pytest.raises(InputError, match=r"is in us-east-1, .* eu-west-1 \(give --region us-e"):
            read_target(client, ARN, "eu-west-1")
        assert server.requests == []


def test_one_function_by_each_of_its_names(
    lambda_client: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function()
    arn = lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"]
    account = arn.split(":")[4]

    names = [name, f"function:{name}", f"{account}:function:{name}", arn]

    assert {read_target(lambda_client, each, "us-east-1") for each in names} == {
        read_target(lambda_client, name, "us-east-1")
    }


def test_a_snapshot_that_gets_ready_is_no_change_and_switching_snap_start_is_one() -> None:
    on: dict[str, Any] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    ready = {**on, "OptimizationStatus": "On"}

    before, later = (read({"SnapStart": state}).settings_sha256 for state in (on, ready))

    assert before == later
    assert read({}).settings_sha256 != before


def test_a_function_is_read_to_be_put_back_whatever_became_of_it() -> None:
    gone: dict[str, Any] = {"State": "Failed", "DurableConfig": {"ExecutionTimeout": 60}}

    with lambda_of(gone) as (client, _):
        target = read_target(client, "orders", "us-east-1")

    assert target.memory_mb == 512
    # What is published of it now would be another function than the one that was planned.
    assert target.settings_sha256 != read({}).settings_sha256
