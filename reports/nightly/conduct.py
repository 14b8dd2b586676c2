"""The steps of a night one after another, and the runs that confirm or clear what it suspects."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from core.errors import ExitCode
from reports.figures import seconds as seconds_text
from reports.figures import usd
from reports.history.record import RunRecord
from reports.nightly.confirming import (
    MOST_ATTEMPTS,
    Further,
    Left,
    RunOfStep,
    Suspect,
    further_runs,
    purposes_of,
    turns_of,
)
from reports.nightly.document import NightStep
from reports.nightly.journal import Purpose, RunDone
from reports.nightly.night_folder import run_label
from reports.nightly.outcome import has_unknown_cost
from reports.nightly.own_findings import OwnFindings
from reports.nightly.plan import NightlyPlan
from reports.nightly.run_records import Step
from reports.nightly.step_run import StepRuns, Turn

NOT_BEGUN = "not begun"
REFUSED = "refused"
_ANSWERS = (ExitCode.PASS, ExitCode.FAILED, ExitCode.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a night has: its steps, the records and findings that count, and what confirms."""

    steps: list[NightStep]
    tonight: list[RunRecord]
    confirmations: list[RunRecord]
    findings: list[OwnFindings]


@dataclass(slots=True)
class Conduct:
    """Runs `steps`, of those of `plan`; `on_end` is called after each run.

    What ran before, by the journal, is not run again.
    """

    plan: NightlyPlan
    steps: Sequence[Step]
    runs: StepRuns
    on_end: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    _refused: dict[str, str] = field(default_factory=dict)

    def run_steps(self) -> None:
        """Runs each step that has not run; one that comes to nothing does not keep the others."""
        for number, step in enumerate(self.steps, 1):
            while not self.runs.stop.requested and self._to_run(step):
                refusal = self._over_budget()
                if refusal is not None:
                    self._refuse(step, refusal)
                    break
                self._attempt(number, step)

    def confirm(self, suspects: Sequence[Suspect]) -> None:
        """Makes the runs that are to confirm, in turns, until their time or money is over.

        The suspected steps take turns, too, so that each has its share where time runs out.
        """
        until = self.clock() + self.plan.gates.confirm.time_limit_s
        waiting = {further.step: further for further in self._further(suspects)}
        turn = 0
        while waiting and not self.runs.stop.requested:
            for further in list(waiting.values()):
                if turn >= self._turns(further) or not self._confirm_once(further, turn, until):
                    del waiting[further.step]
                elif further.how == "pairs" and (why := self._no_baseline(further.step)):
                    del waiting[further.step]
                    common = any(one.step == further.step and one.pairs_only for one in suspects)
                    self._rerun_plainly(further.step, why, until, common=common)
            turn += 1

    def so_far(self) -> SoFar:
        """What there is: of each step the record of its last run for the night."""
        taken = self.runs.taken
        last = {record.step: record for record in taken.records if record.purpose == "night"}
        names = [step.name for step in self.steps]
        return SoFar(
            steps=[self._night_step(step) for step in self.steps],
            tonight=[last[name] for name in names if name in last],
            confirmations=self._confirmations(),
            findings=[taken.findings[name] for name in names if name in taken.findings],
        )

    def _confirmations(self) -> list[RunRecord]:
        """The records of further runs; of pairs those that are whole, so that each has its own.

        Pairs are told apart by their place alone: one that lost a run would shift all later ones.
        """
        lost = {run_id for step in self.steps for pair in self._lost(step) for run_id in pair}
        return [
            record
            for record in self.runs.taken.records
            if record.purpose != "night" and record.run_id not in lost
        ]

    def _lost(self, step: Step) -> list[set[str | None]]:
        """The runs of each pair of a step that does not count."""
        valid = {record.run_id for record in self.runs.taken.records if record.valid}
        ended = [self._ended(step, purpose) for purpose in ("baseline", "candidate")]
        pairs = [{done.run.run_id for done in pair if done} for pair in zip_longest(*ended)]
        return [pair for pair in pairs if len(pair) < 2 or not pair <= valid]

    def _no_baseline(self, name: str) -> str | None:
        """Why there is no version before to measure; more runs of it would come to the same."""
        done = self.runs.journal.journal.runs
        return next(
            (
                "; ".join(entry.errors)
                for entry in done
                if (entry.step, entry.run.purpose) == (name, "baseline")
                and entry.exit_code == ExitCode.INPUT
            ),
            None,
        )

    def _rerun_plainly(self, name: str, why: str, until: float, *, common: bool) -> None:
        """Plain reruns in place of pairs; none where only pairs tell the platform apart."""
        reruns = 0 if common else self.plan.gates.confirm.reruns
        instead = f"{reruns} plain reruns instead" if reruns else "the next night decides"
        self.runs.journal.note(f"{name}: its baseline cannot be measured: {why}; {instead}")
        for turn in range(reruns):
            if self.runs.stop.requested:
                return
            if not self._confirm_once(Further(name, "rerun", reruns), turn, until):
                return

    def _turns(self, further: Further) -> int:
        if further.how == "rerun":
            return further.runs
        step = next(step for step in self.steps if step.name == further.step)
        return turns_of(further.how, further.runs, len(self._lost(step)))

    def _further(self, suspects: Sequence[Suspect]) -> list[Further]:
        """The runs that confirm: those that were asked for, or what fits into time and money."""
        named = {step.name: step for step in self.steps}
        runs = [self._run_of(named[suspect.step]) for suspect in suspects]
        most, spent = self.plan.max_usd, self.runs.journal.journal.spent_usd
        left = Left(self.plan.gates.confirm.time_limit_s, None if most is None else most - spent)
        found = further_runs(suspects, runs, left, self.plan.gates.confirm.reruns)
        for further in found:
            if further.why:
                self.runs.journal.note(further.why)
        return found

    def _run_of(self, step: Step) -> RunOfStep:
        made = min(len(self._ended(step, purpose)) for purpose in ("baseline", "candidate"))
        return RunOfStep(self._longest_s(step), self._dearest_usd(step), made)

    def _ended(self, step: Step, purpose: Purpose) -> list[RunDone]:
        """Its runs that are not made again, in their order."""
        return [done for done in self._of(step, purpose) if not done.again]

    def _of(self, step: Step, purpose: Purpose = "night") -> list[RunDone]:
        done = self.runs.journal.journal.runs
        return [entry for entry in done if (entry.step, entry.run.purpose) == (step.name, purpose)]

    def _to_run(self, step: Step) -> bool:
        ended = self._ended(step, "night")
        if not ended:
            return True
        return ended[-1].exit_code == ExitCode.INVALID and len(ended) < MOST_ATTEMPTS

    def _attempt(self, number: int, step: Step) -> None:
        turn = len(self._of(step)) + 1
        words = f"[{number}/{len(self.steps)}] {step.name}"
        self.runs.make(
            Turn(
                step=step,
                purpose="night",
                label=run_label(number, step.name, "night", turn),
                what=words if turn == 1 else f"{words}, attempt {turn}",
                limit_s=step.time_limit_s,
            )
        )
        self.on_end()

    def _confirm_once(self, further: Further, turn: int, until: float) -> bool:
        """One rerun or one pair of runs of a step; False where there is no more of them."""
        number, step = next(
            (number, step) for number, step in enumerate(self.steps, 1) if step.name == further.step
        )
        purposes = [
            purpose
            for purpose in purposes_of(further.how, turn)
            if not self._made(step, purpose, turn)
        ]
        expected_s = len(purposes) * self._longest_s(step)
        left_s = until - self.clock()
        # The last of the runs begins when the others are paid.
        refusal = self._over_budget(max(len(purposes) - 1, 0) * self._dearest_usd(step))
        if refusal is None and expected_s > left_s:
            refusal = (
                f"another {'rerun' if further.how == 'rerun' else 'pair'} takes about "
                f"{seconds_text(round(expected_s))}, and {seconds_text(max(0, round(left_s)))} are "
                "left of gates.confirm.time_limit"
            )
        if refusal is not None:
            done = f"{turn} of {further.runs} {'reruns' if further.how == 'rerun' else 'pairs'}"
            self.runs.journal.note(f"{step.name}: confirmed with {done} only: {refusal}")
            return False
        for purpose in purposes:
            if self.runs.stop.requested:
                return False
            if further.how == "pairs" and self._no_baseline(step.name):
                break
            limit_s = min(step.time_limit_s, max(1.0, until - self.clock()))
            self._confirming_run(number, step, purpose, further, turn, limit_s)
        return True

    def _confirming_run(
        self,
        number: int,
        step: Step,
        purpose: Purpose,
        further: Further,
        turn: int,
        limit_s: float,
    ) -> None:
        what = f"confirming {step.name}: {purpose} {turn + 1} of {further.runs}"
        made = len(self._of(step, purpose)) + 1
        facts = self.runs.journal.journal.facts
        done = self.runs.make(
            Turn(
                step=step,
                purpose=purpose,
                label=run_label(number, step.name, purpose, made),
                what=what,
                limit_s=limit_s,
                seed=pair_seed(facts.night_id, step.name, turn) if purpose != "rerun" else None,
            )
        )
        if done.cut is not None or done.exit_code not in _ANSWERS:
            why = "; ".join(done.errors) or done.verdict
            self.runs.journal.note(f"{what}: it does not count: {why}")
        self.on_end()

    def _made(self, step: Step, purpose: Purpose, turn: int) -> bool:
        return len(self._ended(step, purpose)) > turn

    def _longest_s(self, step: Step) -> float:
        """How long a run of a step takes, by those of tonight that came to their end."""
        done = self.runs.journal.journal.runs
        return max(
            (entry.run.seconds for entry in done if entry.step == step.name and entry.cut is None),
            default=0.0,
        )

    def _dearest_usd(self, step: Step) -> float:
        """What a run of a step costs, by those of tonight."""
        done = self.runs.journal.journal.runs
        known = [entry.run.spent_usd or 0.0 for entry in done if entry.step == step.name]
        return max(known, default=0.0)

    def _over_budget(self, before_usd: float = 0.0) -> str | None:
        """Why nothing more may begin, where the plan has a limit; tells what is not in the sum.

        `before_usd` is what else is spent before the last of what begins.
        """
        spent, most = self.runs.journal.journal.spent_usd, self.plan.max_usd
        if most is None:
            return None
        for done in self.runs.journal.journal.runs:
            if has_unknown_cost(done.run):
                what = f"{done.step}: what it cost is not known"
                self.runs.journal.note(f"{what}; max_usd counts it as nothing")
        if spent + before_usd < most:
            return None
        more = f", and a pair takes {usd(before_usd)} before its last run" if before_usd else ""
        return f"{usd(spent)} are spent of at most {usd(most)} (max_usd){more}"

    def _refuse(self, step: Step, why: str) -> None:
        self._refused[step.name] = f"it was not begun: {why}"
        self.runs.progress.warn(f"{step.name}: not begun: {why}")

    def _night_step(self, step: Step) -> NightStep:
        runs = [done for done in self.runs.journal.journal.runs if done.step == step.name]
        nights = [done for done in runs if done.run.purpose == "night"]
        refused = self._refused.get(step.name)
        if nights:
            last = nights[-1]
            verdict, code, errors = last.verdict, last.exit_code, last.errors
            headline = last.headline
        elif refused is not None:
            verdict, code, errors, headline = REFUSED, int(ExitCode.REFUSED), [refused], ""
        else:
            stop = self.runs.stop
            code = int(stop.exit_code if stop.requested else ExitCode.INTERRUPTED)
            verdict, errors, headline = NOT_BEGUN, [], ""
        return NightStep(
            name=step.name,
            kind=step.kind,
            verdict=verdict,
            exit_code=code,
            errors=errors,
            headline=headline,
            runs=[done.run for done in runs],
        )


def pair_seed(night_id: str, step: str, turn: int) -> int:
    """The seed of both runs of a pair: they get the same arrivals, drawn anew for each pair."""
    digest = hashlib.sha256(f"{night_id}/{step}/{turn}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
