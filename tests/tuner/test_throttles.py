"""A throttled call is waited out, counts as nothing, and says what to do when it does not end."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from core.aws.session import AwsSession
from core.errors import AwsError
from tests.core.aws_server import REQUEST_ID, Request, answer, aws_server
from tuner.invoker import Invoker
from tuner.payload import Payload
from tuner.payload_mix import PayloadMix
from tuner.sample import Sample

# ThrottleReason of botocore 1.44, what it means, and the remedy.
REASONS = [
    ("ConcurrentInvocationLimitExceeded", "account's concurrency", "lower --parallel"),
    (
        "ReservedFunctionConcurrentInvocationLimitExceeded",
        "function's reserved concurrency",
        "reserve more",
    ),
    ("FunctionInvocationRateLimitExceeded", "more requests or new environments", "does not rise"),
    (
        "ReservedFunctionInvocationRateLimitExceeded",
        "ten requests a second for each of its reserved",
        "reserve more",
    ),
    ("CallerRateLimitExceeded", "calls the Lambda API more often", "other tools"),
    ("ConcurrentSnapshotCreateLimitExceeded", "SnapStart snapshots", "other publishings"),
]
IDS = [reason for reason, _, _ in REASONS]
REPORT = (
    f"REPORT RequestId: {REQUEST_ID}\tDuration: 12.34 ms\tBilled Duration: 13 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 39 MB\t\n"
)


def throttle(reason: str | None, *headers: str, code: str = "TooManyRequestsException") -> bytes:
    """As LocalStack recorded it from AWS, but for the reason."""
    body = {"Reason": reason, "Type": "User", "message": "Rate Exceeded."}
    return answer(
        json.dumps(body).encode(), f"x-amzn-ErrorType: {code}", *headers, status="429 Too Many"
    )


def measured() -> bytes:
    tail = base64.b64encode(REPORT.encode()).decode()
    return answer(b"{}", "X-Amz-Executed-Version: 7", f"X-Amz-Log-Result: {tail}")


class Calls:
    """Calls of a function through a real server; pauses are noted and not waited for."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []
        self.asked = 0
        self.stop_after: int | None = None

    def wait(self, seconds: float) -> bool:
        self.pauses_s.append(seconds)
        return self.stop_after is not None and len(self.pauses_s) >= self.stop_after

    def one(self, respond: Callable[[Request], bytes]) -> Sample | None:
        with aws_server(respond) as server:
            session = AwsSession(local=server.access)
            client = session.measuring_lambda(function_timeout_s=5, concurrency=1)
            payloads = PayloadMix.of(Payload(b"{}"))
            try:
                return Invoker(client, "orders", payloads, self.wait).invoke(512, "7", 1)
            finally:
                client.close()
                self.asked = sum(request.method == "POST" for request in server.requests)


@pytest.mark.parametrize("reason", IDS)
def test_a_throttle_that_passes_is_no_sample_and_not_in_its_time(reason: str) -> None:
    answers = [throttle(reason), throttle(reason), measured()]
    calls = Calls()

    # GetFunctionConcurrency, which is asked where the reserve is used up, has none to tell.
    sample = calls.one(
        lambda request: answers.pop(0) if request.method == "POST" else answer(b"{}")
    )

    assert sample is not None
    assert (sample.outcome, sample.duration_ms, sample.after_error) == ("measured", 12.34, False)
    assert calls.asked == 3
    assert len(calls.pauses_s) == 2
    assert calls.pauses_s[0] <= 0.2
    assert calls.pauses_s[1] <= 0.4


@pytest.mark.parametrize(("reason", "meaning", "to_do"), REASONS, ids=IDS)
def test_a_throttle_that_does_not_pass_ends_with_its_remedy(
    reason: str, meaning: str, to_do: str
) -> None:
    calls = Calls()

    with pytest.raises(AwsError) as caught:
        calls.one(lambda request: throttle(reason) if request.method == "POST" else answer(b"{}"))

    message = str(caught.value)
    assert "orders at 512 MB: still refused after 10 attempts" in message
    assert meaning in message
    assert f"({reason})" in message
    assert to_do in message
    assert calls.asked == 10
    assert max(calls.pauses_s) <= 10
    assert calls.pauses_s[-1] > calls.pauses_s[0]


@pytest.mark.parametrize(
    ("code", "to_do"),
    [("ResourceConflictException", "see its state"), ("SnapStartNotReadyException", "try later")],
)
def test_a_function_that_never_gets_ready_is_said(code: str, to_do: str) -> None:
    with pytest.raises(AwsError, match=f"{code}.*{to_do}"):
        Calls().one(lambda request: throttle(None, code=code))


@pytest.mark.parametrize(
    ("asked_s", "waited_s"),
    [pytest.param("7", 7, id="seconds"), pytest.param("86400", 60, id="a day")],
)
def test_a_pause_that_aws_asks_for_is_kept_within_reason(asked_s: str, waited_s: float) -> None:
    answers = [throttle("CallerRateLimitExceeded", f"Retry-After: {asked_s}"), measured()]
    calls = Calls()

    assert calls.one(lambda request: answers.pop(0)) is not None
    assert calls.pauses_s == [waited_s]


def test_a_stop_while_it_waits_ends_without_a_sample() -> None:
    calls = Calls()
    calls.stop_after = 2

    assert calls.one(lambda request: throttle("ConcurrentInvocationLimitExceeded")) is None
    assert calls.asked == 2
