"""Invoke in all its kinds."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


def model(**fields: Any) -> dict[str, Any]:
    fields = {"duration_ms": {"128": 1}, "init_ms": 0, **fields}
    return {"Variables": {"SANDBOX_MODEL": json.dumps(fields)}}


def test_a_call_answers_with_its_version_and_payload(client: Any, new_function: Any) -> None:
    answer = client.invoke(FunctionName=new_function())
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert json.loads(answer["Payload"].read()) == {"ok": True}
    assert "LogResult" not in answer
    assert "FunctionError" not in answer


def test_the_log_tail_has_the_report_of_this_request(client: Any, new_function: Any) -> None:
    answer = client.invoke(FunctionName=new_function(), LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert f"REPORT RequestId: {answer['ResponseMetadata']['RequestId']}\t" in tail
    assert len(tail.encode()) <= 4096


def test_the_log_tail_has_at_most_4_kb(client: Any, new_function: Any, make_zip: Any) -> None:
    source = "def handler(event, context):\n    print('x' * 9000)\n    return 1\n"
    name = new_function(
        Code={"ZipFile": make_zip({"app.py": source})}, Environment={"Variables": {}}
    )
    answer = client.invoke(FunctionName=name, LogType="Tail")
    tail = base64.b64decode(answer["LogResult"])
    assert len(tail) == 4096
    assert tail.rstrip().splitlines()[-1].startswith(b"REPORT ")


@pytest.mark.parametrize(
    "reference",
    ["{name}", "function:{name}", "000000000000:function:{name}", ARN + "{name}"],
    ids=["name", "function:name", "partial ARN", "full ARN"],
)
def test_functions_are_reached_by_all_forms_of_their_name(
    client: Any, new_function: Any, reference: str
) -> None:
    text = reference.format(name=new_function(Publish=True))
    beside = client.invoke(FunctionName=text, Qualifier="1")
    within = client.invoke(FunctionName=f"{text}:1")
    assert (beside["ExecutedVersion"], within["ExecutedVersion"]) == ("1", "1")


def test_two_different_qualifiers_are_refused(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function(Publish=True)
    answer = refused(client.invoke, FunctionName=f"{name}:1", Qualifier="$LATEST")
    assert answer == (
        "InvalidParameterValueException",
        400,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )


def test_other_regions_and_accounts_are_out_of_reach(client: Any, refused: Any) -> None:
    there = "arn:aws:lambda:eu-west-1:000000000000:function:x"
    assert refused(client.invoke, FunctionName=there) == (
        "ResourceNotFoundException",
        404,
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )
    other = "arn:aws:lambda:us-east-1:123456789012:function:x"
    assert refused(client.invoke, FunctionName=other)[:2] == ("AccessDeniedException", 403)


def test_an_unknown_qualifier_is_in_the_error(client: Any, new_function: Any, refused: Any) -> None:
    name = new_function()
    assert refused(client.invoke, FunctionName=name, Qualifier="live") == (
        "ResourceNotFoundException",
        404,
        f"Function not found: {ARN}{name}:live",
    )


def test_a_dry_run_runs_nothing(client: Any, new_function: Any) -> None:
    answer = client.invoke(FunctionName=new_function(), InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert answer["Payload"].read() == b""


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"{nope", id="cut off"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b'{"x": [-Infinity]}', id="-Infinity"),
        pytest.param('{"x": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param('"ä"'.encode("latin-1"), id="Latin-1"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
def test_a_payload_that_is_no_json_is_refused(
    client: Any, new_function: Any, refused: Any, kind: str, payload: bytes
) -> None:
    name = new_function()
    code, status, message = refused(
        client.invoke, FunctionName=name, InvocationType=kind, Payload=payload
    )
    assert (code, status) == ("InvalidRequestContentException", 400)
    assert message.startswith("Could not parse request body into json: Could not parse payload")


@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6_291_456), ("Event", 1_048_576)])
def test_payloads_have_a_limit(
    client: Any, new_function: Any, refused: Any, kind: str, limit: int
) -> None:
    name = new_function()
    fits = b'"' + b"x" * (limit - 2) + b'"'
    client.invoke(FunctionName=name, InvocationType=kind, Payload=fits)
    assert refused(client.invoke, FunctionName=name, InvocationType=kind, Payload=fits + b" ") == (
        "RequestTooLargeException",
        413,
        f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
    )


def test_an_answer_that_is_too_large_is_an_error_of_the_function(
    client: Any, new_function: Any, make_zip: Any
) -> None:
    source = "def handler(event, context):\n    return 'x' * 6_300_000\n"
    name = new_function(
        Code={"ZipFile": make_zip({"app.py": source})}, Environment={"Variables": {}}
    )
    answer = client.invoke(FunctionName=name)
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_failing_function_is_answered_with_200(client: Any, new_function: Any) -> None:
    answer = client.invoke(FunctionName=new_function(Environment=model(failure="error")))
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert "errorMessage" in json.loads(answer["Payload"].read())


def test_a_handler_sees_its_payload_context_and_the_sandbox(
    client: Any, sandbox: Any, new_function: Any, make_zip: Any
) -> None:
    source = (
        "import os\n"
        "def handler(event, context):\n"
        "    return {'event': event, 'arn': context.invoked_function_arn,\n"
        "            'id': context.aws_request_id, 'custom': context.client_context.custom,\n"
        "            'url': os.environ['AWS_ENDPOINT_URL']}\n"
    )
    name = new_function(
        Code={"ZipFile": make_zip({"app.py": source})}, Environment={"Variables": {}}
    )
    context = base64.b64encode(b'{"custom": {"k": "v"}}').decode()
    answer = client.invoke(FunctionName=name, Payload=b'{"n": 1}', ClientContext=context)
    assert json.loads(answer["Payload"].read()) == {
        "event": {"n": 1},
        "arn": ARN + name,
        "id": answer["ResponseMetadata"]["RequestId"],
        "custom": {"k": "v"},
        "url": sandbox.endpoint_url,
    }


@pytest.mark.parametrize(
    "context",
    [
        pytest.param("no base64", id="no base64"),
        pytest.param("NQ==", id="a number"),
        pytest.param("bnVsbA==", id="null"),
        pytest.param("W10=", id="a list"),
        pytest.param(base64.b64encode(b"[" * 2500).decode(), id="deep"),
        pytest.param(base64.b64encode(b'{"x": NaN}').decode(), id="NaN"),
    ],
)
def test_a_client_context_must_be_a_json_object_in_base64(
    client: Any, new_function: Any, refused: Any, context: str
) -> None:
    answer = refused(client.invoke, FunctionName=new_function(), ClientContext=context)
    assert answer[:2] == ("InvalidRequestContentException", 400)


def test_runtimes_that_cannot_run_are_named(client: Any, new_function: Any, refused: Any) -> None:
    java = {"Runtime": "java21", "Handler": "example.Handler::handle"}
    name = new_function(**java, Environment={"Variables": {}})
    assert refused(client.invoke, FunctionName=name) == (
        "InvalidRuntimeException",
        502,
        f"the sandbox runs python*, nodejs* and provided* (function {name} has the runtime java21)",
    )


def test_a_modelled_function_may_have_any_runtime(client: Any, new_function: Any) -> None:
    name = new_function(Runtime="java21", Handler="example.Handler::handle")
    assert json.loads(client.invoke(FunctionName=name)["Payload"].read()) == {"ok": True}


def counting_function(new_function: Any, make_zip: Any, marks: Any, ending: str) -> str:
    """A function that leaves one line in the file `marks` for each run."""
    source = (
        "def handler(event, context):\n"
        f"    with open({str(marks)!r}, 'a') as file:\n"
        "        file.write(context.aws_request_id + '\\n')\n"
        f"    {ending}\n"
    )
    return str(
        new_function(Code={"ZipFile": make_zip({"app.py": source})}, Environment={"Variables": {}})
    )


def lines_of(marks: Any, *, at_least: int) -> list[str]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        lines = marks.read_text().splitlines() if marks.exists() else []
        if len(lines) >= at_least:
            return list(lines)
        time.sleep(0.01)
    raise AssertionError(f"{marks} has fewer than {at_least} lines")


def test_an_event_is_accepted_and_runs_later(
    client: Any, new_function: Any, make_zip: Any, tmp_path: Any
) -> None:
    marks = tmp_path / "marks"
    name = counting_function(new_function, make_zip, marks, "return 1")
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert lines_of(marks, at_least=1) == [answer["ResponseMetadata"]["RequestId"]]


def test_an_event_that_fails_runs_three_times_with_one_id(
    client: Any, new_function: Any, make_zip: Any, tmp_path: Any
) -> None:
    marks = tmp_path / "marks"
    name = counting_function(new_function, make_zip, marks, "raise ValueError('no')")
    answer = client.invoke(FunctionName=name, InvocationType="Event")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert lines_of(marks, at_least=3) == [request_id] * 3
    # The pauses in these tests are 20 and 40 ms: a fourth run would have come by now.
    time.sleep(0.3)
    assert len(marks.read_text().splitlines()) == 3


@pytest.mark.parametrize("qualifier", [None, "live"], ids=["latest", "an alias"])
def test_a_retry_of_an_event_runs_what_the_function_is_by_then(
    start_sandbox: Any,
    connect: Any,
    create_in: Any,
    make_zip: Any,
    tmp_path: Any,
    qualifier: str | None,
) -> None:
    client = connect(start_sandbox(update_s=0.0))
    marks, go_on = tmp_path / "marks", tmp_path / "go-on"
    source = (
        "import os, time\n"
        "def handler(event, context):\n"
        f"    with open({str(marks)!r}, 'a') as file:\n"
        "        file.write(os.environ['STATE'] + '\\n')\n"
        f"    while not os.path.exists({str(go_on)!r}):\n"
        "        time.sleep(0.005)\n"
        "    raise ValueError('no')\n"
    )
    name = create_in(
        client,
        "f",
        Code={"ZipFile": make_zip({"app.py": source})},
        Environment={"Variables": {"STATE": "old"}},
        Timeout=60,
        Publish=True,
    )
    alias = {"FunctionName": name, "Name": "live"}
    client.create_alias(**alias, FunctionVersion="1")
    more = {} if qualifier is None else {"Qualifier": qualifier}
    client.invoke(FunctionName=name, InvocationType="Event", **more)
    assert lines_of(marks, at_least=1) == ["old"]
    variables = {"Variables": {"STATE": "new"}}
    client.update_function_configuration(FunctionName=name, Environment=variables)
    client.publish_version(FunctionName=name)
    client.update_alias(**alias, FunctionVersion="2")
    go_on.touch()
    assert lines_of(marks, at_least=3) == ["old", "new", "new"]
