"""What runs around each call: what it is told, what it may say, and how it goes wrong."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.aws.limits import SYNC_PAYLOAD_MAX_BYTES
from core.aws.session import AwsSession, LocalAccess
from core.errors import InputError
from core.interrupt import StopRequest
from tests.conftest import ROLE, zipped
from tests.tuner.hook_rig import MODULE, asked, hooks, is_running, pid_in, sh, wait_until
from tuner.hook_kinds.asked import (
    CommandAsked,
    LambdaAsked,
    PythonAsked,
    check_hook_options,
    hooks_note,
    parse_hook,
    recorded_hook,
)
from tuner.hook_kinds.opening import check_hooks
from tuner.hooks import NO_HOOKS, HookError, HookStopped

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ARN = "arn:aws:lambda:us-east-1:123456789012:function:reset"
EVENT = b'{"order": "4711-4711"}'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module of the user's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MODULE)
    return tmp_path


# What the options say.


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        pytest.param("lambda:reset", LambdaAsked("pre", "reset", None, None), id="name"),
        pytest.param("lambda:reset:live", LambdaAsked("pre", "reset", "live", None), id="alias"),
        pytest.param("lambda:reset:$LATEST", LambdaAsked("pre", "reset", "$LATEST", None), id="$"),
        pytest.param(ARN, LambdaAsked("pre", ARN, None, "us-east-1"), id="ARN"),
        pytest.param(f"{ARN}:7", LambdaAsked("pre", ARN, "7", "us-east-1"), id="ARN of a version"),
        pytest.param(f"lambda:{ARN}", LambdaAsked("pre", ARN, None, "us-east-1"), id="lambda:ARN"),
        pytest.param("python:a.b:f", PythonAsked("pre", "a.b", "f"), id="Python"),
        pytest.param("sh -c 'a b'", CommandAsked("pre", ("sh", "-c", "a b")), id="command"),
    ],
)
def test_a_hook_is_a_function_a_python_function_or_a_command(text: str, hook: object) -> None:
    assert parse_hook("pre", text) == hook


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "--pre: expected lambda:NAME, a function's ARN, python:MODULE:FUNCTION or a command"),
        ("''", "--pre: expected lambda:NAME"),
        ("lambda:", "--pre: expected a function's name"),
        ("lambda:no such", "--pre: expected a function's name"),
        ("lambda:reset:", "--pre: expected a function's name"),
        ("arn:aws:s3:::bucket", "--pre: expected a function's name"),
        ("lambda-output:reset", "--pre: lambda-output: only used with --post"),
        ("python:mine", "--pre: expected python:MODULE:FUNCTION (got 'python:mine')"),
        ("python::f", "--pre: expected python:MODULE:FUNCTION"),
        ("python:a..b:f", "--pre: expected python:MODULE:FUNCTION"),
        ("python:mine:f()", "--pre: expected python:MODULE:FUNCTION"),
        ("sh -c 'open", "--pre: could not split the command into words: no closing quotation"),
        ("no-such-command --x", "--pre: 'no-such-command': not found in PATH (expected lambda:"),
        ("./no-such-file", "--pre: './no-such-file': no such file"),
        ("./mine.py", "--pre: './mine.py' is not executable (chmod +x makes it so)"),
        (".", "--pre: '.': not found in PATH"),
        ("./", "--pre: './' is not executable"),
        ("sh a\0b", "--pre: expected a command without NUL characters"),
    ],
)
def test_a_hook_that_is_none_is_said_before_anything_is_asked_of_aws(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_hook("pre", text)

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("pre", "timeout_s", "said"),
    [
        ("sh", 0.0, "--hook-timeout: expected seconds above 0, at most 900 (got 0)"),
        ("sh", 901.0, "(got 901)"),
        ("sh", float("nan"), "(got nan)"),
        (None, 5.0, "--hook-timeout: only used with --pre or --post"),
    ],
)
def test_a_time_for_hooks_must_be_one(pre: str | None, timeout_s: float, said: str) -> None:
    with pytest.raises(InputError, match="--hook-timeout") as refused:
        check_hook_options(pre, None, timeout_s)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lambda:reset", "lambda:reset"),
        ("lambda-output:reset", "lambda-output:reset"),
        (ARN, ARN),
        ("python:mine:count", "python:mine:count"),
        ("./reset.sh", "./reset.sh"),
        ("curl -H 'Authorization: Bearer s3cret' URL", "curl <arguments>"),
        ("'open", "<command>"),
    ],
)
def test_a_record_has_no_arguments_of_a_command(text: str, shown: str) -> None:
    assert recorded_hook(text) == shown


def test_only_a_lambda_is_billed_besides() -> None:
    assert hooks_note(asked("sh", "python:mine:note")) is None
    assert hooks_note(asked("lambda:a", "lambda-output:b")) == (
        "AWS bills the calls of --pre lambda:a and --post lambda-output:b as well: "
        "they are in no figure of the run"
    )


# A command.


def test_without_hooks_a_payload_is_sent_as_it_is() -> None:
    assert NO_HOOKS.before(EVENT, 512) == EVENT
    NO_HOOKS.after(EVENT, b"{}", 512)


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        pytest.param("true", EVENT, id="says nothing, reads nothing"),
        pytest.param("cat", EVENT, id="says what it got"),
        pytest.param("echo null", EVENT, id="says null"),
        pytest.param('echo; echo " {\\"id\\": 1.10} "', b'{"id": 1.10}', id="byte for byte"),
        pytest.param("echo careful >&2", EVENT, id="complains only"),
        pytest.param(
            'echo "[\\"$TUNE_STEP\\", \\"$TUNE_FUNCTION\\", $TUNE_MEMORY_MB]"',
            b'["pre", "orders", 512]',
            id="knows the call",
        ),
    ],
)
def test_what_a_command_prints_before_a_call_is_the_payload(
    local_access: LocalAccess, script: str, sent: bytes
) -> None:
    with hooks(local_access, pre=sh(script)) as opened:
        assert opened.before(EVENT, 512) == sent


def test_a_command_is_no_shell_script(local_access: LocalAccess) -> None:
    with hooks(local_access, pre='echo ["$HOME", ";"] "*"') as opened, pytest.raises(HookError):
        opened.before(EVENT, 512)
    with hooks(local_access, pre="""echo '["$HOME", ";", "*"]'""") as opened:
        assert json.loads(opened.before(EVENT, 512)) == ["$HOME", ";", "*"]


@pytest.mark.parametrize(
    ("output", "told"),
    [
        pytest.param(b'{"a":1}', {"a": 1}, id="JSON"),
        pytest.param(None, None, id="nothing"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"plain", "plain", id="text"),
        pytest.param(b"\xff", "\ufffd", id="bytes"),
        pytest.param(b"[NaN]", "[NaN]", id="no JSON of anybody else"),
    ],
)
def test_a_command_after_a_call_gets_payload_and_output(
    local_access: LocalAccess, folder: Path, output: bytes | None, told: object
) -> None:
    with hooks(local_access, post=sh("cat >got; echo not JSON")) as opened:
        opened.after(EVENT, output, 512)

    event = json.loads((folder / "got").read_text())
    assert event == {"payload": {"order": "4711-4711"}, "output": told}


def test_a_large_event_goes_in_while_a_large_one_comes_out(local_access: LocalAccess) -> None:
    event = json.dumps("x" * (SYNC_PAYLOAD_MAX_BYTES - 2)).encode()

    with hooks(local_access, pre="cat") as opened:
        assert opened.before(event, 512) == event


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("exit 3", "exit code 3", id="exit code"),
        pytest.param("echo a >&2; echo; echo b >&2; exit 3", "exit code 3: b", id="its last line"),
        pytest.param("echo on stdout; exit 3", "exit code 3: on stdout", id="on stdout"),
        pytest.param("kill -9 $$", "ended by SIGKILL", id="signal"),
        pytest.param(
            "echo no order 4711-4711 >&2; exit 1",
            "exit code 1: no order [payload]",
            id="quotes the payload",
        ),
        pytest.param("echo {", "what it says:1:2: expected a JSON payload", id="no JSON"),
        pytest.param("echo NaN", "what it says:1:1: expected a JSON payload, got NaN", id="NaN"),
        pytest.param(
            "head -c 7000000 /dev/zero",
            f"what it says is longer than {SYNC_PAYLOAD_MAX_BYTES} bytes, Lambda",
            id="too long",
        ),
    ],
)
def test_a_command_that_goes_wrong_is_named_with_what_it_said(
    local_access: LocalAccess, script: str, said: str
) -> None:
    with hooks(local_access, pre=sh(script)) as opened, pytest.raises(HookError) as wrong:
        opened.before(EVENT, 512)

    message = str(wrong.value)
    assert message.startswith("--pre sh")
    assert said in message
    assert "\n" not in message
    assert "4711-4711" not in message
    assert wrong.value.exit_code == 1


def test_what_the_function_answered_is_not_told_of_a_hook_after_it(
    local_access: LocalAccess,
) -> None:
    with (
        hooks(local_access, post=sh("cat >&2; exit 1")) as opened,
        pytest.raises(HookError, match="--post sh, after a call at 512 MB: exit code 1") as wrong,
    ):
        opened.after(EVENT, b'{"token": "s3cr3t-token"}', 512)

    assert "[payload]" in str(wrong.value)
    assert "s3cr3t" not in str(wrong.value)


def test_a_file_that_is_no_program_is_said_when_it_is_started(
    local_access: LocalAccess, folder: Path
) -> None:
    (folder / "script").write_text("\0")
    (folder / "script").chmod(0o755)

    with (
        hooks(local_access, pre="./script") as opened,
        pytest.raises(HookError, match="could not be started: Exec format error"),
    ):
        opened.before(EVENT, 512)


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(
    local_access: LocalAccess, folder: Path
) -> None:
    script = '(trap "" TERM; sleep 60) & echo $! >child; echo $$ >parent; wait'

    with (
        hooks(local_access, pre=sh(script), timeout_s=0.4) as opened,
        pytest.raises(HookError, match=r"before a call at 512 MB: took longer than 0\.4 s"),
    ):
        opened.before(EVENT, 512)

    assert not is_running(pid_in(folder / "parent"))
    wait_until(lambda: not is_running(pid_in(folder / "child")))


def test_what_a_command_leaves_in_its_group_ends_with_it(
    local_access: LocalAccess, folder: Path
) -> None:
    # It holds the pipes, too: the hook has ended all the same.
    with hooks(local_access, pre=sh("sleep 60 & echo $! >child; echo 1")) as opened:
        assert opened.before(EVENT, 512) == b"1"

    wait_until(lambda: not is_running(pid_in(folder / "child")))


@contextmanager
def stop_when_there(file: Path, stop: StopRequest) -> Iterator[None]:
    """Asks to stop as soon as a hook has written its process id."""

    def ask() -> None:
        pid_in(file)
        stop.request()

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    thread.join()


def test_a_stop_ends_a_command_before_a_call(local_access: LocalAccess, folder: Path) -> None:
    stop = StopRequest()

    with (
        hooks(local_access, pre=sh("echo $$ >pid; exec sleep 60"), stop=stop) as opened,
        stop_when_there(folder / "pid", stop),
        pytest.raises(HookStopped),
    ):
        opened.before(EVENT, 512)

    assert not is_running(pid_in(folder / "pid"))


def test_a_stop_lets_a_command_after_a_call_put_things_right(
    local_access: LocalAccess, folder: Path
) -> None:
    stop = StopRequest()
    script = "echo $$ >pid; while ! [ -e go ]; do sleep 0.01; done; echo done >put-right"

    with (
        hooks(local_access, post=sh(script), stop=stop) as opened,
        stop_when_there(folder / "pid", stop),
    ):
        threading.Timer(0.2, (folder / "go").touch).start()
        opened.after(EVENT, None, 512)

    assert stop.requested
    assert (folder / "put-right").exists()


def test_a_second_signal_leaves_no_command_running(
    local_access: LocalAccess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)

    def interrupt() -> None:
        child = pid_in(folder / "pid")
        while is_running(child):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.02)

    with (
        StopRequest() as stop,
        hooks(local_access, post=sh("echo $$ >pid; exec sleep 60"), stop=stop) as opened,
    ):
        stop.request()
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(HookError, match="ended by SIGKILL"):
            opened.after(EVENT, None, 512)
        thread.join()

    assert set(left) == {130}


def test_tools_in_a_hook_reach_what_the_run_reaches(
    local_access: LocalAccess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")

    with hooks(local_access, post=sh("env >got")) as opened:
        opened.after(EVENT, None, 512)

    found = (folder / "got").read_text().splitlines()
    assert f"AWS_ENDPOINT_URL={local_access.endpoint_url}" in found
    assert not [line for line in found if "production" in line]


# A Python function.


def test_a_python_function_lives_from_call_to_call(local_access: LocalAccess) -> None:
    with hooks(local_access, pre="python:mine:count") as opened:
        sent = [json.loads(opened.before(EVENT, 512)) for _ in range(2)]

    assert sent == [{"call": 1, "order": "4711-4711"}, {"call": 2, "order": "4711-4711"}]


def test_a_python_function_that_returns_nothing_leaves_the_payload(
    local_access: LocalAccess,
) -> None:
    with hooks(local_access, pre="python:mine:keep") as opened:
        assert opened.before(EVENT, 512) == EVENT


def test_a_python_function_knows_the_call(local_access: LocalAccess) -> None:
    with hooks(local_access, pre="python:mine:where") as opened:
        sent = json.loads(opened.before(EVENT, 512))

    assert sent == {"STEP": "pre", "FUNCTION": "orders", "MEMORY_MB": "512"}


def test_a_python_function_after_a_call_gets_event_and_output(
    local_access: LocalAccess, folder: Path
) -> None:
    with hooks(local_access, post="python:mine:note") as opened:
        opened.after(b"[1]", b'{"a": true}', 512)
        opened.after(b"[2]", None, 512)

    assert (folder / "seen").read_text() == "[1] {'a': True}\n[2] None\n"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("refuse", "it raised an exception: ValueError: no order [payload] second line"),
        ("leave", "it raised an exception: SystemExit: not today"),
        ("vanish", "exit code 7"),
        ("not_json", "it raised an exception: TypeError: Object of type set is not JSON"),
        ("not_finite", "it raised an exception: ValueError: Out of range float values"),
        ("note", "it raised an exception: TypeError: note() missing 1 required positional"),
        ("sleep", "took longer than 0.5 s"),
    ],
)
def test_a_python_function_that_goes_wrong_is_named_with_what_it_said(
    local_access: LocalAccess, function: str, said: str
) -> None:
    timeout_s = 0.5 if function == "sleep" else 20
    with hooks(
        local_access, f"python:mine:{function}", "python:mine:note", timeout_s=timeout_s
    ) as opened:
        with pytest.raises(HookError) as wrong:
            opened.before(EVENT, 512)
        # The process is there for the other hook all the same.
        opened.after(EVENT, None, 512)

    place = f"--pre python:mine:{function}, before a call at 512 MB: "
    assert str(wrong.value).startswith(place + said)


def test_a_stop_ends_a_python_function_before_a_call(local_access: LocalAccess) -> None:
    stop = StopRequest()
    threading.Timer(0.2, stop.request).start()

    with (
        hooks(local_access, pre="python:mine:sleep", stop=stop) as opened,
        pytest.raises(HookStopped),
    ):
        opened.before(EVENT, 512)


# A Lambda.

HANDLER = """
def handler(event, context):
    if "output" in event:
        expected = {"payload": {"do": "note"}, "output": {"a": 1}}
        if event != expected:
            raise ValueError(f"got {event}")
    elif event["do"] == "fail":
        raise ValueError(f"no order {event['order']}")
    elif event["do"] == "say":
        return {"said": event["do"]}
