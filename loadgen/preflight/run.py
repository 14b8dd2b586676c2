"""`loadgen preflight PROFILE`: reads, predicts, checks; sends nothing to the API."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.aws.session import LocalAccess
from core.console import Console
from core.errors import ExitCode
from core.version import toolkit_version
from loadgen.body_sizes import body_sizes
from loadgen.options import RunOptions
from loadgen.preflight.checks import checks_of
from loadgen.preflight.durations import given_durations
from loadgen.preflight.path_limits import path_limits
from loadgen.preflight.predict import Asked, predict
from loadgen.preflight.view import show_preflight
from loadgen.preparation import Prepared, access, prepare, read_options, recorded_arguments
from reports.preflight_document import PreflightDocument
from reports.preflight_exports import check_preflight_exports, export_preflight
from reports.run_folder import document_text


@dataclass(frozen=True, slots=True)
class PreflightOptions:
    """The options of a preflight: those of a run that matter, and durations of functions."""

    run: RunOptions
    durations: tuple[str, ...] = ()


def preflight(options: PreflightOptions, console: Console) -> ExitCode:
    """Looks at all that a run of the profile will meet; gives 6 where it surely goes wrong.

    Raises:
        ToolError: the profile or an option is wrong, the target cannot be found, or a guard
            would not let the run begin.
    """
    check_preflight_exports(options.run.exports, json_output=console.json_output)
    file, profile = read_options(options.run)
    with access(options.run, file, profile) as local:
        prepared = prepare(file, profile, local, warn=console.warn)
        given = given_durations(options.durations, prepared.steps)
        document = _document(prepared, given, local)
    show_preflight(console, document)
    for spec in options.run.exports:
        console.say(f"written: {export_preflight(document, spec)}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)


def _document(
    prepared: Prepared, given: dict[str, float], local: LocalAccess | None
) -> PreflightDocument:
    now = datetime.now(UTC)
    predicted = predict(prepared, Asked(now, given))
    checks = checks_of(prepared, predicted, body_sizes(prepared.profile, prepared.file.base_dir))
    problems = [f"{check.name}: {check.found}" for check in checks if check.state == "problem"]
    # Why steps are turned away is among the checks already.
    said = [f"step {prepared.steps[path.step].name}: " for path in prepared.limits.steps]
    return PreflightDocument(
        name=prepared.profile.name,
        verdict="error" if problems else "pass",
        exit_code=int(ExitCode.REFUSED if problems else ExitCode.PASS),
        errors=problems,
        target=prepared.resolved.facts,
        limits=path_limits(prepared, predicted.path),
        unknown=_without(prepared.notes, said),
        checks=checks,
        prediction=predicted.document,
        read_utc=now.isoformat(timespec="seconds"),
        seed=prepared.seed,
        command=recorded_arguments(["loadgen", *sys.argv[1:]]),
        profile_file=str(prepared.file.path),
        profile_sha256=prepared.file.sha256,
        tool_version=toolkit_version(),
        endpoint=local.endpoint_url if local else None,
    )


def _without(notes: Sequence[str], beginnings: Sequence[str]) -> list[str]:
    return [note for note in notes if not note.startswith(tuple(beginnings))]
