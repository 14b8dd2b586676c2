"""Lambda: what invoking a function gives, by whom it is answered, and how it is refused."""

from __future__ import annotations

import base64
import json
import re

from tests.contract.account import Account, http_status, refusal, refused
from tests.contract.functions import (
    ECHO,
    RAISES,
    SLEEPS,
    answers,
    call,
    new_function,
    package,
    settled,
)
from tests.contract.step import step

_ECHO = "runs no code without Docker: the payload comes back"


@step(moto=_ECHO)
def an_answer_is_what_the_handler_returns(aws: Account) -> None:
    answer = call(aws, new_function(aws), {"id": 7})
    assert (http_status(answer), answer["StatusCode"]) == (200, 200)
    assert "FunctionError" not in answer
    assert answer["Payload"] == {"event": {"id": 7}, "version": "$LATEST"}
    assert answer["ExecutedVersion"] == "$LATEST"


@step(moto="ignores the qualifier")
def a_qualifier_chooses_the_version(aws: Account) -> None:
    name = new_function(aws, answers(body="old"))
    functions = aws.client("lambda")
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.update_function_code(FunctionName=name, ZipFile=package(answers(body="new")))
    settled(aws, name)
    for qualifier, body, version in (
        ("1", "old", "1"),
        ("live", "old", "1"),
        ("$LATEST", "new", "$LATEST"),
    ):
        answer = call(aws, name, Qualifier=qualifier)
        assert answer["ExecutedVersion"] == version, qualifier
        assert answer["Payload"]["body"] == body, qualifier
    assert call(aws, f"{name}:live")["ExecutedVersion"] == "1"


@step(moto="ignores the qualifier", ministack="ignores the weights")
def weights_divide_the_calls(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    for source in (ECHO, ECHO + "# second\n"):
        functions.update_function_code(FunctionName=name, ZipFile=package(source))
        settled(aws, name)
        functions.publish_version(FunctionName=name)
    functions.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    calls = 40
    versions = [call(aws, name, Qualifier="live")["ExecutedVersion"] for _ in range(calls)]
    # With fair coins, fewer than 4 or more than 36 of 40 come once in 10 million times.
    assert 4 <= versions.count("2") <= calls - 4
    assert set(versions) == {"1", "2"}


@step(moto="no LogResult", ministack="only what is printed is in LogResult")
def the_tail_of_the_log_has_a_report(aws: Account) -> None:
    name = new_function(aws, "def handler(event, context):\n    print('sold a lamp')\n")
    answer = call(aws, name, LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert f"START RequestId: {request_id} Version: $LATEST" in log
    assert "sold a lamp" in log
    assert f"END RequestId: {request_id}" in log
    report = re.search(
        r"REPORT RequestId: (\S+)\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms",
        log,
    )
    assert report is not None
    assert report[1] == request_id
    assert "LogResult" not in call(aws, name)


@step(moto=_ECHO, ministack="errorType is always Runtime.HandlerError")
def what_a_handler_raises_is_an_answer(aws: Account) -> None:
    answer = call(aws, new_function(aws, RAISES))
    assert (http_status(answer), answer["StatusCode"]) == (200, 200)
    assert answer["FunctionError"] == "Unhandled"
    payload = answer["Payload"]
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no such order")
    assert any("app.py" in line for line in payload["stackTrace"])


@step(moto=_ECHO, ministack="errorType is RuntimeError")
def a_module_that_is_not_there_is_an_answer(aws: Account) -> None:
    answer = call(aws, new_function(aws, Handler="missing.handler"))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "Runtime.ImportModuleError"


@step(moto=_ECHO)
def a_timeout_is_an_answer(aws: Account) -> None:
    answer = call(aws, new_function(aws, SLEEPS, Timeout=1))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert "Task timed out after 1.00 seconds" in answer["Payload"]["errorMessage"]


@step()
def a_dry_run_only_asks(aws: Account) -> None:
    answer = call(aws, new_function(aws), InvocationType="DryRun")
    assert (http_status(answer), answer["StatusCode"], answer["Payload"]) == (204, 204, None)


@step(moto="202 with the payload")
def an_event_is_accepted(aws: Account) -> None:
    answer = call(aws, new_function(aws), {"id": 7}, InvocationType="Event")
    assert (http_status(answer), answer["StatusCode"], answer["Payload"]) == (202, 202, None)


@step(moto="200 for a function that is not there")
def what_is_not_there_is_404(aws: Account) -> None:
    invoke = aws.client("lambda").invoke
    missing = ("ResourceNotFoundException", 404)
    assert refused(invoke, FunctionName=aws.name("fn")) == missing
    assert refused(invoke, FunctionName=new_function(aws), Qualifier="nowhere") == missing


@step(moto="accepts any payload", ministack="accepts any payload")
def a_payload_has_to_be_json(aws: Account) -> None:
    invoke = aws.client("lambda").invoke
    wrong = refused(invoke, FunctionName=new_function(aws), Payload=b"{order: 7}")
    assert wrong == ("InvalidRequestContentException", 400)


@step(moto="throttles nothing")
def reserved_concurrency_of_zero_throttles(aws: Account) -> None:
    name = new_function(aws)
    functions = aws.client("lambda")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    found = refusal(functions.invoke, FunctionName=name, Payload=json.dumps({}).encode())
    assert (found.code, found.status) == ("TooManyRequestsException", 429)
    assert found.answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    functions.delete_function_concurrency(FunctionName=name)
    assert call(aws, name)["StatusCode"] == 200
