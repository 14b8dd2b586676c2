"""Each error of Invoke ends with what happened and what to do, and no call is made twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from core.aws.invocation import invoke_once
from core.aws.session import AwsSession
from core.errors import AwsError, NoAnswer, NotRun
from tests.core.aws_server import Request, answer, aws_server

# Name, HTTP status (botocore 1.44), and what the message has to lead to.
ERRORS = [
    ("AccessDeniedException", 403, "allow lambda:InvokeFunction"),
    ("DurableExecutionAlreadyStartedException", 409, "cannot be tuned"),
    ("EC2AccessDeniedException", 502, "AWSLambdaVPCAccessExecutionRole"),
    ("EC2UnexpectedException", 502, "VpcConfig"),
    ("EFSIOException", 410, "file system"),
    ("EFSMountConnectivityException", 408, "mount targets"),
    ("EFSMountFailureException", 403, "mount targets"),
    ("EFSMountTimeoutException", 408, "mount targets"),
    ("ENILimitReachedException", 502, "network interfaces"),
    ("InvalidParameterValueException", 400, "AWS says why"),
    ("InvalidRequestContentException", 400, "has to be JSON"),
    ("InvalidRuntimeException", 502, "cannot be started"),
    ("InvalidSecurityGroupIDException", 502, "security groups"),
    ("InvalidSubnetIDException", 502, "subnets"),
    ("InvalidZipFileException", 502, "cannot be started"),
    ("KMSAccessDeniedException", 502, "kms:Decrypt"),
    ("KMSDisabledException", 502, "KMS key"),
    ("KMSInvalidStateException", 502, "KMS key"),
    ("KMSNotFoundException", 502, "KMS key"),
    ("ModeNotSupportedException", 400, "AWS says why"),
    ("NoPublishedVersionException", 400, "AWS says why"),
    ("RecursiveInvocationException", 400, "does not lead back"),
    ("RequestTooLargeException", 413, "at most 6 MB"),
    ("ResourceNotFoundException", 404, "deleted meanwhile"),
    ("S3FilesMountFailureException", 403, "mount targets"),
    ("SerializedRequestEntityTooLargeException", 413, "at most 6 MB"),
    ("ServiceQuotaExceededException", 402, "quotas of Lambda"),
    ("SnapStartException", 400, "the function's log"),
    ("SnapStartRegenerationFailureException", 409, "the function's log"),
    ("SnapStartTimeoutException", 408, "the function's log"),
    ("SubnetIPAddressLimitReachedException", 502, "no free address"),
    ("UnsupportedMediaTypeException", 415, "AWS says why"),
]
# Refusals that pass: Lambda did not run the function, and may do so at the next try.
PASSING = [
    ("EC2ThrottledException", 502),
    ("ENINotReadyException", 502),
    ("ResourceConflictException", 409),
    ("ResourceNotReadyException", 502),
    ("SnapStartNotReadyException", 409),
    ("TooManyRequestsException", 429),
]


def refusal(code: str, status: int) -> bytes:
    body = json.dumps({"Type": "User", "Message": "AWS says why"}).encode()
    return answer(body, f"x-amzn-ErrorType: {code}", status=f"{status} Refused")


def one_call(respond: Callable[[Request], bytes], *, read_timeout_s: float = 5) -> int:
    """Makes one call; gives how many the server was asked for."""
    with aws_server(respond) as server:
        client = AwsSession(local=server.access).measuring_lambda(
            function_timeout_s=read_timeout_s - 30,  # a margin is added
            concurrency=1,
        )
        try:
            invoke_once(client, "orders", "7", b"{}")
        finally:
            client.close()
            asked = len(server.requests)
            assert asked == 1, "a call was made twice"
    return asked


@pytest.mark.parametrize(("code", "status", "leads_to"), ERRORS, ids=[e[0] for e in ERRORS])
def test_an_error_says_what_happened_and_what_to_do(code: str, status: int, leads_to: str) -> None:
    with pytest.raises(AwsError) as caught:
        one_call(lambda request: refusal(code, status))

    assert not isinstance(caught.value, NotRun | NoAnswer)
    assert caught.value.code == code
    message = str(caught.value)
    assert message.startswith(f"could not invoke orders:7: {code}: AWS says why")
    assert leads_to in message
    assert "\n" not in message


@pytest.mark.parametrize(("code", "status"), PASSING, ids=[e[0] for e in PASSING])
def test_a_refusal_that_passes_was_not_run_and_is_not_tried_again_here(
    code: str, status: int
) -> None:
    with pytest.raises(NotRun) as caught:
        one_call(lambda request: refusal(code, status))

    assert caught.value.code == code


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_unexplained_failure_of_aws_is_asked_for_once(status: int) -> None:
    with pytest.raises(NoAnswer):
        one_call(lambda request: refusal("ServiceException", status))


def test_a_slow_function_is_asked_once_and_given_up_after_its_timeout() -> None:
    is_over = threading.Event()

    def slow(request: Request) -> bytes:
        is_over.wait(30)
        return b""

    with pytest.raises(NoAnswer) as caught:
        one_call(slow, read_timeout_s=0.2)
    is_over.set()

    assert caught.value.code is None
    assert "Read timeout" in str(caught.value)


def test_a_connection_that_is_lost_in_the_answer_is_not_asked_again() -> None:
    whole = answer(b'{"ok": true}')

    with pytest.raises(NoAnswer):
        one_call(lambda request: whole[:-5])
