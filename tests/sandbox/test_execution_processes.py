"""Real processes: what they are given, what they answer, and how they fail."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import shutil
import stat
import sys
import time
from pathlib import Path

import pytest
from execution_rig import ARN, call, host, payload, request, version, with_executor, write_handlers

from sandbox.execution import procfs
from sandbox.execution.counting import CountSchedule
from sandbox.execution.faults import OUT_OF_MEMORY


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return write_handlers(tmp_path_factory.mktemp("code"))


def text_lines(result):
    return result.log.decode().splitlines()


def test_the_event_comes_back(code):
    [result] = call(version(code, "echo"), {"a": [1, "ä"]})
    assert payload(result) == {"a": [1, "ä"]}
    assert result.function_error is None
    assert result.report.status == "success"


def test_the_first_call_is_cold_and_the_next_one_warm(code):
    cold, warm = call(version(code, "describe"), {}, {})
    assert payload(cold)["pid"] == payload(warm)["pid"]
    assert payload(warm)["calls"] == 2
    assert cold.report.init_ms is not None
    assert cold.report.init_ms > 5
    assert cold.report.billed_ms >= cold.report.init_ms
    assert warm.report.init_ms is None
    assert text_lines(cold)[0].startswith("INIT_START Runtime Version: python:3.11.v1\t")
    assert text_lines(warm)[0].startswith("START RequestId: ")


def test_handlers_see_lambdas_environment_and_little_of_the_hosts(code, monkeypatch):
    monkeypatch.setenv("DEVELOPER_SECRET", "do not pass on")
    spec = version(code, "describe", environment={"STAGE": "test", "PYTHONPATH": "/opt/mine"})
    [result] = call(spec, {}, aws_environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    seen = payload(result)
    env = seen["env"]
    assert seen["cwd"] == str(code)
    assert "DEVELOPER_SECRET" not in env
    assert env["STAGE"] == "test"
    assert env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert env["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1769"
    assert env["AWS_REGION"] == "eu-west-1"
    assert env["LAMBDA_TASK_ROOT"] == str(code)
    assert env["_HANDLER"] == "handler.describe"
    assert env["TZ"] == ":UTC"
    assert env["PYTHONPATH"].split(":")[:2] == [str(code), "/opt/mine"]
    assert env["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/f"
    assert "/[$LATEST]" in env["AWS_LAMBDA_LOG_STREAM_NAME"]


def test_aws_clients_of_handlers_find_neither_profiles_nor_keys_of_the_user(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    keys = "[default]\naws_access_key_id = users\naws_secret_access_key = users\n"
    (home / ".aws" / "credentials").write_text(keys)
    (home / ".aws" / "config").write_text("[default]\nregion = ap-south-1\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "users")
    (tmp_path / "main.py").write_text(
        "import boto3\n"
        "def go(event, context):\n"
        "    session = boto3.Session()\n"
        "    found = session.get_credentials()\n"
        "    return [session.region_name, found and found.access_key]\n"
    )
    [without] = call(version(tmp_path, "main.go"), {})
    assert payload(without) == ["eu-west-1", None]
    given = {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}
    [with_keys] = call(version(tmp_path, "main.go"), {}, aws_environment=given)
    assert payload(with_keys) == ["eu-west-1", "sandbox"]


def test_handlers_see_their_request(code):
    context = base64.b64encode(json.dumps({"custom": {"who": "Zoë"}}).encode()).decode()
    spec = version(code, "describe", timeout_s=7)
    sent = request(client_context=context, invoked_arn=f"{ARN}:live")

    async def work(executor):
        return await executor.invoke(spec, sent)

    seen = payload(with_executor(work))
    assert seen["id"] == sent.request_id
    assert seen["arn"] == f"{ARN}:live"
    assert 6000 < seen["left"] <= 7000
    assert seen["client"] == {"who": "Zoë"}


def test_all_that_a_handler_prints_is_between_start_and_end(code):
    spec = version(code, "shout")
    _, result = call(spec, {}, {})
    lines = text_lines(result)
    assert [line.split()[0] for line in lines] == ["START", "to", "to", "END", "REPORT"]
    assert lines[1:3] == ["to stdout", "to stderr"]


@pytest.mark.parametrize("handler", ["flood", "shout"])
def test_no_output_is_lost_or_put_into_another_calls_log(code, handler):
    results = call(version(code, handler), *[{}] * 5)
    printed = [
        [line for line in text_lines(it) if line.startswith(("line ", "to "))] for it in results
    ]
    everything = [f"line {number:06d}" for number in range(20000)]
    expected = everything if handler == "flood" else ["to stdout", "to stderr"]
    assert printed == [expected] * 5


def test_json_logs_hold_the_platforms_objects(code):
    [result] = call(version(code, "echo", log_format="JSON"), {})
    events = [json.loads(line) for line in text_lines(result)]
    assert [event["type"] for event in events] == [
        "platform.initStart",
        "platform.start",
        "platform.report",
    ]
    assert events[-1]["record"]["metrics"]["initDurationMs"] == result.report.init_ms


def test_an_exception_keeps_the_environment(code):
    failed, again = call(version(code, "fail"), {}, {})
    assert failed.function_error == "Unhandled"
    assert payload(failed)["errorType"] == "ValueError"
    assert payload(failed)["errorMessage"] == "bad value"
    assert failed.report.status == "error"
    assert failed.report.error_type == "ValueError"
    assert "Status:" not in text_lines(failed)[-1]
    assert again.report.init_ms is None


@pytest.mark.parametrize(
    ("handler", "event", "reason"),
    [
        ("leave", {"status": 1}, "exit status 1"),
        ("die", {"signal": "SIGSEGV"}, "signal: segmentation fault"),
        ("die", {"signal": "SIGKILL"}, "signal: killed"),
    ],
)
def test_an_exit_ends_the_environment(code, handler, event, reason):
    first, second = call(version(code, handler), event, event)
    message = payload(first)["errorMessage"]
    assert payload(first)["errorType"] == "Runtime.ExitError"
    assert message.endswith(f" Error: Runtime exited with error: {reason}")
    assert message.startswith("RequestId: ")
    assert text_lines(first)[-1].endswith("\tStatus: error\tError Type: Runtime.ExitError")
    assert second.report.init_ms is not None


def test_a_call_beyond_its_timeout_is_stopped(code):
    spec = version(code, "sleep", timeout_s=1)
    late, next_one = call(spec, {"ms": 5000}, {"ms": 1})
    assert payload(late) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": payload(late)["errorMessage"],
    }
    assert payload(late)["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert late.report.status == "timeout"
    assert late.report.duration_ms == 1000
    assert text_lines(late)[-1].endswith("\tStatus: timeout")
    assert next_one.report.status == "success"
    assert next_one.report.init_ms is not None


@pytest.mark.parametrize("cpu_ms", [100, 900], ids=["after the answer", "before the answer"])
def test_the_timeout_counts_virtual_time(code, cpu_ms):
    """At 128 MB, 100 ms of CPU are 1.4 s: too much for 1 s, however fast the host was."""
    [result] = call(version(code, "burn", memory_mb=128, timeout_s=1), {"cpu_ms": cpu_ms})
    assert result.report.status == "timeout"
    assert result.report.duration_ms == 1000
    assert result.report.billed_ms >= 1000


@pytest.mark.parametrize("handler", ["fill", "fill_in_child"])
def test_more_memory_than_there_is_kills(code, handler):
    spec = version(code, handler, memory_mb=128)
    killed, again = call(spec, {"mb": 300}, {"mb": 1}, cpu_model="off")
    assert payload(killed)["errorType"] == "Runtime.ExitError"
    assert payload(killed)["errorMessage"].endswith("signal: killed")
    assert killed.report.error_type == OUT_OF_MEMORY
    assert killed.report.max_memory_used_mb == 128
    assert again.report.status == "success"
    assert again.report.init_ms is not None


@pytest.mark.skipif(not procfs.available(), reason="needs /proc")
@pytest.mark.parametrize("then", ["return", "spin"])
def test_memory_that_no_look_counted_is_counted_at_the_end(tmp_path, monkeypatch, then):
    """No count is ever due here; the handler goes on when its child has been looked at twice."""

    class SeldomProbe(procfs.LinuxProbe):
        def resident_mb(self, known_mb=0.0, limit_mb=math.inf):
            resident_mb = super().resident_mb(known_mb, limit_mb)
            if self._schedule.is_owed:
                (tmp_path / "looked").touch()
            return resident_mb

    def never(schedule, *_):
        schedule.is_owed = True
        return False

    monkeypatch.setattr(CountSchedule, "is_due", never)
    monkeypatch.setattr(procfs, "LinuxProbe", SeldomProbe)
    (tmp_path / "main.py").write_text(
        "import os, subprocess, sys, time\n"
        "CODE = \"x = b'1' * 300_000_000; print(flush=True); input()\"\n"
        "def go(event, context):\n"
        "    command = [sys.executable, '-S', '-c', CODE]\n"
        "    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}\n"
        "    subprocess.Popen(command, **pipes).stdout.readline()\n"
        "    while event['then'] == 'spin' or not os.path.exists('looked'):\n"
        "        time.sleep(0.001)\n"
    )
    spec = version(tmp_path, "main.go", memory_mb=128, timeout_s=3)
    [result] = call(spec, {"then": then}, cpu_model="off")
    assert result.report.error_type == OUT_OF_MEMORY


def test_children_that_are_about_to_start_are_no_memory(code):
    """For a moment each shows the 60 MB of the handler as its own."""
    spec = version(code, "start_children_beside", memory_mb=128)
    event = {"mb": 60, "children": 20}
    for result in call(spec, *[event] * 5, cpu_model="off"):
        assert result.report.status == "success"
        assert result.report.max_memory_used_mb < 110


def test_memory_within_the_limit_is_reported_and_never_falls(code):
    before, full, after = call(
        version(code, "fill", memory_mb=256), {"mb": 1}, {"mb": 90}, {"mb": 1}
    )
    assert before.report.max_memory_used_mb < 60
    assert 90 <= full.report.max_memory_used_mb < 150
    assert after.report.max_memory_used_mb == full.report.max_memory_used_mb


@pytest.mark.parametrize(
    ("handler", "source", "error_type", "message"),
    [
        ("absent.handler", "", "Runtime.ImportModuleError", "Unable to import module 'absent'"),
        ("main.absent", "", "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'main'"),
        ("main.go", "def go(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'main'"),
        ("main.go", "import nothing_like_it", "Runtime.ImportModuleError", "nothing_like_it"),
        ("main.go", "raise KeyError('k')", "KeyError", "'k'"),
        ("main.go", "import os; os._exit(4)", "Runtime.ExitError", "exit status 4"),
        ("main.go", "x = b'1' * 300_000_000", "Runtime.ExitError", "signal: killed"),
    ],
    ids=["module", "handler", "syntax", "import", "exception", "exit", "memory"],
)
def test_a_function_that_does_not_load_says_why(tmp_path, handler, source, error_type, message):
    (tmp_path / "main.py").write_text(source)
    [result] = call(version(tmp_path, handler, memory_mb=128), {})
    assert result.function_error == "Unhandled"
    assert payload(result)["errorType"] == error_type
    assert message in payload(result)["errorMessage"]
    assert result.report.init_ms is None
    lines = text_lines(result)
    assert any(line.startswith("INIT_REPORT Init Duration: ") for line in lines)
    assert lines[-1].startswith("REPORT ")
    assert "\tStatus: error\tError Type: " in lines[-1]


def test_an_init_beyond_its_limit_starts_over_within_the_timeout(tmp_path):
    (tmp_path / "main.py").write_text("import time; time.sleep(0.5)\ndef go(e, c): return 1")
    [result] = call(version(tmp_path, "main.go"), {}, host=host(init_limit_s=0.2))
    assert payload(result) == 1
    assert result.report.init_ms is None
    assert result.report.duration_ms > 500
    phases = [line for line in text_lines(result) if line.startswith("INIT_REPORT")]
    assert phases == ["INIT_REPORT Init Duration: 200.00 ms\tPhase: init\tStatus: timeout"]


def test_an_init_beyond_the_timeout_as_well_times_out(tmp_path):
    (tmp_path / "main.py").write_text("import time; time.sleep(30)")
    spec = version(tmp_path, "main.go", timeout_s=1)
    [result] = call(spec, {}, host=host(init_limit_s=0.2))
    assert result.report.status == "timeout"
    assert result.report.duration_ms == 1000
    assert payload(result)["errorType"] == "Sandbox.Timedout"


def test_a_response_above_six_megabytes_is_refused(code):
    refused, again = call(version(code, "large"), {}, {})
    assert payload(refused)["errorType"] == "Function.ResponseSizeTooLarge"
    assert again.report.init_ms is None


def test_the_pure_python_runtime_client_does_what_the_native_one_does(code):
    options = {"host": host(native_client=False)}
    cold, warm = call(version(code, "describe"), {}, {}, **options)
    assert payload(warm)["calls"] == 2
    assert "bootstrap" in payload(cold)["env"]["PYTHONPATH"]
    [failed] = call(version(code, "fail"), {}, **options)
    assert payload(failed)["errorType"] == "ValueError"
    assert failed.report.error_type == "ValueError"
    [missing] = call(version(code, "absent"), {}, **options)
    assert payload(missing)["errorType"] == "Runtime.HandlerNotFound"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("index.mjs", "export const handler = async (event) => ({ got: event.a });"),
        ("index.js", "exports.handler = async (event) => ({ got: event.a });"),
        ("index.cjs", "exports.handler = (event, context, done) => done(null, { got: event.a });"),
    ],
    ids=["module", "commonjs", "callback"],
)
def test_node_handlers_run(tmp_path, name, source):
    (tmp_path / name).write_text(source)
    spec = version(tmp_path, "index.handler", runtime="nodejs20.x")
    cold, warm = call(spec, {"a": 1}, {"a": 2})
    assert payload(cold) == {"got": 1}
    assert payload(warm) == {"got": 2}
    assert cold.report.init_ms is not None
    assert warm.report.init_ms is None


BOOTSTRAP = """#!{python} -S
import http.client, os, sys, time
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    connection.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    answer = connection.getresponse()
    answer.read()
    return answer.getheader("Lambda-Runtime-Aws-Request-Id")
