"""Whole runs on functions of every kind that can be tuned, against the sandbox."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse

from core.aws.session import AwsSession
from core.errors import InputError, Refused
from tests.conftest import ROLE, MakeFunction
from tests.tuner.lease_rig import state_of
from tests.tuner.run_rig import Tune
from tuner.sample import Sample, read_samples

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

MODEL = {"duration_ms": {"128": 400, "512": 100}, "memory_used_mb": 60}
ISOLATED = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
PLAN: dict[str, Any] = {"sizes": "128,512", "samples": 5, "parallel": 2}


@pytest.fixture
def image(lambda_client: LambdaClient) -> Iterator[str]:
    name = f"image-{uuid.uuid4().hex[:8]}"
    lambda_client.create_function(
        FunctionName=name,
        PackageType="Image",
        Role=ROLE,
        Code={"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/orders:7"},
        Environment={"Variables": {"SANDBOX_MODEL": json.dumps(MODEL)}},
        MemorySize=512,
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    )
    lambda_client.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0}
    )
    yield name
    lambda_client.delete_function(FunctionName=name)


def samples_of(tmp_path: Path) -> tuple[Sample, ...]:
    (folder,) = (tmp_path / "runs").iterdir()
    return read_samples(folder)


KINDS = [
    pytest.param(
        {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, {}, id="VPC"
    ),
    pytest.param(
        {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:one:1"]}, {}, id="layers"
    ),
    pytest.param({"LoggingConfig": {"LogFormat": "JSON"}}, {}, id="JSON logs"),
    pytest.param(
        {
            "LoggingConfig": {
                "LogFormat": "JSON",
                "SystemLogLevel": "DEBUG",
                "ApplicationLogLevel": "FATAL",
                "LogGroup": "/shop/all",
            }
        },
        {},
        id="JSON logs with levels in a group of their own",
    ),
    pytest.param(ISOLATED, {"tenant_id": "for tests"}, id="tenants"),
]


@pytest.mark.parametrize(("settings", "options"), KINDS)
def test_a_kind_of_function_is_measured_and_put_back(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    settings: dict[str, Any],
    options: dict[str, Any],
) -> None:
    name = make_function(MODEL, **settings)
    before = state_of(lambda_client, name)

    code, document = tune(name, **PLAN, **options)

    assert (code, document["verdict"]) == (0, "pass")
    assert [(size["n"], size["duration_ms"]["p50"]) for size in document["sizes"]] == [
        (5, 400),
        (5, 100),
    ]
    assert state_of(lambda_client, name) == before


def test_a_container_image_is_measured_without_a_runtime(
    tune: Tune, lambda_client: LambdaClient, image: str
) -> None:
    code, document = tune(image, **PLAN)

    assert (code, document["verdict"]) == (0, "pass")
    assert document["function"]["runtime"] is None
    shown = lambda_client.get_function_configuration(FunctionName=image)
    assert (shown["MemorySize"], shown["PackageType"]) == (512, "Image")


def test_snapshots_are_waited_for_and_a_restore_is_billed_once(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient, tmp_path: Path
) -> None:
    name = make_function({**MODEL, "restore_ms": 300}, SnapStart={"ApplyOn": "PublishedVersions"})
    before = state_of(lambda_client, name)

    code, document = tune(name, **PLAN)

    assert code == 0
    cold = {s.memory_mb: s for s in samples_of(tmp_path) if s.cold and s.round}
    assert {size: (s.restore_ms, s.init_ms) for size, s in cold.items()} == {
        128: (300, None),
        512: (300, None),
    }
    # 60 ms of the restore are billed, and the REPORT has them in it.
    assert {size: s.billed_ms for size, s in cold.items()} == {128: 460, 512: 160}
    assert [size["cold_p50_ms"] for size in document["sizes"]] == [700, 400]
    assert any("SnapStart is billed besides" in note for note in document["notes"])
    assert state_of(lambda_client, name) == before


@pytest.mark.parametrize(
    "logging",
    [
        pytest.param({"LogGroup": "/shop/text"}, id="text in a group of its own"),
        pytest.param({"LogFormat": "JSON"}, id="JSON"),
    ],
)
def test_reports_that_an_extension_pushes_out_of_the_tail_are_read_from_the_logs(
    tune: Tune, make_function: MakeFunction, logging: dict[str, Any]
) -> None:
    name = make_function({**MODEL, "prints_after_report_bytes": 5000}, LoggingConfig=logging)

    code, document = tune(name, **PLAN)

    assert (code, document["verdict"]) == (0, "pass")
    assert [size["n"] for size in document["sizes"]] == [5, 5]
    group = logging.get("LogGroup", f"/aws/lambda/{name}")
    assert any(f"it was read from log group {group}" in note for note in document["notes"])


def test_without_the_right_to_read_logs_the_missing_right_is_named(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_function({**MODEL, "prints_after_report_bytes": 5000})
    connect = AwsSession.logs

    def not_allowed(session: AwsSession) -> Any:
        client = connect(session)

        # The sandbox has no policies of identities.
        def refuse(**_: Any) -> Any:
            error = {"Code": "AccessDeniedException", "Message": "User is not authorized"}
            return AWSResponse("", 400, {}, None), {"Error": error, "ResponseMetadata": {}}

        client.meta.events.register("before-call.logs.FilterLogEvents", refuse)
        return client

    monkeypatch.setattr(AwsSession, "logs", not_allowed)

    with pytest.raises(Refused, match="allow logs:FilterLogEvents"):
        tune(name, **PLAN)


@pytest.mark.parametrize(
    ("settings", "options", "error", "message"),
    [
        pytest.param(ISOLATED, {}, Refused, "--tenant-id", id="no tenant"),
        pytest.param({}, {"tenant_id": "a"}, InputError, "does not isolate", id="no isolation"),
        pytest.param(
            {"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": "WARN"}},
            {},
            Refused,
            "SystemLogLevel to INFO",
            id="hidden REPORT",
        ),
    ],
)
def test_a_refused_kind_is_neither_invoked_nor_changed(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    settings: dict[str, Any],
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    name = make_function(MODEL, **settings)
    revision = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]

    with pytest.raises(error, match=message):
        tune(name, **PLAN, **options)

    shown = lambda_client.get_function_configuration(FunctionName=name)
    assert shown["RevisionId"] == revision


def test_a_function_that_is_switched_off_is_refused_before_anything(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function(MODEL)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    revision = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]

    with pytest.raises(Refused, match="its reserved concurrency is 0"):
        tune(name, **PLAN)

    shown = lambda_client.get_function_configuration(FunctionName=name)
    assert shown["RevisionId"] == revision


def test_a_small_reserve_lowers_what_is_called_at_once(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function(MODEL)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

    code, document = tune(name, **PLAN)

    assert code == 0
    assert any(note.startswith("--parallel 2 is lowered to 1") for note in document["notes"])


def test_the_call_after_a_crash_does_not_count(
    tune: Tune, make_function: MakeFunction, tmp_path: Path
) -> None:
    # A timeout resets the environment, and the next call has the new INIT in its Duration.
    # Its random numbers go by its name.
    noisy = {**MODEL, "noise": {"log_sigma": 1.0}, "seed": 4}
    name = make_function(noisy, timeout_s=1, name="crashes")

    tune(name, **{**PLAN, "samples": 10, "parallel": 1})

    taken = [s for s in samples_of(tmp_path) if s.round]
    for size in (128, 512):
        own = [s for s in taken if s.memory_mb == size]
        for earlier, later in pairwise(own):
            assert later.after_error == (earlier.outcome != "measured")
            assert not (later.after_error and later.counts_as_warm)
    assert any(s.ran_out for s in taken)
    assert any(s.after_error for s in taken)
