"""The call before anything is changed: what it finds costs one call and changes nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.invocation import Invocation, invoke_once
from core.console import Console
from core.errors import AwsError, InputError, NoAnswer, Refused
from reports.figures import SPACE
from tests.conftest import MakeFunction
from tests.tuner.factories import failed, lost, sample
from tests.tuner.lease_rig import open_journals, state_of
from tests.tuner.run_rig import Tune
from tuner.trial import trial_doubt, trial_line

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SHORT: dict[str, Any] = {"sizes": "512,1024", "samples": 5}
FAILING = {"duration_ms": {"128": 10}, "failure": "error"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The versions that were invoked, in order."""
    invoked: list[str] = []

    def noting(client: LambdaClient, function: str, version: str, *rest: Any, **more: Any) -> Any:
        invoked.append(version)
        return invoke_once(client, function, version, *rest, **more)

    monkeypatch.setattr("tuner.invoker.invoke_once", noting)
    return invoked


def test_the_function_is_invoked_as_it_is_before_anything_is_changed(
    tune: Tune, make_function: MakeFunction, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Console, "say", lambda console, line: said.append(line))

    code, document = tune(make_function(), **SHORT)

    assert code == 0
    assert (calls[0], calls.count("$LATEST")) == ("$LATEST", 1)
    assert len(calls) == document["spent"]["invocations"] == 13
    assert (document["trial"]["memory_mb"], document["trial"]["cold"]) == (512, True)
    assert [size["n_cold"] for size in document["sizes"]] == [1, 1]
    (line,) = [
        line for line in said if line.startswith(f"trial: today's size, 512{SPACE}MB, answers")
    ]
    assert "to start" in line


def test_without_the_trial_there_is_no_such_call(
    tune: Tune, make_function: MakeFunction, calls: list[str]
) -> None:
    _, plan = tune(make_function(), dry_run=True, skip_trial=True)
    _, document = tune(make_function(), skip_trial=True, **SHORT)

    assert "$LATEST" not in calls
    assert (document["trial"], plan["plan"]["trial_mb"]) == (None, None)


def test_a_dry_run_invokes_nothing(
    tune: Tune, make_function: MakeFunction, calls: list[str]
) -> None:
    tune(make_function(FAILING), dry_run=True)

    assert calls == []


def test_a_function_that_fails_ends_the_run_before_anything_is_changed(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    calls: list[str],
    tmp_path: Path,
) -> None:
    function = make_function(FAILING)
    before = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]

    with pytest.raises(InputError, match=rf"trial: function '{function}' fails .*--skip-trial"):
        tune(function, payload_text='{"a": 1}')

    after = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]
    assert (calls, after) == (["$LATEST"], before)
    assert open_journals() == ()
    assert list((tmp_path / "runs").iterdir()) == []


def test_the_second_function_is_tried_before_the_first_is_measured(
    tune: Tune, make_function: MakeFunction, calls: list[str]
) -> None:
    other = make_function(FAILING, Architectures=["arm64"])

    with pytest.raises(InputError, match=f"trial: function '{other}' fails"):
        tune(make_function(), arch="both", arch_function=other, **SHORT)

    assert calls == ["$LATEST", "$LATEST"]


@pytest.mark.parametrize("failure", ["oom", "timeout"])
def test_a_size_that_is_too_small_is_no_reason_not_to_look_for_a_better_one(
    tune: Tune, make_function: MakeFunction, failure: str
) -> None:
    model = {"duration_ms": {"128": 50}, "failure": failure, "fails_below_mb": 1024}
    function = make_function(model, timeout_s=1)

    _, document = tune(function, sizes="1024,2048", samples=5, skip_trial=False)

    assert document["recommendation"]["memory_mb"] == 1024
    assert document["trial"]["error_type"] is not None
    assert any(note.startswith("trial: today's size, 512") for note in document["notes"])


