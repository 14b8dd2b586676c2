"""`loadgen collect RUN`: telemetry of a run that is over, into its result.

Nothing that was known gets lost: what an earlier look found stays where a later one finds less, and
the first result is kept beside the new one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from core.aws.gateway import GatewayReader
from core.aws.session import AwsSession
from core.console import Console
from core.errors import ExitCode, InputError
from core.located_yaml import Unreadable
from core.located_yaml import read_document as read_yaml
from loadgen.by_request import by_request
from loadgen.guards import host_of, is_loopback
from loadgen.log_evidence import LAMBDA_THROTTLE
from loadgen.outcome import Outcome
from loadgen.profile.model import Aws
from loadgen.raw_data import raw_data
from loadgen.records import Records, read_records
from loadgen.retry.view import show_versions
from loadgen.steps import StepInfo
from loadgen.target import ApiRef, resolve_again
from loadgen.telemetry.client import counts_of_document
from loadgen.telemetry.earlier_look import better_of
from loadgen.telemetry.gather import RunSeen, Telemetry, Wanted, gather_telemetry, warnings_of
from loadgen.telemetry.subject import subject_again
from loadgen.telemetry.traces import Traces, read_traces, traces_path, write_traces
from loadgen.telemetry.view import telemetry_lines
from loadgen.waterfall.view import show_times
from reports.atomic_file import write_atomically
from reports.load_document import LoadDocument
from reports.run_folder import RESULT_NAME, document_text, read_document, write_document

BEFORE_NAME = "result.before-collect.json"
_LOCUSTFILE = "locustfile"


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """The options of the command; None leaves the choice to the profile that the run had."""

    run: Path
    region: str | None = None
    aws_profile: str | None = None
    settle_s: float | None = None


def collect(options: CollectOptions, console: Console) -> ExitCode:
    """Reads what AWS has of a run by now, and puts it into its result.

    Raises:
        InputError: there is no such run, or AWS can have nothing of it.
        AwsError: AWS does not say what the run's target is.
    """
    folder = options.run if options.run.is_dir() else options.run.parent
    document = read_document(options.run, LoadDocument)
    aws = _recorded_aws(document)
    session, api = _target(options, document, aws)
    files = read_records(folder)
    records = np.concatenate(files) if sum(len(one) for one in files) else None
    found = _gathered(options, document, records, session, api, aws, console)
    updated = _updated(document, records, found)
    if found.traces is not None:
        write_traces(folder, found.traces)
    files_now = raw_data(folder, document.provenance.processes)
    updated = updated.model_copy(update={"raw_files": files_now})
    _keep_first(folder)
    path = write_document(folder, updated)
    _show(console, updated, path)
    part = updated.telemetry
    late = part is not None and part.coverage.state == "late"
    return ExitCode.INCONCLUSIVE if late else ExitCode.PASS


# -- where to ask ---------------------------------------------------------------------------------


def _recorded_aws(document: LoadDocument) -> Aws:
    """The section `aws` of the profile that is kept in a result; defaults where it cannot be read.

    What was given as options of the run is not in it.
    """
    try:
        profile = read_yaml(document.provenance.profile_text).value
    except Unreadable:
        return Aws()
    if not isinstance(profile, dict):
        return Aws()
    given = dict(_mapping(profile.get("aws")))
    chosen = _mapping(profile.get("environments")).get(document.provenance.environment or "")
    given |= _mapping(_mapping(chosen).get("aws"))
    try:
        return Aws.model_validate(given)
    except ValidationError:
        return Aws()


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _target(options: CollectOptions, document: LoadDocument, aws: Aws) -> tuple[AwsSession, ApiRef]:
    target = document.target
    if target.api_id is None:
        raise InputError(
            f"{options.run}: the run's target {target.url} is no API of API Gateway that is known",
            hint="metrics and logs are read for targets given as target.api or by their invoke URL",
        )
    endpoint = document.provenance.endpoint
    if endpoint is not None and not _answers(endpoint):
        raise InputError(
            f"{options.run}: the run was made with --sandbox, and its sandbox is gone with all of "
            "its metrics and logs",
            hint="use loadgen run --logs, or run against sandbox up",
        )
    session = AwsSession(
        region=options.region or target.region,
        profile=options.aws_profile or aws.profile,
        endpoint_url=endpoint,
    )
    if is_loopback(host_of(target.url)) and GatewayReader(session).custom_endpoint is None:
        raise InputError(
            f"{options.run}: the run's target {target.url} is on this machine, but AWS is not",
            hint="set AWS_ENDPOINT_URL to the address of its sandbox",
        )
    api = resolve_again(target, session)
    if api is None:
        raise InputError(
            f"{options.run}: API {target.api_id} is not in this account and region "
            f"({session.region})",
            hint="give --region or --profile",
        )
    return session, api


def _answers(url: str) -> bool:
    """Whether anything listens at a URL of this machine."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=1):
            return True
    except OSError:
        return False


