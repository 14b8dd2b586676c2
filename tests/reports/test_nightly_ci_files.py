"""The ready workflows: their shell steps run, and keep what a night says by its exit code."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.errors import ExitCode
from tests.reports.ci_files import (
    CI,
    PLATFORMS,
    Done,
    jenkins_steps,
    run_steps,
    steps_of,
    unit,
    values,
)
from tuner.iam.command import IamOptions, needs_of
from tuner.iam.policy import policy_of

CODES = (0, 1, 2, 3, 4, 5, 6, 130)
KINDS = ("html", "junit", "md", "json", "badge")

Run = Callable[[str, int], tuple[Done, Path]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the steps of a platform for a code, once; gives the folder that they ran in as well."""

    @cache
    def ran(platform: str, code: int) -> tuple[Done, Path]:
        folder = tmp_path_factory.mktemp(f"{platform}-{code}-")
        return run_steps(platform, folder, code), folder

    return ran


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_exit_code_of_the_night_is_that_of_the_job(run: Run, platform: str, code: int) -> None:
    done, _ = run(platform, code)

    assert done.code == code, done.said
    assert done.reports[:2] == ["nightly", "profiles/nightly.yaml"]


@pytest.mark.parametrize("platform", ["github", "gitlab", "codebuild"])
def test_each_code_is_explained_in_the_log(run: Run, platform: str) -> None:
    said = {code: run(platform, code)[0].said.splitlines()[-1] for code in CODES}

    assert len(set(said.values())) == len(CODES)
    assert "passed" in said[0]
    assert "regression" in said[3]
    assert "nconclusive" in said[4]
    assert "invalid" in said[5]
    assert said[130].endswith("exit code 130.")


def test_jenkins_marks_inconclusive_builds_unstable_and_fails_the_others() -> None:
    text = (CI / "Jenkinsfile").read_text(encoding="utf-8")
    found = dict(re.findall(r"case (\d): (\w+) ", text))

    assert found == {
        "0": "echo", "4": "unstable", **dict.fromkeys(["1", "2", "3", "5", "6"], "error"),
    }  # fmt: skip
    assert re.search(r"default: error ", text)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_all_ask_for_the_same_files_and_leave_them_where_artifacts_are_taken(
    run: Run, platform: str
) -> None:
    done, folder = run(platform, 3)
    asked = [word for word in done.reports if "=" in word]

    assert [word.partition("=")[0] for word in asked] == list(KINDS)
    assert all((folder / "work" / word.partition("=")[2]).is_file() for word in asked)
    assert done.reports[2:5] == ["--yes", "--history", "nightly-history"]


@pytest.mark.parametrize("platform", ["github", "gitlab", "jenkins", "codebuild"])
def test_the_toolkit_is_installed_in_a_version_that_is_named(run: Run, platform: str) -> None:
    done, _ = run(platform, 0)

    assert done.pip[0] == "install"
    assert re.fullmatch(r"tools/lambda_perf_toolkit-\d+\.\d+\.\d+-py3-none-any\.whl", done.pip[-1])