while True:
    call("POST", call("GET", "next") + "/response", b"1")
    {then}
"""


def test_a_runtime_that_connects_anew_is_given_the_call(tmp_path):
    """It asked, hung up while it waited, and asks again."""
    then = (
        "connection.request('GET', '/2018-06-01/runtime/invocation/next'); time.sleep(0.05); "
        "connection.close(); time.sleep(0.2)"
    )
    bootstrap = tmp_path / "bootstrap"
    bootstrap.write_text(BOOTSTRAP.format(python=sys.executable, then=then))
    bootstrap.chmod(0o755)
    spec = version(tmp_path, "any", runtime="provided.al2023", timeout_s=3)

    async def work(executor):
        await executor.invoke(spec, request())
        await asyncio.sleep(0.15)
        return await executor.invoke(spec, request())

    result = with_executor(work)
    assert result.report.status == "success"
    assert result.report.init_ms is None


@pytest.mark.parametrize(
    ("then", "error_type", "slowest_s"),
    [
        pytest.param("time.sleep(0.1)", None, 0.9, id="asks later"),
        pytest.param("time.sleep(0.1); sys.exit(3)", "Runtime.ExitError", 0.9, id="ends"),
        pytest.param("time.sleep(60)", "Sandbox.Timedout", 5, id="asks no more"),
    ],
)
def test_a_call_waits_until_the_runtime_asks_for_it(tmp_path, then, error_type, slowest_s):
    bootstrap = tmp_path / "bootstrap"
    bootstrap.write_text(BOOTSTRAP.format(python=sys.executable, then=then))
    bootstrap.chmod(0o755)
    spec = version(tmp_path, "any", runtime="provided.al2023", timeout_s=1)

    async def work(executor):
        await executor.invoke(spec, request())
        began_s = time.monotonic()
        result = await executor.invoke(spec, request())
        return result, time.monotonic() - began_s

    result, took_s = with_executor(work)
    assert result.report.error_type == error_type
    assert took_s < slowest_s
    assert took_s > (0.99 if error_type == "Sandbox.Timedout" else 0.05)


LATER = "let late = 0; const later = (then) => setTimeout(() => { late += 1; then?.(); }, 20);\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("handler", "answer"),
    [
        pytest.param("(event, context, callback) => {}", None, id="never calls back"),
        pytest.param("(event, context, callback) => { later(); }", None, id="has work left"),
        pytest.param("(event, context) => ({ a: 1 })", None, id="returns a plain value"),
        pytest.param("(event, context) => new Promise(() => {})", None, id="never resolves"),
        pytest.param("(event, context) => context.succeed(1)", 1, id="succeed"),
        pytest.param("(event, context) => later(() => context.done(null, 2))", 2, id="done, later"),
        pytest.param("(event, context) => context.done('no')", "no", id="done with an error"),
        pytest.param("(event, context) => context.fail(new Error('no'))", "no", id="fail"),
        pytest.param("(event, context) => context.fail()", "handled", id="fail without an error"),
        pytest.param("(event, context, callback) => callback(null, late)", 0, id="calls back"),
        pytest.param(
            "(e, c, callback) => { const out = {}; later(() => { out.late = late; });"
            " callback(null, out); }",
            {"late": 1},
            id="waits for the event loop to be empty",
        ),
        pytest.param(
            "(e, context, callback) => { context.callbackWaitsForEmptyEventLoop = false;"
            " setInterval(() => {}, 1000); callback(null, late); }",
            0,
            id="waits for nothing",
        ),
        pytest.param(
            "(e, c, callback) => { setInterval(() => {}, 1000); callback('no'); }",
            "no",
            id="an error waits for nothing",
        ),
        pytest.param(
            "(e, c, callback) => { callback(null, 1); callback(null, 2); }",
            1,
            id="the first counts",
        ),
        pytest.param(
            "async (event, context) => { setInterval(() => {}, 1000); return 3; }",
            3,
            id="a promise waits for nothing",
        ),
        pytest.param("() => { throw new Error('no'); }", "no", id="throws"),
    ],
)
def test_node_handlers_answer_when_aws_lets_them(tmp_path, handler, answer):
    (tmp_path / "index.mjs").write_text(f"{LATER}export const go = {handler};")
    [result] = call(version(tmp_path, "index.go", runtime="nodejs22.x"), {})
    found = payload(result)
    assert (found["errorMessage"] if result.function_error else found) == answer


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_answers_calls_one_after_the_other_whatever_answered_the_last(tmp_path):
    handler = "(e, context, callback) => (e.async ? context.succeed(e.n) : callback(null, e.n))"
    (tmp_path / "index.mjs").write_text(f"export const go = {handler};")
    spec = version(tmp_path, "index.go", runtime="nodejs20.x")
    events = [{"n": n, "async": n % 3 == 0} for n in range(9)]
    results = call(spec, *events)
    assert [payload(result) for result in results] == list(range(9))
    assert sum(result.report.init_ms is not None for result in results) == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("handler", "answer"),
    [
        pytest.param("(event, context) => ({ a: 1 })", {"a": 1}, id="returns a plain value"),
        pytest.param("(event, context) => typeof context.succeed", "undefined", id="no succeed"),
        pytest.param(
            "(event, context, callback) => callback(null, 1)",
            "Runtime.CallbackHandlerDeprecated",
            id="calls back",
        ),
    ],
)
def test_node_has_no_callbacks_from_24_on(tmp_path, handler, answer):
    (tmp_path / "index.mjs").write_text(f"export const go = {handler};")
    [result] = call(version(tmp_path, "index.go", runtime="nodejs24.x"), {})
    found = payload(result)
    assert (found["errorType"] if result.function_error else found) == answer


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("export const go = async () => { throw new TypeError('no'); };", "index.go", "TypeError"),
        ("export const go = 1;", "index.go", "Runtime.HandlerNotFound"),
        ("export const go = ;", "index.go", "Runtime.UserCodeSyntaxError"),
        ("import 'absent-package';", "index.go", "Runtime.ImportModuleError"),
        ("", "absent.go", "Runtime.ImportModuleError"),
        ("export const go = () => process.exit(3);", "index.go", "Runtime.ExitError"),
    ],
)
def test_node_errors_are_lambdas(tmp_path, source, handler, error_type):
    (tmp_path / "index.mjs").write_text(source)
    [result] = call(version(tmp_path, handler, runtime="nodejs20.x"), {})
    assert payload(result)["errorType"] == error_type


def test_a_missing_node_is_said(code, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    [result] = call(version(code, "echo", runtime="nodejs20.x"), {})
    assert payload(result)["errorType"] == "Runtime.InvalidRuntime"
    assert "needs the program node" in payload(result)["errorMessage"]


def test_provided_runtimes_run_their_own_bootstrap(tmp_path):
    script = """#!/bin/sh
    api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
    while true; do
      head=$(mktemp); body=$(mktemp)
      curl -sS -D "$head" -o "$body" "$api/next" || exit 0
      id=$(grep -i request-id "$head" | tr -d '[:space:]' | cut -d: -f2)
      curl -sS -o /dev/null --data-binary "@$body" "$api/$id/response"
      rm -f "$head" "$body"
    done
    """
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    bootstrap = tmp_path / "bootstrap"
    bootstrap.write_text(script)
    bootstrap.chmod(bootstrap.stat().st_mode | stat.S_IXUSR)
    cold, warm = call(version(tmp_path, "any", runtime="provided.al2023"), {"a": 1}, {"a": 2})
    assert payload(cold) == {"a": 1}
    assert payload(warm) == {"a": 2}


@pytest.mark.parametrize(
    ("runtime", "error_type", "message"),
    [
        ("provided.al2023", "Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s)"),
        ("java21", "Runtime.InvalidRuntime", "(got 'java21')"),
    ],
)
def test_what_cannot_run_is_said(code, runtime, error_type, message):
    [result] = call(version(code, "echo", runtime=runtime), {})
    assert payload(result)["errorType"] == error_type
    assert message in payload(result)["errorMessage"]


@pytest.mark.skipif(not procfs.available(), reason="needs /proc")
def test_a_process_that_cannot_start_leaves_no_descriptor_open(code):
    spec = version(code, "echo", environment={"BAD": "a\0b"})

    async def work(executor):
        counts = []
        for _ in range(5):
            result = await executor.invoke(spec, request())
            assert payload(result)["errorType"] == "Runtime.InvalidEntrypoint"
            assert "null byte" in payload(result)["errorMessage"]
            await executor.retire("f")
            counts.append(len(list(Path("/proc/self/fd").iterdir())))
        return counts

    counts = with_executor(work)
    assert counts[0] == counts[-1]


def test_environments_of_one_version_run_side_by_side(code):
    spec = version(code, "sleep")

    async def work(executor):
        calls = [executor.invoke(spec, request({"ms": 300})) for _ in range(4)]
        results = await asyncio.gather(*calls)
        return results, executor.process_count

    results, processes = with_executor(work)
    assert processes == 4
    assert all(result.report.init_ms is not None for result in results)
