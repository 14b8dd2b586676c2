"""What a run is about to change on a function, on disk before it is changed.

One file a run, JSON lines, flushed to the disk at each line, in the user's state folder. The run
holds a lock on it for as long as it lives and removes it when everything is as before; so a file
without a lock belongs to a run that was killed. It holds no secrets: sizes, descriptions, version
numbers.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import InputError

SUFFIX = ".ndjson"
# Not matched by the pattern of journals: nobody reads one that is not complete.
UNFINISHED = ".new"


@dataclass(frozen=True, slots=True)
class Beginning:
    """The function as it was, which is what a restore goes back to."""

    run_id: str
    function_arn: str
    region: str
    endpoint_url: str | None
    memory_mb: int
    description: str
    code_sha256: str
    existing_versions: tuple[str, ...]
    pid: int
    started_utc: str


@dataclass(frozen=True, slots=True)
class Traces:
    """What is known of a run besides its marks.

    `changed` says that it may have changed `$LATEST`. `test_mb` is the size that AWS has accepted
    from it and that it has not put back, as far as it came to note that; `copied` says that it was
    with the settings of a version.
    """

    changed: bool = True
    test_mb: int | None = None
    copied: bool = False


def state_folder() -> Path:
    """Where journals live: `$XDG_STATE_HOME` or `~/.local/state`, as the XDG standard says.

    Raises:
        InputError: when there is neither that variable nor a home.
    """
    configured = os.environ.get("XDG_STATE_HOME", "")
    # The standard: relative paths are invalid and to be ignored.
    base = Path(configured) if Path(configured).is_absolute() else _home() / ".local" / "state"
    return base / "lambda-perf-toolkit" / "tune"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise InputError(
            "there is no home folder to keep the journal of a run in",
            hint="set XDG_STATE_HOME to a folder that you may write",
        ) from error


class Journal:
    """Appends to the journal of one run, and holds its lock.

    The file gets its name when its first line is on disk and its lock is taken: nobody ever sees
    one that is empty, or one of a living run without its lock.

    Raises:
        InputError: when the state folder cannot be written; the run must not start then.
    """

    def __init__(self, folder: Path, beginning: Beginning) -> None:
        self.path = folder / f"{beginning.run_id}{SUFFIX}"
        unfinished = self.path.with_suffix(UNFINISHED)
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = unfinished.open("xb", buffering=0)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._append({"step": "begin", **asdict(beginning), "host": socket.gethostname()})
                unfinished.rename(self.path)
                _flush_folder(folder)
            except OSError:
                unfinished.unlink(missing_ok=True)
                self.close()
                raise

    def intend(self, step: str, **facts: object) -> None:
        """Notes a change that is about to be made."""
        self._note({"step": step, **facts})

    def configured(self, memory_mb: int, *, copied: bool = False) -> None:
        """Notes a size that AWS has accepted for `$LATEST`, maybe with settings of a version."""
        self._note({"step": "configured", "memory_mb": memory_mb, "copied": copied})

    def restored(self) -> None:
        """Notes that `$LATEST` is as before."""
        self._note({"step": "restored"})

    def published(self, memory_mb: int, version: str) -> None:
        """Notes a version that this run made."""
        self._note({"step": "published", "memory_mb": memory_mb, "version": version})

    def close(self) -> None:
        """Removes the journal: all is as before."""
        self.path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Gives up the lock and keeps the file, as the end of the process would."""
        self._file.close()

    def _note(self, entry: dict[str, object]) -> None:
        with _writing(self.path.parent):
            self._append(entry)

    def _append(self, entry: dict[str, object]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        while line:
            line = line[self._file.write(line) :]
        os.fsync(self._file.fileno())


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{folder}: could not write the journal: {error.strerror}",
            hint="set XDG_STATE_HOME to a folder that you may write, on a file system with locks",
        ) from error


def _flush_folder(folder: Path) -> None:
    """Puts the name of a new file on the disk, which flushing the file itself does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
