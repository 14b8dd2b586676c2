"""`night.json`: how far a night is, on disk before and after each of its runs.

A night that was killed is resumed from it: what ran is not run again, and what was under way is.
It holds no secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InputError
from reports.atomic_file import write_atomically
from reports.figures import listed
from reports.nightly.document import NightRun
from reports.nightly.night_facts import NightFacts

JOURNAL_NAME = "night.json"
# The other half of a day is another night: the account, the traffic and the code may have changed.
RESUMED_WITHIN = timedelta(hours=12)

Purpose = Literal["night", "rerun", "baseline", "candidate"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunUnderWay(_Part):
    """A run that has begun; `known` are the run folders that were there before."""

    step: str
    kind: Literal["load", "tune"]
    purpose: Purpose
    function: str | None = Field(default=None, description="of a tuning, as it was asked for")
    label: str
    known: list[str] = []


class RunDone(_Part):
    """A run that has ended, and what came of it.

    `cut` says why it does not count though its document may look complete: `timed out`. A night
    that is resumed makes it once more where `again` says so.
    """

    step: str
    run: NightRun
    verdict: str
    exit_code: int
    errors: list[str] = []
    headline: str = ""
    cut: str | None = None
    again: bool = False


class NightJournal(_Part):
    """All that is known of a night that runs, or ran.

    `asked` is what was asked for, by what it is called: a night goes on where all of it is alike.
    """

    schema_version: Literal[1] = 1
    plan: str
    history: str
    asked: dict[str, str]
    night_id: str
    sequence: int
    night: str
    branch: str | None
    git_commit: str | None
    environment: str | None
    started_utc: str
    left_utc: str | None = Field(default=None, description="when it was interrupted, or ended")
    host: str
    pid: int
    state: Literal["running", "interrupted", "finished", "given up"] = "running"
    runs: list[RunDone] = []
    under_way: RunUnderWay | None = None
    notes: list[str] = []

    @property
    def facts(self) -> NightFacts:
        """Who the night is."""
        return NightFacts(
            night_id=self.night_id,
            sequence=self.sequence,
            night=self.night,
            branch=self.branch,
            git_commit=self.git_commit,
            environment=self.environment,
        )

    @property
    def started(self) -> datetime:
        """When its first call began, an aware time."""
        return datetime.fromisoformat(self.started_utc)

    def ending(self, now: datetime) -> datetime:
        """When it ends if it ends now: after all that it did, also by a clock that was put back.

        Of two records of a night, before and after an interruption, the later one counts.
        """
        left = self.left_utc
        after = self.started if left is None else datetime.fromisoformat(left)
        return max(now, after + timedelta(seconds=1))

    @property
    def is_open(self) -> bool:
        """Whether the night has not come to its end."""
        return self.state in ("running", "interrupted")

    @property
    def spent_usd(self) -> float:
        """What its runs cost, as far as that is known."""
        return sum(done.run.spent_usd or 0.0 for done in self.runs)


class JournalFile:
    """The journal of this night: each change of it is on disk before the next thing happens.

    Raises:
        InputError: whenever it cannot be written; nothing must be run then.
    """

    def __init__(self, path: Path, journal: NightJournal) -> None:
        self.path = path
        self.journal = journal
        self._write()

    def begin(self, run: RunUnderWay) -> None:
        """Notes a run that is about to begin."""
        self._change(under_way=run, state="running")

    def end(self, run: RunDone) -> None:
        """Notes that the run under way has ended."""
        self._change(under_way=None, runs=[*self.journal.runs, run])

    def drop_under_way(self) -> None:
        """Notes that nothing came of the run under way, and that nothing of it is left."""
        self._change(under_way=None)

    def note(self, text: str) -> None:
        """Notes what the document is to tell; once, however often it is said."""
        if text not in self.journal.notes:
            self._change(notes=[*self.journal.notes, text])

    def leave(self, state: Literal["interrupted", "finished", "given up"], at_utc: str) -> None:
        """Notes that the night has come to an end, or to one for now."""
        self._change(state=state, left_utc=at_utc)

    def _change(self, **values: object) -> None:
        self.journal = self.journal.model_copy(update=values)
        self._write()

    def _write(self) -> None:
        write_atomically(self.path, self.journal.model_dump_json(indent=2) + "\n")


def read_journal(path: Path) -> NightJournal:
    """A journal, as it was written last.

    Raises:
        InputError: if it cannot be read, or is none that this version reads.
    """
    try:
        return NightJournal.model_validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise InputError(f"could not read {path}: {error.strerror or error}") from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        place = f"{path}: {where}: " if where else f"{path}: "
        raise InputError(f"{place}{fault['msg'][:1].lower()}{fault['msg'][1:]}") from error


def why_not_resumed(journal: NightJournal, asked: Mapping[str, str], now: datetime) -> str | None:
    """Why an open night does not go on, in words; None where it does."""
    # A clock that was put back makes a night look as if it had not begun yet.
    if abs(now - journal.started) > RESUMED_WITHIN:
        hours = RESUMED_WITHIN.total_seconds() / 3600
        return f"it began more than {hours:.0f} h ago"
    changed = [name for name in asked if asked[name] != journal.asked.get(name)]
    if changed:
        return f"{listed(changed)} changed since"
    return None
