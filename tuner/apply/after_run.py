"""`tune FUNCTION --apply`: checked before the run is paid for, done after one that passes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.session import AwsSession
from core.console import Console
from core.errors import ExitCode, Refused, ToolError, exit_code_of
from core.text import one_line
from reports.apply_document import ApplyDocument
from reports.document import TuneDocument
from reports.run_folder import write_document
from tuner.apply.checks import read_aim
from tuner.apply.destination import Destination
from tuner.apply.done import verdict_of
from tuner.apply.question import undo_command
from tuner.apply.record import check_no_application, records_folder
from tuner.apply.run import Applying, check_watched, real_clocks
from tuner.apply.verb import show
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def check_before_run(
    session: AwsSession,
    client: LambdaClient,
    target: Target,
    destination: Destination,
    endpoint_url: str | None,
    *,
    yes: bool,
) -> None:
    """Makes sure, before a run is paid for, that what it finds could be applied as things are.

    Raises:
        Refused: when nobody could agree afterwards, or the alias cannot be moved.
        InputError: when there is no such alias or alarm.
        AwsError: when AWS does not say.
    """
    if not yes and not sys.stdin.isatty():
        raise Refused(
            f"--apply {destination}: nobody can agree to it, stdin is no terminal",
            hint="--yes agrees to it",
        )
    latest = target.borrowed
    if destination.alias is None and (target.copy or latest.memory_mb != target.memory_mb):
        raise Refused(
            f"--apply {destination}: {target.said} is measured, and $LATEST has another size or "
            "other settings",
            hint="--apply alias=NAME moves an alias",
        )
    read_aim(client, latest, destination, session.region)
    check_no_application(records_folder(), target.arn, endpoint_url)
    check_watched(session, target.name, destination)


@dataclass(frozen=True, slots=True)
class AfterRun:
    """What `--apply` does with the document of a run, whose folder is `folder`."""

    session: AwsSession
    destination: Destination
    folder: Path
    yes: bool
    console: Console

    def __call__(self, document: TuneDocument) -> TuneDocument:
        """`document` with what was done, which is in the folder as well."""
        result = self._applied(document)
        show(result, self.console)
        changed = document.model_copy(
            update={
                "applied": result,
                "exit_code": document.exit_code or result.exit_code,
                "errors": [*document.errors, *result.errors],
            }
        )
        try:
            write_document(self.folder, changed)
        except ToolError as error:
            self.console.error(str(error))
            return changed.model_copy(update={"exit_code": int(ExitCode.ERROR)})
        return changed

    def _applied(self, document: TuneDocument) -> ApplyDocument:
        """What was done; that a run does not pass is no failure to apply it."""
        undo = undo_command(str(self.folder), self.session.profile)
        applying = Applying(
            self.session, self.destination, undo, self.yes, self.console, real_clocks
        )
        if document.exit_code != ExitCode.PASS and document.verdict == "pass":
            return self._ended(document, note="something of the run is left on the function")
        try:
            return applying.document(document)
        except ToolError as error:
            return self._ended(document, error)

    def _ended(
        self, document: TuneDocument, error: ToolError | None = None, *, note: str = ""
    ) -> ApplyDocument:
        return ApplyDocument(
            verdict=verdict_of(error),
            exit_code=ExitCode.PASS if error is None else exit_code_of(error),
            errors=[] if error is None else [one_line(f"nothing is applied: {error}")],
            notes=[f"nothing is applied: {note}"] if note else [],
            run_id=document.provenance.run_id,
            function_arn=document.function.arn,
            to=str(self.destination),
        )
