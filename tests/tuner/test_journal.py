"""Journals: on disk before a change, readable after a crash."""

import os
from pathlib import Path

import pytest

from core.errors import InputError
from tuner.journal import Beginning, Journal, is_running, open_journals, state_folder

BEGINNING = Beginning(
    run_id="0123456789ab",
    function_arn="arn:aws:lambda:us-east-1:123456789012:function:orders",
    region="us-east-1",
    endpoint_url=None,
    memory_mb=512,
    description="takes orders",
    code_sha256="sha",
    existing_versions=("1", "2"),
    pid=os.getpid(),
    started_utc="2026-01-01T00:00:00+00:00",
)


def test_a_journal_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, BEGINNING)
    journal.intend("configure", memory_mb=128)
    journal.published(128, "3")

    (read,) = open_journals(tmp_path)

    assert read.beginning == BEGINNING
    assert read.versions == ("3",)


def test_a_closed_journal_is_gone(tmp_path: Path) -> None:
    Journal(tmp_path, BEGINNING).close()

    assert open_journals(tmp_path) == ()


def test_a_line_that_a_power_cut_tore_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path, BEGINNING)
    with journal.path.open("a") as file:
        file.write('{"step": "publi')

    assert open_journals(tmp_path)[0].beginning == BEGINNING


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "starts with step 'begin'", id="empty"),
        pytest.param('{"step": "publish"}\n', "starts with step 'begin'", id="no beginning"),
        pytest.param('{"step": "begin"}\n', "facts of a run's beginning", id="no facts"),
        pytest.param("x\n{}\n", r":1: expected JSON", id="torn in the middle"),
    ],
)
def test_a_faulty_journal_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.ndjson").write_text(text)

    with pytest.raises(InputError, match=message):
        open_journals(tmp_path)


def test_a_state_folder_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    with pytest.raises(InputError, match=r"could not write the journal.*XDG_STATE_HOME"):
        Journal(blocked / "folder", BEGINNING)


def test_journals_live_where_the_xdg_standard_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "lambda-perf-toolkit" / "tune"

    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local/state/lambda-perf-toolkit/tune"


def test_a_process_is_known_to_live_or_not() -> None:
    assert is_running(os.getpid())
    assert not is_running(2**22 + 1)  # above Linux's largest process id
