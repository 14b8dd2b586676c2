"""What a run is about to change on a function, on disk before it is changed.

One file a run, JSON lines, flushed to the disk at each line, in the user's state folder. It is
removed when everything is as before; a file that is there belongs to a run that still works or
that was killed. It holds no secrets: sizes, descriptions, version numbers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from core.errors import InputError

_SUFFIX = ".ndjson"


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
class OpenJournal:
    """A journal read back: how the run began, and the versions that it noted as its own."""

    path: Path
    beginning: Beginning
    versions: tuple[str, ...]


def state_folder() -> Path:
    """Where journals live: `$XDG_STATE_HOME` or `~/.local/state`, as the XDG standard says."""
    configured = os.environ.get("XDG_STATE_HOME", "")
    # The standard: relative paths are invalid and to be ignored.
    base = Path(configured) if Path(configured).is_absolute() else Path.home() / ".local" / "state"
    return base / "lambda-perf-toolkit" / "tune"


class Journal:
    """Appends to the journal of one run.

    Raises:
        InputError: when the state folder cannot be written; the run must not start then.
    """

    def __init__(self, folder: Path, beginning: Beginning) -> None:
        self.path = folder / f"{beginning.run_id}{_SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._write({"step": "begin", **asdict(beginning)})
        except OSError as error:
            raise InputError(
                f"{folder}: could not write the journal: {error.strerror}",
                hint="set XDG_STATE_HOME to a folder that you may write",
            ) from error

    def intend(self, step: str, **facts: object) -> None:
        """Notes a change that is about to be made."""
        self._write({"step": step, **facts})

    def published(self, memory_mb: int, version: str) -> None:
        """Notes a version that this run made."""
        self._write({"step": "published", "memory_mb": memory_mb, "version": version})

    def close(self) -> None:
        """Removes the journal: all is as before."""
        self.path.unlink(missing_ok=True)

    def _write(self, entry: dict[str, object]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())


def open_journals(folder: Path) -> tuple[OpenJournal, ...]:
    """The journals of all runs that have not ended, oldest first.

    Raises:
        InputError: when a journal cannot be read, naming it.
    """
    if not folder.is_dir():
        return ()
    return tuple(read_journal(path) for path in sorted(folder.glob(f"*{_SUFFIX}")))


def read_journal(path: Path) -> OpenJournal:
    """One journal; a last line that was cut by a power failure is left out."""
    entries = _entries(path)
    begin = next((entry for entry in entries if entry.get("step") == "begin"), None)
    if begin is None:
        raise InputError(f"{path}: expected a journal that starts with step 'begin'")
    facts = cast("dict[str, Any]", {key: begin[key] for key in begin if key != "step"})
    try:
        existing = tuple(facts.pop("existing_versions"))
        beginning = Beginning(existing_versions=existing, **facts)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}:1: expected the facts of a run's beginning: {error}") from error
    versions = [str(entry["version"]) for entry in entries if entry.get("step") == "published"]
    return OpenJournal(path, beginning, tuple(versions))


def _entries(path: Path) -> Sequence[dict[str, object]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: could not read the journal: {error}") from error
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number == len(lines):
                break
            raise InputError(f"{path}:{number}: expected JSON, got: {error.msg}") from error
    return [entry for entry in entries if isinstance(entry, dict)]


def is_running(pid: int) -> bool:
    """Whether a process with this id lives on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
