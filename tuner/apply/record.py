"""What an application is about to change, on disk before it is changed.

A journal as those of runs are (`tuner/journal.py`), in a folder of its own, so that nothing takes
one for the other. It is kept when the application is done: `tune apply RUN --undo` goes by it.
What is undone in this process and what is undone of a killed one go by the same record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.console import Console
from core.errors import InputError, Refused
from tuner.journal import Beginning, Journal, state_folder
from tuner.open_journals import read_journals


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be changed: the size of a function, and where an alias leads.

    `alias_version` is the version that the alias leads to before.
    """

    tune_run: str
    destination: str
    to_mb: int
    alias: str | None = None
    alias_version: str | None = None


@dataclass(slots=True)
class Record:
    """One application: how the function was, the plan, and how far it came.

    `latest_is_set` and `alias_is_led` are true from before the change on until it is taken back.
    `version` is the one that the alias is led to. `held` says that its process still works.
    """

    beginning: Beginning
    plan: Plan
    version: str | None = None
    latest_is_set: bool = False
    alias_is_led: bool = False
    done: bool = False
    held: bool = False
    path: Path | None = None
    host: str | None = None

    @property
    def from_mb(self) -> int:
        """The size of `$LATEST` before."""
        return self.beginning.memory_mb

    def note(self, entry: Mapping[str, Any]) -> None:
        """Takes a line of the journal in."""
        match entry.get("step"):
            case "set":
                self.latest_is_set = True
            case "put back":
                self.latest_is_set = False
            case "version":
                self.version = str(entry["version"])
            case "lead":
                self.alias_is_led = True
            case "led back":
                self.alias_is_led = False
            case "done":
                self.done = True


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes the journal of an application, and keeps what it says."""

    journal: Journal
    record: Record

    def note(self, step: str, **facts: object) -> None:
        """Notes a change that is about to be made, or that one is made or taken back."""
        self.journal.intend(step, **facts)
        self.record.note({"step": step, **facts})


def begin_record(folder: Path, beginning: Beginning, plan: Plan) -> Recorder:
    """The journal of an application that begins now; nothing may be changed before it is there.

    Raises:
        InputError: when it cannot be written.
    """
    journal = Journal(folder, beginning)
    journal.intend(
        "plan",
        tune_run=plan.tune_run,
        destination=plan.destination,
        to_mb=plan.to_mb,
        alias=plan.alias,
        alias_version=plan.alias_version,
    )
    return Recorder(journal, Record(beginning, plan, path=journal.path))


def records_folder() -> Path:
    """Where the journals of applications are: beside those of runs."""
    return state_folder().with_name("apply")


def read_records(folder: Path) -> tuple[Record, ...]:
    """All applications that have changed something, oldest first.

    Raises:
        InputError: naming a journal that cannot be read.
    """
    journals = read_journals(folder)
    if journals.faults:
        raise InputError(
            f"a journal of `tune apply` cannot be read: {journals.faults[0]}",
            hint="what it changed is unknown: look at the function, then remove the file",
        )
    found: list[Record] = []
    for journal in journals.open:
        record = _read(journal.path, journal.beginning)
        if record is not None:
            record.held, record.host = journal.held, journal.host
            found.append(record)
    return tuple(found)


def check_no_application(folder: Path, function_arn: str, endpoint_url: str | None) -> None:
    """Makes sure that no application of this user is at the function, or was killed there.

    Raises:
        Refused: naming it.
    """
    for record in read_records(folder):
        begin = record.beginning
        if record.done or (begin.function_arn, begin.endpoint_url) != (function_arn, endpoint_url):
            continue
        if record.held:
            raise Refused(
                f"{function_arn}: a size is being applied to it by process {begin.pid} on "
                f"{record.host or 'this host'}",
                hint="start again when it has ended",
            )
        raise Refused(
            f"{function_arn}: applying {record.plan.to_mb} MB to it was killed",
            hint=f"`tune apply {record.plan.tune_run} --undo` puts back what it changed",
        )


def warn_of_killed(folder: Path, console: Console, function_arn: str | None = None) -> None:
    """Tells of applications that were killed, of all functions or of one; only ever warns."""
    try:
        records = read_records(folder)
    except InputError as error:
        console.warn(str(error))
        return
    for record in records:
        arn, plan = record.beginning.function_arn, record.plan
        if not (record.done or record.held) and function_arn in (None, arn):
            console.warn(
                f"applying {plan.to_mb} MB to {arn} ({plan.destination}) was killed: "
                f"`tune apply {plan.tune_run} --undo` puts back what it changed"
            )


def _read(path: Path, beginning: Beginning) -> Record | None:
    """The record in a journal; None where it was killed before it had a plan, or is gone."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    entries = list(_entries(text.splitlines()))
    planned = next((entry for entry in entries if entry.get("step") == "plan"), None)
    if planned is None:
        return None
    plan = Plan(
        tune_run=str(planned["tune_run"]),
        destination=str(planned["destination"]),
        to_mb=int(planned["to_mb"]),
        alias=planned.get("alias"),
        alias_version=planned.get("alias_version"),
    )
    record = Record(beginning, plan, path=path)
    for entry in entries:
        record.note(entry)
    return record


def _entries(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # torn by a power cut: it was not made, since it is on disk before
        if isinstance(entry, dict):
            yield entry
