"""Adaptive runs from beginning to end, against the sandbox: they end, and leave nothing behind."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from core.console import Console
from core.errors import Refused
from tests.conftest import MakeFunction
from tests.tuner.run_rig import Tune
from tests.tuner.test_lease import state_of
from tuner import conduct
from tuner.sample import Sample
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Four times the memory, a fourth of the time; then it is as fast as it gets.
MODEL: dict[str, Any] = {
    "duration_ms": {"128": 800, "512": 200, "1769": 60, "3008": 58},
    "noise": {"log_sigma": 0.02},
    "init_ms": 120,
    "seed": 7,
}


def test_an_adaptive_run_invokes_few_sizes_and_leaves_the_function_as_it_was(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function(MODEL, description="takes orders")
    before = state_of(lambda_client, function)
    said: list[str] = []
    monkeypatch.setattr(Console, "say", lambda console, line: said.append(line))

    _, plan = tune(function, dry_run=True)
    _, document = tune(function)

    assert state_of(lambda_client, function) == before
    planned, invoked = plan["plan"], [size["memory_mb"] for size in document["sizes"]]
    assert planned["kind"] == "adaptive"
    assert set(planned["start_mb"]) <= set(invoked) < set(planned["sizes_mb"])
    assert all(size["n"] + size["n_cold"] > 0 for size in document["sizes"])
    assert 10 <= document["spent"]["invocations"] <= 1 + planned["invocations"] == 56
    assert (document["provenance"]["plan"], document["budget"]) == ("adaptive", None)
    assert planned["trial_mb"] == document["trial"]["memory_mb"] == 512
    assert any(line.startswith("by the first 9 calls, a run of 29 will cost") for line in said)


def test_sizes_beyond_the_limits_are_not_invoked(tune: Tune, make_function: MakeFunction) -> None:
    _, document = tune(make_function(MODEL), min_memory_mb=256, max_memory_mb=1024)

    sizes = [size["memory_mb"] for size in document["sizes"]]
    assert 256 <= min(sizes) < max(sizes) <= 1024


def test_each_sample_at_a_size_comes_from_one_environment_and_each_cold_one_from_its_own(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function(MODEL)
    before = state_of(lambda_client, function)
    taken: list[Sample] = []
    keep = conduct._Record.keep

    def noting(record: Any, sample: Sample) -> None:
        taken.append(sample)
        keep(record, sample)

    monkeypatch.setattr(conduct._Record, "keep", noting)
    _, document = tune(function, sizes="128,512", samples=5, cold_samples=3)

    cold = [sample for sample in taken if sample.cold]
    warm = {(sample.memory_mb, sample.version) for sample in taken if not sample.cold}
    assert len(warm) == 2
    assert len({sample.version for sample in cold}) == len(cold)
    by_size = {size["memory_mb"]: size["n_cold"] for size in document["sizes"]}
    assert by_size[document["recommendation"]["memory_mb"]] == 3
    assert state_of(lambda_client, function) == before


@pytest.mark.parametrize(
    ("plan", "limits", "most_calls", "ended_by"),
    [
        pytest.param({}, {"max_invocations": 12}, 12, "max_invocations", id="adaptive, calls"),
        pytest.param({}, {"max_usd": 2e-5}, 40, "max_usd", id="adaptive, money"),
        pytest.param({}, {"max_seconds": 1e-6}, 0, "max_seconds", id="adaptive, time"),
        pytest.param({"samples": 5}, {"max_invocations": 8}, 8, "max_invocations", id="fixed"),
        pytest.param({"samples": 5}, {"max_invocations": 99}, 37, None, id="a limit far off"),
    ],
)
def test_a_limit_ends_a_run_and_the_function_is_as_it_was(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    plan: dict[str, Any],
    limits: dict[str, float],
    most_calls: int,
    ended_by: str | None,
) -> None:
    function = make_function(MODEL)
    before = state_of(lambda_client, function)

    _, document = tune(function, **limits, **plan)

    assert document["spent"]["invocations"] <= most_calls
    assert document["spent"]["usd"] <= limits.get("max_usd", 1) * 1.5  # a first call is a surprise
    expected = {"max_invocations": None, "max_usd": None, "max_seconds": None, **limits}
    assert document["budget"] == {**expected, "ended_by": ended_by}
    assert state_of(lambda_client, function) == before


@pytest.mark.parametrize("at", [1, 9, 11])
def test_ctrl_c_in_an_adaptive_run_leaves_nothing_behind(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
) -> None:
    function = make_function({**MODEL, "noise": {"log_sigma": 0.3}})
    before = state_of(lambda_client, function)
    keep = conduct._Record.keep

    def keeping(record: Any, sample: Sample) -> None:
        keep(record, sample)
        if len(record.samples) == at:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(conduct._Record, "keep", keeping)

    code, document = tune(function)

    assert (code, document["verdict"]) == (130, "interrupted")
    assert document["spent"]["invocations"] == 1 + at
    assert state_of(lambda_client, function) == before


def test_ctrl_c_among_the_cold_samples_is_an_interrupted_run(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function(MODEL)
    before = state_of(lambda_client, function)
    keep = conduct._Record.keep

    def keeping(record: Any, sample: Sample) -> None:
        keep(record, sample)
        if len(record.samples) == 13:  # 2 sizes x 6, and one more cold one
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(conduct._Record, "keep", keeping)

    code, document = tune(function, sizes="128,512", samples=5, cold_samples=9)

    assert (code, document["verdict"]) == (130, "interrupted")
    assert document["spent"]["invocations"] == 1 + 13
    assert document["recommendation"] is not None
    assert state_of(lambda_client, function) == before


def test_a_deploy_while_an_adaptive_run_measures_ends_it_and_stays(
    tune: Tune,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = make_function({**MODEL, "noise": {"log_sigma": 0.3}})
    keep = conduct._Record.keep

    def keeping(record: Any, sample: Sample) -> None:
        keep(record, sample)
        if len(record.samples) == 9:
            lambda_client.update_function_configuration(FunctionName=function, Timeout=17)

    monkeypatch.setattr(conduct._Record, "keep", keeping)

    code, document = tune(function)

    assert (code, document["verdict"]) == (Refused.exit_code, "invalid")
    assert "was changed by somebody else while the run was going on" in document["errors"][0]
    assert list_versions(lambda_client, function) == {}
    latest = lambda_client.get_function_configuration(FunctionName=function)
    assert (latest["Timeout"], latest["MemorySize"], latest["Description"]) == (17, 512, "")
