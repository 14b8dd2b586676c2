"""One Invoke is at most one run of the function, and its three kinds of failure are told apart."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.aws.invocation import invoke_once
from core.aws.session import AwsSession, LocalAccess
from core.errors import AwsError, NoAnswer, NotRun
from tests.conftest import ROLE, MakeFunction, zipped

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SLOW_HANDLER = """
import time

def handler(event, context):
    with open(event["path"], "a") as file:
        file.write("ran\\n")
    time.sleep(event["sleep_s"])
"""


@pytest.fixture
def measuring(local_access: LocalAccess) -> Iterator[LambdaClient]:
    client = AwsSession(local=local_access).measuring_lambda(function_timeout_s=5, concurrency=2)
    yield client
    client.close()


def test_a_cold_and_a_warm_call_are_reported_as_lambda_reports_them(
    measuring: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function({"duration_ms": {"128": 40}, "init_ms": 100, "memory_used_mb": 33})

    cold = invoke_once(measuring, name, "$LATEST", b"{}")
    warm = invoke_once(measuring, name, "$LATEST", b"{}")

    assert cold.report is not None
    assert (cold.report.init_ms, cold.report.cold) == (100, True)
    assert warm.report is not None
    assert (warm.report.duration_ms, warm.report.cold) == (40, False)
    assert (warm.report.memory_mb, warm.report.max_memory_used_mb) == (512, 33)
    assert (warm.error_type, warm.executed_version) == (None, "$LATEST")
    assert warm.wall_ms > 0


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [("oom", "Runtime.OutOfMemory"), ("timeout", "Sandbox.Timedout")],
)
def test_a_failure_of_the_function_is_named(
    measuring: LambdaClient, make_function: MakeFunction, failure: str, error_type: str
) -> None:
    name = make_function({"duration_ms": {"128": 40}, "failure": failure}, timeout_s=3)

    invocation = invoke_once(measuring, name, "$LATEST", b"{}")

    assert invocation.error_type == error_type
    assert invocation.error_message


def test_a_throttled_call_was_not_run_and_says_why(
    measuring: LambdaClient, lambda_client: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function()
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    with pytest.raises(NotRun) as caught:
        invoke_once(measuring, name, "$LATEST", b"{}")

    assert caught.value.code == "TooManyRequestsException"
    assert caught.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_any_other_refusal_is_an_aws_error(measuring: LambdaClient) -> None:
    with pytest.raises(AwsError, match="ResourceNotFoundException") as caught:
        invoke_once(measuring, "no-such-function", "$LATEST", b"{}")

    assert not isinstance(caught.value, NotRun)


def test_a_call_without_an_answer_ran_once_and_is_not_repeated(
    local_access: LocalAccess, lambda_client: LambdaClient, tmp_path: Path
) -> None:
    name = f"slow-{uuid.uuid4().hex[:8]}"
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="handler.handler",
        Code={"ZipFile": zipped(SLOW_HANDLER)},
        MemorySize=1769,
        Timeout=20,
    )
    lambda_client.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0}
    )
    ran = tmp_path / "ran"
    event = json.dumps({"path": str(ran), "sleep_s": 3}).encode()
    impatient = AwsSession(local=local_access).measuring_lambda(
        function_timeout_s=-29,  # with the margin of 30 s: one second
        concurrency=1,
    )

    start_s = time.monotonic()
    with pytest.raises(NoAnswer):
        invoke_once(impatient, name, "$LATEST", event)

    assert time.monotonic() - start_s < 3
    assert ran.read_text() == "ran\n"
    impatient.close()
    lambda_client.delete_function(FunctionName=name)