def test_the_command_is_one_that_the_command_line_understands(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reports.cli import main

    asked: list[Any] = []

    def run_night(options: object, console: object) -> ExitCode:
        asked.append(options)
        return ExitCode.INCONCLUSIVE

    done, folder = run("github", 0)
    monkeypatch.chdir(folder / "work")
    stand_in = ModuleType("reports.nightly.night")
    stand_in.run_night = run_night  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    monkeypatch.setattr(sys, "argv", ["reports", *done.reports])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 4
    assert (asked[0].history, asked[0].yes, len(asked[0].exports)) == ("nightly-history", True, 5)


def test_cron_is_told_nothing_unless_somebody_should_know(run: Run) -> None:
    said = {code: run("cron", code)[0].said for code in CODES}

    assert [code for code, words in said.items() if not words] == [0, 4]
    assert "regression" in said[3]
    assert "night/report.html" in said[3]


# -- GitHub ---------------------------------------------------------------------------------------


def github_steps() -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = values("github-actions.yml")["jobs"]["night"]["steps"]
    return steps


def test_github_starts_nights_one_at_a_time_and_grants_little() -> None:
    workflow = values("github-actions.yml")
    job = workflow["jobs"]["night"]

    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
    assert re.fullmatch(r"[1-9]\d? \d+ \* \* \*", workflow["on"]["schedule"][0]["cron"])
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert job["timeout-minutes"] >= 60


def test_github_keeps_report_and_history_whatever_came_of_the_night() -> None:
    by_name = {step.get("name"): step for step in github_steps()}
    upload = by_name["Keep report and runs"]

    assert upload["if"] == "always()"
    assert upload["with"]["path"].split() == ["night/", "runs/"]
    assert "always()" in by_name["Keep the history"]["if"]
    assert by_name["Keep the history"]["with"]["key"] == by_name["Bring the history"]["with"]["key"]


def test_github_puts_no_expression_into_a_script() -> None:
    assert all("${{" not in step.get("run", "") for step in github_steps())


def test_credentials_last_as_long_as_the_job() -> None:
    job = values("github-actions.yml")["jobs"]["night"]
    [role] = [step["with"] for step in github_steps() if "credentials" in step.get("uses", "")]

    assert role["role-duration-seconds"] >= job["timeout-minutes"] * 60
    assert not any(key.startswith("aws-") and key != "aws-region" for key in role)


# -- GitLab, Jenkins, CodeBuild -------------------------------------------------------------------


def test_gitlab_warns_of_inconclusive_nights_alone_and_keeps_the_report() -> None:
    job = values("gitlab-ci.yml")["night"]

    assert job["allow_failure"] == {"exit_codes": [4]}
    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"] == {"junit": "night/junit.xml"}
    assert job["artifacts"]["paths"] == ["night/", "runs/"]
    assert job["resource_group"]
    assert job["interruptible"] is False
    assert {rule["if"] for rule in job["rules"]} == {
        '$CI_PIPELINE_SOURCE == "schedule"', '$CI_PIPELINE_SOURCE == "web"',
    }  # fmt: skip


def test_the_token_of_gitlab_is_for_its_owner_alone(run: Run) -> None:
    token = run("gitlab", 0)[1] / "token"

    assert token.read_text(encoding="utf-8") == "token"
    assert token.stat().st_mode & 0o077 == 0


def test_gitlab_publishes_what_the_night_wrote(run: Run) -> None:
    work = run("gitlab", 3)[1] / "work"
    job = values("gitlab-ci.yml")["pages"]
    script = "\n".join(job["script"])
    subprocess.run(["/bin/bash", "-euo", "pipefail", "-c", script], cwd=work, check=True)

    assert {rule["when"] for rule in job["rules"]} == {"always"}
    assert sorted(path.name for path in (work / "public").iterdir()) == ["badge.json", "index.html"]


def test_jenkins_shows_tests_and_page_of_this_night_alone() -> None:
    text = (CI / "Jenkinsfile").read_text(encoding="utf-8")
    always = text[text.index("always {") :]

    assert "disableConcurrentBuilds()" in text
    assert len(jenkins_steps()) == text.count("#!/usr/bin/env bash") == 2
    assert "rm -rf night && mkdir night" in jenkins_steps()[1]
    for needed in (
        "junit testResults: 'night/junit.xml', allowEmptyResults: true",
        "reportDir: 'night'",
        "allowMissing: true",
        "artifacts: 'night/**'",
    ):
        assert needed in always
    assert text.count("{") == text.count("}")


def test_codebuild_reports_tests_and_keeps_what_was_written(run: Run) -> None:
    work = run("codebuild", 5)[1] / "work"
    spec = values("buildspec.yml")
    report = spec["reports"]["nightly-performance"]
    made = [str(path.relative_to(work)) for path in work.rglob("*") if path.is_file()]

    assert spec["env"]["shell"] == "bash"
    assert report["file-format"] == "JUNITXML"
    assert (work / report["base-directory"] / report["files"][0]).is_file()
    for pattern in spec["artifacts"]["files"]:
        assert [name for name in made if fnmatch(name, pattern.replace("**/*", "*"))]


# -- the template ---------------------------------------------------------------------------------


def template() -> dict[str, Any]:
    found: dict[str, Any] = values("nightly-codebuild.yaml")
    return found


def inside(value: Any) -> list[tuple[str, Any]]:
    """All keys with their values, at any depth."""
    if isinstance(value, dict):
        return [pair for key, each in value.items() for pair in [(key, each), *inside(each)]]
    return [pair for each in value for pair in inside(each)] if isinstance(value, list) else []


def test_the_template_refers_to_what_it_has() -> None:
    resources = set(template()["Resources"])
    names = resources | set(template()["Parameters"])
    used = set()
    for key, value in inside(template()):
        if key == "Ref":
            used.add(value)
        elif key == "Fn::GetAtt":
            used.add(value.split(".")[0])
        elif key == "Fn::Sub":
            used |= {name.split(".")[0] for name in re.findall(r"\$\{([^}]+)\}", value)}

    assert {name for name in used if not name.startswith("AWS::")} <= names
    assert set(template()["Parameters"]) - used == set()


def statements() -> list[dict[str, Any]]:
    found = [value for key, value in inside(template()) if key == "Statement"]
    given = [statement for group in found for statement in group]
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in given]


