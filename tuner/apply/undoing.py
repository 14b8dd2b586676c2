"""`tune apply RUN --undo`: takes back what was applied of a run, or what a killed one left."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.session import UNDOING_ATTEMPTS, AwsSession
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, InputError, Refused, ToolError, exit_code_of
from core.text import one_line
from reports.apply_document import ApplyDocument
from reports.document import TuneDocument
from reports.run_folder import read_document
from tuner.apply.done import verdict_of
from tuner.apply.record import Record, read_records, records_folder
from tuner.apply.run import check_endpoint
from tuner.apply.take_back import preview, take_back

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_RUN_ID = re.compile(r"[0-9a-f]{12}")


def undo(run: str, profile: str | None, console: Console, *, yes: bool) -> ApplyDocument:
    """Takes back all applications of a run, the newest first.

    `run` is a folder, a result file or the id of a run.

    Raises:
        InputError: when nothing of the run was applied from here.
        Refused: when one still works, or nobody agrees.
        AwsError: when AWS does not say how the function is.
    """
    tune_run = _run_id(run)
    records = [item for item in read_records(records_folder()) if item.plan.tune_run == tune_run]
    if not records:
        raise InputError(
            f"{run}: nothing of this run was applied by this user on this machine",
            hint="what an application changed is in its own answer",
        )
    records.reverse()
    for record in records:
        if record.held:
            raise Refused(f"{record.beginning.function_arn}: it is still being applied")
    clients = [_client(record, profile, console) for record in records]
    changes = [
        f"{record.beginning.function_arn}: {'; '.join(preview(client, record)) or 'nothing'}"
        for record, client in zip(records, clients, strict=True)
    ]
    for change in changes:
        console.say(change)
    for record in records:
        _warn_of_host(record, console)
    if not yes:
        confirm(f"to be put back: {' / '.join(changes)}", "put this back?", console)
    taken_back: list[str] = []
    failures: list[ToolError] = []
    for record, client in zip(records, clients, strict=True):
        try:
            taken_back.extend(take_back(client, record, time.sleep, lambda step: None))
        except ToolError as error:
            failures.append(error)
        else:
            # Its journal goes when all is put back.
            if record.path is not None:
                record.path.unlink(missing_ok=True)
    return _document(records, taken_back, failures)


def _run_id(run: str) -> str:
    if _RUN_ID.fullmatch(run) and not Path(run).exists():
        return run
    return read_document(Path(run), TuneDocument).provenance.run_id


def _client(record: Record, profile: str | None, console: Console) -> LambdaClient:
    begin = record.beginning
    session = AwsSession(region=begin.region, profile=profile)
    client = session.control_lambda(attempts=UNDOING_ATTEMPTS, on_delay=console.warn)
    check_endpoint(begin.function_arn, begin.endpoint_url, session.custom_endpoint(client))
    return client


def _warn_of_host(record: Record, console: Console) -> None:
    """A lock may not reach from one machine to the next, which depends on the file system."""
    if not record.done and record.host not in (None, socket.gethostname()):
        console.warn(f"it was started on host {record.host}: make sure that it does not work there")


def _document(
    records: Sequence[Record], taken_back: Sequence[str], failures: Sequence[ToolError]
) -> ApplyDocument:
    newest, oldest = records[0], records[-1]
    first = failures[0] if failures else None
    return ApplyDocument(
        verdict=verdict_of(first),
        exit_code=ExitCode.PASS if first is None else exit_code_of(first),
        errors=[one_line(str(failure)) for failure in failures],
        notes=[] if taken_back or failures else ["nothing of it was left"],
        run_id=newest.plan.tune_run,
        function_arn=newest.beginning.function_arn,
        to=None,
        from_mb=newest.plan.to_mb,
        to_mb=oldest.beginning.memory_mb,
        taken_back=list(taken_back),
    )
