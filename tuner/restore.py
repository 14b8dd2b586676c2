"""`tune restore`: undoes what a killed run left on a function, from its journal."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.aws.session import AwsSession
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, FunctionNotFound, InputError, ToolError, exit_code_of
from tuner.journal import OpenJournal, is_running, open_journals, state_folder
from tuner.lease import delete_versions, restore_latest


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What the command line says."""

    profile: str | None
    list_only: bool
    forget: str | None
    yes: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """What was put back for one run."""

    run_id: str
    function_arn: str
    memory_restored: bool
    versions_deleted: tuple[str, ...]


def restore(options: RestoreOptions, console: Console) -> ExitCode:
    """Puts back everything that killed runs of this user left.

    Where AWS does not go along, the journal stays and the exit code says so.

    Raises:
        Refused: when nobody agreed.
        InputError: when a journal cannot be read.
    """
    folder = state_folder()
    journals = open_journals(folder)
    if options.forget is not None:
        return _forget(journals, options.forget, folder, console)
    left = [journal for journal in journals if not is_running(journal.beginning.pid)]
    for journal in journals:
        state = "was killed" if journal in left else "still works"
        console.say(_line(journal, state))
    if not left:
        console.say("nothing to restore")
    if options.list_only:
        if console.json_output:
            console.document(_document([], journals, []))
        return ExitCode.PASS
    if left and not options.yes:
        confirm(f"{len(left)} to restore", "put this back?", console)
    undone, failures = _undo_all(left, options, console)
    if console.json_output:
        console.document(_document(undone, [], failures))
    return exit_code_of(failures[0]) if failures else ExitCode.PASS


def _undo_all(
    journals: Sequence[OpenJournal], options: RestoreOptions, console: Console
) -> tuple[list[Undone], list[ToolError]]:
    """Every journal is tried: one function out of reach does not keep the others."""
    undone: list[Undone] = []
    failures: list[ToolError] = []
    for journal in journals:
        try:
            result = _undo(journal, options)
        except ToolError as error:
            console.error(f"run {journal.beginning.run_id}: {error}")
            failures.append(error)
            continue
        undone.append(result)
        console.say(_report(result, journal))
    return undone, failures


def _undo(journal: OpenJournal, options: RestoreOptions) -> Undone:
    begin = journal.beginning
    session = AwsSession(
        region=begin.region, profile=options.profile, endpoint_url=begin.endpoint_url
    )
    client = session.control_lambda()
    try:
        memory_restored = restore_latest(client, begin.function_arn, begin, time.sleep)
        deleted = delete_versions(client, begin.function_arn, begin)
    except FunctionNotFound:
        # Somebody deleted the function, and with it everything that the run left.
        memory_restored, deleted = False, ()
    journal.path.unlink(missing_ok=True)
    return Undone(begin.run_id, begin.function_arn, memory_restored, deleted)


def _forget(
    journals: Sequence[OpenJournal], run_id: str, folder: Path, console: Console
) -> ExitCode:
    """Drops a journal whose function can never be reached again, such as a sandbox that is gone."""
    for journal in journals:
        if journal.beginning.run_id == run_id:
            journal.path.unlink(missing_ok=True)
            console.say(f"forgotten: run {run_id}")
            return ExitCode.PASS
    raise InputError(f"--forget: expected the id of a run in {folder} (got {run_id!r})")


def _line(journal: OpenJournal, state: str) -> str:
    begin = journal.beginning
    return (
        f"run {begin.run_id} of {begin.started_utc} on {begin.function_arn} {state}; "
        f"before it: {begin.memory_mb} MB; its versions: {', '.join(journal.versions) or 'none'}"
    )


def _report(undone: Undone, journal: OpenJournal) -> str:
    memory = (
        f"back at {journal.beginning.memory_mb} MB"
        if undone.memory_restored
        else "memory was not the run's any more"
    )
    versions = ", ".join(undone.versions_deleted) or "none"
    return f"run {undone.run_id}: {memory}; deleted versions: {versions}"


def _document(
    undone: Sequence[Undone], journals: Sequence[OpenJournal], failures: Sequence[ToolError]
) -> str:
    return json.dumps(
        {
            "schema_version": 1,
            "kind": "tune-restore",
            "verdict": "error" if failures else "pass",
            "exit_code": exit_code_of(failures[0]) if failures else ExitCode.PASS,
            "errors": [str(failure) for failure in failures],
            "restored": [
                {
                    "run_id": item.run_id,
                    "function_arn": item.function_arn,
                    "memory_restored": item.memory_restored,
                    "versions_deleted": item.versions_deleted,
                }
                for item in undone
            ],
            "open": [
                {
                    "run_id": journal.beginning.run_id,
                    "function_arn": journal.beginning.function_arn,
                    "memory_mb": journal.beginning.memory_mb,
                    "running": is_running(journal.beginning.pid),
                }
                for journal in journals
            ],
        },
        indent=1,
    )
