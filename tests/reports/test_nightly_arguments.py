"""A step as a command line; the options that it can have are those that the commands have."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

from reports.nightly.arguments import command_of
from reports.nightly.step_options import LOAD_OPTIONS, TUNE_OPTIONS, StepOptions
from tests.reports.test_nightly_plan import GOOD, read

RUNS = Path("night/steps")
START = ["--json", "--runs", "night/steps", "--yes"]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Both steps of a plan, each as it is and as its baseline, without what begins them all."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plans").mkdir()
    file = read(Path("plans"), GOOD)
    commands = [
        command_of(step, file, runs=RUNS, baseline=baseline)
        for step in file.plan.steps
        for baseline in (False, True)
    ]
    for command, module in zip(commands, ("loadgen", "loadgen", "tuner", "tuner"), strict=True):
        assert command[:9] == [sys.executable, "-P", "-m", module, "run", *START]
    return [command[9:] for command in commands]


def test_a_load_has_its_options_environment_and_settings(shown: list[list[str]]) -> None:
    assert shown[0] == [
        "--logs", "--no-records", "--processes=2", "--env=staging",
        "--set=auth.value=${env.TOKEN}", "--set=load.seed=7", '--set=vars.id="007"',
        "--set=data.rows=[1, 2]", "plans/orders.yaml",
    ]  # fmt: skip


def test_the_baseline_of_a_load_has_further_settings(shown: list[list[str]]) -> None:
    assert shown[1] == [*shown[0][:-1], "--set=target.api.stage=before", "plans/orders.yaml"]


def test_a_tuning_has_its_options_and_files_beside_the_plan(shown: list[list[str]]) -> None:
    assert shown[2] == [
        "--slo=p95 < 300ms", "--allow-error=A", "--allow-error=B", "--payloads=plans/event.json",
        "--thorough", "--payload=plans/event.json", "--sizes=512", "--samples=10",
        "arn:aws:lambda:eu-west-1:123456789012:function:thumb:live",
    ]  # fmt: skip


def test_the_baseline_of_a_tuning_is_another_function(shown: list[list[str]]) -> None:
    assert shown[3] == [*shown[2][:-1], "thumb:before"]


def test_where_a_step_runs_is_what_command_line_and_plan_say(tmp_path: Path) -> None:
    text = "name: x\nregion: eu-west-1\nprofile: nightly\nsteps: [{tune: thumb}]\n"
    file = read(tmp_path, text)
    (step,) = file.plan.steps

    def given(**options: str | bool) -> list[str]:
        return command_of(step, file, runs=RUNS, **options)[9:-1]  # type: ignore[arg-type]

    assert given() == ["--region", "eu-west-1", "--profile", "nightly"]
    assert given(region="us-east-1") == ["--region", "us-east-1", "--profile", "nightly"]
    assert given(sandbox=True, profile="other") == ["--sandbox"]


def test_a_seed_takes_the_place_of_that_of_the_step(tmp_path: Path) -> None:
    file = read(tmp_path, "name: x\nsteps: [{tune: thumb, options: {seed: 3}}]\n")
    (step,) = file.plan.steps

    assert command_of(step, file, runs=RUNS)[9:] == ["--seed=3", "thumb"]
    assert command_of(step, file, runs=RUNS, seed=8)[9:] == ["--seed=8", "thumb"]


def test_a_dry_run_agrees_to_nothing(tmp_path: Path) -> None:
    file = read(tmp_path, "name: x\nsteps: [{tune: thumb}]\n")
    command = command_of(file.plan.steps[0], file, runs=RUNS, yes=False, dry_run=True)

    assert command[5:] == ["--json", "--runs", "night/steps", "--dry-run", "thumb"]


@pytest.mark.parametrize(
    ("module", "options"), [("tuner", TUNE_OPTIONS), ("loadgen", LOAD_OPTIONS)]
)
def test_each_option_of_a_command_is_known_or_refused(
    module: str, options: StepOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    main = importlib.import_module(f"{module}.cli").main
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [module, "run", "--help"])
        with pytest.raises(SystemExit):
            main()
    text = re.search(r"\n(?:Arguments|Options).*?(?=\n\s*Examples:)", capsys.readouterr().out, re.S)
    assert text is not None
    lines = [line[2:].split("  ")[0] for line in text[0].splitlines() if line.startswith("  -")]
    found = {
        name: "switch" if "--no-" in line else "value" if re.search(r"--\S+ \S", line) else "flag"
        for line in lines
        for name in re.findall(r"--(?!no-)([a-z][a-z-]*)", line)
    }

    assert found.keys() - {*options.known, *options.refused} == set()
    assert options.known.keys() - found.keys() == set()
    takes = {name: kind for name, kind in found.items() if name in options.known}
    for name, kind in takes.items():
        same = options.known[name] == kind
        assert same or (kind == "value" and options.known[name] in ("values", "file")), name
