"""The course of a night that has begun: steps, judgement, confirmation, and what becomes of it.

People are told before the decision is recorded, so that the record says who was not: whoever
missed a night is told by a later one.
"""

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
from reports.nightly.notify import Told
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
    """Where a night goes besides the history: its files, people, and the CI service.

    `tell` gets the nights before, and `show` gives notes of what could not be shown.
    """

    export: Callable[[NightlyDocument], object]
    tell: Callable[[NightlyDocument, Sequence[NightRecord]], Told]
    show: Callable[[NightlyDocument], Sequence[str]] = lambda document: ()


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
        return self._told(self.account.with_missing(document))

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
        """Writes the files, tells people, records; what goes wrong is in the document."""
        document = self._exported(document)
        told = self._people_told(document)
        noted = self._noted(document, told.notes)
        recorded = self.account.record(noted, self.plan, told.untold)
        if recorded is not document:
            recorded = self._exported(recorded)
        recorded = self._noted(recorded, self._shown(recorded))
        self.account.store(recorded)
        interrupted = recorded.verdict == "interrupted"
        finished = recorded.provenance.finished_utc
        self.account.journal.leave("interrupted" if interrupted else "finished", finished)
        return recorded

    def _exported(self, document: NightlyDocument) -> NightlyDocument:
        try:
            self.telling.export(document)
        except ToolError as error:
            if str(error) in document.errors:
                return document
            self.progress.warn(str(error))
            return with_error(document, str(error))
        return document

    def _noted(self, document: NightlyDocument, notes: Sequence[str]) -> NightlyDocument:
        for note in notes:
            self.progress.warn(note)
        return with_notes(document, notes) if notes else document

    def _people_told(self, document: NightlyDocument) -> Told:
        try:
            return self.telling.tell(document, self.account.nights_before)
        except Exception as error:
            # What was measured does not change because nobody hears of it.
            return Told(
                [f"could not tell of the night: unexpected {type(error).__name__}: {error}"]
            )

    def _shown(self, document: NightlyDocument) -> Sequence[str]:
        try:
            return self.telling.show(document)
        except Exception as error:
            return [f"could not show the night: unexpected {type(error).__name__}: {error}"]
