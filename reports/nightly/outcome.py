"""What a child left: its run folder, its document, its errors, and what came of the step."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ExitCode, InputError
from core.text import one_line
from reports.figures import seconds as seconds_text
from reports.nightly.child import Ending
from reports.nightly.document import NightRun
from reports.nightly.night_folder import NightFolder
from reports.run_folder import RESULT_NAME, read_document

if TYPE_CHECKING:
    from reports.document import TuneDocument
    from reports.load_document import LoadDocument

    RunDocument = TuneDocument | LoadDocument

TIMED_OUT = "timed out"
KILLED = "killed"
INTERRUPTED = "interrupted"
NO_RESULT = "no result"

_SIGNALLED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)


@dataclass(frozen=True, slots=True)
class Left:
    """What there is of a run; `errors` are those of a child that ended before it had a result.

    `only_told` says that the document is nowhere but in what went to stdout.
    """

    folder: Path | None
    document: RunDocument | None
    errors: tuple[str, ...] = ()
    only_told: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run of a step.

    `cut` says why its figures do not count though its document may look complete, and `again` that
    a night that is resumed runs it again.
    """

    verdict: str
    exit_code: int
    errors: tuple[str, ...] = ()
    cut: str | None = None
    again: bool = False


def find_left(folder: NightFolder, known: Collection[str], answer: Path) -> Left:
    """The run folder that is new, and the document in it, else the one that went to stdout."""
    new = [folder.steps / name for name in folder.run_folders() if name not in known]
    complete = [path for path in new if (path / RESULT_NAME).is_file()]
    made = next(iter(complete or new), None)
    if complete and made is not None:
        return _read(made, made)
    told = _answer(answer)
    if told.get("kind") in ("tune", "load"):
        # Its folder could not take the document, as on a full disk.
        return replace(_read(answer, made), only_told=True)
    return Left(made, None, tuple(one_line(str(error)) for error in told.get("errors", ())))


def _read(path: Path, folder: Path | None) -> Left:
    try:
        document = read_document(path)
    except InputError as error:
        return Left(folder, None, (str(error),))
    if document.kind == "tune" or document.kind == "load":
        return Left(folder, document)
    return Left(folder, None, (f"{path}: a document of kind {document.kind} is no step's",))


def _answer(path: Path) -> dict[str, Any]:
    """What a child said on stdout, where that is a whole document of any kind."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def outcome_of(ending: Ending, left: Left, limit_s: float, stop_code: ExitCode) -> Outcome:
    """What came of a run that this night began and saw the end of."""
    own = tuple(left.document.errors) if left.document else left.errors
    if ending.how == "stopped":
        return Outcome(INTERRUPTED, stop_code, own, "the night was interrupted", again=True)
    if ending.how == "timed out":
        limit = f"it had not ended after {seconds_text(limit_s)}, which is its time limit"
        return Outcome(TIMED_OUT, ExitCode.ERROR, (limit, *own), TIMED_OUT)
    if left.document is None:
        code = ending.code if ending.code > 0 else ExitCode.ERROR
        verdict = "refused" if code == ExitCode.REFUSED else NO_RESULT
        return Outcome(verdict, code, own or (f"it left no result and {ending.reason}",))
    verdict = left.document.verdict
    if ending.code < 0:
        return Outcome(verdict, ExitCode.ERROR, (f"it {ending.reason}", *own), KILLED)
    if ending.code in _SIGNALLED:
        who = "it was interrupted, and not by this night"
        return Outcome(verdict, ExitCode.ERROR, (who, *own), INTERRUPTED)
    return Outcome(verdict, ending.code, own)


def outcome_of_killed(left: Left) -> Outcome:
    """What came of a run whose night was killed: all of it, where its document is complete."""
    document = left.document
    if document is None or document.verdict == INTERRUPTED:
        return Outcome(KILLED, ExitCode.ERROR, (), "killed with the night", again=True)
    return Outcome(document.verdict, document.exit_code, tuple(document.errors))


def has_unknown_cost(run: NightRun) -> bool:
    """Whether a run may have cost something that nobody knows; what was refused sent nothing."""
    return run.spent_usd is None and run.exit_code not in (ExitCode.REFUSED, ExitCode.INPUT)


def headline_of(document: RunDocument | None) -> str:
    """The answer of a run in one sentence."""
    if document is None:
        return ""
    if document.kind == "load":
        from reports.load_findings import headline

        return headline(document)
    from reports.tune_findings import headline as tune_headline

    return tune_headline(document)
