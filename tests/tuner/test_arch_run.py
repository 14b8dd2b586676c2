"""Runs on a function of each architecture, against the sandbox: nothing is left on either."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.console import Console
from core.errors import ExitCode, FunctionNotFound, InputError
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import open_journals, state_of
from tests.tuner.run_rig import Tune
from tuner import arch_run, conduct
from tuner.analyze import AnalyzeOptions, analyze
from tuner.arch_run import OtherRun, Pair
from tuner.budget import Limits
from tuner.facts import RunFacts
from tuner.lease import Lease

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

MODEL: dict[str, Any] = {
    "duration_ms": {"128": 800, "512": 200, "1769": 60, "3008": 58},
    "noise": {"log_sigma": 0.01},
    "init_ms": 120,
    "seed": 7,
}
SHORT: dict[str, Any] = {"sizes": "512,1769", "samples": 5}
CALLS = 2 * 6  # of a short plan, at one of the two functions
TRIALS = 2  # one at each, before the first is measured


@pytest.fixture
def pair(make_function: MakeFunction) -> tuple[str, str]:
    """The same work on x86_64 and, a bit slower, on arm64."""
    arm = {size: ms * 1.05 for size, ms in MODEL["duration_ms"].items()}
    return (
        make_function(MODEL, description="takes orders"),
        make_function({**MODEL, "duration_ms": arm, "seed": 8}, Architectures=["arm64"]),
    )


@pytest.fixture
def unchanged(pair: tuple[str, str], lambda_client: LambdaClient) -> Iterator[None]:
    """Both functions are after the test as they were before, and no journal is left."""
    before = [state_of(lambda_client, function) for function in pair]
    yield
    assert [state_of(lambda_client, function) for function in pair] == before
    assert open_journals() == ()


@pytest.fixture
def both(tune: Tune, pair: tuple[str, str]) -> Tune:
    """Compares the pair by a short plan, unless a test says otherwise."""

    def start(**changed: Any) -> tuple[ExitCode, dict[str, Any]]:
        return tune(pair[0], **{"arch": "both", "arch_function": pair[1], **SHORT, **changed})

    return start


def interrupt_at(monkeypatch: pytest.MonkeyPatch, *, function: int, sample: int) -> None:
    """Ctrl-C after so many samples of the first or the second function."""
    keep = conduct._Record.keep
    begun: list[Any] = []

    def keeping(record: Any, taken: Any) -> None:
        keep(record, taken)
        if record not in begun:
            begun.append(record)
        if len(begun) == function and len(record.samples) == sample:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(conduct._Record, "keep", keeping)


@contextmanager
def before_the_second(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is to happen between the two functions: called in order."""
    todo: list[Any] = []
    original = arch_run.measure_other

    def measured(*arguments: Any) -> Any:
        for action in todo:
            action()
        return original(*arguments)

    monkeypatch.setattr("tuner.run.measure_other", measured)
    yield todo


@pytest.mark.usefixtures("unchanged")
def test_both_are_measured_and_the_document_is_that_of_the_first(
    both: Tune, pair: tuple[str, str], tmp_path: Path
) -> None:
    code, document = both()

    found = document["arch"]
    assert (code, document["verdict"]) == (0, "pass")
    assert document["function"]["name"] == pair[0]
    assert found["functions"] == dict(zip(("x86_64", "arm64"), pair, strict=True))
    assert (found["best_arch"], found["separable"]) == ("arm64", True)
    assert found["cost_saving_share"] == pytest.approx(1 - 0.8 * 1.05, abs=0.05)
    assert {(row["arch"], row["memory_mb"]) for row in found["sizes"]} == {
        (arch, size) for arch in ("x86_64", "arm64") for size in (512, 1769)
    }
    assert document["spent"]["invocations"] == 2 * CALLS + TRIALS
    assert document["budget"] is None
    assert any("only the prices differ" in note for note in document["notes"])
    (folder,) = (tmp_path / "runs").iterdir()
    other = json.loads((folder / "arm64" / "result.json").read_text())
    assert (other["function"]["name"], other["spent"]["invocations"]) == (pair[1], CALLS + 1)
    assert other["prices"]["gb_second_usd"] < document["prices"]["gb_second_usd"]
    assert len((folder / "samples.ndjson").read_text().splitlines()) == CALLS
    assert len((folder / "arm64" / "samples.ndjson").read_text().splitlines()) == CALLS


