"""The steps of a night: what came of each, how long it took, its cost, and where its runs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reports.figures import ABSENT, seconds, usd
from reports.nightly.document import NightlyDocument, NightRun, NightStep
from reports.nightly.outcome import has_unknown_cost
from reports.nightly_page.night_words import ended

_PURPOSES = {
    "night": "",
    "rerun": "rerun",
    "baseline": "A/B, baseline",
    "candidate": "A/B, candidate",
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of a step, as text; `href` is relative to the page, and empty without a folder."""

    name: str
    href: str
    purpose: str
    verdict: str
    exit_code: str
    duration: str
    spent: str


@dataclass(frozen=True, slots=True)
class StepRows:
    """A step and its runs, as text."""

    name: str
    kind: str
    tone: str
    verdict: str
    exit_code: str
    told: Sequence[str]
    runs: Sequence[RunRow]


def step_rows(document: NightlyDocument, folder: str | None) -> list[StepRows]:
    """All steps, in the order of the plan; `folder` leads from the page to the night's folder."""
    return [_step(step, document, folder) for step in document.steps]


def _step(step: NightStep, document: NightlyDocument, folder: str | None) -> StepRows:
    invalid = [
        gate.message
        for gate in document.gates
        if gate.step == step.name and gate.kind == "validity" and gate.status != "passed"
    ]
    said = [step.headline, *step.errors, *(f"validity: {reason}" for reason in invalid)]
    return StepRows(
        step.name,
        step.kind,
        _tone(step.verdict, has_run=bool(step.runs)),
        step.verdict,
        str(step.exit_code),
        [ended(sentence) for sentence in dict.fromkeys(said) if sentence.strip()],
        [_run(run, folder) for run in step.runs],
    )


def _tone(verdict: str, *, has_run: bool) -> str:
    if verdict in ("invalid", "failed", "error"):
        return verdict
    if verdict == "pass":
        return "pass"
    return "inconclusive" if has_run else "none"


def _run(run: NightRun, folder: str | None) -> RunRow:
    return RunRow(
        run.run_id or "no run",
        link_to(folder, run.folder),
        _PURPOSES[run.purpose],
        run.verdict,
        str(run.exit_code),
        seconds(run.seconds),
        ABSENT if run.spent_usd is None else usd(run.spent_usd),
    )


def link_to(folder: str | None, relative: str | None) -> str:
    """A link to a folder inside of the night's: never to another host, scheme or root."""
    if folder is None or not relative:
        return ""
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    parts += [part for part in relative.split("/") if part not in ("", ".", "..")]
    # A colon would make the first part a scheme; `quote` leaves none.
    return "./" + "/".join(quote(part, safe="") for part in parts) + "/"


def totals(document: NightlyDocument) -> str:
    """How many runs the night made, how long they took together, and what they cost."""
    runs = [run for step in document.steps for run in step.runs]
    if not runs:
        return "No run was made."
    again = sum(run.purpose != "night" for run in runs)
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    more = f", {again} of them to confirm a suspect," if again else ""
    took = seconds(sum(run.seconds for run in runs))
    return f"{count}{more} took {took}; {_cost_words(document, runs)}."


def _cost_words(document: NightlyDocument, runs: Sequence[NightRun]) -> str:
    it = "it" if len(runs) == 1 else "they"
    if document.spent_usd is None:
        return f"what {it} cost is not known"
    unknown = sum(has_unknown_cost(run) for run in runs)
    if unknown:
        return f"they cost at least {usd(document.spent_usd)}: of {unknown} of them it is not known"
    return f"{it} cost {usd(document.spent_usd)}"
