"""`reports history prune`: old nights go, after it is said which, and agreed to."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, InputError
from reports.history.commands.opened import Opened
from reports.history.commands.showing import named
from reports.history.commands.words import document_of
from reports.history.history import Past, past_of
from reports.history.names import FOLDERS
from reports.history.record import NightRecord
from reports.history.retention import NIGHTS_KEPT, Retained, prunable

if TYPE_CHECKING:
    from reports.nightly.night_folder import FoundNight

_DAYS = re.compile(r"(\d{1,5})\s*([dw]?)")


@dataclass(frozen=True, slots=True)
class PruneAsked:
    """Options of the command; None where the plan says it."""

    older_than: str | None = None
    runs_older_than: str | None = None
    runs: Path = Path("runs")
    keep: tuple[str, ...] = ()
    keep_nights: int = NIGHTS_KEPT
    dry_run: bool = False
    yes: bool = False


@dataclass(frozen=True, slots=True)
class _Old:
    """What may go: nights of the history, and folders of nights."""

    retained: Retained
    folders: Sequence[FoundNight] = ()


def prune_history(found: Opened, asked: PruneAsked, console: Console, now: datetime) -> ExitCode:
    """Removes old nights from the history, and old folders of nights from `asked.runs`.

    Raises:
        InputError: neither the plan nor an option says what is old, or --keep names no night.
        Refused: it is not confirmed.
        ToolError: something cannot be removed; what was removed before is gone.
    """
    days, runs_days = _limits(found, asked)
    stored, problems = found.history.stored(found.plan)
    for problem in problems:
        console.warn(f"left alone, since it cannot be read: {problem}")
    retained = Retained()
    if any(problem.name.startswith(f"{FOLDERS['event']}/") for problem in problems):
        console.warn("no night goes: a decision that cannot be read may be what one is kept for")
    elif days is not None:
        past = past_of([entry.record for entry in stored])
        pinned = [night.night_id for word in asked.keep for night in _nights(past, word)]
        retained = prunable(stored, now.date(), days, keep_nights=asked.keep_nights, pinned=pinned)
    old = _Old(retained, _old_folders(found, asked.runs, runs_days, now, console))
    _say(found, old, console)
    deleted = _delete(found, old, asked, console)
    if console.json_output:
        console.document(
            document_of(
                plan=found.plan,
                nights=list(retained.nights),
                objects=list(retained.names),
                folders=[str(night.folder.path) for night in old.folders],
                kept=retained.kept,
                deleted=deleted,
            )
        )
    return ExitCode.PASS


def _limits(found: Opened, asked: PruneAsked) -> tuple[int | None, int | None]:
    retention = found.settings.retention if found.settings is not None else None
    days, runs_days = (retention.history_days, retention.runs_days) if retention else (None, None)
    if asked.older_than is not None:
        days = days_of("--older-than", asked.older_than)
    if asked.runs_older_than is not None:
        runs_days = days_of("--runs-older-than", asked.runs_older_than)
    if days is None and runs_days is None:
        raise InputError(
            "nothing says what is old",
            hint="give --older-than 400d, or retention.history_days in the plan",
        )
    if asked.keep_nights < 0:
        raise InputError(f"--keep-nights: must be at least 0 (got {asked.keep_nights})")
    return days, runs_days


def days_of(option: str, text: str) -> int:
    """Days of `400d`, `8w` or `400`.

    Raises:
        InputError: it is neither.
    """
    found = _DAYS.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{option}: expected a number of days such as 400d (got {text!r})")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def _nights(past: Past, word: str) -> Sequence[NightRecord]:
    nights = named(past, word).nights
    if not nights:
        raise InputError(f"--keep: expected the ID or the date of a night (got {word!r})")
    return nights


def _old_folders(
    found: Opened, runs: Path, days: int | None, now: datetime, console: Console
) -> Sequence[FoundNight]:
    """Folders of nights of this plan with this history, and of nothing else."""
    if days is None:
        return ()
    from reports.nightly.beginning import history_key
    from reports.nightly.night_folder import find_nights
    from reports.nightly.retention import outdated

    key = history_key(found.history.place)
    nights = [
        night
        for night in find_nights(runs, found.plan, console.warn)
        if night.journal.history == key
    ]
    return outdated(nights, now, days)


def _say(found: Opened, old: _Old, console: Console) -> None:
    nights, names = old.retained.nights, old.retained.names
    if not names and not old.folders:
        console.show(f"nothing of {found.plan} is old enough to go")
    if names:
        console.show(
            f"{len(nights)} nights with {len(names)} objects of {found.history.place} may go"
        )
        for name in names:
            console.detail(f"  {name}")
    if old.folders:
        first = old.folders[0].folder.path
        console.show(f"{len(old.folders)} folders of nights may go, the oldest {first}")
    for reason, count in old.retained.kept.items():
        console.show(f"  {count} old nights stay: {reason}")


def _delete(found: Opened, old: _Old, asked: PruneAsked, console: Console) -> int:
    """How many objects and folders are gone."""
    names, folders = old.retained.names, old.folders
    if asked.dry_run or not (names or folders):
        return 0
    if not asked.yes:
        what = f"{len(names)} objects and {len(folders)} folders are to be deleted for good"
        confirm(what, "delete them?", console)
    objects = sum(1 for _ in found.history.delete(names))
    gone = sum(_remove_folder(night.folder.path, console) for night in folders)
    console.show(f"deleted {objects} objects and {gone} folders")
    return objects + gone


def _remove_folder(path: Path, console: Console) -> bool:
    """Whether a folder is gone; what a link leads to is not ours to delete."""
    if path.is_symlink():
        console.warn(f"left alone, since it is a link: {path}")
        return False
    try:
        shutil.rmtree(path)
    except OSError as error:
        console.warn(f"could not delete {path}: {error.strerror or error}")
        return False
    return True
