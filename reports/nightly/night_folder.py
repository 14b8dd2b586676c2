"""The folder of a night, `runs/<utc>-nightly-<name>/`: what is in it, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import InputError
from reports.nightly.journal import (
    JOURNAL_NAME,
    JournalFile,
    NightJournal,
    Purpose,
    read_journal,
)
from reports.run_folder import create_run_folder, safe_name

STEPS_NAME = "steps"
KIND = "nightly"


@dataclass(frozen=True, slots=True)
class NightFolder:
    """Where the files of a night are."""

    path: Path

    @property
    def journal(self) -> Path:
        """How far the night is."""
        return self.path / JOURNAL_NAME

    @property
    def steps(self) -> Path:
        """The folder of the runs, with their logs beside them."""
        return self.path / STEPS_NAME

    def log(self, label: str) -> Path:
        """What a run says."""
        return self.steps / f"{label}.log"

    def answer(self, label: str) -> Path:
        """What a run has on stdout, until its document is read."""
        return self.steps / f"{label}.stdout.json"

    def run_folders(self) -> list[str]:
        """The names of the folders that runs have made, in order."""
        return sorted(path.name for path in self.steps.iterdir() if path.is_dir())

    def relative(self, folder: Path) -> str:
        """A run folder as documents name it."""
        return folder.relative_to(self.path).as_posix()


@dataclass(frozen=True, slots=True)
class FoundNight:
    """A night's folder, and its journal."""

    folder: NightFolder
    journal: NightJournal


def create_night_folder(runs: Path, plan: str, now: datetime) -> NightFolder:
    """A new folder with a place for the runs in it.

    Raises:
        InputError: if it cannot be made.
    """
    folder = NightFolder(create_run_folder(runs, KIND, plan, now))
    try:
        folder.steps.mkdir()
    except OSError as error:
        raise InputError(f"could not make {folder.steps}: {error.strerror or error}") from error
    return folder


def find_nights(runs: Path, plan: str, warn: Callable[[str], None]) -> Sequence[FoundNight]:
    """The nights of a plan whose folders are in `runs`, by sequence; `warn` gets the faults."""
    found = []
    for path in sorted(runs.glob(f"*-{KIND}-{safe_name(plan)}*/{JOURNAL_NAME}")):
        try:
            journal = read_journal(path)
        except InputError as error:
            warn(f"left out: {error}")
            continue
        if journal.plan == plan:
            found.append(FoundNight(NightFolder(path.parent), journal))
    return sorted(found, key=lambda night: (night.journal.sequence, night.journal.started_utc))


def run_label(number: int, step: str, purpose: Purpose, turn: int) -> str:
    """What the files of a run are called: `2-orders`, `2-orders-attempt-2`, `2-orders-rerun-1`."""
    stem = f"{number}-{safe_name(step)}"
    if purpose == "night":
        return stem if turn == 1 else f"{stem}-attempt-{turn}"
    return f"{stem}-{purpose}-{turn}"


def reopened(night: FoundNight) -> JournalFile:
    """The journal of a night that goes on, or that is given up."""
    return JournalFile(night.folder.journal, night.journal)
