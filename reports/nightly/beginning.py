"""Whether a night begins or goes on, and what earlier nights that were killed have left."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.git_commit import git_branch, git_commit
from reports.figures import moment
from reports.history.history import History, Past
from reports.history.pending import has_pending, send_pending
from reports.nightly.journal import JournalFile, NightJournal, why_not_resumed
from reports.nightly.lock import NightLock
from reports.nightly.night_folder import (
    FoundNight,
    NightFolder,
    create_night_folder,
    find_nights,
    reopened,
)
from reports.nightly.options import NightOptions
from reports.nightly.plan_reader import PlanFile
from reports.nightly.progress import Progress
from reports.nightly.put_back import PutBack


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is read from outside once: the time, this machine, its environment."""

    now: datetime
    host: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Begun:
    """The night: its folder, its journal, and the past without it.

    `recorded` are the ids of its runs that are in the history, where it goes on.
    """

    folder: NightFolder
    journal: JournalFile
    past: Past
    recorded: frozenset[str]
    resumed: bool


def begin_night(
    options: NightOptions,
    plan_file: PlanFile,
    history: History,
    around: Surroundings,
    lock: NightLock,
    put_back: PutBack | None,
    progress: Progress,
) -> Begun:
    """Goes on with the night that was interrupted, or begins one.

    Raises:
        ToolError: the history cannot be read, or no folder can be made; nothing has run then.
    """
    plan = plan_file.plan
    nights = [
        night
        for night in find_nights(options.runs, plan.name, progress.warn)
        if night.journal.history == history_key(history.place)
    ]
    notes = _send_unsent(history, nights, progress)
    past = history.load(plan.name)
    asked = asked_of(options, plan_file, around)
    idle = [night for night in nights if _is_idle(night, around.host, lock)]
    resumed = _night_to_resume(options, asked, idle, around, put_back, progress)
    if resumed is not None:
        began = moment(resumed.journal.started_utc)
        progress.say(f"the night that began {began} goes on: {resumed.folder.path}")
        journal = reopened(resumed)
        journal.note(f"it was interrupted, and went on {moment(_utc(around.now))}")
        folder = resumed.folder
    else:
        folder = create_night_folder(options.runs, plan.name, around.now)
        highest = max((past.highest_sequence, *(night.journal.sequence for night in nights)))
        lock.claim(folder.path)
        first = _journal(options, plan_file, history, asked, around, highest + 1)
        journal = JournalFile(folder.journal, first)
    night_id = journal.journal.night_id
    before = without_night(past, night_id)
    for note in (*notes, *_clock_notes(before, journal.journal, around.now)):
        journal.note(note)
    recorded = frozenset(run.run_id for run in past.runs if run.night_id == night_id)
    return Begun(folder, journal, before, recorded, resumed=resumed is not None)


def history_key(place: str) -> str:
    """The place of a history as locks and journals know it: one folder has one."""
    return place if "://" in place else str(Path(place).expanduser().resolve())


def asked_of(options: NightOptions, plan_file: PlanFile, around: Surroundings) -> dict[str, str]:
    """What has to be alike for a night to go on, by what it is called."""
    settings = hashlib.sha256("\n".join(options.settings).encode()).hexdigest()
    where = [str(options.sandbox), options.region or "", options.profile or ""]
    return {
        "the plan": plan_file.sha256,
        "the environment": plan_file.environment or "",
        "the settings": settings if options.settings else "",
        "the steps asked for": ", ".join(options.only),
        "the date asked for": str(options.night or ""),
        "the place asked for": ", ".join(where),
        "the commit": git_commit(plan_file.base_dir.resolve(), around.environment) or "",
    }


def without_night(past: Past, night_id: str) -> Past:
    """The past before a night: what it has recorded itself, before an interruption, is left out."""
    return Past(
        runs=tuple(run for run in past.runs if run.night_id != night_id),
        nights=tuple(night for night in past.nights if night.night_id != night_id),
        events=past.events,
        problems=past.problems,
    )


def _journal(
    options: NightOptions,
    plan_file: PlanFile,
    history: History,
    asked: dict[str, str],
    around: Surroundings,
    sequence: int,
) -> NightJournal:
    plan = plan_file.plan
    return NightJournal(
        plan=plan.name,
        history=history_key(history.place),
        asked=asked,
        night_id=secrets.token_hex(6),
        sequence=sequence,
        night=str(options.night or around.now.astimezone(UTC).date()),
        branch=plan.branch or git_branch(plan_file.base_dir.resolve(), around.environment),
        git_commit=asked["the commit"] or None,
        environment=plan_file.environment,
        started_utc=_utc(around.now),
        host=around.host,
        pid=os.getpid(),
    )


def _send_unsent(history: History, nights: Sequence[FoundNight], progress: Progress) -> list[str]:
    """Sends what earlier nights could not: their figures are part of the past."""
    notes = []
    for night in nights:
        path = night.folder.path
        if not has_pending(path):
            continue
        sent = send_pending(history, path)
        if sent.names:
            progress.say(f"sent to the history: {len(sent.names)} records that {path} kept")
        if sent.problem is not None:
            notes.append(f"records that {path} keeps are not in the history: {sent.problem}")
            progress.warn(notes[-1])
    return notes


def _night_to_resume(
    options: NightOptions,
    asked: Mapping[str, str],
    nights: Sequence[FoundNight],
    around: Surroundings,
    put_back: PutBack | None,
    progress: Progress,
) -> FoundNight | None:
    """The last of the open nights if it can go on; what others left is put back."""
    resumed = None
    for night in reversed(nights):
        why = why_not_resumed(night.journal, asked, around.now)
        if options.fresh:
            why = "--fresh was given"
        if why is None and night is nights[-1]:
            resumed = night
            continue
        began = moment(night.journal.started_utc)
        reason = why or "a later one was interrupted too"
        progress.say(f"the night that began {began} was interrupted and does not go on: {reason}")
        _give_up(night, around.now, put_back, progress)
    return resumed


def _is_idle(night: FoundNight, host: str, lock: NightLock) -> bool:
    """Whether a night is open and nobody works on it: of another machine nobody knows."""
    journal = night.journal
    return journal.is_open and journal.host == host and lock.claim(night.folder.path)


def _give_up(
    night: FoundNight, now: datetime, put_back: PutBack | None, progress: Progress
) -> None:
    under_way = night.journal.under_way
    if under_way is not None and under_way.function is not None and put_back is not None:
        told = put_back.function(under_way.function, night.folder)
        if told is not None:
            progress.warn(told.words)
    reopened(night).leave("given up", _utc(now))


def _clock_notes(past: Past, journal: NightJournal, now: datetime) -> list[str]:
    """Tells of a clock that was put back: the order of nights goes by their numbers."""
    times = [(night.started_utc, "the night before") for night in past.nights[-1:]]
    times.append((journal.started_utc, "this night"))
    return [
        f"the clock says {moment(_utc(now))}, before {what} began ({moment(started)}): "
        "nights are ordered by their numbers"
        for started, what in times
        if _utc(datetime.fromisoformat(started)) > _utc(now)  # both in the same form
    ]


def _utc(moment_: datetime) -> str:
    return moment_.astimezone(UTC).isoformat(timespec="seconds")
