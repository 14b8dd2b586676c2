"""A history in a folder: files appear whole or not at all, and none takes another's place."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time

import pytest

from core.errors import InputError, ToolError
from reports.history import folder_store
from reports.history.encoding import encoded
from reports.history.folder_store import FolderStore, put_in_place, written_beside
from reports.history.history import History
from reports.history.names import object_name
from reports.history.store import AlreadyThere, ObjectGone, ObjectUnreadable, open_store
from tests.reports import history_records as made

NAME = "runs/shop/2026/08/x.ndjson.gz"


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "history")


def test_what_is_written_is_listed_read_and_deleted(store):
    assert list(store.objects("runs/")) == []

    store.write(NAME, b"one")
    store.write("runs/other/y.ndjson.gz", b"two")

    assert [entry.name for entry in store.objects("runs/shop/")] == [NAME]
    assert [entry.name for entry in store.objects("")] == ["runs/other/y.ndjson.gz", NAME]
    assert store.read(NAME) == b"one"
    store.delete(NAME)
    store.delete(NAME)
    assert list(store.objects("runs/shop/")) == []
    with pytest.raises(ObjectGone):
        store.read(NAME)


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_an_object_is_created_and_never_replaced(store, monkeypatch, links):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    store.write(NAME, b"first")

    with pytest.raises(AlreadyThere, match="it is there already"):
        store.write(NAME, b"second")

    assert store.read(NAME) == b"first"
    assert [path.name for path in (store.folder / NAME).parent.iterdir()] == ["x.ndjson.gz"]


def test_a_write_that_is_killed_before_it_is_in_place_leaves_no_object(store):
    path = store.folder / NAME
    path.parent.mkdir(parents=True)
    code = (
        "import os, pathlib, signal, sys\n"
        "from reports.history import folder_store\n"
        "folder_store.put_in_place = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"folder_store.FolderStore(pathlib.Path({str(store.folder)!r})).write({NAME!r}, b'half')\n"
    )

    killed = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)

    assert killed.returncode == -9
    (left,) = path.parent.iterdir()
    assert left.name.startswith(".")
    assert list(store.objects("")) == []
    store.write(NAME, b"whole")
    assert store.read(NAME) == b"whole"


def test_what_killed_writes_left_goes_when_it_is_a_day_old(store):
    path = store.folder / NAME
    path.parent.mkdir(parents=True)
    old, new = (written_beside(path, b"half") for _ in range(2))
    os.utime(old, (time.time() - 90_000,) * 2)

    store.write(NAME, b"whole")

    assert (old.exists(), new.exists()) == (False, True)


def test_of_two_writers_one_is_told(tmp_path):
    path = tmp_path / "x"
    first, second = (written_beside(path, data) for data in (b"first", b"second"))

    put_in_place(first, path)

    with pytest.raises(FileExistsError):
        put_in_place(second, path)
    assert path.read_bytes() == b"first"


def test_only_files_are_listed_and_links_to_folders_are_not_followed(store, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "z.ndjson.gz").write_bytes(b"")
    store.folder.mkdir()
    (store.folder / "runs").symlink_to(outside)
    (store.folder / "gone").symlink_to(outside / "gone")
    os.mkfifo(store.folder / "waits.ndjson.gz")
    (store.folder / "a.ndjson.gz").symlink_to(outside / "z.ndjson.gz")

    assert [entry.name for entry in store.objects("")] == ["a.ndjson.gz"]


def test_a_file_that_would_fill_the_memory_is_not_read(store, monkeypatch):
    monkeypatch.setattr(folder_store, "MOST_BYTES", 3)
    store.write(NAME, b"four")

    with pytest.raises(ObjectUnreadable, match="it has more than 3 bytes"):
        store.read(NAME)


def test_a_tag_changes_with_the_bytes(store):
    store.write(NAME, b"one")
    (before,) = store.objects("")
    (store.folder / NAME).write_bytes(b"three")

    (after,) = store.objects("")
    assert before.tag != after.tag


def test_what_cannot_be_written_or_read_says_why(store, monkeypatch):
    store.folder.mkdir()
    (store.folder / "runs").write_text("a file")
    (store.folder / "nights").mkdir()

    with pytest.raises(ToolError, match=r"could not write .*: Not a directory"):
        store.write(NAME, b"")
    with pytest.raises(ObjectUnreadable, match=r"could not read .*: Is a directory"):
        store.read("nights")
    (store.folder / "events").write_text("a file")
    with pytest.raises(InputError, match="a part of the path is a file"):
        store.write("events/x.ndjson.gz", b"")
    monkeypatch.setattr(folder_store, "put_in_place", _no_space)
    with pytest.raises(ToolError, match=r"could not write .*: No space left"):
        store.write("nights/x.ndjson.gz", b"")
    assert list((store.folder / "nights").iterdir()) == []


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        pytest.param("", "expected a folder or s3://BUCKET/PREFIX", id="nothing"),
        pytest.param("gs://b/x", "gs:// is not known; expected a folder or s3://", id="scheme"),
        pytest.param("s3://", r"expected s3://BUCKET/PREFIX, .*\(got 's3://'\)", id="no bucket"),
        pytest.param("s3://B/x", "expected s3://BUCKET/PREFIX", id="capital letters"),
        pytest.param("file.txt", r"\(file.txt is a file\)", id="a file"),
    ],
)
def test_a_place_that_is_none_is_refused(place, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("")

    with pytest.raises(InputError, match=message):
        open_store(place, lambda: pytest.fail("no session is needed"))


# Writes records of its own while the other does; a name that both have is one of the runs.
WRITER = """
import pathlib, sys
from reports.history.folder_store import FolderStore
from reports.history.history import History
from tests.reports import history_records as made
folder, begin = pathlib.Path(sys.argv[1]), int(sys.argv[2])
history = History(FolderStore(folder), folder / ".cache.sqlite")
for sequence in range(begin, begin + 20):
    history.append(made.run(sequence))
    history.append(made.run(9999, value=begin))
    if sequence % 10 == 0:
        assert history.load("shop").problems == ()
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    folder = tmp_path / "history"
    children = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(begin)])
        for begin in (1, 101)
    ]
    assert [child.wait(timeout=60) for child in children] == [0, 0]

    history = History(FolderStore(folder), folder / ".cache.sqlite")
    past = history.load("shop")
    numbers = [run.sequence for run in past.runs]
    assert numbers == [*range(1, 21), *range(101, 121), 9999]
    assert past.problems == ()
    written = [entry.name for entry in history.store.objects("") if "9999" in entry.name]
    both = {history.read(name).points[0].value for name in written}
    assert both == {1.0, 101.0}
    assert encoded(made.run(7)) == history.store.read(object_name(made.run(7)))
