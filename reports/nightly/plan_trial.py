"""What each step of a plan says of itself under `--dry-run`: whether it can run, and its cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import ExitCode
from core.interrupt import StopRequest
from reports.nightly.child import Order, run_child
from reports.nightly.plan import LoadStep, TuneStep

# Reading what is configured takes seconds; a sandbox that does not start, longer than this.
_TIME_LIMIT_S = 300.0
# What may cost more is begun with --yes only, and nobody is there to ask; so both commands have it,
# and the load generator for so many requests whose price is not known.
ASK_ABOVE_USD = 1.0
ASK_ABOVE_REQUESTS = 100_000


@dataclass(frozen=True, slots=True)
class Answered:
    """How a command ended, what it printed, and the last that it said."""

    code: int
    printed: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class StepTrial:
    """A step, and what its command would do; None is what is not known."""

    step: TuneStep | LoadStep
    exit_code: int
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    calls: float | None = None
    seconds: float | None = None
    least_usd: float | None = None
    most_usd: float | None = None
    command: tuple[str, ...] = field(default=())

    @property
    def needs_yes(self) -> bool:
        """Whether the step is refused for its cost without `--yes`."""
        if self.exit_code:
            return False
        if self.most_usd is None:
            return self.calls is None or self.calls > ASK_ABOVE_REQUESTS
        return self.most_usd > ASK_ABOVE_USD


def ask_step(
    step: TuneStep | LoadStep,
    command: Sequence[str],
    run: Callable[[Sequence[str]], Answered],
) -> StepTrial:
    """What `command`, which has `--dry-run`, says of a step."""
    answered = run(command)
    document = _document(answered.printed)
    code = answered.code if answered.code >= 0 else int(ExitCode.ERROR)
    if code != ExitCode.PASS or document is None:
        errors = tuple(map(str, document.get("errors", ()))) if document else ()
        said = errors or (answered.words or "its dry run gave no answer",)
        code = code or int(ExitCode.ERROR)
        return StepTrial(step, code, said, command=tuple(command))
    plans = [document.get("plan"), (document.get("other") or {}).get("plan")]
    known = [plan for plan in plans if isinstance(plan, dict)]
    return StepTrial(
        step=step,
        exit_code=code,
        notes=tuple(map(str, document.get("notes", ()))),
        calls=_sum(plan.get("requests", plan.get("invocations")) for plan in known),
        seconds=_sum(plan.get("duration_s") for plan in known),
        least_usd=_sum((plan.get("cost_usd") or {}).get("least") for plan in known),
        most_usd=_sum((plan.get("cost_usd") or {}).get("most") for plan in known),
        command=tuple(command),
    )


def run_in(folder: Path, stop: StopRequest) -> Callable[[Sequence[str]], Answered]:
    """Runs commands one by one, with their answers and words in files of `folder`."""

    def run(command: Sequence[str]) -> Answered:
        answer, log = folder / "answer.json", folder / "words.log"
        log.write_text("", encoding="utf-8")
        ending = run_child(Order(command, answer, log, _TIME_LIMIT_S), stop)
        printed = answer.read_text(encoding="utf-8", errors="replace")
        words = ending.words if ending.how == "ended" else f"its dry run {ending.how}"
        return Answered(ending.code, printed, words)

    return run


def _document(printed: str) -> Mapping[str, Any] | None:
    try:
        document = json.loads(printed)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _sum(values: Any) -> float | None:
    """The sum of what is known; None where nothing is, or not all."""
    found = list(values)
    numbers = [value for value in found if isinstance(value, int | float)]
    return sum(numbers) if numbers and len(numbers) == len(found) else None
