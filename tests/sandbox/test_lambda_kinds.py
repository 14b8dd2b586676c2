"""Kinds of functions beside plain ones: what code never meets, modelled functions can have."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ROLE, MakeFunction

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ISOLATED = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:one:1"


def tail_of(client: LambdaClient, name: str, **more: Any) -> str:
    answer = client.invoke(FunctionName=name, LogType="Tail", **more)
    return base64.b64decode(answer["LogResult"]).decode()


@pytest.fixture
def image(lambda_client: LambdaClient) -> Iterator[str]:
    name = f"image-{uuid.uuid4().hex[:8]}"
    lambda_client.create_function(
        FunctionName=name,
        PackageType="Image",
        Role=ROLE,
        Code={"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/orders:7"},
        ImageConfig={"Command": ["app.handler"]},
        Environment={"Variables": {"SANDBOX_MODEL": json.dumps({"duration_ms": {"128": 20}})}},
    )
    lambda_client.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0}
    )
    yield name
    lambda_client.delete_function(FunctionName=name)


def test_a_container_image_has_no_runtime_and_no_handler(
    lambda_client: LambdaClient, image: str
) -> None:
    shown = lambda_client.get_function(FunctionName=image)

    assert shown["Configuration"]["PackageType"] == "Image"
    assert "Runtime" not in shown["Configuration"]
    assert "Handler" not in shown["Configuration"]
    assert shown["Configuration"]["ImageConfigResponse"]["ImageConfig"]["Command"] == [
        "app.handler"
    ]
    assert shown["Code"]["RepositoryType"] == "ECR"
    assert "REPORT RequestId" in tail_of(lambda_client, image)


def test_layers_are_shown_as_aws_shows_them(
    lambda_client: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function(Layers=[LAYER])

    shown = lambda_client.get_function_configuration(FunctionName=name)

    assert shown["Layers"] == [{"Arn": LAYER, "CodeSize": 0}]


def test_tenants_share_no_environment(
    lambda_client: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function(**ISOLATED)

    tails = [tail_of(lambda_client, name, TenantId=tenant) for tenant in ("a", "b", "a")]

    assert ["Init Duration" in tail for tail in tails] == [True, True, False]


@pytest.mark.parametrize(
    ("settings", "call", "message"),
    [
        pytest.param(ISOLATED, {}, "Add a valid tenant ID", id="no tenant"),
        pytest.param({}, {"TenantId": "a"}, "is not enabled with tenancy", id="no isolation"),
    ],
)
def test_a_tenant_is_named_where_there_are_tenants_and_only_there(
    lambda_client: LambdaClient,
    make_function: MakeFunction,
    settings: dict[str, Any],
    call: dict[str, Any],
    message: str,
) -> None:
    name = make_function(**settings)

    with pytest.raises(ClientError, match=message):
        lambda_client.invoke(FunctionName=name, **call)


def test_versions_with_snap_start_wait_for_their_snapshot_and_start_by_a_restore(
    lambda_client: LambdaClient, make_function: MakeFunction
) -> None:
    model = {"duration_ms": {"128": 20}, "restore_ms": 300}
    name = make_function(model, SnapStart={"ApplyOn": "PublishedVersions"})

    published = lambda_client.publish_version(FunctionName=name)
    with pytest.raises(ClientError, match="SnapStartNotReady"):
        lambda_client.invoke(FunctionName=name, Qualifier="1")
    lambda_client.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 0, "MaxAttempts": 5000}
    )
    cold, warm = (tail_of(lambda_client, name, Qualifier="1") for _ in range(2))

    assert published["State"] == "Pending"
    assert "Restore Duration: 300.00 ms\tBilled Restore Duration: 60 ms" in cold
    assert "Billed Duration: 80 ms" in cold
    assert "Init Duration" not in cold
    assert "Restore" not in warm
    assert "Init Duration" in tail_of(lambda_client, name)


def test_an_extension_can_push_the_report_out_of_the_tail(
    lambda_client: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function({"duration_ms": {"128": 20}, "prints_after_report_bytes": 5000})

    tail = tail_of(lambda_client, name)

    assert len(tail) == 4096
    assert "REPORT" not in tail
