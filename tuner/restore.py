"""`tune restore`: undoes what killed runs left, by their journals or by their marks."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.session import UNDOING_ATTEMPTS, AwsSession
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, FunctionNotFound, InputError, Refused, ToolError, exit_code_of
from tuner.journal import Beginning, state_folder
from tuner.leftover import Leftover, find_leftovers, leftover_of_journal
from tuner.open_journals import Journals, forget_journal, read_journals
from tuner.release import Release, undo_run
from tuner.target import check_function_name, read_target
from tuner.versions import met_note

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What the command line says; without `function`, the journals say what there is to undo."""

    profile: str | None
    list_only: bool
    forget: str | None
    yes: bool
    function: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """What was put back for one run."""

    run_id: str
    function_arn: str
    memory_restored: bool
    versions_deleted: tuple[str, ...]
    settings_restored: tuple[str, ...] = ()


def restore(options: RestoreOptions, console: Console) -> ExitCode:
    """Puts back everything that killed runs left, of this user or on one function.

    Where AWS does not go along, the journal stays and the exit code says so.

    Raises:
        Refused: when nobody agreed.
        InputError: when the options do not go together, or the function does not exist.
    """
    _check(options)
    folder = state_folder()
    if options.forget is not None:
        console.say(f"forgotten: {forget_journal(folder, options.forget)}")
        return ExitCode.PASS
    journals = read_journals(folder)
    failures = _report_faults(journals, options, console)
    leftovers = _leftovers(journals, options)
    for leftover in leftovers:
        console.say(leftover.line())
    left = [leftover for leftover in leftovers if not leftover.held]
    if not left:
        console.say("nothing to restore")
    if options.list_only:
        return _end([], leftovers, failures, console)
    _drop_blank(journals.blank, console)
    if left and not options.yes:
        confirm(f"{len(left)} to restore", "put this back?", console)
    undone, refusals = undo_all(left, options.profile, console)
    return _end(undone, [], [*failures, *refusals], console)


def _check(options: RestoreOptions) -> None:
    if options.forget is not None and options.function is not None:
        raise InputError("--forget: expected without FUNCTION, it only drops a journal")
    if options.region is not None and options.function is None:
        raise InputError("--region: expected with FUNCTION only, a journal knows its region")


def _report_faults(
    journals: Journals, options: RestoreOptions, console: Console
) -> list[ToolError]:
    """Says which journals cannot be read; gives those that the exit code has to tell of.

    None of them where the user asks about one function: the marks on it say all.
    """
    for fault in journals.faults:
        if options.function is None:
            console.error(str(fault))
        else:
            console.warn(str(fault))
    return [] if options.function is not None else list(journals.faults)


def _leftovers(journals: Journals, options: RestoreOptions) -> list[Leftover]:
    known = [leftover_of_journal(journal) for journal in journals.open]
    if options.function is None:
        return known
    function = check_function_name(options.function)
    session = AwsSession(region=options.region, profile=options.profile)
    client = session.control_lambda()
    endpoint_url = session.custom_endpoint(client)
    target = read_target(client, function, session.region)
    place = (target.arn, endpoint_url)
    # A journal knows more than the marks of the same run, also where it names the endpoint in
    # another way: whether the run still works, for one.
    marked = {
        item.beginning.run_id: item
        for item in find_leftovers(client, target, session.region, endpoint_url)
    }
    by_journal = [
        item for item in known if _place(item) == place or item.beginning.run_id in marked
    ]
    run_ids = {item.beginning.run_id for item in by_journal}
    return by_journal + [item for run_id, item in marked.items() if run_id not in run_ids]


def _place(leftover: Leftover) -> tuple[str, str | None]:
    return leftover.beginning.function_arn, leftover.beginning.endpoint_url


def _drop_blank(paths: Sequence[Path], console: Console) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        console.detail(f"{path}: its run ended before it changed anything")


def undo_all(
    leftovers: Sequence[Leftover], profile: str | None, console: Console
) -> tuple[list[Undone], list[ToolError]]:
    """Puts back what runs left; one function out of reach does not keep the others.

    Returns:
        What was put back, and the errors of the rest, which are shown.
    """
    undone: list[Undone] = []
    failures: list[ToolError] = []
    for leftover in leftovers:
        try:
            result = _undo(leftover, profile, console)
        except ToolError as error:
            console.error(f"run {leftover.beginning.run_id}: {error}")
            failures.append(error)
            continue
        undone.append(result)
        console.say(_report(result, leftover))
    return undone, failures


