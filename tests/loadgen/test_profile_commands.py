"""`loadgen validate` and `loadgen schema`, and what the command line makes of its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadgen.cli import app
from loadgen.options import RunOptions
from loadgen.profile.schema import profile_schema
from tests.loadgen.profile_texts import ENV, GOOD, with_mistake, write_profile

SUMMARY = """\
PATH: shop is in order
  target     https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod
  auth       api key, and none where scenarios or steps say so
  model      open: poisson arrivals, at most 200 requests in flight
  phases     warm    5 requests/s for 10 s, not measured
             ramp    5 to 50 requests/s for 1 min
             stairs  10 to 100 requests/s in 10 steps for 2 min
             rest    pause for 10 s
             spike   100 arrivals within 0.05 s
  requests   about 8,500 in 3 min 20 s, at most 200 a second
  steps      browse (75 %): list, GET /items/${item}
             order (25 %): POST /orders
  judged by  2 thresholds
  --env      local, staging
"""


def loadgen(*arguments: str | Path) -> tuple[int, str, str]:
    """The exit code of a command, and what it says on stdout and stderr."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], env=dict(ENV))
    return done.exit_code, done.stdout.replace("\N{NO-BREAK SPACE}", " "), done.stderr


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return write_profile(tmp_path, GOOD)


def test_validate_says_what_a_profile_does(profile: Path) -> None:
    code, out, err = loadgen("validate", profile)

    assert (code, err) == (0, "")
    assert out == SUMMARY.replace("PATH", str(profile))


def test_validate_is_short_when_asked_to_be(profile: Path) -> None:
    assert loadgen("validate", profile, "-q") == (0, f"{profile}: shop is in order\n", "")


def test_validate_takes_an_environment_and_settings(profile: Path) -> None:
    out = loadgen(
        "validate", profile, "--env", "staging", "--set", "load.phases.4.burst=7", "--set",
        "load.arrivals={size: 5}",
    )[1]  # fmt: skip

    assert "target     API shop, stage staging\n" in out
    assert "spike   7 arrivals within 0.05 s\n" in out
    assert "open: bursts of 5 arrivals, at most 50 requests in flight\n" in out
    assert "--env      staging of local, staging\n" in out


def test_validate_gives_a_document(profile: Path) -> None:
    code, out, _ = loadgen("validate", profile, "--json", "-q")

    document = json.loads(out)
    assert (code, document["exit_code"], document["verdict"], document["errors"]) == (
        0, 0, "pass", [],
    )  # fmt: skip
    assert document["expected"]["requests"] == pytest.approx(8500)
    assert [phase["name"] for phase in document["profile"]["phases"]] == [
        "warm", "ramp", "stairs", "rest", "spike",
    ]  # fmt: skip
    assert [step["name"] for step in document["profile"]["steps"]] == [
        "list", "GET /items/${item}", "POST /orders",
    ]  # fmt: skip
    assert ENV["API_KEY"] not in out


def test_validate_of_users_knows_no_number_of_requests(tmp_path: Path) -> None:
    text = (
        "version: 1\nname: shop\ntarget: {function_url: checkout}\n"
        "load: {model: closed, phases: [{name: a, duration: 1m, users: 5}]}\n"
        "locustfile: {file: users.py, users: [Buyer]}\n"
    )

    out = loadgen("validate", write_profile(tmp_path, text))[1]

    assert "target     function URL of checkout\n" in out
    assert "model      closed: users of a locustfile\n" in out
    assert "requests   as many as the users make in 1 min\n" in out
    assert "steps      Buyer of users.py\n" in out


def test_validate_tells_all_mistakes_and_ends_with_2(tmp_path: Path) -> None:
    text = with_mistake(with_mistake(GOOD, "weight: 3", "weight: 0"), "step: list", "step: lst")
    path = write_profile(tmp_path, text)

    code, out, err = loadgen("validate", path, "--json")

    unknown = "there is no step of this name (got 'lst'; did you mean list?)"
    said = [
        f"{path}:22:13: scenarios[0].weight: must be greater than 0 (got 0)",
        f"{path}:41:40: thresholds[1].step: {unknown}",
    ]
    assert code == 2
    assert err.splitlines() == [f"error: {line}" for line in said]
    assert json.loads(out) == {
        "schema_version": 1, "kind": "error", "verdict": "error", "exit_code": 2, "errors": said,
    }  # fmt: skip


def test_schema_is_written_to_stdout_or_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "profile.schema.json"

    shown, written = loadgen("schema"), loadgen("schema", "-o", path)

    assert json.loads(shown[1]) == profile_schema()
    assert written == (0, "", f"written: {path}\n")
    assert path.read_text(encoding="utf-8") == shown[1]


def test_schema_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    code, _, err = loadgen("schema", "-o", tmp_path / "no" / "such")

    assert code == 2
    assert "could not write" in err


def test_options_of_run_that_are_not_given_leave_the_choice_to_the_profile() -> None:
    options = RunOptions(profile=Path("p.yaml"))

    assert (options.processes, options.seed, options.ui, options.records) == (None,) * 4
    assert options.runs == Path("runs")


def test_options_reach_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[RunOptions] = []
    monkeypatch.setattr("loadgen.run.run_load", lambda options, _: given.append(options) or 0)

    loadgen("run", "p.yaml")
    loadgen(
        "run", "p.yaml", "--env", "e", "--set", "a=1", "--set", "b=2", "--sandbox", "--seed", "7",
        "--processes", "2", "--region", "r", "--profile", "a", "--no-records", "--ui", "--runs",
        "x", "--export", "html=y", "--dry-run", "--yes", "--ui-port", "81",
    )  # fmt: skip

    assert given == [
        RunOptions(profile=Path("p.yaml")),
        RunOptions(
            profile=Path("p.yaml"),
            environment="e",
            settings=("a=1", "b=2"),
            sandbox=True,
            region="r",
            aws_profile="a",
            processes=2,
            seed=7,
            runs=Path("x"),
            exports=("html=y",),
            dry_run=True,
            yes=True,
            ui=81,
            records=False,
        ),
    ]