@pytest.mark.usefixtures("unchanged")
def test_adaptive_plans_choose_for_each_function_in_one_range(both: Tune) -> None:
    adaptive = {"sizes": None, "samples": None, "max_invocations": 24}

    _, plan = both(**adaptive, dry_run=True)
    _, document = both(**adaptive)

    assert [plan["function"]["arch"], plan["other"]["function"]["arch"]] == ["x86_64", "arm64"]
    assert plan["plan"]["sizes_mb"][-1] == plan["other"]["plan"]["sizes_mb"][-1] == 3008
    assert {row["arch"] for row in document["arch"]["sizes"]} == {"x86_64", "arm64"}
    assert 20 <= document["spent"]["invocations"] <= 24


def test_a_large_function_widens_the_range_of_both(tune: Tune, make_function: MakeFunction) -> None:
    arm = make_function(MODEL, Architectures=["arm64"], memory_mb=5000)

    _, plan = tune(make_function(MODEL), arch="both", arch_function=arm, dry_run=True)

    assert plan["plan"]["sizes_mb"][-1] == plan["other"]["plan"]["sizes_mb"][-1] == 5000


@pytest.mark.usefixtures("unchanged")
def test_another_look_compares_again_and_at_each_alone(
    both: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, document = both()
    (folder,) = (tmp_path / "runs").iterdir()

    def look(run: Path, **asked: Any) -> dict[str, Any]:
        plain = dict.fromkeys(
            field.name for field in fields(AnalyzeOptions) if field.name not in ("run", "exports")
        )
        analyze(
            AnalyzeOptions(run=run, exports=(), **{**plain, **asked}), Console(json_output=True)
        )
        shown: dict[str, Any] = json.loads(capsys.readouterr().out)
        return shown

    again, faster, alone = look(folder), look(folder, objective="speed"), look(folder / "arm64")

    assert (again["arch"], again["spent"]) == (document["arch"], document["spent"])
    assert again["notes"][:-1] == document["notes"]
    assert (faster["arch"]["best_arch"], faster["arch"]["best_mb"]) == ("x86_64", 1769)
    assert (alone["function"]["arch"], alone["arch"]) == ("arm64", None)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("function", "sample", "calls", "compared"),
    [
        pytest.param(1, 3, 3, False, id="in the first"),
        pytest.param(1, CALLS, CALLS, False, id="after the last call of the first"),
        pytest.param(2, 1, CALLS + 1, False, id="at the first call of the second"),
        pytest.param(2, CALLS - 1, 2 * CALLS - 1, True, id="late in the second"),
    ],
)
def test_ctrl_c_leaves_nothing_behind_on_either(
    both: Tune,
    monkeypatch: pytest.MonkeyPatch,
    function: int,
    sample: int,
    calls: int,
    *,
    compared: bool,
) -> None:
    interrupt_at(monkeypatch, function=function, sample=sample)

    code, document = both()

    assert (code, document["exit_code"], document["verdict"]) == (130, 130, "interrupted")
    assert document["spent"]["invocations"] == calls + TRIALS
    assert (document["arch"] is not None) == compared
    assert "stopped" in document["errors"][0]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("limits", "most_calls", "ended_by"),
    [
        pytest.param({"max_invocations": 13}, 13, "max_invocations", id="calls"),
        pytest.param({"max_invocations": 99}, 26, None, id="a limit far off"),
        pytest.param({"max_usd": 2e-5}, 24, "max_usd", id="money"),
        pytest.param({"max_seconds": 1e-6}, 0, "max_seconds", id="time"),
    ],
)
def test_limits_are_those_of_the_whole_command(
    both: Tune, limits: dict[str, Any], most_calls: int, ended_by: str | None
) -> None:
    _, document = both(**limits)

    expected = {"max_invocations": None, "max_usd": None, "max_seconds": None, **limits}
    assert document["budget"] == {**expected, "ended_by": ended_by}
    assert document["spent"]["invocations"] <= most_calls
    assert document["spent"]["usd"] <= limits.get("max_usd", 1) * 1.5  # a first call is a surprise


@pytest.mark.usefixtures("unchanged")
def test_what_the_first_leaves_of_a_limit_is_for_the_second(both: Tune) -> None:
    _, document = both(sizes="512", max_invocations=16)

    assert document["spent"]["invocations"] == 14  # 7 of 8, and then 7 of 9


