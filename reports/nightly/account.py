"""What becomes of a night: its document, its place in the history, its files, its messages.

The document is written first and again whenever more is known of the night itself: whoever looks,
at any moment, finds what there is. What cannot be written or told never hides what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from core.errors import ExitCode, ToolError
from reports.atomic_file import write_atomically
from reports.history.history import History, Past
from reports.history.pending import append_or_keep, has_pending, send_pending
from reports.history.record import NightRecord, RunRecord
from reports.nightly.conduct import SoFar
from reports.nightly.document import NightlyDocument
from reports.nightly.journal import JournalFile
from reports.nightly.night_folder import NightFolder
from reports.nightly.progress import Progress
from reports.nightly.state_change import failed_budgets
from reports.run_folder import RESULT_NAME, document_text

if TYPE_CHECKING:
    from reports.nightly.judging import NightJudgement

# These say more than that something could not be written.
_STRONGER = (ExitCode.FAILED, ExitCode.INTERRUPTED, ExitCode.TERMINATED)

_MISSING = "the history does not have all of this night"

# What becomes of a night: it goes on, somebody stopped it, or it came to its end.
Ended = Literal["goes on", "interrupted", "done"]


class DocumentOf(Protocol):
    """Makes the document of a night from what is known of it."""

    def __call__(
        self,
        so_far: SoFar,
        judgement: NightJudgement,
        *,
        finished: datetime,
        problems: Sequence[str],
        notes: Sequence[str],
        ended: Ended,
    ) -> NightlyDocument: ...


@dataclass(slots=True)
class Keeping:
    """Takes records into the history, or keeps them in the night's folder until it does."""

    history: History
    folder: NightFolder
    progress: Progress
    problems: list[str] = field(default_factory=list)

    def keep(self, record: RunRecord | NightRecord) -> None:
        """Records it; a history that does not take it is told of, and does not end the night."""
        try:
            problem = append_or_keep(self.history, record, self.folder.path).problem
        except ToolError as error:
            problem = str(error)
        if problem is not None:
            self.problems.append(problem)
            self.progress.warn(f"not in the history: {problem}")

    def still_missing(self) -> str | None:
        """Tries once more; why records of this night are not in the history, or None."""
        if not self.problems:
            return None
        sent = send_pending(self.history, self.folder.path)
        if sent.names:
            self.progress.say(f"in the history after all: {len(sent.names)} records")
        if has_pending(self.folder.path):
            return sent.problem or self.problems[-1]
        lost = [text for text in self.problems if "it is kept in" not in text]
        return lost[-1] if lost else None


@dataclass(slots=True)
class Account:
    """The document of a night and where it goes."""

    folder: NightFolder
    journal: JournalFile
    keeping: Keeping
    past: Past
    document_of: DocumentOf
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def write(
        self,
        so_far: SoFar,
        judgement: NightJudgement,
        ended: Ended,
        code: ExitCode = ExitCode.INTERRUPTED,
    ) -> NightlyDocument:
        """Makes the document of what there is and writes it; `code` is that of an interruption."""
        document = self.document_of(
            so_far,
            judgement,
            finished=self.journal.journal.ending(self.now()),
            problems=[*map(str, self.past.problems), *self.keeping.problems],
            notes=self.journal.journal.notes,
            ended=ended,
        )
        if ended != "done":
            document = document.model_copy(update={"exit_code": int(code)})
        self.store(document)
        return document

    def store(self, document: NightlyDocument) -> None:
        """Writes `result.json`, in one step.

        Raises:
            InputError: if it cannot be written.
        """
        write_atomically(self.folder.path / RESULT_NAME, document_text(document))

    def with_missing(self, document: NightlyDocument) -> NightlyDocument:
        """The document with what the history did not take, where it still does not."""
        missing = self.keeping.still_missing()
        if missing is None or any(error.startswith(_MISSING) for error in document.errors):
            return document
        return with_error(document, f"{_MISSING}: {missing}")

    def record(
        self, document: NightlyDocument, plan: str, untold: Sequence[str]
    ) -> NightlyDocument:
        """Records what the night decided and who was not told; adds what is missing."""
        self.keeping.keep(night_record(document, plan, untold))
        return self.with_missing(document)

    @property
    def nights_before(self) -> list[NightRecord]:
        """The nights of the same branch that came to their end."""
        branch = self.journal.journal.branch
        return [
            night
            for night in self.past.nights
            if night.branch == branch and night.verdict != "interrupted"
        ]


def with_error(document: NightlyDocument, error: str) -> NightlyDocument:
    """`document` with an error; a regression or an interruption stays what its code says."""
    values: dict[str, object] = {"errors": [*document.errors, error]}
    if document.exit_code not in _STRONGER:
        values |= {"exit_code": int(ExitCode.ERROR), "verdict": "error"}
    return document.model_copy(update=values)


def with_notes(document: NightlyDocument, notes: Sequence[str]) -> NightlyDocument:
    """`document` with further notes."""
    return document.model_copy(update={"notes": [*document.notes, *notes]})


def night_record(document: NightlyDocument, plan: str, untold: Sequence[str] = ()) -> NightRecord:
    """What the history keeps of what a night decided, and which places do not know of it."""
    judged = [gate for gate in document.gates if gate.kind in ("relative", "curve")]
    return NightRecord(
        night_id=document.night_id,
        sequence=document.sequence,
        night=document.night,
        plan=plan,
        started_utc=document.provenance.started_utc,
        finished_utc=document.provenance.finished_utc,
        verdict=document.verdict,
        exit_code=document.exit_code,
        branch=document.provenance.branch,
        git_commit=document.provenance.git_commit,
        alarms=[*document.alarms, *document.cleared],
        judged=sum(gate.status not in ("inconclusive", "invalid") for gate in judged),
        failed=failed_budgets(document),
        untold=list(untold),
        notes=document.notes,
    )
