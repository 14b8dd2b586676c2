"""Hooks in a run: around each call, and in order when they or the user end it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import InputError
from tests.conftest import MakeFunction
from tests.core.test_invocation import REQUEST_ID, client_of_a_server_that_answers, http
from tests.tuner.hook_rig import MODULE, is_running, pid_in, sh
from tests.tuner.lease_rig import state_of
from tests.tuner.run_rig import Tune
from tuner.hooks import HookError, Hooks, HookStopped
from tuner.invoker import Invoker
from tuner.payload import Payload
from tuner.payload_mix import PayloadMix
from tuner.sample import Sample

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# A fixed plan of 12 calls.
PLAN: dict[str, Any] = {"sizes": "128,512", "samples": 5}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module of the user's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MODULE)
    return tmp_path


# One call.


@dataclass
class Recorded:
    """A hook that only notes what it is told."""

    says: bytes | None = None
    raises: Exception | None = None
    told: list[tuple[bytes, bytes | None, int]] = field(default_factory=list)

    def run(self, payload: bytes, output: bytes | None, memory_mb: int) -> bytes | None:
        self.told.append((payload, output, memory_mb))
        if self.raises is not None:
            raise self.raises
        return self.says


def call(answer: bytes, pre: Recorded, post: Recorded) -> Sample | None:
    """One call that a real server answers with `answer`."""
    with client_of_a_server_that_answers(answer) as client:
        payloads = PayloadMix.of(Payload(b"{}"))
        wait = threading.Event().wait
        hooks = Hooks(pre, post)
        return Invoker(client, "orders", payloads, wait, hooks=hooks).invoke(512, "7", 1)


ANSWER = http("200 OK", b'{"a": 1}', REQUEST_ID)
FAILURE = http(
    "200 OK",
    b'{"errorType": "Oh", "errorMessage": "no card 4111-1111"}',
    REQUEST_ID,
    "X-Amz-Function-Error: Unhandled",
)


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        pytest.param(ANSWER, b'{"a": 1}', id="answered"),
        pytest.param(FAILURE, None, id="failed"),
        pytest.param(b"", None, id="lost"),
    ],
)
def test_what_comes_after_a_call_is_told_of_what_was_sent_and_came_back(
    answer: bytes, output: bytes | None
) -> None:
    pre, post = Recorded(says=b"[7]"), Recorded()

    call(answer, pre, post)

    assert pre.told == [(b"{}", None, 512)]
    assert post.told == [(b"[7]", output, 512)]


def test_a_call_that_aws_refuses_is_followed_by_its_hook_as_well() -> None:
    refusal = http("403 No", b'{"Message": "no"}', "x-amzn-ErrorType: AccessDeniedException")
    post = Recorded(raises=HookError("of no importance now"))

    with pytest.raises(Exception, match="AccessDenied"):
        call(refusal, Recorded(), post)

    assert len(post.told) == 1


def test_a_hook_that_fails_before_a_call_keeps_it_from_being_made() -> None:
    post = Recorded()

    with pytest.raises(HookError, match="no database"):
        call(ANSWER, Recorded(raises=HookError("no database")), post)

    assert post.told == []


def test_a_stop_before_a_call_keeps_it_from_being_made() -> None:
    post = Recorded()

    assert call(ANSWER, Recorded(raises=HookStopped("stopped")), post) is None
    assert post.told == []


def test_what_was_measured_before_a_hook_failed_is_not_lost() -> None:
    with pytest.raises(HookError) as wrong:
        call(FAILURE, Recorded(), Recorded(raises=HookError("no database")))

    assert wrong.value.sample is not None
    assert wrong.value.sample.outcome == "failed"


def test_what_a_hook_made_the_payload_is_not_in_the_message_of_a_failure() -> None:
    sample = call(FAILURE, Recorded(says=b'{"card": "4111-1111"}'), Recorded())

    assert sample is not None
    assert sample.error_message == "no card [payload]"


# A whole run.


def test_each_call_has_its_hooks_and_none_of_what_they_say_is_kept(
    tune: Tune, make_function: MakeFunction, folder: Path
) -> None:
    make = 'echo pre $TUNE_MEMORY_MB >>log; echo {\\"card\\": \\"4111-1111-1111\\"}'
    function = make_function()

    code, document = tune(
        function,
        **PLAN,
        pre=sh(make),
        post=sh("cat >got; echo post $TUNE_MEMORY_MB $TUNE_FUNCTION >>log"),
    )

    lines = [line.split() for line in (folder / "log").read_text().splitlines()]
    before, after = lines[::2], lines[1::2]
    assert code == 0
    # The trial at today's size comes first.
    assert before[0] == ["pre", "512"]
    assert len(before) == len(after) == document["spent"]["invocations"] == 13
    assert [["post", size, function] for _, size in before] == after
    assert json.loads((folder / "got").read_text())["payload"] == {"card": "4111-1111-1111"}
    kept = [path.read_text() for path in (folder / "runs").rglob("*") if path.is_file()]
    assert not [text for text in kept if "4111-1111" in text]


def test_hooks_of_one_size_never_overlap(
    tune: Tune, make_function: MakeFunction, folder: Path
) -> None:
    code, document = tune(
        make_function(),
        **PLAN,
        parallel=2,
        pre=sh("mkdir lock-$TUNE_MEMORY_MB"),
        post=sh("rmdir lock-$TUNE_MEMORY_MB"),
    )

    assert (code, document["errors"]) == (0, [])
    assert list(folder.glob("lock-*")) == []


@pytest.mark.parametrize(
    ("step", "measured"),
    [
        pytest.param("pre", 2, id="before the third call"),
        # It was paid for.
        pytest.param("post", 3, id="after the third call"),
    ],
)
def test_a_hook_that_fails_ends_the_run_in_order(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    folder: Path,
    step: str,
    measured: int,
) -> None:
    function = make_function()
    before = state_of(lambda_client, function)
    script = "echo >>calls; [ $(wc -l <calls) -lt 3 ] || { echo no database >&2; exit 4; }"

    code, document = tune(function, **PLAN, skip_trial=True, **{step: sh(script)})

    assert (code, document["exit_code"], document["verdict"]) == (1, 1, "invalid")
    (error,) = document["errors"]
    assert error.startswith(f"--{step} sh, ")
    assert error.endswith("MB: exit code 4: no database")
    assert document["spent"]["invocations"] == measured
    assert state_of(lambda_client, function) == before


def test_a_hook_that_fails_at_the_trial_changes_nothing(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient, folder: Path
) -> None:
    function = make_function()
    before = state_of(lambda_client, function)

    with pytest.raises(HookError, match="--pre false, before a call at 512 MB: exit code 1"):
        tune(function, **PLAN, pre="false")

    assert state_of(lambda_client, function) == before
    assert list((folder / "runs").iterdir()) == []


def test_ctrl_c_while_a_hook_runs_ends_it_and_then_the_run(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient, folder: Path
) -> None:
    function = make_function()
    before = state_of(lambda_client, function)
    script = (
        "echo >>calls; [ $(wc -l <calls) -lt 3 ] || "
        "{ echo $$ >pid; kill -INT $PPID; exec sleep 60; }"
    )

    code, document = tune(function, **PLAN, skip_trial=True, pre=sh(script))

    assert (code, document["verdict"]) == (130, "interrupted")
    assert document["spent"]["invocations"] == 2
    assert not is_running(pid_in(folder / "pid"))
    assert state_of(lambda_client, function) == before


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "run"])
def test_a_hook_that_is_not_there_ends_the_run_before_it_begins(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient, *, dry_run: bool
) -> None:
    function = make_function()
    before = state_of(lambda_client, function)

    with pytest.raises(InputError, match="--post python:absent:f: could not import it"):
        tune(function, **PLAN, dry_run=dry_run, pre="touch ran", post="python:absent:f")

    assert state_of(lambda_client, function) == before
    assert not Path("ran").exists()