def actions(of: list[dict[str, Any]]) -> set[str]:
    return {
        action
        for statement in of
        for action in ([statement["Action"]] if isinstance(statement["Action"], str)
                       else statement["Action"])
    }  # fmt: skip


def test_the_template_allows_what_tuning_needs_and_no_more_than_is_known() -> None:
    needs = needs_of(IamOptions(function="shop-x", region="eu-west-1", account="123456789012"))
    needed = actions(policy_of(needs)["Statement"])  # type: ignore[arg-type]
    allowed = actions(statements())

    assert needed <= allowed
    assert not any("*" in action for action in allowed)
    assert "s3:DeleteObject" not in allowed


def test_what_is_allowed_everywhere_knows_no_resources() -> None:
    everywhere = [one for one in statements() if one.get("Resource") == "*"]

    assert actions(everywhere) == {
        "lambda:GetAccountSettings", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics",
    }  # fmt: skip


def test_only_versions_can_be_called_and_deleted() -> None:
    [one] = [one for one in statements() if "lambda:DeleteFunction" in one["Action"]]

    assert one["Resource"]["Fn::Sub"].endswith(":function:${FunctionPrefix}*:*")


def test_the_schedule_starts_one_build_at_a_time_and_history_outlives_the_stack() -> None:
    resources = template()["Resources"]

    assert resources["Project"]["Properties"]["ConcurrentBuildLimit"] == 1
    assert resources["History"]["DeletionPolicy"] == "Retain"
    assert resources["EachNight"]["Properties"]["Target"]["Arn"] == {"Fn::GetAtt": "Project.Arn"}
    assert all("rate(" not in str(value) for value in template()["Parameters"].values())


# -- systemd --------------------------------------------------------------------------------------


def test_systemd_stops_a_night_as_ctrl_c_does_and_makes_up_for_a_missed_one() -> None:
    service, timer = unit("nightly-performance.service"), unit("nightly-performance.timer")

    assert service["Type"] == ["oneshot"]
    assert service["SuccessExitStatus"] == ["4"]
    assert (service["KillSignal"], service["KillMode"]) == (["SIGINT"], ["mixed"])
    assert service["TimeoutStartSec"] == ["4h"]
    assert timer["Persistent"] == ["true"]


def test_what_a_tuning_notes_can_be_written_where_the_rest_cannot() -> None:
    service = unit("nightly-performance.service")
    [state] = service["StateDirectory"]

    assert service["ProtectSystem"] == ["strict"]
    assert f"XDG_STATE_HOME=/var/lib/{state}" in service["Environment"]
    assert steps_of("systemd")[1]["XDG_STATE_HOME"] == f"/var/lib/{state}"
