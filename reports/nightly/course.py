"""The course of a night that has begun: steps, judgement, confirmation, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.errors import InputError, ToolError
from core.interrupt import StopRequest
from reports.history.record import NightRecord, RunRecord
from reports.nightly.account import Account, with_error, with_notes
from reports.nightly.conduct import Conduct
from reports.nightly.document import NightlyDocument
from reports.nightly.progress import Progress

if TYPE_CHECKING:
    from reports.nightly.judging import NightJudgement


class Judge(Protocol):
    """Judges the records of a night against the past."""

    def __call__(
        self, tonight: Sequence[RunRecord], confirmations: Sequence[RunRecord]
    ) -> NightJudgement: ...


@dataclass(frozen=True, slots=True)
class Telling:
    """Where a night goes besides the history: its files, and people. `tell` gives notes."""

    export: Callable[[NightlyDocument], object]
    tell: Callable[[NightlyDocument, NightRecord | None], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Course:
    """A night from its first step that has not run to its document."""

    plan: str
    conduct: Conduct
    account: Account
    judge: Judge
    telling: Telling
    stop: StopRequest
    progress: Progress

    def run(self) -> NightlyDocument:
        """Runs what has not run, judges, records and tells.

        Raises:
            ToolError: the files of the night cannot be written.
        """
        try:
            return self._run()
        except InputError as error:
            # Nothing that the user gave is wrong: the disk is full, or the folder is gone.
            raise ToolError(f"the night is not finished: {error}") from error

    def _run(self) -> NightlyDocument:
        self.conduct.run_steps()
        judgement = self._judged()
        if judgement.suspects and not self.stop.requested:
            figures = ", ".join(sorted({suspect.step for suspect in judgement.suspects}))
            self.progress.say(f"suspected: {figures}; further runs confirm it or clear it")
            self.conduct.confirm(judgement.suspects)
        judgement = self._judged()
        document = self.account.write(
            self.conduct.so_far(),
            judgement,
            ended="interrupted" if self.stop.requested else "done",
            code=self.stop.exit_code,
        )
        return self._told(self.account.record(document, self.plan))

    def so_far(self) -> None:
        """Writes the document of what there is; a night that is killed now has left that.

        That it cannot be made is no reason to end a night that goes on.
        """
        try:
            self.account.write(self.conduct.so_far(), self._judged(), "goes on")
        except ToolError as error:
            self.progress.warn(f"what there is so far is not written: {error}")
        except Exception as error:
            # The steps to come are worth more than a document that nobody may read.
            what = f"{type(error).__name__}: {error}"
            self.progress.warn(f"what there is so far is not written: unexpected {what}")

    def _judged(self) -> NightJudgement:
        so_far = self.conduct.so_far()
        return self.judge(so_far.tonight, so_far.confirmations)

    def _told(self, document: NightlyDocument) -> NightlyDocument:
        """Writes the files of the night and tells people; what goes wrong is in the document."""
        try:
            self.telling.export(document)
        except ToolError as error:
            self.progress.warn(str(error))
            document = with_error(document, str(error))
        notes = self._notes_of_telling(document)
        for note in notes:
            self.progress.warn(note)
        document = with_notes(document, notes)
        self.account.store(document)
        interrupted = document.verdict == "interrupted"
        finished = document.provenance.finished_utc
        self.account.journal.leave("interrupted" if interrupted else "finished", finished)
        return document

    def _notes_of_telling(self, document: NightlyDocument) -> Sequence[str]:
        try:
            return self.telling.tell(document, self.account.night_before)
        except Exception as error:
            # What was measured does not change because nobody hears of it.
            return [f"could not tell of the night: unexpected {type(error).__name__}: {error}"]