# -- what there is --------------------------------------------------------------------------------


def _gathered(
    options: CollectOptions,
    document: LoadDocument,
    records: Records | None,
    session: AwsSession,
    api: ApiRef,
    aws: Aws,
    console: Console,
) -> Telemetry:
    folder = options.run if options.run.is_dir() else options.run.parent
    before = document.telemetry
    started_s, ended_s = _times(document)
    stored = traces_path(folder).exists() and records is not None
    run = RunSeen(
        counts_of_document(document, records),
        records,
        started_s,
        ended_s,
        read_traces(folder, len(records)) if stored and records is not None else None,
    )
    wanted = Wanted(
        metrics=True,
        logs=True,
        settle_s=aws.settle_s if options.settle_s is None else options.settle_s,
    )
    subject = subject_again(session, api, _steps(document), before)
    found = gather_telemetry(subject, run, session, wanted, console.say, now_s=time.time())
    return Telemetry(better_of(before, found.part), found.metrics, found.traces)


def _times(document: LoadDocument) -> tuple[float, float]:
    """From when times of records count, and when the run ended; Unix times.

    Results without telemetry know the first only to a second or two: injectors started first.
    """
    if document.telemetry is not None:
        return document.telemetry.started_unix_s, document.telemetry.ended_unix_s
    provenance = document.provenance
    times = (provenance.started_utc, provenance.finished_utc)
    started_s, ended_s = (datetime.fromisoformat(text).timestamp() for text in times)
    return started_s, ended_s


def _steps(document: LoadDocument) -> list[StepInfo]:
    """The steps as the profile had them; requests of a locustfile have no route that is known."""
    return [
        StepInfo(number, step.scenario, step.name, step.method, step.path)
        for number, step in enumerate(document.steps)
        if step.scenario != _LOCUSTFILE
    ]


def _updated(document: LoadDocument, records: Records | None, found: Telemetry) -> LoadDocument:
    part, before = found.part, document.telemetry
    old_notes = before.notes if before else []
    old_warnings = warnings_of(before) if before else []
    notes = [note for note in document.notes if note not in old_notes]
    warnings = [one for one in document.validity.warnings if one not in old_warnings]
    changes: dict[str, object] = {
        "telemetry": part,
        "notes": list(dict.fromkeys([*notes, *part.notes])),
        "validity": document.validity.model_copy(
            update={"warnings": [*warnings, *warnings_of(part)]}
        ),
    }
    if records is not None:
        seen = by_request(
            records,
            found.traces,
            _kinds(records, found.traces),
            _steps(document),
            [number for number, phase in enumerate(document.phases) if phase.measured],
            part,
        )
        changes |= {"waterfall": seen.waterfall, "cold_starts": seen.cold_starts}
        changes |= {"versions": seen.versions or document.versions}
    # Checked, as whoever reads it will.
    return LoadDocument.model_validate(document.model_copy(update=changes).model_dump())


def _kinds(records: Records, traces: Traces | None) -> NDArray[np.uint16]:
    """Kinds of requests; a throttle of Lambda, which the client saw as a 5xx, is one of those."""
    kinds = np.array(records["kind"], np.uint16)
    if traces is not None:
        failed = kinds >> 12 == Outcome.SERVER_ERROR
        kinds[failed & traces["throttled"]] = LAMBDA_THROTTLE.code
    return kinds


def _keep_first(folder: Path) -> None:
    """Keeps the result as the run wrote it, once."""
    kept = folder / BEFORE_NAME
    if not kept.exists():
        write_atomically(kept, (folder / RESULT_NAME).read_text(encoding="utf-8"))


def _show(console: Console, document: LoadDocument, path: Path) -> None:
    if document.telemetry is not None:
        lines: Sequence[str] = telemetry_lines(document.telemetry)
        notes = [f"note: {note}" for note in document.telemetry.notes]
        for line in [*lines, *notes]:
            console.show(line)
    if document.versions is not None:
        show_versions(console, document.versions)
    show_times(console, document)
    console.say(f"result: {path}; as it was before: {path.parent / BEFORE_NAME}")
    if console.json_output:
        console.document(document_text(document))
