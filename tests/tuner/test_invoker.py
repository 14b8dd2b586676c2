"""From an invocation to a sample: nothing lost becomes a zero, nothing unsafe is kept."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass

import pytest

from core.aws.session import AwsSession
from core.errors import AwsError, InvalidMeasurement, ToolError
from tests.core.aws_server import aws_server
from tests.core.test_invocation import REQUEST_ID, client_of_a_server_that_answers, http
from tuner.hooks import Hooks
from tuner.invoker import Invoker
from tuner.payload import Payload
from tuner.payload_mix import PayloadMix, WeightedPayload
from tuner.redact import NOTHING_HIDDEN, HiddenTexts, hidden_texts
from tuner.sample import Sample

FAILED = "X-Amz-Function-Error: Unhandled"
EMPTY = PayloadMix.of(Payload(b"{}"))
EVENT = {"card": "4111-1111-1111-1111"}


def sample_of(answer: bytes, hidden: HiddenTexts = NOTHING_HIDDEN) -> Sample:
    """The sample of one call that a real server answers with `answer`."""
    with client_of_a_server_that_answers(answer) as client:
        invoker = Invoker(client, "orders", EMPTY, threading.Event().wait, hidden)
        sample = invoker.invoke(512, "7", 1)
    assert sample is not None
    return sample


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        pytest.param(b"", "ConnectionLost", id="the connection is closed"),
        pytest.param(
            http("500 Oh", b"{}", REQUEST_ID, "x-amzn-ErrorType: ServiceException"),
            "ServiceException",
            id="an error inside of Lambda",
        ),
        pytest.param(http("200 OK", b"{}", REQUEST_ID), "NoReport", id="no REPORT"),
    ],
)
def test_a_lost_call_is_a_sample_that_says_so(answer: bytes, error_type: str) -> None:
    sample = sample_of(answer)

    assert (sample.outcome, sample.error_type) == ("lost", error_type)
    assert (sample.duration_ms, sample.billed_ms) == (None, None)
    assert sample.error_message


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        pytest.param("half of a pair: \ud83d", "half of a pair: \ufffd", id="surrogate"),
        pytest.param("\x1b[2Jgone\r\nnext", "\ufffd[2Jgone next", id="terminal commands"),
        pytest.param("x" * 1000, "x" * 300, id="long"),
        pytest.param(f"bad event {EVENT}", "bad event {'card': '[payload]'}", id="the payload"),
        pytest.param(
            "x" * 290 + " 4111-1111-1111-1111",
            "x" * 290 + " [payload]"[:10],
            id="the payload where the message is cut",
        ),
    ],
)
def test_what_a_function_says_of_its_failure_is_safe_to_keep(message: str, kept: str) -> None:
    body = json.dumps({"errorType": message, "errorMessage": message}).encode()

    sample = sample_of(
        http("200 OK", body, REQUEST_ID, FAILED), hidden_texts(json.dumps(EVENT).encode())
    )

    assert (sample.outcome, sample.error_type, sample.error_message) == ("failed", kept, kept)


@pytest.mark.parametrize(
    ("error_type", "kept"),
    [
        ("Sandbox.Timedout", "Sandbox.Timedout"),
        ("Runtime.ExitError", "Runtime.ExitError"),
        ("Unhandled", "Unhandled"),
        ("SandboxError", "[payload]Error"),
        ("Runtime.Unhandled in Sandbox", "[payload].[payload] in [payload]"),
    ],
)
def test_what_lambda_calls_a_failure_stays_whatever_the_payload_holds(
    error_type: str, kept: str
) -> None:
    hidden = hidden_texts(b'["Sandbox", "Timedout", "Runtime", "Unhandled"]')
    body = json.dumps({"errorType": error_type, "errorMessage": "m"}).encode()

    assert sample_of(http("200 OK", body, REQUEST_ID, FAILED), hidden).error_type == kept


def test_an_answer_of_another_version_is_no_measurement() -> None:
    tail = base64.b64encode(b"REPORT").decode()
    answer = http(
        "200 OK", b"{}", REQUEST_ID, "X-Amz-Executed-Version: 8", f"X-Amz-Log-Result: {tail}"
    )

    with pytest.raises(InvalidMeasurement, match="version 7 was invoked but 8 answered"):
        sample_of(answer)


@dataclass
class Watching:
    """A hook that writes down when it runs, and may say what is sent in place of the payload."""

    seen: list[tuple[str, bytes, bytes | None]]
    name: str
    says: bytes | None = None
    fails: bool = False

    def run(self, payload: bytes, output: bytes | None, memory_mb: int) -> bytes | None:
        assert memory_mb == 512
        self.seen.append((self.name, payload, output))
        if self.fails:
            raise ToolError("the hook failed")
        return self.says


def reported(body: bytes, *headers: str) -> bytes:
    """An answer with a REPORT of the call."""
    request_id = REQUEST_ID.split(": ")[1]
    tail = (
        f"REPORT RequestId: {request_id}\tDuration: 5.00 ms\tBilled Duration: 5 ms\t"
        "Memory Size: 512 MB\tMax Memory Used: 40 MB\t\n"
    )
    log = base64.b64encode(tail.encode()).decode()
    return http("200 OK", body, REQUEST_ID, f"X-Amz-Log-Result: {log}", *headers)


THROTTLED = http("429 Slow", b"{}", REQUEST_ID, "x-amzn-ErrorType: TooManyRequestsException")


def test_hooks_run_once_around_a_call_that_was_throttled_at_first() -> None:
    seen: list[tuple[str, bytes, bytes | None]] = []
    hooks = Hooks(Watching(seen, "pre", b'"made"'), Watching(seen, "post"))
    answers = [THROTTLED, THROTTLED, reported(b'"out"')]

    with aws_server(lambda _: answers.pop(0)) as server:
        client = AwsSession(local=server.access).measuring_lambda(
            function_timeout_s=5, concurrency=1
        )
        invoker = Invoker(client, "orders", EMPTY, lambda _: False, hooks=hooks)
        sample = invoker.invoke(512, "7", 1)

    assert sample is not None
    assert sample.outcome == "measured"
    assert seen == [("pre", b"{}", None), ("post", b'"made"', b'"out"')]
    assert [request.body for request in server.requests] == [b'"made"'] * 3


def test_the_hook_after_a_call_that_never_ran_undoes_the_one_before() -> None:
    seen: list[tuple[str, bytes, bytes | None]] = []
    hooks = Hooks(Watching(seen, "pre"), Watching(seen, "post", fails=True))
    denied = http("403 No", b"{}", REQUEST_ID, "x-amzn-ErrorType: AccessDeniedException")

    with client_of_a_server_that_answers(denied) as client:
        invoker = Invoker(client, "orders", EMPTY, lambda _: False, hooks=hooks)
        with pytest.raises(AwsError, match="AccessDenied"):
            invoker.invoke(512, "7", 1)

    assert [(name, output) for name, _, output in seen] == [("pre", None), ("post", None)]


@pytest.mark.parametrize(
    ("allowed", "outcome"),
    [
        pytest.param(("ValueError",), "measured", id="allowed"),
        pytest.param(("KeyError",), "failed", id="another is"),
        pytest.param((), "failed", id="none is"),
    ],
)
def test_an_error_that_is_allowed_is_an_answer(allowed: tuple[str, ...], outcome: str) -> None:
    body = b'{"errorType": "ValueError", "errorMessage": "no such order"}'

    with client_of_a_server_that_answers(reported(body, FAILED)) as client:
        invoker = Invoker(client, "orders", EMPTY, lambda _: False, allowed_errors=allowed)
        sample = invoker.invoke(512, "7", 1)

    assert sample is not None
    assert (sample.outcome, sample.error_type, sample.duration_ms) == (outcome, "ValueError", 5)


def test_an_allowed_error_without_a_report_is_lost() -> None:
    body = b'{"errorType": "ValueError"}'

    with client_of_a_server_that_answers(http("200 OK", body, REQUEST_ID, FAILED)) as client:
        invoker = Invoker(client, "orders", EMPTY, lambda _: False, allowed_errors=("ValueError",))
        sample = invoker.invoke(512, "7", 1)

    assert sample is not None
    assert (sample.outcome, sample.error_type) == ("lost", "NoReport")


def test_each_size_gets_the_payloads_in_the_same_order_and_samples_name_them() -> None:
    items = [WeightedPayload(Payload(name.encode()), name, 1.0) for name in ("10", "20", "30")]
    payloads = PayloadMix(tuple(items), seed=4)

    with aws_server(lambda _: reported(b"{}")) as server:
        client = AwsSession(local=server.access).measuring_lambda(
            function_timeout_s=5, concurrency=1
        )
        invoker = Invoker(client, "orders", payloads, lambda _: False)
        samples = [invoker.invoke(size, "7", 1) for size in (128, 512, 128, 128, 512, 512)]

    names = [sample.payload for sample in samples if sample]
    assert [names[i] for i in (0, 2, 3)] == [names[i] for i in (1, 4, 5)]
    assert sorted(names) == ["10", "10", "20", "20", "30", "30"]
    assert [request.body.decode() for request in server.requests] == names


def test_what_a_hook_made_is_hidden_as_the_payload_is() -> None:
    hooks = Hooks(pre=Watching([], "pre", b'{"token": "made-by-the-hook"}'))
    body = b'{"errorType": "ValueError", "errorMessage": "bad made-by-the-hook"}'

    with client_of_a_server_that_answers(reported(body, FAILED)) as client:
        sample = Invoker(client, "orders", EMPTY, lambda _: False, hooks=hooks).invoke(512, "7", 1)

    assert sample is not None
    assert sample.error_message == "bad [payload]"


def test_what_the_function_answers_is_handed_on() -> None:
    kept: list[bytes] = []

    with client_of_a_server_that_answers(reported(b'{"total": 3}')) as client:
        invoker = Invoker(
            client, "orders", EMPTY, lambda _: False, keep_output=lambda _, out: kept.append(out)
        )
        invoker.invoke(512, "7", 1)

    assert kept == [b'{"total": 3}']
