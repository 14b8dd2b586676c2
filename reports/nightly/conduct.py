"""The steps of a night one after another, and the runs that confirm or clear what it suspects."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.errors import ExitCode
from reports.figures import seconds as seconds_text
from reports.figures import usd
from reports.history.record import RunRecord
from reports.nightly.document import NightStep
from reports.nightly.journal import Purpose, RunDone
from reports.nightly.night_folder import run_label
from reports.nightly.own_findings import OwnFindings
from reports.nightly.plan import NightlyPlan
from reports.nightly.run_records import Step
from reports.nightly.step_run import StepRuns, Turn

NOT_BEGUN = "not begun"
REFUSED = "refused"
# A measurement that is not valid is the most frequent nuisance of a night, and often gone at once.
_MOST_ATTEMPTS = 2
_ANSWERS = (ExitCode.PASS, ExitCode.FAILED, ExitCode.INCONCLUSIVE)


class Suspect(Protocol):
    """A step with a figure that looks worse, and how that is to be confirmed.

    `runs` is a number of reruns, or of pairs of the baseline and the newer version.
    """

    @property
    def step(self) -> str: ...
    @property
    def how(self) -> Literal["rerun", "pairs"]: ...
    @property
    def runs(self) -> int: ...


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
        waiting = {suspect.step: suspect for suspect in suspects}
        turn = 0
        while waiting and not self.runs.stop.requested:
            for suspect in list(waiting.values()):
                if turn >= suspect.runs or not self._confirm_once(suspect, turn, until):
                    del waiting[suspect.step]
            turn += 1

    def so_far(self) -> SoFar:
        """What there is: of each step the record of its last run for the night."""
        taken = self.runs.taken
        last = {record.step: record for record in taken.records if record.purpose == "night"}
        names = [step.name for step in self.steps]
        return SoFar(
            steps=[self._night_step(step) for step in self.steps],
            tonight=[last[name] for name in names if name in last],
            confirmations=[record for record in taken.records if record.purpose != "night"],
            findings=[taken.findings[name] for name in names if name in taken.findings],
        )

    def _of(self, step: Step, purpose: Purpose = "night") -> list[RunDone]:
        done = self.runs.journal.journal.runs
        return [entry for entry in done if (entry.step, entry.run.purpose) == (step.name, purpose)]

    def _to_run(self, step: Step) -> bool:
        ended = [done for done in self._of(step) if not done.again]
        if not ended:
            return True
        return ended[-1].exit_code == ExitCode.INVALID and len(ended) < _MOST_ATTEMPTS

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

    def _confirm_once(self, suspect: Suspect, turn: int, until: float) -> bool:
        """One rerun or one pair of runs of a step; False where there is no more of them."""
        number, step = next(
            (number, step) for number, step in enumerate(self.steps, 1) if step.name == suspect.step
        )
        purposes = [
            purpose
            for purpose in purposes_of(suspect.how, turn)
            if not self._made(step, purpose, turn)
        ]
        expected_s = len(purposes) * self._longest_s(step)
        left_s = until - self.clock()
        refusal = self._over_budget()
        if refusal is None and expected_s > left_s:
            refusal = (
                f"another {'rerun' if suspect.how == 'rerun' else 'pair'} takes about "
                f"{seconds_text(round(expected_s))}, and {seconds_text(max(0, round(left_s)))} are "
                "left of gates.confirm.time_limit"
            )
        if refusal is not None:
            done = f"{turn} of {suspect.runs} {'reruns' if suspect.how == 'rerun' else 'pairs'}"
            self.runs.journal.note(f"{step.name}: confirmed with {done} only: {refusal}")
            return False
        for purpose in purposes:
            if self.runs.stop.requested:
                return False
            limit_s = min(step.time_limit_s, max(1.0, until - self.clock()))
            self._confirming_run(number, step, purpose, suspect, turn, limit_s)
        return True

    def _confirming_run(
        self,
        number: int,
        step: Step,
        purpose: Purpose,
        suspect: Suspect,
        turn: int,
        limit_s: float,
    ) -> None:
        what = f"confirming {step.name}: {purpose} {turn + 1} of {suspect.runs}"
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
        return sum(not done.again for done in self._of(step, purpose)) > turn

    def _longest_s(self, step: Step) -> float:
        """How long a run of a step takes, by those of tonight that came to their end."""
        done = self.runs.journal.journal.runs
        return max(
            (entry.run.seconds for entry in done if entry.step == step.name and entry.cut is None),
            default=0.0,
        )

    def _over_budget(self) -> str | None:
        """Why nothing more may begin, where the plan has a limit; tells what is not in the sum."""
        spent, most = self.runs.journal.journal.spent_usd, self.plan.max_usd
        if most is None:
            return None
        for done in self.runs.journal.journal.runs:
            if done.run.run_id is not None and done.run.spent_usd is None:
                what = f"{done.step}: what it cost is not known"
                self.runs.journal.note(f"{what}; max_usd counts it as nothing")
        if spent < most:
            return None
        return f"{usd(spent)} are spent of at most {usd(most)} (max_usd)"

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


def purposes_of(how: Literal["rerun", "pairs"], turn: int) -> Iterator[Purpose]:
    """The runs of a turn. Pairs are balanced, B C C B: what drifts favours neither version."""
    if how == "rerun":
        yield "rerun"
    elif turn % 2 == 0:
        yield from ("baseline", "candidate")
    else:
        yield from ("candidate", "baseline")


def pair_seed(night_id: str, step: str, turn: int) -> int:
    """The seed of both runs of a pair: they get the same arrivals, drawn anew for each pair."""
    digest = hashlib.sha256(f"{night_id}/{step}/{turn}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
