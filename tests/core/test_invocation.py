"""One Invoke is at most one run of the function, and its three kinds of failure are told apart."""

from __future__ import annotations

import json
import socketserver
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def client_of_a_server_that_answers(answer: bytes, user_info: str = "") -> Iterator[LambdaClient]:
    """A client whose calls a real server takes, answers with `answer` as it is, and hangs up on."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            self.rfile.read(length)
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        access = LocalAccess(
            endpoint_url=f"http://{user_info}127.0.0.1:{server.server_address[1]}",
            region="us-east-1",
            access_key_id="test",
            secret_access_key="test",
            host_cores=1,
        )
        client = AwsSession(local=access).measuring_lambda(function_timeout_s=5, concurrency=1)
        try:
            yield client
        finally:
            client.close()
            server.shutdown()
            thread.join()


def http(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


REQUEST_ID = "x-amzn-RequestId: 6d5f7a2e-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(b"", "ConnectionLost", id="the connection is closed"),
        pytest.param(b"HTTP/1.1 20", "ConnectionLost", id="closed in the first line"),
        pytest.param(
            http("200 OK", b'{"half', REQUEST_ID, length=100),
            "ConnectionLost",
            id="closed in the body",
        ),
        pytest.param(
            http("500 Oh", b'{"message":"m"}', REQUEST_ID, "x-amzn-ErrorType: ServiceException"),
            "ServiceException",
            id="ServiceException",
        ),
        pytest.param(http("500 Oh", b"<html>", "Content-Type: text/html"), "500", id="bare 500"),
        pytest.param(http("503 Gone", b""), "503", id="bare 503"),
        pytest.param(http("504 Late", b"{}"), "504", id="bare 504"),
    ],
)
def test_a_call_whose_answer_is_lost_may_have_run(answer: bytes, code: str) -> None:
    with client_of_a_server_that_answers(answer) as client, pytest.raises(NoAnswer) as caught:
        invoke_once(client, "orders", "7", b"{}")

    assert caught.value.code == code
    assert "no answer from orders:7" in str(caught.value)


def test_a_password_in_the_endpoint_is_in_no_lost_answer() -> None:
    with (
        client_of_a_server_that_answers(b"", user_info="me:secret@") as client,
        pytest.raises(NoAnswer) as caught,
    ):
        invoke_once(client, "orders", "7", b"{}")

    assert "secret" not in str(caught.value)


def test_a_throttle_inside_of_lambda_was_not_run_though_it_is_a_502() -> None:
    answer = http("502 Bad", b"{}", REQUEST_ID, "x-amzn-ErrorType: EC2ThrottledException")

    with client_of_a_server_that_answers(answer) as client, pytest.raises(NotRun):
        invoke_once(client, "orders", "7", b"{}")


@pytest.mark.parametrize("code", ["KMSDisabledException", "SubnetIPAddressLimitReachedException"])
def test_a_function_that_cannot_start_is_no_lost_answer(code: str) -> None:
    answer = http("502 Bad", b'{"Message":"m"}', REQUEST_ID, f"x-amzn-ErrorType: {code}")

    with client_of_a_server_that_answers(answer) as client, pytest.raises(AwsError) as caught:
        invoke_once(client, "orders", "7", b"{}")

    assert not isinstance(caught.value, NoAnswer | NotRun)
    assert caught.value.code == code


def test_a_page_in_place_of_an_answer_is_said() -> None:
    page = http("200 OK", b"<html>please sign in</html>", "Content-Type: text/html")

    with (
        client_of_a_server_that_answers(page) as client,
        pytest.raises(AwsError, match="no request id, so it is not Lambda's") as caught,
    ):
        invoke_once(client, "orders", "7", b"{}")

    assert not isinstance(caught.value, NoAnswer)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"<html>", b"[1]", b"\xff"])
def test_a_failure_with_an_odd_body_is_still_a_failure(body: bytes) -> None:
    answer = http("200 OK", body, REQUEST_ID, "X-Amz-Function-Error: Unhandled")

    with client_of_a_server_that_answers(answer) as client:
        invocation = invoke_once(client, "orders", "7", b"{}")

    assert invocation.error_type == "Unhandled"
    assert invocation.error_message == "the function gave no message"
