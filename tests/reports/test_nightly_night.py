"""A whole night by its plan: files, history, exit code, and what the plan keeps."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.console import Console
from core.errors import ExitCode, InputErrors
from reports.history.history import open_history
from reports.nightly import night
from reports.nightly.journal import NightJournal
from reports.nightly.night_folder import FoundNight, NightFolder, find_nights
from reports.nightly.notify import Told
from reports.nightly.options import NightOptions
from reports.nightly.progress import Progress
from reports.nightly.retention import keep_to_plan, outdated
from reports.run_folder import read_document
from tests.reports.night_rig import SCRIPT, write_templates

URL = "https://hooks.example.com/T0/B0/secret"
PLAN = """\
version: 1
name: shop
steps:
  - load: orders.yaml
    budgets: [errors < 50%]
  - load: search.yaml
notify:
  - {kind: webhook, url: "${env.HOOK}"}
gates: {inconclusive: pass}
"""
PROFILE = """\
version: 1
name: orders
target: {url: "http://127.0.0.1:9/"}
load: {model: open, phases: [{name: steady, duration: 1s, rate: 1}]}
scenarios: [{name: all, flow: [{get: /}]}]
"""


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    write_templates(folder)
    return folder


@pytest.fixture
def plan(tmp_path: Path, templates: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan whose steps are children that measure nothing."""
    said: dict[str, dict[str, Any]] = {"load search": {"seconds": 0}}

    def command(step: Any, plan_file: Any, *, runs: Path, **options: Any) -> list[str]:
        how = json.dumps({"name": "step", **said.get(step.name, {})})
        return [sys.executable, "-I", "-S", SCRIPT, str(templates / "load.json"), str(runs), how]

    monkeypatch.setenv("HOOK", URL)
    monkeypatch.setattr(night, "command_of", command)
    monkeypatch.setattr(night, "tell", lambda *given, **named: Told(["notify[0]: not told"]))
    for name in ("orders.yaml", "search.yaml"):
        (tmp_path / name).write_text(PROFILE)
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def options(plan: Path, **changes: Any) -> NightOptions:
    given: dict[str, Any] = {
        "plan": plan,
        "runs": plan.parent / "runs",
        "history": str(plan.parent / "history"),
        "command": ("reports", "nightly", str(plan), "--set", f"notify.0.url={URL}"),
        **changes,
    }
    return NightOptions(**given)


def test_a_night_leaves_its_files_and_its_history(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = night.run_night(options(plan), Console(json_output=True))

    assert code is ExitCode.PASS
    (folder,) = (plan.parent / "runs").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        "badge.json", "junit.xml", "night.json", "report.html", "result.json", "steps",
        "summary.md",
    ]  # fmt: skip
    document = read_document(folder)
    assert document.kind == "nightly"
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((folder / "result.json").read_text())
    assert [step.name for step in document.steps] == ["load orders", "load search"]
    assert {gate.kind for gate in document.gates} >= {"validity", "budget"}
    assert document.notes[-1] == "notify[0]: not told"
    past = open_history(str(plan.parent / "history")).load("shop")
    assert [(one.verdict, one.exit_code) for one in past.nights] == [("pass", 0)]
    assert len(past.runs) == 2
    for path in folder.rglob("*"):
        assert not path.is_file() or URL not in path.read_text(errors="replace"), path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("it had not ended", "It had not ended"),
        ("arn:aws:lambda:eu-west-1:1:function:a is being tuned", None),
        ("runs/a: no such file", None),
        ("", ""),
    ],
)
def test_what_ended_a_run_is_a_sentence_and_names_stay(
    capsys: pytest.CaptureFixture[str], words: str, said: str | None
) -> None:
    Progress(Console()).ended("a", 1.0, "refused", words)

    told = words if said is None else said
    shown = capsys.readouterr().err.replace("\N{NO-BREAK SPACE}", " ").strip()
    assert shown == f"a: refused after 1 s{'. ' * bool(told)}{told}"


def test_only_some_steps_are_a_note(plan: Path) -> None:
    night.run_night(options(plan, only=("load search",)), Console(verbosity=-1))

    (folder,) = (plan.parent / "runs").iterdir()
    document = read_document(folder)
    assert document.kind == "nightly"
    assert [step.name for step in document.steps] == ["load search"]
    assert "only these steps were asked for: load search" in document.notes


def test_a_plan_with_faults_runs_nothing(plan: Path) -> None:
    plan.write_text(PLAN.replace("name: shop", "nam: shop"))

    with pytest.raises(InputErrors):
        night.run_night(options(plan), Console(verbosity=-1))

    assert not (plan.parent / "runs").exists()


NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


def nights(runs: Path, count: int, **changes: Any) -> list[FoundNight]:
    """The folders of nights a day apart, the last of them today's."""
    for number in range(count):
        began = NOW - timedelta(days=count - 1 - number)
        folder = runs / f"{began:%Y%m%dT%H%M%SZ}-nightly-shop"
        folder.mkdir(parents=True)
        values: dict[str, Any] = {
            "plan": "shop", "history": "h", "asked": {}, "night_id": f"n{number}",
            "sequence": number + 1, "night": f"{began:%Y-%m-%d}", "branch": None,
            "git_commit": None, "environment": None, "started_utc": began.isoformat(),
            "host": "here", "pid": 1, "state": "finished",
        }  # fmt: skip
        changed = changes if number == 0 else {}
        journal = NightJournal.model_validate({**values, **changed})
        NightFolder(folder).journal.write_text(journal.model_dump_json())
    return list(find_nights(runs, "shop", lambda text: None))


def test_folders_older_than_the_plan_keeps_them_go(tmp_path: Path) -> None:
    found = nights(tmp_path, 12)

    gone = outdated(found, NOW, 9)

    assert [night.journal.sequence for night in gone] == [1, 2]


@pytest.mark.parametrize("state", ["running", "interrupted"])
def test_a_night_that_is_not_finished_stays(tmp_path: Path, state: str) -> None:
    found = nights(tmp_path, 12, state=state)

    assert [night.journal.sequence for night in outdated(found, NOW, 9)] == [2]


def test_a_night_with_records_that_the_history_lacks_stays(tmp_path: Path) -> None:
    found = nights(tmp_path, 12)
    unsent = found[0].folder.path / "unsent"
    unsent.mkdir()
    (unsent / "a.ndjson.gz").write_bytes(b"")

    assert [night.journal.sequence for night in outdated(found, NOW, 9)] == [2]


def test_a_clock_that_runs_ahead_leaves_the_last_nights(tmp_path: Path) -> None:
    found = nights(tmp_path, 12)

    gone = outdated(found, NOW + timedelta(days=4000), 9)

    assert [night.journal.sequence for night in gone] == [1, 2, 3, 4, 5]


def test_folders_are_removed_and_those_of_other_plans_stay(tmp_path: Path) -> None:
    from reports.nightly.plan import NightlyPlan

    nights(tmp_path / "runs", 9)
    other = tmp_path / "runs" / "20200101T000000Z-nightly-shop-2"
    other.mkdir()
    (other / "night.json").write_text("{}")
    step = {"kind": "load", "name": "a", "profile": "a.yaml"}
    plan = NightlyPlan.model_validate(
        {"name": "shop", "steps": [step], "retention": {"runs_days": 7}}
    )
    history = open_history(str(tmp_path / "history"))

    assert list(keep_to_plan(tmp_path / "runs", plan, history, NOW)) == []

    left = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert left[0] == other.name
    assert len(left) == 9
