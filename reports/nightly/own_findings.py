"""What the document of a step's run says by itself, without the nights before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.nightly.document import NightGate, SavingFound

if TYPE_CHECKING:
    from reports.document import TuneDocument
    from reports.load_document import LoadDocument
    from reports.nightly.plan import LoadStep, TuneStep


@dataclass(frozen=True, slots=True)
class OwnFindings:
    """Validity and absolute budgets as gates, in this order, and what a size would save.

    `notes` say which figures the run does not have, and why.
    """

    gates: tuple[NightGate, ...] = ()
    saving: SavingFound | None = None
    notes: tuple[str, ...] = ()


def own_findings(document: LoadDocument | TuneDocument, step: LoadStep | TuneStep) -> OwnFindings:
    """The run held against itself, against its profile, and against the budgets of the plan."""
    from reports.nightly.budgets import document_gates, judge_budget, parse_budget
    from reports.nightly.observe import absent_figures
    from reports.nightly.savings import savings_of

    gates = document_gates(document, step=step.name)
    gates += [judge_budget(parse_budget(text), document, step=step.name) for text in step.budgets]
    saving = savings_of(document, step.name) if document.kind == "tune" else None
    notes = tuple(f"{step.name}: {absent}" for absent in absent_figures(document))
    return OwnFindings(tuple(gates), saving, notes)
