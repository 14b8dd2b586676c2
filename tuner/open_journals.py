"""The journals of runs that have not ended: read back, and told apart from those of killed runs.

Whether a run lives is asked of the lock on its journal, which the kernel gives back when the
process ends. A process id would not do: ids come again, in containers at each start.
"""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from core.errors import InputError, Refused
from tuner.journal import SUFFIX, UNFINISHED, Beginning, Traces


@dataclass(frozen=True, slots=True)
class OpenJournal:
    """A journal read back: how the run began, and the versions that it noted as its own.

    `host` is the machine that the run was started on, `held` whether it still works. `sizes_mb`
    are those that it may have set `$LATEST` to.
    """

    path: Path
    beginning: Beginning
    versions: tuple[str, ...]
    host: str | None
    held: bool
    traces: Traces
    sizes_mb: frozenset[int]


@dataclass(frozen=True, slots=True)
class Journals:
    """All that is in the state folder, oldest run first.

    `faults` name the journals that cannot be read. `blank` are those without one whole line or
    without their name, of runs that ended before they changed anything.
    """

    open: tuple[OpenJournal, ...]
    faults: tuple[InputError, ...]
    blank: tuple[Path, ...]


def read_journals(folder: Path) -> Journals:
    """Every journal in `folder`; one that cannot be read does not hide the others."""
    opened: list[OpenJournal] = []
    faults: list[InputError] = []
    blank: list[Path] = []
    for path in _paths(folder):
        try:
            journal = _read(path)
        except InputError as error:
            faults.append(error)
            continue
        except FileNotFoundError:
            # Its run came to an end this moment.
            continue
        if journal is None:
            blank.append(path)
        else:
            opened.append(journal)
    opened.sort(key=lambda journal: journal.beginning.started_utc)
    return Journals(tuple(opened), tuple(faults), (*blank, *_unfinished(folder)))


def check_no_run_works(
    folder: Path, function_arn: str, endpoint_url: str | None, *, apart_from: str | None = None
) -> None:
    """Makes sure that no run of this user is at the function: each would end the other.

    Between two publishings nothing on the function shows a run. Best effort: a journal elsewhere,
    or of an endpoint by another name, is not seen. `apart_from` is the id of the run that asks.

    Raises:
        Refused: naming the run that works.
    """
    for journal in read_journals(folder).open:
        begin = journal.beginning
        if begin.run_id == apart_from:
            continue
        if journal.held and (begin.function_arn, begin.endpoint_url) == (
            function_arn,
            endpoint_url,
        ):
            raise Refused(
                f"{function_arn} is being tuned by run {begin.run_id}, process {begin.pid} on "
                f"{journal.host or 'this host'}",
                hint="start again when it has ended",
            )


def forget_journal(folder: Path, name: str) -> Path:
    """Removes the journal with this run id or file name, whether or not it can be read.

    Raises:
        InputError: when there is none.
        Refused: when its run still works.
    """
    for path in _paths(folder):
        if name in (path.name, path.stem):
            if _is_held(path):
                raise Refused(f"{path}: its run still works")
            path.unlink(missing_ok=True)
            return path
    raise InputError(f"--forget: expected the id of a run in {folder} (got {name!r})")


def _unfinished(folder: Path) -> tuple[Path, ...]:
    """Journals of runs that were killed before they had a name, and so before any change."""
    found = sorted(folder.glob(f"*{UNFINISHED}")) if folder.is_dir() else []
    return tuple(path for path in found if not _is_held(path))


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def _read(path: Path) -> OpenJournal | None:
    """One journal, or None where no line was written to its end.

    Lines that a power cut tore are left out: all that undoing needs is in the first.
    """
    try:
        # The lock first: what a run writes is complete when it does not hold its journal any more.
        held = _is_held(path)
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path}: could not read the journal: {error.strerror}") from error
    if "\n" not in text:
        return None
    entries = [entry for line in text.splitlines() if (entry := _entry(line))]
    try:
        beginning, host = _beginning(entries)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}:1: expected the facts of a run's beginning",
            hint=f"`tune restore --forget {path.name}` drops it",
        ) from error
    versions = [str(entry.get("version")) for entry in entries if entry.get("step") == "published"]
    sizes_mb = frozenset(
        int(entry.get("memory_mb", 0)) for entry in entries if entry.get("step") == "configure"
    )
    traces = _traces(entries, changed=bool(sizes_mb))
    return OpenJournal(path, beginning, tuple(versions), host, held, traces, sizes_mb)


def _traces(entries: list[dict[str, Any]], *, changed: bool) -> Traces:
    """What the run set `$LATEST` to and did not put back, by what it noted after each."""
    traces = Traces(changed=changed)
    for entry in entries:
        if entry.get("step") == "configured":
            test_mb, copied = int(entry.get("memory_mb", 0)), bool(entry.get("copied"))
            traces = Traces(changed=changed, test_mb=test_mb, copied=copied)
        elif entry.get("step") == "restored":
            traces = Traces(changed=changed)
    return traces


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def _beginning(entries: list[dict[str, Any]]) -> tuple[Beginning, str | None]:
    begin = next((entry for entry in entries if entry.get("step") == "begin"), None)
    if begin is None:
        raise KeyError("begin")
    # Other versions of the toolkit note more.
    facts = {field.name: begin[field.name] for field in fields(Beginning)}
    facts["existing_versions"] = tuple(facts["existing_versions"])
    return Beginning(**facts), begin.get("host")


def _is_held(path: Path) -> bool:
    """Whether a living process has locked the file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