def test_a_function_without_a_report_is_refused(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function()
    before = state_of(lambda_client, function)
    monkeypatch.setattr("core.aws.invocation.parse_report", lambda log, request_id: None)
    monkeypatch.setattr("tuner.conduct.report_search", lambda *given: None)

    with pytest.raises(Refused, match=r"log tail holds no REPORT.*an extension that prints much"):
        tune(function, **SHORT)

    assert calls == ["$LATEST"]
    assert state_of(lambda_client, function) == before


def test_an_answer_that_does_not_come_back_ends_the_run(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*given: Any, **more: Any) -> Invocation:
        raise NoAnswer("the connection was closed", code="ConnectionLost")

    monkeypatch.setattr("tuner.invoker.invoke_once", silent)

    with pytest.raises(AwsError, match="trial: ConnectionLost: the connection was closed; it may"):
        tune(make_function(), **SHORT)


def test_ctrl_c_in_the_trial_is_an_interrupted_run_that_changed_nothing(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function()
    before = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]

    def interrupting(*given: Any, **more: Any) -> Invocation:
        os.kill(os.getpid(), signal.SIGINT)
        return invoke_once(*given, **more)

    monkeypatch.setattr("tuner.invoker.invoke_once", interrupting)

    code, document = tune(function, **SHORT)

    after = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]
    assert (code, document["verdict"], after) == (130, "interrupted", before)
    assert document["spent"]["invocations"] == 1


@pytest.mark.parametrize(
    ("limits", "ended_by"),
    [
        pytest.param({"max_invocations": 1}, "max_invocations", id="calls"),
        pytest.param({"max_usd": 1e-9}, "max_usd", id="money"),
    ],
)
def test_a_limit_that_the_trial_uses_up_leaves_the_function_as_it_was(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    limits: dict[str, float],
    ended_by: str,
) -> None:
    function = make_function()
    before = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]

    code, document = tune(function, **limits)

    after = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]
    assert (code, document["verdict"], after) == (4, "inconclusive", before)
    assert document["budget"]["ended_by"] == ended_by
    assert document["spent"]["invocations"] == 1


@pytest.mark.parametrize(
    ("trial", "several", "doubt"),
    [
        pytest.param(sample(512), False, None, id="good"),
        pytest.param(
            failed(512), False, "today's size, 512 MB, does not answer within the timeout of 3 s",
            id="timeout",
        ),
        pytest.param(
            failed(512, "Runtime.OutOfMemory"), False, "runs out of memory", id="out of memory"
        ),
        pytest.param(
            failed(512, "KeyError"), True, "fails for one of the payloads at 512 MB: KeyError: why",
            id="one of several",
        ),
    ],
)  # fmt: skip
def test_what_a_trial_says(trial: Any, doubt: str | None, *, several: bool) -> None:
    said = trial_doubt(trial, "orders", 3, one_of_several=several)

    assert (said is None) == (doubt is None)
    assert (doubt or "") in (said or "").replace(SPACE, " ")


@pytest.mark.parametrize(
    ("trial", "several", "kind"),
    [
        pytest.param(failed(512, "KeyError"), False, InputError, id="the function fails"),
        pytest.param(lost(512), False, Refused, id="no REPORT"),
        pytest.param(lost(512), True, Refused, id="no REPORT, one of several payloads"),
    ],
)
def test_what_a_trial_ends(trial: Any, kind: type[Exception], *, several: bool) -> None:
    with pytest.raises(kind):
        trial_doubt(trial, "orders", 3, one_of_several=several)


def test_a_cold_trial_says_how_long_the_start_took() -> None:
    trial = sample(512, 12.3, cold=True, init_ms=150.4)

    assert trial_line(trial).endswith("answers in 12.3 ms, after 150 ms to start, 60 MB in use")


def test_an_error_that_is_agreed_to_is_an_answer(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    function = make_function(FAILING)
    with pytest.raises(InputError, match="--allow-error") as refusal:
        tune(function, **SHORT)
    agreed = str(refusal.value).partition("--allow-error ")[2].partition(",")[0]

    code, document = tune(function, allow_errors=(agreed,), **SHORT)

    assert (code, document["trial"]["error_type"]) == (0, agreed)


def test_of_several_payloads_one_may_fail(
    tune: Tune, make_function: MakeFunction, tmp_path: Path
) -> None:
    payloads = tmp_path / "payloads.json"
    payloads.write_text('[{"payload": {"a": 1}, "weight": 2}, {"payload": {"b": 2}}]')

    code, document = tune(make_function(FAILING), payloads_file=str(payloads), **SHORT)

    assert code == 5
    assert any("fails for one of the payloads" in note for note in document["notes"])
