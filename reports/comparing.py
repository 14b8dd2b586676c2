"""`reports compare A B`: two runs of one kind, whichever it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.console import Console
from core.errors import ExitCode, InputError
from reports.exports import check_exports, given_runs
from reports.histogram import decoded
from reports.kinds import Document, RunDocument
from reports.limits_document import LimitsDocument
from reports.load_document import LoadDocument
from reports.run_folder import document_text, read_document

if TYPE_CHECKING:
    from pydantic import BaseModel

_NAMES = {
    "tune": "a tuning",
    "load": "a load run",
    "limits": "a probe of limits",
    "nightly": "a night",
}


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the command line says, not yet checked."""

    before: Path
    after: Path
    exports: tuple[str, ...] = ()
    is_forced: bool = False
    tolerance: str | None = None


def compare_runs(options: CompareOptions, console: Console) -> ExitCode:
    """What changed from one run to the other, shown and written; the exit code is the verdict's.

    Raises:
        InputError: a run cannot be read, they are of two kinds or one and the same, or an option
            is wrong or of another kind.
    """
    before, after = _runs(options)
    if before.kind != after.kind:
        raise InputError(
            f"could not compare {_NAMES[before.kind]} ({options.before}) with "
            f"{_NAMES[after.kind]} ({options.after})",
            hint="give two runs of one kind",
        )
    if before.provenance.run_id == after.provenance.run_id:
        raise InputError(
            f"could not compare {options.before} with {options.after}: both are the run "
            f"{before.provenance.run_id}"
        )
    if before.kind == "tune":
        return _compare_tunings(options, console)
    if options.tolerance is not None:
        raise InputError(
            f"--tolerance {options.tolerance}: only two tunings have one (got "
            f"{_NAMES[before.kind]})"
        )
    return _compared(before, after, options, console)


def _runs(options: CompareOptions) -> tuple[RunDocument, RunDocument]:
    """Both documents; a night is none of them.

    Raises:
        InputError: one cannot be read, or is a night.
    """
    return _run(options.before), _run(options.after)


def _run(path: Path) -> RunDocument:
    document = read_document(path)
    if document.kind == "nightly":
        raise InputError(
            f"could not compare {path}: it is a night, which is judged against all before it",
            hint="`reports history show` tells how a figure went from night to night; the runs "
            "of a night's steps, which can be compared, are in its folder steps/",
        )
    return document


def _compared(
    before: Document, after: Document, options: CompareOptions, console: Console
) -> ExitCode:
    names = str(options.before), str(options.after)
    if isinstance(before, LoadDocument) and isinstance(after, LoadDocument):
        return _compare_loads(before, after, names, options, console)
    if isinstance(before, LimitsDocument) and isinstance(after, LimitsDocument):
        return _compare_limits(before, after, names, options, console)
    raise TypeError(f"no comparison of {before.kind} and {after.kind}")


def _compare_loads(
    before: LoadDocument,
    after: LoadDocument,
    names: tuple[str, str],
    options: CompareOptions,
    console: Console,
) -> ExitCode:
    from reports.load_compare_exports import LOAD_WRITERS, write_exports
    from reports.load_compare_view import show_load_comparison
    from reports.load_comparison import compare_loads

    _check_exports(options, tuple(LOAD_WRITERS), console)
    for path, run in ((options.before, before), (options.after, after)):
        _check_histograms(path, run)
    document = compare_loads(before, after, names, forced=options.is_forced)
    show_load_comparison(console, document)
    return _delivered(
        console,
        document,
        document.exit_code,
        write_exports(document, options.exports, LOAD_WRITERS),
    )


def _delivered(
    console: Console, document: BaseModel, exit_code: int, written: Sequence[Path]
) -> ExitCode:
    """What every comparison ends with: the files that were written, and the document."""
    for path in written:
        console.say(f"written: {path}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(exit_code)


def _check_exports(options: CompareOptions, kinds: Sequence[str], console: Console) -> None:
    taken = given_runs([options.before, options.after])
    check_exports(options.exports, kinds, taken, json_output=console.json_output)


def _check_histograms(path: Path, run: LoadDocument) -> None:
    """Refuses a document whose histograms are damaged, before anything is asked of them."""
    from reports.load_compare_runs import kept_histograms

    for key, text in kept_histograms(run):
        try:
            decoded(text)
        except ValueError as error:
            raise InputError(f"{path}: {key}: could not read the histogram: {error}") from error


def _compare_limits(
    before: LimitsDocument,
    after: LimitsDocument,
    names: tuple[str, str],
    options: CompareOptions,
    console: Console,
) -> ExitCode:
    from reports.limits_compare_view import show_limits_comparison
    from reports.limits_comparison import compare_limits
    from reports.load_compare_exports import LIMITS_WRITERS, write_exports

    _check_exports(options, tuple(LIMITS_WRITERS), console)
    document = compare_limits(before, after, names, forced=options.is_forced)
    show_limits_comparison(console, document)
    return _delivered(
        console,
        document,
        document.exit_code,
        write_exports(document, options.exports, LIMITS_WRITERS),
    )


def _compare_tunings(options: CompareOptions, console: Console) -> ExitCode:
    """`tune compare` in a process of its own: reports know nothing of the tuner's statistics.

    Raises:
        InputError: for --force, which tunings do not have.
    """
    if options.is_forced:
        raise InputError("--force: two tunings are compared as far as they can be, without it")
    command = [sys.executable, "-P", "-m", "tuner", "compare"]
    if options.tolerance is not None:
        command.append(f"--tolerance={options.tolerance}")
    command += [f"--export={spec}" for spec in options.exports]
    if console.json_output:
        command.append("--json")
    if console.verbosity:
        command.append("--verbose" if console.verbosity > 0 else "--quiet")
    sys.stdout.flush()
    # Folders may begin with a dash.
    command += ["--", os.fspath(options.before), os.fspath(options.after)]
    done = subprocess.run(command, check=False)
    known = {code.value for code in ExitCode}
    return ExitCode(done.returncode) if done.returncode in known else ExitCode.ERROR