def _undo(leftover: Leftover, profile: str | None, console: Console) -> Undone:
    begin = leftover.beginning
    function = begin.function_arn
    session, client = _access(begin, profile)
    try:
        # Who cannot be reached at all is not worth the patience.
        read_target(client, function, begin.region)
        patient = session.control_lambda(attempts=UNDOING_ATTEMPTS, on_delay=console.warn)
        undone = undo_run(patient, function, begin, time.sleep, leftover.traces)
    except FunctionNotFound as error:
        raise FunctionNotFound(
            f"{function}: not found",
            hint=f"if it was deleted, `tune restore --forget {begin.run_id}` drops the journal",
        ) from error
    if leftover.journal is not None:
        leftover.journal.path.unlink(missing_ok=True)
    _warn_of_what_is_kept(undone, leftover, console)
    latest = undone.latest
    return Undone(
        begin.run_id, function, latest.changed, undone.versions.deleted, latest.settings.names
    )


def _warn_of_what_is_kept(undone: Release, leftover: Leftover, console: Console) -> None:
    doubt = leftover.doubt(undone.latest.target)
    if doubt is not None:
        console.warn(doubt)
    for told in (undone.foreign, *undone.doubts):
        if told is not None:
            console.warn(told)
    if undone.versions.met:
        console.warn(met_note(undone.versions.met))


def _access(begin: Beginning, profile: str | None) -> tuple[AwsSession, LambdaClient]:
    """A session and a client for where the run was.

    Raises:
        Refused: when the run was on AWS and the user's settings lead elsewhere: a function that
            is not there would look like one that was deleted.
    """
    session = AwsSession(region=begin.region, profile=profile)
    client = session.control_lambda()
    endpoint_url = session.custom_endpoint(client)
    if endpoint_url == begin.endpoint_url:
        return session, client
    if begin.endpoint_url is None:
        raise Refused(
            f"{begin.function_arn} is on AWS, but the settings lead to {endpoint_url}",
            hint="unset AWS_ENDPOINT_URL and the like",
        )
    elsewhere = AwsSession(region=begin.region, profile=profile, endpoint_url=begin.endpoint_url)
    return elsewhere, elsewhere.control_lambda()


def _report(undone: Undone, leftover: Leftover) -> str:
    memory = (
        f"back at {leftover.beginning.memory_mb} MB"
        if undone.memory_restored
        else "memory is not the run's: put back before, or changed since"
    )
    settings = ", ".join(undone.settings_restored)
    also = f"; its own settings are back: {settings}" if settings else ""
    versions = ", ".join(undone.versions_deleted) or "none"
    return f"run {undone.run_id}: {memory}{also}; deleted versions: {versions}"


def _end(
    undone: Sequence[Undone],
    still_open: Sequence[Leftover],
    failures: Sequence[ToolError],
    console: Console,
) -> ExitCode:
    code = exit_code_of(failures[0]) if failures else ExitCode.PASS
    if console.json_output:
        console.document(_document(undone, still_open, failures, code))
    return code


def _document(
    undone: Sequence[Undone],
    still_open: Sequence[Leftover],
    failures: Sequence[ToolError],
    code: ExitCode,
) -> str:
    return json.dumps(
        {
            "schema_version": 1,
            "kind": "tune-restore",
            "verdict": "error" if failures else "pass",
            "exit_code": code,
            "errors": [str(failure) for failure in failures],
            "restored": [
                {
                    "run_id": item.run_id,
                    "function_arn": item.function_arn,
                    "memory_restored": item.memory_restored,
                    "settings_restored": item.settings_restored,
                    "versions_deleted": item.versions_deleted,
                }
                for item in undone
            ],
            "open": [
                {
                    "run_id": item.beginning.run_id,
                    "function_arn": item.beginning.function_arn,
                    "memory_mb": item.beginning.memory_mb,
                    "running": item.held,
                    "host": item.journal.host if item.journal else None,
                }
                for item in still_open
            ],
        },
        indent=2,
    )
