"""`tune apply`: what a run recommends, applied or taken back, and its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from core.aws.session import AwsSession
from core.console import Console
from core.errors import ExitCode, InputError, Refused
from reports.apply_document import ApplyDocument
from reports.document import TuneDocument
from reports.run_folder import read_document
from tuner.apply.destination import NO_SHIFT_OPTIONS, ShiftOptions, check_destination
from tuner.apply.question import undo_command
from tuner.apply.run import Applying, real_clocks
from tuner.apply.undoing import undo


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the command line says, not yet checked."""

    run: str
    to: str | None
    shift: ShiftOptions
    undo: bool
    yes: bool
    profile: str | None


def apply(options: ApplyOptions, console: Console) -> ExitCode:
    """Applies what a run recommends, or takes it back.

    Raises:
        InputError, Refused, AwsError: before anything was changed.
    """
    if options.undo:
        if options.to is not None or options.shift != NO_SHIFT_OPTIONS:
            raise InputError("--undo: expected without --to, it goes by what was applied")
        return _end(undo(options.run, options.profile, console, yes=options.yes), console)
    if options.to is None:
        raise InputError("--to: expected latest, alias=NAME or shift=NAME (or --undo)")
    destination = check_destination("--to", options.to, options.shift)
    document = read_document(Path(options.run), TuneDocument)
    if document.verdict != "pass":
        raise Refused(
            f"the verdict of the run is {document.verdict}, not pass: there is nothing to apply",
            hint="tune it again",
        )
    applying = Applying(
        session=AwsSession(region=document.function.region, profile=options.profile),
        destination=destination,
        undo=undo_command(options.run, options.profile),
        yes=options.yes,
        console=console,
        clocks=real_clocks,
    )
    return _end(applying.document(document), console)


def show(result: ApplyDocument, console: Console) -> None:
    """How an application ended: on stdout, or on stderr where stdout carries JSON."""
    for line in result.taken_back:
        console.show(f"put back: {line}")
    for note in result.notes:
        console.show(f"note: {note}")
    if result.applied:
        console.show(f"applied: {result.function_arn} has {result.to_mb} MB ({result.to})")
        console.show(f"`{result.undo}` takes it back")
    for error in result.errors:
        console.error(error)


def _end(result: ApplyDocument, console: Console) -> ExitCode:
    show(result, console)
    if console.json_output:
        console.document(json.dumps(result.model_dump(mode="json"), indent=2))
    return ExitCode(result.exit_code)
