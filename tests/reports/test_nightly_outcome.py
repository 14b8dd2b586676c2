"""What came of a run, by how its child ended and what it left."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from core.errors import ExitCode
from reports.nightly.child import Ending
from reports.nightly.night_folder import NightFolder, run_label
from reports.nightly.outcome import Left, find_left, headline_of, outcome_of, outcome_of_killed
from reports.run_folder import document_text
from tests.reports import documents, load_documents

PASSED = load_documents.one_second()
CUT = PASSED.model_copy(update={"verdict": "interrupted", "errors": ["stopped"]})


def ending(code: int, how: Any = "ended", words: str = "words") -> Ending:
    return Ending(how, code, 1.0, words)


@pytest.mark.parametrize(
    ("ended", "document", "verdict", "code", "cut", "again"),
    [
        (ending(0), PASSED, "pass", 0, None, False),
        (ending(1), PASSED, "pass", 1, None, False),
        (ending(-signal.SIGKILL), PASSED, "pass", 1, "killed", False),
        (ending(143), CUT, "interrupted", 1, "interrupted", False),
        (ending(130, "timed out"), CUT, "timed out", 1, "timed out", False),
        (ending(-9, "timed out"), None, "timed out", 1, "timed out", False),
        (ending(130, "stopped"), CUT, "interrupted", 143, "the night was interrupted", True),
        (ending(130, "stopped"), None, "interrupted", 143, "the night was interrupted", True),
        (ending(0), None, "no result", 1, None, False),
        (ending(2), None, "no result", 2, None, False),
        (ending(6), None, "refused", 6, None, False),
        (ending(-signal.SIGSEGV), None, "no result", 1, None, False),
    ],
    ids=[
        "passed", "its answer could not be written", "killed after its result",
        "interrupted by others", "timed out", "timed out and killed", "stopped",
        "stopped without a result", "silent", "a mistake", "a guard", "crashed",
    ],
)  # fmt: skip
def test_what_came_of_a_run(
    ended: Ending,
    document: Any,
    verdict: str,
    code: int,
    cut: str | None,
    again: bool,  # noqa: FBT001 # a column of the table
) -> None:
    outcome = outcome_of(ended, Left(None, document), 60.0, ExitCode.TERMINATED)

    assert (outcome.verdict, outcome.exit_code) == (verdict, code)
    assert (outcome.cut, outcome.again) == (cut, again)


def test_errors_say_why_in_words() -> None:
    def errors(ended: Ending, left: Left) -> tuple[str, ...]:
        return outcome_of(ended, left, 90.0, ExitCode.INTERRUPTED).errors

    assert errors(ending(2), Left(None, None, ("orders.yaml:3: no such key",))) == (
        "orders.yaml:3: no such key",
    )
    assert errors(ending(-11), Left(None, None)) == (
        "it left no result and was killed by SIGSEGV: words",
    )
    said = errors(ending(130, "timed out"), Left(None, CUT))
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in said] == [
        "it had not ended after 1 min 30 s, which is its time limit",
        "stopped",
    ]


@pytest.mark.parametrize(
    ("document", "verdict", "again"),
    [(PASSED, "pass", False), (CUT, "killed", True), (None, "killed", True)],
    ids=["it had ended", "it was cut", "nothing is left"],
)
def test_what_came_of_a_run_whose_night_was_killed(
    document: Any,
    verdict: str,
    again: bool,  # noqa: FBT001 # a column of the table
) -> None:
    outcome = outcome_of_killed(Left(None, document))

    assert (outcome.verdict, outcome.again) == (verdict, again)


@pytest.fixture
def folder(tmp_path: Path) -> NightFolder:
    found = NightFolder(tmp_path)
    (found.steps / "before").mkdir(parents=True)
    return found


def test_the_document_of_the_new_folder_is_read(folder: NightFolder) -> None:
    for name in ("2-new", "1-empty"):
        (folder.steps / name).mkdir()
    (folder.steps / "2-new" / "result.json").write_text(document_text(PASSED))

    left = find_left(folder, ["before"], folder.answer("1-a"))

    assert left.folder == folder.steps / "2-new"
    assert left.document == PASSED
    assert folder.relative(left.folder) == "steps/2-new"


def test_a_folder_without_a_document_is_named_all_the_same(folder: NightFolder) -> None:
    (folder.steps / "1-empty").mkdir()
    folder.answer("1-a").write_text('{"kind": "tune", "cut')

    assert find_left(folder, ["before"], folder.answer("1-a")) == Left(
        folder.steps / "1-empty", None
    )


def test_what_went_to_stdout_stands_in_for_a_document_that_was_not_written(
    folder: NightFolder,
) -> None:
    answer = folder.answer("1-a")
    answer.write_text(document_text(PASSED))

    left = find_left(folder, ["before"], answer)

    assert (left.document, left.only_told) == (PASSED, True)


@pytest.mark.parametrize(
    ("told", "errors"),
    [
        ({"kind": "error", "errors": ["one", "two\n  lines"]}, ("one", "two lines")),
        ({"kind": "tune-restore", "errors": []}, ()),
        ([1], ()),
    ],
    ids=["errors", "another kind", "no object"],
)
def test_errors_of_a_child_without_a_run_are_taken_from_its_answer(
    folder: NightFolder, told: Any, errors: tuple[str, ...]
) -> None:
    folder.answer("1-a").write_text(json.dumps(told))

    assert find_left(folder, ["before"], folder.answer("1-a")) == Left(None, None, errors)


def test_a_document_that_is_damaged_is_an_error_that_names_it(folder: NightFolder) -> None:
    (folder.steps / "new").mkdir()
    (folder.steps / "new" / "result.json").write_text('{"kind": "tune"}')

    left = find_left(folder, ["before"], folder.answer("1-a"))

    assert left.document is None
    assert "new/result.json: schema_version: this version reads 1" in left.errors[0]


def test_headlines_are_those_of_the_reports() -> None:
    assert headline_of(None) == ""
    assert headline_of(PASSED).startswith("The API admitted all")
    assert "MB" in headline_of(documents.cpu_bound())


@pytest.mark.parametrize(
    ("purpose", "turn", "label"),
    [
        ("night", 1, "2-load-orders"),
        ("night", 2, "2-load-orders-attempt-2"),
        ("rerun", 1, "2-load-orders-rerun-1"),
        ("baseline", 3, "2-load-orders-baseline-3"),
    ],
)
def test_files_of_runs_have_names_of_their_own(purpose: Any, turn: int, label: str) -> None:
    assert run_label(2, "load orders", purpose, turn) == label
