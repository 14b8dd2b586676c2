"""At the end of a night, each CI service is told in its own way, and none can spoil the night."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.console import Console
from reports.nightly.pipeline import Service, service_of, tell_pipeline
from reports.nightly.plan import NightlyPlan, TuneStep
from reports.nightly.step_summary import MOST_BYTES
from tests.reports.nightly_documents import night_document

FAILED = night_document("failed", series=3, nights=20)
PLAN = NightlyPlan(name="shop", steps=(TuneStep(name="other", function="thumbnail"),))


@pytest.mark.parametrize(
    ("env", "service"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, "github"),
        ({"GITHUB_ACTIONS": "false"}, "none"),
        ({"GITLAB_CI": "true", "CI": "true"}, "gitlab"),
        ({"JENKINS_URL": "https://ci.example/"}, "jenkins"),
        ({"CODEBUILD_BUILD_ID": "project:1"}, "codebuild"),
        ({"CI": "true"}, "none"),
        ({}, "none"),
    ],
)
def test_the_service_is_known_by_its_variables(env: dict[str, str], service: Service) -> None:
    assert service_of(env) == service


def test_github_gets_a_summary_and_annotations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}

    notes = tell_pipeline(FAILED, PLAN, env, Console(verbosity=-1, json_output=True))

    out, err = capsys.readouterr()
    assert notes == []
    assert out == ""
    assert err.startswith("::error title=shop%3A orders%2C GET /search::p95 within 7 %25")
    assert "shop" in summary.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "env", [{}, {"GITLAB_CI": "true"}, {"JENKINS_URL": "x"}, {"CODEBUILD_BUILD_ID": "x"}]
)
def test_elsewhere_nothing_is_said(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert tell_pipeline(FAILED, PLAN, env, Console()) == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("before", "note"),
    [
        pytest.param(None, "the summary of the job: could not write", id="a folder"),
        pytest.param(MOST_BYTES, "the summary of the job is full", id="full"),
    ],
)
def test_a_summary_that_cannot_be_written_is_a_note(
    tmp_path: Path, before: int | None, note: str
) -> None:
    summary = tmp_path / "summary"
    if before is None:
        summary.mkdir()
    else:
        summary.write_bytes(b"." * before)

    [told] = tell_pipeline(FAILED, PLAN, {"GITHUB_STEP_SUMMARY": str(summary)}, Console())

    assert told.startswith(note)


def test_the_notes_of_templates_are_notes_of_the_night(tmp_path: Path) -> None:
    step = TuneStep(name="thumbnail", function="shop-thumbnail", template="none.yaml")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path)}

    notes = tell_pipeline(FAILED, NightlyPlan(name="shop", steps=(step,)), env, Console())

    reason = "could not read profiles/none.yaml: No such file or directory"
    assert notes == [f"thumbnail: no place for the saving: {reason}"]
