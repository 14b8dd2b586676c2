"""A night whose steps measure nothing: real children, real folders, a history in a folder.

`python -m tests.reports.night_rig FOLDER JSON` is a night as a process of its own, to be killed:
`{"steps": {"a": {"seconds": 5}}}` says what each step's child does (`fake_step.py`).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

from core.console import Console
from core.interrupt import StopRequest
from reports.history.history import open_history
from reports.history.record import Key, NightRecord, RunRecord
from reports.nightly.account import Account, Ended, Keeping
from reports.nightly.beginning import Begun, Surroundings, begin_night
from reports.nightly.child import Graces
from reports.nightly.conduct import Conduct, SoFar
from reports.nightly.course import Course, Telling
from reports.nightly.document import NightlyDocument, NightProvenance
from reports.nightly.journal import Purpose
from reports.nightly.lock import night_lock
from reports.nightly.notify import Told
from reports.nightly.options import NightOptions
from reports.nightly.own_findings import OwnFindings
from reports.nightly.plan import LoadStep, NightlyPlan, TuneStep
from reports.nightly.plan_reader import PlanFile
from reports.nightly.progress import Progress
from reports.nightly.put_back import PutBack
from reports.nightly.run_records import RunRecords, Step
from reports.nightly.step_run import Means, StepRuns

SCRIPT = str(Path(__file__).with_name("fake_step.py"))
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


@dataclass
class Judgement:
    """What stands for a judgement: who is suspected."""

    suspects: list[Any] = field(default_factory=list)


@dataclass
class Rig:
    """A night in `folder`; `steps` says what each child does, by its name or `NAME/purpose`."""

    folder: Path
    steps: dict[str, dict[str, Any]]
    plan: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, Literal["load", "tune"]] = field(default_factory=dict)
    suspects: list[Any] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    host: str = "here"
    state: str = "state"
    commit: str = "1" * 40
    stop: StopRequest = field(default_factory=StopRequest)
    graces: Graces = Graces(5.0, 1.0)  # noqa: RUF009 # frozen
    put_back: PutBack | None = None
    judged: list[tuple[list[RunRecord], list[RunRecord]]] = field(default_factory=list)
    told: list[tuple[NightlyDocument, Sequence[NightRecord]]] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    export: Any = lambda document: None
    clock: Callable[[], float] = time.monotonic
    begun: Begun | None = None

    @property
    def log(self) -> Path:
        return self.folder / "ran.log"

    @property
    def ran(self) -> list[str]:
        """What children ran to their end, in order: `NAME ROLE SEED VERDICT`."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def night(self) -> Path:
        assert self.begun is not None
        return self.begun.folder.path

    def document(self) -> NightlyDocument:
        return NightlyDocument.model_validate_json((self.night / "result.json").read_bytes())

    def plan_file(self) -> PlanFile:
        parts = [
            {"kind": "tune", "name": name, "function": f"{name}-function"}
            if self.kinds.get(name) == "tune"
            else {"kind": "load", "name": name, "profile": f"{name}.yaml"}
            for name in self.steps
            if "/" not in name
        ]
        plan = NightlyPlan.model_validate({"name": "shop", "steps": parts, **self.plan})
        text = plan.model_dump_json()
        return PlanFile(
            path=self.folder / "plan.yaml",
            text=text,
            sha256=f"{hash(text):x}" if self.plan else "same",
            plan=plan,
            base_dir=self.folder,
        )

    def run(self) -> NightlyDocument:
        """The whole night, after its lock is taken."""
        progress = Progress(Console(verbosity=0))
        plan_file = self.plan_file()
        history = open_history(str(self.folder / "history"))
        options = NightOptions(plan=plan_file.path, runs=self.folder / "runs", **self.options)
        around = Surroundings(self.now, self.host, {"GITHUB_SHA": self.commit})
        with night_lock(self.folder / self.state, "shop", self.now, progress.say) as lock:
            begun = begin_night(options, plan_file, history, around, lock, self.put_back, progress)
            self.begun = begun
            keeping = Keeping(history, begun.folder, progress)
            means = Means(
                command_of=self.command,
                put_back=self.put_back,
                graces=self.graces,
                held=(lock.steps,),
                now=lambda: self.now,
            )
            taken = RunRecords(self.record, lambda document, step: OwnFindings(), keeping.keep)
            runs = StepRuns(begun.folder, begun.journal, means, self.stop, progress, taken)
            conduct = Conduct(plan_file.plan, plan_file.plan.steps, runs, clock=self.clock)
            account = Account(
                begun.folder, begun.journal, keeping, begun.past, self.make_document,
                now=lambda: self.now,
            )  # fmt: skip
            course = Course(
                plan="shop",
                conduct=conduct,
                account=account,
                judge=self.judge,
                telling=Telling(self.export, self.tell),
                stop=self.stop,
                progress=progress,
            )
            conduct.on_end = course.so_far
            if begun.resumed:
                runs.read_again(plan_file.plan.steps, begun.recorded)
                runs.take_up_killed(plan_file.plan.steps)
            return course.run()

    def command(self, step: Step, *, runs: Path, baseline: bool, seed: int | None) -> list[str]:
        turns = len(list(runs.glob(f"*-{step.name}")))
        said = self.steps.get(f"{step.name}/baseline" if baseline else step.name, {})
        said = {**said, **said.get("then", {})} if turns else said
        role = "baseline" if baseline else "night" if seed is None else "candidate"
        how = {"name": step.name, "log": str(self.log), "role": role, "seed": seed, **said}
        template = str(self.folder / f"{step.kind}.json")
        return [sys.executable, "-I", "-S", SCRIPT, template, str(runs), json.dumps(how)]

    def record(self, document: Any, *, step: Step, purpose: Purpose) -> RunRecord:
        assert self.begun is not None
        facts = self.begun.journal.journal.facts
        return RunRecord(
            run_id=document.provenance.run_id,
            night_id=facts.night_id,
            sequence=facts.sequence,
            night=facts.night,
            plan="shop",
            step=step.name,
            kind=step.kind,
            purpose=purpose,
            started_utc=document.provenance.started_utc,
            finished_utc=document.provenance.finished_utc,
            verdict=document.verdict,
            valid=document.verdict == "pass",
            key=Key(
                kind=step.kind, asked_sha256="a", target="t", region=None, arch=None, memory_mb=[]
            ),
        )

    def judge(self, tonight: Sequence[RunRecord], confirmations: Sequence[RunRecord]) -> Any:
        self.judged.append((list(tonight), list(confirmations)))
        return Judgement(self.suspects)

    def tell(self, document: NightlyDocument, before: Sequence[NightRecord]) -> Told:
        self.told.append((document, before))
        return Told([f"{name}: not told" for name in self.untold], self.untold)

    def make_document(
        self,
        so_far: SoFar,
        judgement: Any,
        *,
        finished: datetime,
        problems: Sequence[str],
        notes: Sequence[str],
        ended: Ended,
    ) -> NightlyDocument:
        assert self.begun is not None
        journal = self.begun.journal.journal
        worst = next((step.exit_code for step in so_far.steps if step.exit_code), 0)
        return NightlyDocument(
            name="shop",
            night=journal.night,
            night_id=journal.night_id,
            sequence=journal.sequence,
            verdict="interrupted" if ended != "done" else "error" if worst else "pass",
            exit_code=worst,
            errors=[],
            notes=list(notes),
            headline="",
            steps=so_far.steps,
            gates=[],
            alarms=[],
            history_problems=list(problems),
            spent_usd=journal.spent_usd,
            provenance=NightProvenance(
                tool_version="0", command=[], started_utc=journal.started_utc,
                finished_utc=finished.isoformat(timespec="seconds"), plan_file="plan.yaml",
                plan_sha256="", plan_text="", environment=None, history="history",
            ),
        )  # fmt: skip


def suspect(step: str, how: str = "rerun", runs: int = 2, *, pairs_only: bool = False) -> Any:
    return SimpleNamespace(step=step, how=how, runs=runs, pairs_only=pairs_only)


def write_templates(folder: Path) -> None:
    """The documents that children give as theirs."""
    from reports.run_folder import document_text
    from tests.reports import documents, load_documents

    (folder / "load.json").write_text(document_text(load_documents.one_second()))
    (folder / "tune.json").write_text(document_text(documents.cpu_bound()))


def main() -> None:
    folder, said = Path(sys.argv[1]), json.loads(sys.argv[2])
    if "now" in said:
        said["now"] = datetime.fromisoformat(said["now"])
    rig = Rig(folder, **said)
    with rig.stop:
        document = rig.run()
    sys.exit(document.exit_code)


__all__ = ["LoadStep", "Rig", "TuneStep", "date", "os", "suspect", "write_templates"]


if __name__ == "__main__":
    main()
