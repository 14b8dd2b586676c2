"""One run of a step: journal, child, document, record, history; in this order, whatever happens.

What is recorded is recorded before anything is judged: a night that dies later loses no run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import ExitCode, ToolError
from core.interrupt import StopRequest
from reports.nightly.child import GRACES, Ending, Graces, Order, run_child
from reports.nightly.document import NightRun
from reports.nightly.journal import JournalFile, Purpose, RunDone, RunUnderWay
from reports.nightly.night_folder import NightFolder
from reports.nightly.outcome import (
    Left,
    Outcome,
    find_left,
    headline_of,
    outcome_of,
    outcome_of_killed,
)
from reports.nightly.plan import TuneStep
from reports.nightly.progress import Progress
from reports.nightly.put_back import PutBack
from reports.nightly.run_records import RunRecords, Step
from reports.run_folder import read_document

if TYPE_CHECKING:
    from reports.nightly.outcome import RunDocument

# Whatever the answer is, a command that ends with one of these has tidied up.
_IN_ORDER = (ExitCode.PASS, ExitCode.FAILED, ExitCode.INCONCLUSIVE, ExitCode.INVALID)


class CommandOf(Protocol):
    """Makes the command line of a run."""

    def __call__(
        self, step: Step, *, runs: Path, baseline: bool, seed: int | None
    ) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What a run is made with.

    `put_back` is None where steps change nothing that outlives them, as in a sandbox of their own.
    """

    command_of: CommandOf
    put_back: PutBack | None = None
    graces: Graces = GRACES
    held: Sequence[int] = ()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which run is to be made; `what` names it on the terminal, `label` its files."""

    step: Step
    purpose: Purpose
    label: str
    what: str
    limit_s: float
    seed: int | None = None


@dataclass(slots=True)
class StepRuns:
    """Makes the runs of a night; their records are in `taken`."""

    folder: NightFolder
    journal: JournalFile
    means: Means
    stop: StopRequest
    progress: Progress
    taken: RunRecords

    def make(self, turn: Turn) -> RunDone:
        """One run from its beginning to its record.

        Raises:
            InputError: if the files of the night cannot be written.
        """
        step = turn.step
        under_way = RunUnderWay(
            step=step.name,
            kind=step.kind,
            purpose=turn.purpose,
            function=_function(step, turn.purpose),
            label=turn.label,
            known=self.folder.run_folders(),
        )
        self.journal.begin(under_way)
        started = self.means.now()
        ending = self._child(turn)
        left = find_left(self.folder, under_way.known, self.folder.answer(turn.label))
        outcome = outcome_of(ending, left, turn.limit_s, self.stop.exit_code)
        done = self._settled(under_way, step, left, outcome, (started, ending.seconds))
        words = done.headline or "; ".join(done.errors) or ending.words
        self.progress.ended(turn.what, ending.seconds, done.verdict, words)
        return done

    def take_up_killed(self, steps: Sequence[Step]) -> RunDone | None:
        """What came of the run that was under way when the night was killed, if one was."""
        under_way = self.journal.journal.under_way
        if under_way is None:
            return None
        step = next((step for step in steps if step.name == under_way.step), None)
        left = find_left(self.folder, under_way.known, self.folder.answer(under_way.label))
        outcome = outcome_of_killed(left)
        return self._settled(under_way, step, left, outcome, (self.means.now(), 0.0))

    def read_again(self, steps: Sequence[Step], recorded: frozenset[str]) -> None:
        """Makes the records of runs that ended before this call; `recorded` are in the history."""
        named = {step.name: step for step in steps}
        for done in self.journal.journal.runs:
            if done.run.folder is None or done.run.run_id is None or done.step not in named:
                continue
            is_kept = done.run.run_id in recorded
            try:
                document = read_document(self.folder.path / done.run.folder)
                if document.kind == "tune" or document.kind == "load":
                    step, purpose = named[done.step], done.run.purpose
                    self.taken.take(document, step, purpose, cut=done.cut, is_kept=is_kept)
            except ToolError as error:
                self.journal.note(f"{done.step}: a run before the interruption is lost: {error}")

    def _child(self, turn: Turn) -> Ending:
        command = self.means.command_of(
            turn.step,
            runs=self.folder.steps,
            baseline=turn.purpose == "baseline",
            seed=turn.seed,
        )
        order = Order(
            command=command,
            answer=self.folder.answer(turn.label),
            log=self.folder.log(turn.label),
            time_limit_s=turn.limit_s,
            graces=self.means.graces,
            held=self.means.held,
        )
        with self.progress.run(turn.what, turn.limit_s) as look:
            return run_child(order, self.stop, look)

    def _settled(
        self,
        under_way: RunUnderWay,
        step: Step | None,
        left: Left,
        outcome: Outcome,
        when: tuple[datetime, float],
    ) -> RunDone:
        """Records what there is, puts back what is changed, and notes that the run has ended."""
        errors = list(outcome.errors)
        record, document = None, left.document
        if document is not None and step is not None:
            try:
                record = self.taken.take(document, step, under_way.purpose, cut=outcome.cut)
            except ToolError as error:
                errors.append(f"it is not recorded: {error}")
        if not left.only_told:
            self.folder.answer(under_way.label).unlink(missing_ok=True)
        if document is None or outcome.exit_code not in _IN_ORDER:
            errors += self._put_back(under_way)
        started, seconds = when
        not_recorded = document is not None and record is None
        done = RunDone(
            step=under_way.step,
            run=NightRun(
                purpose=under_way.purpose,
                run_id=document.provenance.run_id if document else None,
                folder=_place(self.folder, left, under_way.label),
                verdict=document.verdict if document else outcome.verdict,
                exit_code=outcome.exit_code,
                started_utc=document.provenance.started_utc if document else _utc(started),
                seconds=round(seconds, 3) or _seconds_of(document),
                spent_usd=document.spent.usd if document else None,
            ),
            verdict=outcome.verdict,
            exit_code=(outcome.exit_code or ExitCode.ERROR) if not_recorded else outcome.exit_code,
            errors=errors,
            headline=headline_of(document),
            cut=outcome.cut,
            again=outcome.again,
        )
        self.journal.end(done)
        return done

    def _put_back(self, under_way: RunUnderWay) -> list[str]:
        """A tuning that did not end in order may have left its function changed; errors."""
        if under_way.kind != "tune" or under_way.function is None or self.means.put_back is None:
            return []
        told = self.means.put_back.function(under_way.function, self.folder)
        if told is None:
            return []
        if told.done:
            self.progress.say(told.words)
        else:
            self.progress.warn(told.words)
        self.journal.note(told.words)
        return [] if told.done else [told.words]


def _function(step: Step, purpose: Purpose) -> str | None:
    if not isinstance(step, TuneStep):
        return None
    other = step.baseline.function if step.baseline and purpose == "baseline" else None
    return other or step.function


def _place(folder: NightFolder, left: Left, label: str) -> str | None:
    """Where the document of a run is, or its folder, as documents name it."""
    place = folder.answer(label) if left.only_told else left.folder
    return None if place is None else folder.relative(place)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _seconds_of(document: RunDocument | None) -> float:
    """How long a run took by its own clock, where nobody saw its end."""
    if document is None:
        return 0.0
    begun = datetime.fromisoformat(document.provenance.started_utc)
    return (datetime.fromisoformat(document.provenance.finished_utc) - begun).total_seconds()
