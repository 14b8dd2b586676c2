"""A function to borrow, and clients to do it with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.console import Console
from core.errors import ExitCode
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import end_of_processes
from tests.tuner.run_rig import Tune, tune_options
from tuner import fingerprint, run, settle

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture(scope="session", autouse=True)
def _changes_are_looked_for_soon() -> Iterator[None]:
    """The first look is at 100 ms on AWS; here a change takes 20 ms, and there are thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settle, "_POLL_FIRST_S", 0.005)
        yield


@pytest.fixture(scope="session", autouse=True)
def _fingerprints_are_cheap() -> Iterator[None]:
    """Each run makes one: that it takes a twentieth of a second keeps guesses off, not tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprint, "_N", 2)
        yield


@pytest.fixture(autouse=True)
def _locks_end_with_the_test() -> Iterator[None]:
    yield
    end_of_processes()


@pytest.fixture(scope="module")
def aws(local_access: LocalAccess) -> AwsSession:
    """The sandbox as AWS."""
    return AwsSession(local=local_access)


@pytest.fixture
def client(aws: AwsSession) -> Iterator[LambdaClient]:
    """A client of its own for each test, since tests hang hooks on it."""
    own = aws.control_lambda()
    yield own
    own.close()


@pytest.fixture
def owned(client: LambdaClient, make_function: MakeFunction) -> str:
    """A function with a life of its own: versions, aliases with tempting names, a description."""
    name = make_function(description="takes orders")
    client.publish_version(FunctionName=name)
    client.update_function_configuration(FunctionName=name, MemorySize=256)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0})
    client.publish_version(FunctionName=name, Description="the live one")
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    client.create_alias(
        FunctionName=name,
        Name="RAM512",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    return name


@pytest.fixture
def tune(
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Tune:
    """Runs `tune` in this process; gives its exit code and its document."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_access.endpoint_url)
    monkeypatch.setenv("AWS_REGION", local_access.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", local_access.secret_access_key)

    def start(function: str, **given: Any) -> tuple[ExitCode, dict[str, Any]]:
        options = tune_options(function, **{"runs": tmp_path / "runs", **given})
        code = run.tune(options, Console(json_output=True))
        return code, json.loads(capsys.readouterr().out)

    return start
