"""`reports nightly` and `reports schema`: what is wrong with the command line is told at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from core.errors import InputErrors
from reports.cli import main
from reports.nightly.plan_reader import chosen_steps
from tests.reports.test_nightly_plan import GOOD, read


def reports(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of a command."""
    monkeypatch.setattr(sys, "argv", ["reports", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--night", "yesterday"], "--night yesterday: must be a date such as 2026-11-27"),
        (["--inconclusive", "maybe"], "--inconclusive maybe: must be fail or pass"),
        (["--history", ""], "--history: must be a folder or s3://BUCKET/PREFIX (got '')"),
        (
            ["--history", "s3://Bucket"],
            ("--history s3://Bucket: must be a folder or s3://BUCKET/PREFIX, the bucket in small "
            "letters"),
        ),
        (
            ["--history", "nightly.yaml"],
            "--history nightly.yaml: is a file, and must be a folder or s3://BUCKET/PREFIX",
        ),
        (
            ["--export", "csv=x"],
            ("--export csv=x: must be one of html=PATH, junit=PATH, md=PATH, json=PATH, "
            'badge=PATH (got "csv=x")'),
        ),
        (
            ["--export", "md=nightly.yaml"],
            ("--export md=nightly.yaml: must have a path of its own (got that of the plan "
            "nightly.yaml)"),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_wrong_option_is_one_line(
    options: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    read(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path)

    assert reports(monkeypatch, "nightly", "nightly.yaml", *options) == 2
    assert capsys.readouterr().err == f"error: {told}\n"


def test_steps_are_chosen_by_name_in_the_order_of_the_plan(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD)

    assert [step.name for step in chosen_steps(file, ("tune thumb-live", "load orders"))] == [
        "load orders",
        "tune thumb-live",
    ]
    assert len(chosen_steps(file, ())) == 2
    with pytest.raises(
        InputErrors, match=r"--only load order: .* has no such step \(did you mean load orders"
    ):
        chosen_steps(file, ("load order",))


def test_the_schema_goes_to_stdout_or_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "schema.json"

    assert reports(monkeypatch, "schema", "-o", str(path)) == 0
    assert reports(monkeypatch, "schema") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(path.read_text(encoding="utf-8"))
