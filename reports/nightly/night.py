"""`reports nightly`: a night from its plan to its exit code."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.console import Console
from core.errors import ExitCode
from core.interrupt import StopRequest
from reports.history.history import History, open_history
from reports.history.record import NightRecord
from reports.nightly.account import Account, Ended, Keeping
from reports.nightly.answer import Measured, document_of
from reports.nightly.arguments import command_of
from reports.nightly.beginning import Surroundings, begin_night, history_key
from reports.nightly.child import GRACES
from reports.nightly.conduct import Conduct, SoFar
from reports.nightly.course import Course, Telling
from reports.nightly.document import NightlyDocument
from reports.nightly.judging import NightJudgement, judge_night
from reports.nightly.lock import NightLock, lock_name, night_lock, state_folder
from reports.nightly.notify import Told, tell
from reports.nightly.observe import record_of
from reports.nightly.options import NightOptions
from reports.nightly.own_findings import own_findings
from reports.nightly.pipeline import tell_pipeline
from reports.nightly.plan_reader import PlanFile, chosen_steps, read_plan
from reports.nightly.progress import Progress
from reports.nightly.provenance import provenance_of
from reports.nightly.put_back import PutBack, restore_command
from reports.nightly.retention import keep_to_plan
from reports.nightly.run_records import RunRecords, Step
from reports.nightly.step_run import Means, StepRuns
from reports.nightly_exports import write_night
from reports.nightly_view import night_lines
from reports.run_folder import document_text
from reports.trends.trend import trends_of

if TYPE_CHECKING:
    from reports.history.record import Purpose, RunRecord
    from reports.nightly.outcome import RunDocument


def run_night(options: NightOptions, console: Console) -> ExitCode:
    """Runs the night of a plan, or goes on with one that was interrupted.

    Raises:
        InputError: the plan or an option is not right; nothing has run.
        Refused: another night of the plan runs.
        ToolError: the history cannot be read, or the files of the night cannot be written.
    """
    plan_file = read_plan(options.plan, environment=options.environment, settings=options.settings)
    steps = chosen_steps(plan_file, options.only)
    if options.dry_run:
        from reports.nightly.plan_view import show_plan

        return show_plan(plan_file, options, console)
    plan = plan_file.plan
    history = open_history(
        plan_file.history_place(options.history),
        region=options.region or plan.region,
        profile=options.profile or plan.profile,
    )
    progress = Progress(console)
    around = Surroundings(datetime.now(UTC), socket.gethostname(), os.environ)
    name = lock_name(plan.name, history_key(history.place))
    with night_lock(state_folder(os.environ), name, around.now, progress.say) as lock:
        night = _Night(options, plan_file, steps, history, around, lock, console, progress)
        document = night.run()
        for problem in keep_to_plan(options.runs, plan, history, around.now):
            progress.warn(problem)
    _deliver(document, console)
    console.say(f"report: {night.folder / 'report.html'}")
    return ExitCode(document.exit_code)


class _Night:
    """A night with its lock held: what it is made with, and what its document is made of."""

    def __init__(
        self,
        options: NightOptions,
        plan_file: PlanFile,
        steps: Sequence[Step],
        history: History,
        around: Surroundings,
        lock: NightLock,
        console: Console,
        progress: Progress,
    ) -> None:
        self._options, self._plan_file, self._steps = options, plan_file, steps
        self._plan = plan_file.plan
        self._history, self._around, self._lock = history, around, lock
        self._console, self._progress = console, progress
        sandboxed = options.sandbox or self._plan.sandbox
        command = partial(restore_command, options.profile or self._plan.profile)
        self._put_back = None if sandboxed else PutBack(command)
        self._begun = begin_night(
            options, plan_file, history, around, lock, self._put_back, progress
        )

    @property
    def folder(self) -> Path:
        """Where the files of the night are."""
        return self._begun.folder.path

    def run(self) -> NightlyDocument:
        """Runs the steps that have not run, and gives the document."""
        begun = self._begun
        keeping = Keeping(self._history, begun.folder, self._progress)
        taken = RunRecords(self._record, own_findings, keeping.keep)
        means = Means(self._command, self._put_back, held=(self._lock.steps,))
        with StopRequest() as stop:
            self._announce(stop)
            runs = StepRuns(begun.folder, begun.journal, means, stop, self._progress, taken)
            conduct = Conduct(self._plan, self._steps, runs)
            account = Account(begun.folder, begun.journal, keeping, begun.past, self._document)
            course = Course(
                plan=self._plan.name,
                conduct=conduct,
                account=account,
                judge=self._judge,
                telling=Telling(self._export, self._tell, self._show),
                stop=stop,
                progress=self._progress,
            )
            conduct.on_end = course.so_far
            if begun.resumed:
                runs.read_again(self._steps, begun.recorded)
                runs.take_up_killed(self._steps)
            elif self._options.only:
                names = ", ".join(step.name for step in self._steps)
                begun.journal.note(f"only these steps were asked for: {names}")
            return course.run()

    def _announce(self, stop: StopRequest) -> None:
        folder, graces_s = self._begun.folder.path, GRACES.total_s
        stop.announce(
            on_first=lambda: self._console.warn(
                "stopping: the run under way ends in order, then the night is written; "
                "Ctrl-C again leaves at once"
            ),
            abandon=lambda: self._console.warn(
                f"left at once: a run under way is ended within {graces_s:.0f} s, and the next "
                f"call goes on with {folder}"
            ),
        )

    def _command(self, step: Step, *, runs: Path, baseline: bool, seed: int | None) -> list[str]:
        options = self._options
        return command_of(
            step,
            self._plan_file,
            runs=runs,
            baseline=baseline,
            sandbox=options.sandbox,
            region=options.region,
            profile=options.profile,
            yes=options.yes,
            seed=seed,
        )

    def _record(self, document: RunDocument, *, step: Step, purpose: Purpose) -> RunRecord:
        facts = self._begun.journal.journal.facts
        return record_of(
            document, plan=self._plan.name, step=step.name, night=facts, purpose=purpose
        )

    def _judge(
        self, tonight: Sequence[RunRecord], confirmations: Sequence[RunRecord]
    ) -> NightJudgement:
        return judge_night(
            self._plan,
            tonight,
            self._begun.past,
            self._begun.journal.journal.facts,
            now=self._around.now,
            confirmations=confirmations,
        )

    def _document(
        self,
        so_far: SoFar,
        judgement: NightJudgement,
        *,
        finished: datetime,
        problems: Sequence[str],
        notes: Sequence[str],
        ended: Ended,
    ) -> NightlyDocument:
        journal, plan = self._begun.journal.journal, self._plan
        gates = [gate for found in so_far.findings for gate in found.gates]
        trends = []
        if ended == "done":  # they take their time, and whoever stopped a night waits
            trends = trends_of(
                self._begun.past,
                so_far.tonight,
                plan=plan,
                gates=[*gates, *judgement.gates],
                alarms=[*judgement.alarms, *judgement.cleared],
            )
        savings = [found.saving for found in so_far.findings if found.saving is not None]
        return document_of(
            plan,
            journal.facts,
            so_far.steps,
            Measured(gates, savings, trends),
            judgement,
            provenance=provenance_of(
                self._options, self._plan_file, journal, self._history.place, finished
            ),
            history_problems=problems,
            notes=[*notes, *(note for found in so_far.findings for note in found.notes)],
            inconclusive=self._options.inconclusive or plan.gates.inconclusive,
            interrupted=ended != "done",
        )

    def _export(self, document: NightlyDocument) -> None:
        write_night(document, self._begun.folder.path, self._plan, self._options.exports)

    def _tell(self, document: NightlyDocument, before: Sequence[NightRecord]) -> Told:
        return tell(document, before, self._plan, console=self._console)

    def _show(self, document: NightlyDocument) -> list[str]:
        return tell_pipeline(document, self._plan, self._around.environment, self._console)


def _deliver(document: NightlyDocument, console: Console) -> None:
    """Shows the answer, and the document where it was asked for."""
    for line in night_lines(document, console.width):
        console.show_lines(line)
    if console.json_output:
        console.document(document_text(document))
