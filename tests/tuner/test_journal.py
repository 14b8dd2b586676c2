"""Journals: on disk before a change, locked while their run lives."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import InputError
from tuner.journal import Beginning, Journal, state_folder
from tuner.open_journals import read_journals

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


@contextmanager
def journal_in(folder: Path) -> Iterator[Journal]:
    """The journal of a run that ends, in one way or another."""
    journal = Journal(folder, BEGINNING)
    try:
        yield journal
    finally:
        journal.leave()


@contextmanager
def files_no_longer_than(size_bytes: int) -> Iterator[None]:
    """Makes the kernel refuse to write more than `size_bytes` to a file, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_journal_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        journal.intend("configure", memory_mb=128)
        journal.published(128, "3")

    (read,) = read_journals(tmp_path).open

    assert read.beginning == BEGINNING
    assert read.versions == ("3",)
    assert read.host == socket.gethostname()


def test_a_closed_journal_is_gone(tmp_path: Path) -> None:
    Journal(tmp_path, BEGINNING).close()

    assert list(tmp_path.iterdir()) == []


def test_a_journal_is_held_for_as_long_as_its_run_lives(tmp_path: Path) -> None:
    with journal_in(tmp_path):
        assert read_journals(tmp_path).open[0].held

    assert not read_journals(tmp_path).open[0].held


def test_a_killed_process_holds_its_journal_no_more_though_its_id_lives_on(tmp_path: Path) -> None:
    # The journal names the process of this test, which is alive, as another one may be by now.
    code = (
        "import sys, pathlib\n"
        "from tests.tuner.test_journal import BEGINNING, Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]), BEGINNING)\n"
        "print('written', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"written\n"
        assert read_journals(tmp_path).open[0].held
        child.kill()

    (journal,) = read_journals(tmp_path).open
    assert journal.path.name == "0123456789ab.ndjson"
    assert not journal.held


def test_a_child_process_of_a_run_does_not_keep_its_lock(tmp_path: Path) -> None:
    with journal_in(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    with child:
        assert child.poll() is None
        assert not read_journals(tmp_path).open[0].held
        child.kill()


def test_a_line_that_a_power_cut_tore_is_left_out(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal, journal.path.open("a") as file:
        file.write('{"step": "publi')

    assert read_journals(tmp_path).open[0].beginning == BEGINNING


def test_a_line_that_is_damaged_does_not_hide_how_the_run_began(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        with journal.path.open("ab") as file:
            file.write(b"\xff\x00\n")
        journal.published(128, "3")

    (read,) = read_journals(tmp_path).open

    assert (read.beginning, read.versions) == (BEGINNING, ("3",))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{}\n", id="no step"),
        pytest.param('{"step": "publish"}\n', id="no beginning"),
        pytest.param('{"step": "begin"}\n', id="no facts"),
        pytest.param('{"step": "begin", "existing_versions": 3}\n', id="facts of another form"),
        pytest.param("x\n{}\n", id="torn"),
    ],
)
def test_a_faulty_journal_is_named_and_hides_no_other(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.ndjson").write_text(text)
    with journal_in(tmp_path):
        pass

    journals = read_journals(tmp_path)

    assert [journal.beginning for journal in journals.open] == [BEGINNING]
    (fault,) = journals.faults
    assert "a.ndjson:1: expected the facts of a run's beginning" in str(fault)
    assert "`tune restore --forget a.ndjson`" in str(fault)


@pytest.mark.parametrize("text", ["", '{"step": "begin", "run'], ids=["empty", "torn"])
def test_a_journal_without_a_whole_line_is_of_a_run_that_changed_nothing(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.ndjson").write_text(text)

    journals = read_journals(tmp_path)

    assert (journals.open, journals.faults) == ((), ())
    assert journals.blank == (tmp_path / "a.ndjson",)


def test_a_journal_of_another_version_is_read(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        entry = json.loads(journal.path.read_text())
        del entry["host"]
        journal.path.write_text(json.dumps({**entry, "revision_id": "first"}) + "\n")

    (read,) = read_journals(tmp_path).open

    assert read.host is None
    assert read.beginning == BEGINNING


def test_journals_are_read_oldest_first(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        entry = json.loads(journal.path.read_text())
    earlier = {**entry, "run_id": "ffffffffffff", "started_utc": "2025-12-31T00:00:00+00:00"}
    (tmp_path / "ffffffffffff.ndjson").write_text(json.dumps(earlier) + "\n")

    ids = [journal.beginning.run_id for journal in read_journals(tmp_path).open]

    assert ids == ["ffffffffffff", "0123456789ab"]


def test_a_state_folder_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    with pytest.raises(InputError, match=r"could not write the journal.*XDG_STATE_HOME"):
        Journal(blocked / "folder", BEGINNING)


@pytest.mark.parametrize("size_bytes", [0, 100], ids=["no byte", "half a line"])
def test_a_full_disk_stops_the_run_and_leaves_no_journal(tmp_path: Path, size_bytes: int) -> None:
    with (
        pytest.raises(InputError, match="could not write the journal"),
        files_no_longer_than(size_bytes),
    ):
        Journal(tmp_path, BEGINNING)

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_later_stops_the_run_and_keeps_its_beginning(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        size_bytes = journal.path.stat().st_size
        with (
            pytest.raises(InputError, match="could not write the journal"),
            files_no_longer_than(size_bytes + 10),
        ):
            journal.intend("configure", memory_mb=128)

    assert [read.beginning for read in read_journals(tmp_path).open] == [BEGINNING]


def test_journals_live_where_the_xdg_standard_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "lambda-perf-toolkit" / "tune"

    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local/state/lambda-perf-toolkit/tune"


def test_without_a_home_the_variable_to_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)  # nobody's

    with pytest.raises(InputError, match=r"no home folder.*set XDG_STATE_HOME"):
        state_folder()
