"""A run from beginning to end, against the sandbox: what was paid for is answered from."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.invocation import Invocation, invoke_once
from core.aws.session import LocalAccess
from core.console import Console
from core.errors import ExitCode, NoAnswer, Refused
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import begin
from tests.tuner.run_rig import Tune
from tests.tuner.test_lease import state_of
from tuner import conduct, run
from tuner.lease import Lease
from tuner.sample import Sample
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@pytest.fixture
def tune(tune: Tune) -> Tune:
    """A short fixed plan, unless a test says otherwise."""

    def start(function: str, **changed: Any) -> tuple[ExitCode, dict[str, Any]]:
        plain = {"sizes": "128,512", "samples": 5, "parallel": 2}
        return tune(function, **{**plain, **changed})

    return start


def interrupting(original: Callable[..., Any]) -> Callable[..., Any]:
    """`original`, with a Ctrl-C just before it."""

    def called(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments)

    return called


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param(Lease, "release", id="while all is put back"),
        pytest.param(run, "answer_run", id="while the answer is computed"),
        pytest.param(run, "write_document", id="while the answer is written"),
    ],
)
def test_ctrl_c_after_the_last_call_takes_nothing_from_the_answer(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    owner: object,
    name: str,
) -> None:
    function = make_function()
    before = state_of(lambda_client, function)
    monkeypatch.setattr(owner, name, interrupting(getattr(owner, name)))

    code, document = tune(function)

    assert (code, document["verdict"], document["errors"]) == (0, "pass", [])
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads((folder / "result.json").read_text()) == document
    assert state_of(lambda_client, function) == before


def test_ctrl_c_before_the_last_call_is_an_interrupted_run(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = conduct._Record.keep

    def keeping(record: Any, sample: Sample) -> None:
        keep(record, sample)
        if len(record.samples) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(conduct._Record, "keep", keeping)

    code, document = tune(make_function(), parallel=1)

    assert (code, document["verdict"]) == (130, "interrupted")
    # The trial, five calls, and the other one of the round, which may have been in flight.
    assert document["spent"]["invocations"] in (6, 7)


def test_a_version_that_cannot_be_deleted_does_not_spoil_the_measurement(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function()
    release = Lease.release

    def pinned(lease: Lease) -> tuple[str, ...]:
        version = lease.versions[512]
        lambda_client.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
        return release(lease)

    monkeypatch.setattr(Lease, "release", pinned)

    code, document = tune(function)

    assert (code, document["exit_code"]) == (1, 1)
    assert document["verdict"] == "pass"
    assert document["recommendation"] is not None
    (left,) = list_versions(lambda_client, function)
    (error,) = document["errors"]
    assert f"; version {left} is left; when AWS allows it, run `tune restore`" in error
    assert "not all that the run changed" in error
    assert "put back" not in error


def test_one_dropped_connection_is_one_lost_call(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def dropping(client: LambdaClient, function: str, version: str, *more: Any) -> Invocation:
        calls.append(version)
        if len(calls) == 5:
            raise NoAnswer("the connection was closed", code="ConnectionLost")
        return invoke_once(client, function, version, *more)

    monkeypatch.setattr("tuner.invoker.invoke_once", dropping)

    code, document = tune(make_function(), parallel=1)

    assert (code, document["verdict"]) == (0, "pass")
    assert [size["n"] for size in document["sizes"]] == [5, 5]
    assert document["spent"]["unmeasured_invocations"] == 1
    # The trial, the lost call, and the one after it, which Lambda may have begun cold.
    assert len(calls) == document["spent"]["invocations"] == 15


def test_a_function_without_reports_costs_one_round(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function()
    before = state_of(lambda_client, function)
    monkeypatch.setattr("core.aws.invocation.parse_report", lambda log, request_id: None)
    monkeypatch.setattr("tuner.conduct.report_search", lambda *given: None)

    code, document = tune(function, sizes="128,256,512", skip_trial=True)

    assert (code, document["verdict"]) == (5, "invalid")
    assert document["spent"]["invocations"] == 3
    assert "the log tail holds no REPORT" in document["errors"][0]
    assert state_of(lambda_client, function) == before


def test_a_function_that_hides_its_reports_is_refused_before_anything_is_changed(
    tune: Tune, make_function: MakeFunction, lambda_client: LambdaClient, tmp_path: Path
) -> None:
    hidden = {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    function = make_function(LoggingConfig=hidden)
    revision = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]

    with pytest.raises(Refused, match="SystemLogLevel to INFO"):
        tune(function)

    after = lambda_client.get_function_configuration(FunctionName=function)["RevisionId"]
    assert after == revision
    assert not (tmp_path / "runs").exists()


def test_the_expected_cost_is_near_the_bill_though_the_first_calls_are_cold(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_start = {"duration_ms": {"128": 10}, "init_ms": 5000, "noise": {"log_sigma": 0.0}}
    said: list[str] = []
    monkeypatch.setattr(Console, "say", lambda console, message: said.append(message))

    _, document = tune(make_function(slow_start), samples=10)

    (expectation,) = [line for line in said if "will cost about" in line]
    expected_usd = float(expectation.rpartition("$")[2])
    assert expected_usd == pytest.approx(document["spent"]["usd"], rel=0.02)


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        pytest.param({"sizes": "512"}, "with one size there is nothing to choose", id="one size"),
        pytest.param({"samples": 2}, "--samples 2 cannot tell sizes apart", id="few samples"),
    ],
)
def test_a_plan_that_can_only_be_inconclusive_says_so_before(
    tune: Tune, make_function: MakeFunction, changed: dict[str, Any], note: str
) -> None:
    function = make_function()

    _, plan = tune(function, dry_run=True, **changed)
    code, document = tune(function, **changed)

    assert [note in line for line in plan["notes"]] == [True]
    assert [note in line for line in document["notes"]] == [True]
    assert code == ExitCode.INCONCLUSIVE


def test_what_snap_start_costs_besides_is_said(tune: Tune, make_function: MakeFunction) -> None:
    function = make_function(SnapStart={"ApplyOn": "PublishedVersions"})

    _, plan = tune(function, dry_run=True)
    _, document = tune(function)

    assert any("SnapStart is billed besides" in note for note in plan["notes"])
    assert plan["notes"] == document["notes"]


def test_a_function_that_another_run_measures_is_refused_and_left_alone(
    tune: Tune, client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    """Between its publishings nothing on the function shows that it works."""
    lease = begin(client, owned, local_access)
    lease.publish([128])
    held = state_of(client, owned)

    with pytest.raises(Refused, match=f"is being tuned by run {lease.beginning.run_id}"):
        tune(owned)
    code, _ = tune(owned, dry_run=True)

    assert code == 0
    assert state_of(client, owned) == held
    lease.release()
