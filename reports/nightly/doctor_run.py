"""`reports doctor`: from a plan and its history to the document and its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.console import Console
from core.errors import ExitCode, InputError
from reports.history.history import open_history
from reports.nightly.doctor import FEWEST_NIGHTS, diagnosed
from reports.nightly.doctor_view import show_doctor
from reports.nightly.plan_reader import read_plan
from reports.run_folder import document_text


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What the command line asks for; None: as the plan has it."""

    plan: Path
    environment: str | None = None
    settings: tuple[str, ...] = ()
    history: str | None = None
    last: int = 90
    region: str | None = None
    profile: str | None = None
    seed: int = 1


def run_doctor(options: DoctorOptions, console: Console) -> ExitCode:
    """Reads the history, and says what it finds; nothing is written.

    Raises:
        InputError: the plan or an option is not right.
        ToolError: the history cannot be read.
    """
    if options.last < FEWEST_NIGHTS:
        raise InputError(f"--last {options.last}: must be at least {FEWEST_NIGHTS} nights")
    plan_file = read_plan(options.plan, environment=options.environment, settings=options.settings)
    plan = plan_file.plan
    history = open_history(
        plan_file.history_place(options.history),
        region=options.region or plan.region,
        profile=options.profile or plan.profile,
    )
    past = history.load(plan.name)
    document = diagnosed(past, plan, history=history.place, last=options.last, seed=options.seed)
    show_doctor(console, document)
    if not past.runs:
        plans = ", ".join(history.plan_names())
        console.show(f"  the history has no run of {plan.name}; it has {plans or 'no plan at all'}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)
