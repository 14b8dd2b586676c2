"""From an invocation to a sample: nothing lost becomes a zero, nothing unsafe is kept."""

from __future__ import annotations

import base64
import json
import threading

import pytest

from core.errors import InvalidMeasurement
from tests.core.test_invocation import REQUEST_ID, client_of_a_server_that_answers, http
from tuner.invoker import Invoker
from tuner.payload import Payload
from tuner.payload_mix import PayloadMix
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