def test_a_second_function_that_changed_meanwhile_is_left_alone(
    both: Tune,
    pair: tuple[str, str],
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = state_of(lambda_client, pair[0])
    with before_the_second(monkeypatch) as todo:
        todo.append(
            lambda: lambda_client.update_function_configuration(FunctionName=pair[1], Timeout=17)
        )
        code, document = both()

    assert (code, document["verdict"]) == (ExitCode.REFUSED, "inconclusive")
    assert document["errors"][0].startswith(f"{pair[1]} (arm64) was not measured: ")
    assert document["recommendation"] is not None
    assert document["arch"] is None
    assert state_of(lambda_client, pair[0]) == before
    latest = lambda_client.get_function_configuration(FunctionName=pair[1])
    assert (latest["Timeout"], latest["Description"]) == (17, "")


def test_the_second_is_left_alone_where_the_first_could_not_be_put_back(
    both: Tune,
    pair: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    lambda_client: LambdaClient,
) -> None:
    before = state_of(lambda_client, pair[1])
    release = Lease.release

    def refused(lease: Lease) -> None:
        release(lease)
        raise InputError("not allowed")

    monkeypatch.setattr(Lease, "release", refused)

    code, document = both()

    assert code == ExitCode.ERROR
    assert document["errors"][0].startswith(f"{pair[1]} (arm64) was not measured, because of")
    assert "not allowed" in document["errors"][-1]
    assert document["spent"]["invocations"] == CALLS + TRIALS
    assert state_of(lambda_client, pair[1]) == before


def test_a_limit_that_only_one_architecture_keeps_is_an_answer(
    tune: Tune, make_function: MakeFunction
) -> None:
    slow = {size: ms * 4 for size, ms in MODEL["duration_ms"].items()}
    arm = make_function({**MODEL, "duration_ms": slow}, Architectures=["arm64"])

    code, document = tune(
        make_function(MODEL), arch="both", arch_function=arm, slo="p50 < 100ms", **SHORT
    )

    assert (code, document["verdict"], document["arch"]) == (0, "pass", None)
    assert any(f"no size of {arm} (arm64) keeps p50 < 100 ms" in n for n in document["notes"])


@pytest.mark.usefixtures("unchanged")
def test_functions_that_cannot_be_compared_are_input_errors(
    tune: Tune, pair: tuple[str, str], make_function: MakeFunction
) -> None:
    same = make_function(MODEL)

    with pytest.raises(InputError, match=rf"--arch-function: expected a function on arm64.*{same}"):
        tune(pair[0], arch="both", arch_function=same)
    with pytest.raises(FunctionNotFound, match="'nobody': not found"):
        tune(pair[0], arch="both", arch_function="nobody")
    with pytest.raises(InputError, match="--max-invocations: expected at least 2 with --arch both"):
        tune(pair[0], arch="both", arch_function=pair[1], max_invocations=1)


def test_what_else_differs_is_said_before_and_after(
    tune: Tune, pair: tuple[str, str], make_function: MakeFunction
) -> None:
    other = make_function(MODEL, Architectures=["arm64"], timeout_s=9)
    given = {"arch": "both", "arch_function": other, **SHORT}

    _, plan = tune(pair[0], dry_run=True, **given)
    _, document = tune(pair[0], **given)

    said = f"{pair[0]} and {other} differ by more than the architecture: timeout is 30 s and 9 s"
    assert said in plan["other"]["notes"]
    assert said in document["notes"]


@pytest.mark.usefixtures("unchanged")
def test_what_lost_calls_of_the_first_may_cost_is_not_for_the_second(
    both: Tune, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[RunFacts, Limits]] = []
    measure_other = arch_run.measure_other

    def losing(pair: Pair, *given: Any) -> OtherRun:
        # As if one call of the first had not been answered in time.
        pair.first.counted_usd += 1.0
        run = measure_other(pair, *given)
        seen.append((pair.first, pair.other.limits))
        return run

    monkeypatch.setattr("tuner.run.measure_other", losing)

    both(sizes="512", max_usd=3.0)

    ((first, limits),) = seen
    assert first.counted_usd > 1.0
    assert limits.max_usd == 3.0 - first.counted_usd
