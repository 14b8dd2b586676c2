"""Runs on several functions against the sandbox: one after the other, nothing is left on any."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.console import Console
from core.errors import AwsError, CredentialsError, ExitCode, InputError, InputErrors, Refused
from tests.conftest import MakeFunction
from tests.core.aws_server import aws_server
from tests.core.stack_answers import LAMBDA, NESTED, page, resource
from tests.tuner.lease_rig import open_journals, state_of
from tests.tuner.run_rig import Tune, tune_options
from tuner import conduct
from tuner.cli import main
from tuner.lease import Lease
from tuner.several import in_turn, planned
from tuner.several.asked import SeveralAsked
from tuner.several.run import tune_several
from tuner.target import Target, read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

FAST: dict[str, Any] = {
    "duration_ms": {"128": 8, "512": 2, "3008": 2},
    "noise": {"log_sigma": 0.02},
}
PLAN: dict[str, Any] = {"sizes": "128,512", "samples": 5}
CALLS = 1 + 2 * 6  # the trial, and at each size a cold call and five warm ones

Several = Callable[..., tuple[ExitCode, dict[str, Any]]]


@pytest.fixture
def functions(make_function: MakeFunction) -> tuple[str, str]:
    """Two functions that do the same, under names that sort as they come."""
    first, second = sorted([make_function(FAST), make_function(FAST)])
    return first, second


@pytest.fixture
def unchanged(functions: tuple[str, str], lambda_client: LambdaClient) -> Iterator[None]:
    """All functions are after the test as they were before, and no journal is left."""
    before = [state_of(lambda_client, function) for function in functions]
    yield
    assert [state_of(lambda_client, function) for function in functions] == before
    assert open_journals() == ()


@pytest.fixture
def several(tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Several:
    """Tunes several functions in this process; gives the exit code and the document."""
    del tune  # for the settings of AWS that lead to the sandbox

    def start(asked: SeveralAsked, **given: Any) -> tuple[ExitCode, dict[str, Any]]:
        options = tune_options("", **{"runs": tmp_path / "runs", **PLAN, **given})
        code = tune_several(asked, options, Console(json_output=True))
        return code, json.loads(capsys.readouterr().out)

    return start


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What CloudFormation answers: the last of the list, each time."""
    answers: list[bytes] = []
    with aws_server(lambda request: answers[-1]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", server.access.endpoint_url)
        yield answers


def folders(tmp_path: Path) -> list[Path]:
    runs = tmp_path / "runs"
    return sorted(runs.iterdir()) if runs.exists() else []


def at_sample(monkeypatch: pytest.MonkeyPatch, number: int, action: Callable[[], None]) -> None:
    """Does something after so many samples of all functions together."""
    keep, kept = conduct._Record.keep, list[Any]()

    def keeping(record: Any, taken: Any) -> None:
        keep(record, taken)
        kept.append(taken)
        if len(kept) == number:
            action()

    monkeypatch.setattr(conduct._Record, "keep", keeping)


@pytest.mark.usefixtures("unchanged")
def test_each_has_a_run_of_its_own_and_all_have_one_document(
    several: Several, functions: tuple[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    code, document = several(SeveralAsked(functions), exports=(f"html={page}",))

    assert (code, document["verdict"], document["kind"]) == (0, "pass", "tune-several")
    assert [row["name"] for row in document["functions"]] == list(functions)
    for row, folder in zip(document["functions"], folders(tmp_path), strict=True):
        assert row["folder"] == str(folder)
        assert row["document"] == json.loads((folder / "result.json").read_text())
        assert row["spent"] == row["document"]["spent"]
    assert document["spent"]["invocations"] == 2 * CALLS
    assert (document["budget"], document["source"], document["skipped"]) == (None, None, [])
    assert all(name in page.read_text() for name in functions)


@pytest.mark.usefixtures("unchanged")
def test_a_wrong_name_is_told_with_all_others_before_anything_is_spent(
    several: Several, functions: tuple[str, str], tmp_path: Path
) -> None:
    with pytest.raises(InputErrors) as caught:
        several(SeveralAsked((functions[0], "nosuch", functions[1], "nor-this")))

    assert [message.split(":")[0] for message in caught.value.messages] == [
        "function 'nosuch'",
        "function 'nor-this'",
    ]
    assert folders(tmp_path) == []


@pytest.mark.usefixtures("unchanged")
def test_a_function_that_a_run_holds_keeps_all_from_being_begun(
    several: Several,
    functions: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def held(folder: Path, arn: str, endpoint: str | None) -> None:
        if arn.endswith(functions[1]):
            raise Refused("a run works on it")

    monkeypatch.setattr(planned, "check_no_run_works", held)
    with pytest.raises(Refused, match="a run works on it"):
        several(SeveralAsked(functions))
    assert folders(tmp_path) == []


@pytest.mark.usefixtures("unchanged")
def test_one_that_fails_in_its_trial_does_not_keep_the_others(
    several: Several, functions: tuple[str, str], make_function: MakeFunction, tmp_path: Path
) -> None:
    failing = make_function({**FAST, "error_share": 1.0})
    code, document = several(SeveralAsked((failing, *functions)), max_invocations=100)

    first, *others = document["functions"]
    assert (code, document["verdict"]) == (ExitCode.INPUT, "error")
    assert (first["verdict"], first["exit_code"], first["document"]) == ("error", 2, None)
    assert "trial: function" in first["reason"]
    assert first["spent"]["invocations"] == 1
    assert [row["verdict"] for row in others] == ["pass", "pass"]
    assert document["errors"] == [f"{failing}: {first['reason']}"]
    assert document["spent"]["invocations"] == 1 + 2 * CALLS
    assert len(folders(tmp_path)) == 2
    # 100 for three, 99 for two, and what is left for one.
    limits = [row["document"]["budget"]["max_invocations"] for row in others]
    assert limits == [99 // 2, 99 - CALLS]
    assert document["budget"]["max_invocations"] == 100


@pytest.mark.usefixtures("unchanged")
def test_a_stop_ends_the_run_in_work_and_the_others_are_not_begun(
    several: Several, functions: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at_sample(monkeypatch, 4, lambda: os.kill(os.getpid(), signal.SIGINT))
    code, document = several(SeveralAsked(functions))

    first, second = document["functions"]
    assert (code, document["verdict"]) == (ExitCode.INTERRUPTED, "interrupted")
    assert (first["verdict"], second["verdict"]) == ("interrupted", "not begun")
    assert second["spent"]["invocations"] == 0
    assert len(folders(tmp_path)) == 1


@pytest.mark.usefixtures("unchanged")
def test_a_stop_while_the_answer_is_written_keeps_the_answer(
    several: Several, functions: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = in_turn.run_one

    def stopping(*arguments: Any) -> Any:
        found = written(*arguments)
        os.kill(os.getpid(), signal.SIGTERM)
        return found

    monkeypatch.setattr(in_turn, "run_one", stopping)
    code, document = several(SeveralAsked(functions))

    assert code == ExitCode.TERMINATED
    assert [row["verdict"] for row in document["functions"]] == ["pass", "not begun"]


def test_what_could_not_be_put_back_keeps_the_others_from_being_begun(
    several: Several, functions: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(lease: Lease) -> None:
        raise AwsError("no more")

    monkeypatch.setattr(Lease, "release", refused)
    code, document = several(SeveralAsked(functions))

    first, second = document["functions"]
    assert code == ExitCode.ERROR
    assert any("could be undone" in error for error in first["document"]["errors"])
    assert second["verdict"] == "not begun"
    assert second["reason"] == f"something of the run on {functions[0]} could not be undone"


@pytest.mark.usefixtures("unchanged")
def test_credentials_that_end_keep_the_others_from_being_begun(
    several: Several, functions: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(*_: Any) -> None:
        raise CredentialsError("the token has expired")

    monkeypatch.setattr(in_turn, "read_usable", expired)
    code, document = several(SeveralAsked(functions))

    assert code == ExitCode.ERROR
    assert [row["verdict"] for row in document["functions"]] == ["error", "not begun"]


def test_a_function_that_was_changed_since_the_plan_is_left_alone(
    several: Several,
    functions: tuple[str, str],
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deploy() -> None:
        lambda_client.update_function_configuration(FunctionName=functions[1], Timeout=29)

    at_sample(monkeypatch, 3, deploy)
    code, document = several(SeveralAsked(functions))

    first, second = document["functions"]
    assert (code, first["verdict"]) == (ExitCode.REFUSED, "pass")
    assert "changed by somebody else after the run was planned: timeout" in second["reason"]
    assert second["spent"]["invocations"] == 0
    lambda_client.get_waiter("function_updated_v2").wait(
        FunctionName=functions[1], WaiterConfig={"Delay": 0}
    )


@pytest.mark.usefixtures("unchanged")
def test_limits_that_leave_nothing_for_one_are_told(
    several: Several, functions: tuple[str, str]
) -> None:
    code, document = several(SeveralAsked(functions), max_usd=1e-9)

    first, second = document["functions"]
    assert (code, second["verdict"]) == (ExitCode.INCONCLUSIVE, "not begun")
    assert second["reason"] == "the limits leave nothing for it"
    assert first["verdict"] == "inconclusive"


def test_nobody_is_asked_twice_about_the_cost(
    several: Several, make_function: MakeFunction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (make_function(FAST, timeout_s=900), make_function(FAST, timeout_s=900))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(Refused, match=r"the runs may cost up to \$[0-9.]+ together: not confirmed"):
        several(SeveralAsked(names), sizes="1769,3008", samples=100)
    assert folders(tmp_path) == []


@pytest.mark.usefixtures("unchanged")
def test_a_dry_run_shows_all_plans_and_their_sum(
    several: Several,
    functions: tuple[str, str],
    make_function: MakeFunction,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.yaml").write_text(
        "Resources:\n"
        + "".join(
            f"  {key}: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: {name}}}}}\n"
            for key, name in zip(("One", "Two"), functions, strict=True)
        )
        + "  Made: {Type: AWS::Lambda::Function}\n"
    )
    Path("one.json").write_text("{}")
    asked = SeveralAsked(stack="t.yaml", leave_out=("Made",), payloads=("One=one.json",))
    code, document = several(asked, dry_run=True, max_invocations=30)

    assert (code, document["kind"], document["source"]) == (0, "tune-several-plan", "t.yaml")
    assert [row["function"]["name"] for row in document["functions"]] == list(functions)
    assert [row["event"] for row in document["functions"]] == ["one.json", "{}"]
    parts = [row["plan"]["cost_usd"] for row in document["functions"]]
    assert document["cost_usd"]["most"] == pytest.approx(sum(part["most"] for part in parts))
    assert document["invocations"] == 30
    assert folders(tmp_path) == []


@pytest.mark.usefixtures("unchanged")
def test_functions_that_only_a_file_names_do_not_run_with_an_empty_event_unasked(
    several: Several, functions: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = functions
    monkeypatch.chdir(tmp_path)
    Path("t.yaml").write_text(
        "Resources:\n"
        f"  One: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: {one}}}}}\n"
        f"  Two: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: {two}}}}}\n"
    )
    Path("two.json").write_text("{}")

    with pytest.raises(Refused, match=rf"{one} of t\.yaml run with {{}}: not confirmed"):
        several(SeveralAsked(stack="t.yaml", payloads=("Two=two.json",)))
    assert folders(tmp_path) == []

    code, document = several(SeveralAsked(stack="t.yaml", payloads=("two.json",)))
    assert (code, document["spent"]["invocations"]) == (0, 2 * CALLS)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"stack": "no.yaml"}, r"there is no file 'no\.yaml'", id="no file"),
        pytest.param(
            {"stack": "t.yaml"}, r"t\.yaml:2:3: One: function 'nosuch': not found", id="name"
        ),
        pytest.param({"stack": "twice.yaml"}, "Two: has the name of One .got 'x'", id="twice"),
        pytest.param({"stack": "shop", "stage": "x"}, "--stage: only used with", id="stage"),
        pytest.param({"stack": "empty"}, "stack 'empty' has no Lambda function", id="empty stack"),
    ],
)
def test_a_stack_that_cannot_be_used_is_named(
    several: Several,
    cloudformation: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked,
    message,
) -> None:
    resource = "{Type: AWS::Lambda::Function, Properties: {FunctionName: %s}}"
    (tmp_path / "t.yaml").write_text(f"Resources:\n  One: {resource % 'nosuch'}\n")
    (tmp_path / "twice.yaml").write_text(
        f"Resources:\n  One: {resource % 'x'}\n  Two: {resource % 'x'}\n"
    )
    monkeypatch.chdir(tmp_path)
    cloudformation.append(page())

    with pytest.raises(InputError, match=message):
        several(SeveralAsked(**asked))


def test_functions_of_a_deployed_stack_that_no_tuning_fits_are_skipped(
    several: Several,
    functions: tuple[str, str],
    make_function: MakeFunction,
    cloudformation: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    durable = make_function(FAST)

    def read(client: Any, name: str, region: str) -> Target:
        target = read_target(client, name, region)
        return replace(target, unsuitable="it is a durable function" if name == durable else None)

    monkeypatch.setattr(planned, "read_target", read)
    names = (*functions, durable)
    listed = [resource(f"Fn{index}", name, LAMBDA) for index, name in enumerate(names)]
    cloudformation.append(page(*listed, resource("Inner", "arn:inner", NESTED)))
    code, document = several(SeveralAsked(stack="shop"), dry_run=True)

    assert (code, document["source"]) == (0, "stack shop")
    assert [row["function"]["name"] for row in document["functions"]] == list(functions)
    (skipped,) = document["skipped"]
    assert skipped["name"] == durable
    assert "durable function" in skipped["reason"]
    assert "stack shop: nested stacks are not looked into: Inner" in document["notes"]

    with pytest.raises(InputError, match=r"no function of stack shop can be tuned \(.*durable"):
        several(SeveralAsked(stack="shop", only=(durable,)))
    with pytest.raises(Refused, match="durable"):
        several(SeveralAsked((functions[0], durable)))


def test_a_function_under_two_names_is_one(several: Several, functions: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="expected each function once"):
        several(SeveralAsked((functions[0], f"function:{functions[0]}")))


@pytest.mark.usefixtures("unchanged")
def test_the_command_line_shows_a_summary_that_80_columns_hold(
    tune: Tune,
    functions: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["tune", *functions, "--sizes", "128,512", "--samples", "5", "--runs", str(tmp_path)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        main()

    shown = capsys.readouterr()
    assert ended.value.code == 0
    table = shown.out[: shown.out.index("together")].splitlines()
    assert all(len(line) <= 80 for line in table)
    assert [line.split()[0] for line in table if line.startswith("f-")] == list(functions)
    assert shown.out.count("note: These figures come from the CPU model") == 1
    assert f"{functions[1]}, 2 of 2:" in shown.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b", "--power-tuning", "x.json"], "--power-tuning: expected one function"),
        (["a", "--payload", "x", "--payload", "y"], "--payload: expected once"),
        (["a", "b", "--max-usd", "-1"], "--max-usd: expected a number above 0"),
    ],
)
def test_options_that_do_not_go_together_end_before_aws_is_asked(
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["tune", *words])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == ExitCode.INPUT
    assert message in capsys.readouterr().err