"""


@pytest.fixture(scope="module")
def handler(lambda_client: LambdaClient) -> Iterator[str]:
    """A function that does what its event says."""
    name = f"hook-{os.urandom(6).hex()}"
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="handler.handler",
        Code={"ZipFile": zipped(HANDLER)},
    )
    waiter = lambda_client.get_waiter("function_active_v2")
    waiter.wait(FunctionName=name, WaiterConfig={"Delay": 0})
    yield name
    lambda_client.delete_function(FunctionName=name)


@pytest.mark.parametrize(
    ("event", "sent"),
    [
        pytest.param(b'{"do": "say"}', b'{"said": "say"}', id="answers"),
        pytest.param(b'{"do": "nothing"}', b'{"do": "nothing"}', id="answers with null"),
    ],
)
def test_what_a_lambda_answers_before_a_call_is_the_payload(
    local_access: LocalAccess, handler: str, event: bytes, sent: bytes
) -> None:
    with hooks(local_access, pre=f"lambda:{handler}:$LATEST") as opened:
        assert json.loads(opened.before(event, 512)) == json.loads(sent)


def test_a_lambda_after_a_call_gets_payload_and_output(
    local_access: LocalAccess, handler: str
) -> None:
    with hooks(local_access, post=f"lambda:{handler}") as opened:
        opened.after(b'{"do": "note"}', b'{"a": 1}', 512)
        with pytest.raises(HookError, match=r"ValueError: got \{'payload': \{'do'"):
            opened.after(b'{"do": "note"}', None, 512)


def test_a_lambda_after_a_call_may_get_the_output_alone(
    local_access: LocalAccess, handler: str
) -> None:
    with hooks(local_access, post=f"lambda-output:{handler}") as opened:
        opened.after(EVENT, b'{"do": "nothing"}', 512)
        with pytest.raises(HookError, match=r"no order \[payload\]"):
            opened.after(EVENT, b'{"do": "fail", "order": "abcdef"}', 512)


def test_a_lambda_that_fails_is_named_with_what_it_said(
    local_access: LocalAccess, handler: str
) -> None:
    with hooks(local_access, pre=f"lambda:{handler}") as opened, pytest.raises(HookError) as wrong:
        opened.before(b'{"do": "fail", "order": "4711-4711"}', 512)

    assert str(wrong.value) == (
        f"--pre lambda:{handler}, before a call at 512 MB: it answered with an error: "
        "ValueError: no order [payload]"
    )


def test_a_lambda_that_is_refused_is_tried_again_only_for_as_long_as_a_hook_may_take(
    local_access: LocalAccess, lambda_client: LambdaClient, handler: str
) -> None:
    lambda_client.put_function_concurrency(FunctionName=handler, ReservedConcurrentExecutions=0)
    try:
        with (
            hooks(local_access, pre=f"lambda:{handler}", timeout_s=1.0) as opened,
            pytest.raises(HookError, match="was not run"),
        ):
            opened.before(b'{"do": "say"}', 512)
    finally:
        lambda_client.delete_function_concurrency(FunctionName=handler)


# Before anything is spent.


def check(access: LocalAccess, hook: str) -> None:
    session = AwsSession(local=access)
    check_hooks(asked(hook), session, session.control_lambda())


def test_hooks_that_are_there_are_not_run_when_they_are_checked(
    local_access: LocalAccess, folder: Path, handler: str
) -> None:
    for hook in ("python:mine:vanish", sh("touch ran"), f"lambda:{handler}"):
        check(local_access, hook)

    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("python:absent:f", "could not import it: ModuleNotFoundError: No module named 'absent'"),
        ("python:mine:absent", "could not import it: AttributeError: module 'mine' has no attr"),
        ("python:mine:constant", "could not import it: TypeError: constant cannot be called"),
        ("python:broken:f", "could not import it: SyntaxError: "),
        ("python:leaving:f", "could not import it: exit code 3"),
        ("lambda:absent", "not found in us-east-1"),
        (f"lambda:{ARN}".replace("us-east-1", "eu-west-1"), "expected a function in us-east-1"),
    ],
)
def test_a_hook_that_is_not_there_is_an_input_error(
    local_access: LocalAccess, folder: Path, hook: str, said: str
) -> None:
    (folder / "broken.py").write_text("def")
    (folder / "leaving.py").write_text("import os; os._exit(3)")

    with pytest.raises(InputError) as refused:
        check(local_access, hook)

    assert str(refused.value).startswith(f"--pre {hook}: {said}")
