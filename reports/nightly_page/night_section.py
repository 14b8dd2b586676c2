"""The part of a page about one night: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.figures import ABSENT, moment, seconds, usd
from reports.nightly.document import NightlyDocument
from reports.nightly_page import alarm_tables, gate_tables, night_words
from reports.nightly_page.night_length import length_s
from reports.nightly_page.night_steps import StepRows, step_rows, totals
from reports.nightly_page.panels import PanelGroup, panel_groups


@dataclass(frozen=True, slots=True)
class NightSection:
    """Everything that the template writes about one night, as text."""

    anchor: str
    name: str
    subtitle: str
    tone: str
    verdict_word: str
    validity_line: str
    headline: str
    cautions: Sequence[str]
    support: Sequence[str]
    notes: Sequence[str]
    tiles: Sequence[Tile]
    next_steps: Sequence[tuple[str, str]]
    against_last: Sequence[str]
    worth_knowing: Sequence[str]
    alarms: Table | None
    cleared: Table | None
    doubt: Table | None
    unjudged: Table | None
    unjudged_open: bool
    unjudged_reason: str
    passed: Table | None
    savings: Table | None
    panels: Sequence[PanelGroup]
    steps: Sequence[StepRows]
    steps_lead: str
    facts: Sequence[tuple[str, str]]
    plan_file: str
    plan_text: str
    kind: Literal["nightly"] = "nightly"


def section_of(document: NightlyDocument, anchor: str, folder: str | None = None) -> NightSection:
    """The part of a page about one night; `anchor` makes its ids unique there.

    `folder` leads from where the page is to the night's folder, for links to its runs; without it
    there are none.
    """
    run = document.provenance
    return NightSection(
        anchor=anchor,
        name=night_words.night_name(document),
        subtitle=_subtitle(document),
        tone=night_words.tone(document),
        verdict_word=night_words.verdict_word(document),
        validity_line=night_words.validity_line(document),
        headline=night_words.headline(document),
        cautions=(),
        support=night_words.support(document),
        notes=(),  # what to do next comes first
        worth_knowing=_notes(document),
        tiles=_tiles(document),
        next_steps=list(night_words.next_steps(document)),
        against_last=night_words.against_last_night(document),
        alarms=alarm_tables.alarms_table(document),
        cleared=alarm_tables.cleared_table(document),
        doubt=gate_tables.doubt_table(document),
        unjudged=gate_tables.unjudged_table(document),
        unjudged_open=gate_tables.unjudged_open(document),
        unjudged_reason=gate_tables.unjudged_reason(document),
        passed=gate_tables.passed_table(document),
        savings=alarm_tables.savings_table(document),
        panels=panel_groups(document, anchor),
        steps=step_rows(document, folder),
        steps_lead=totals(document),
        facts=_facts(document),
        plan_file=run.plan_file,
        plan_text=run.plan_text,
    )


def _subtitle(document: NightlyDocument) -> str:
    run = document.provenance
    where = [f"branch {run.branch}"] if run.branch else []
    where += [f"commit {run.git_commit[:7]}"] if run.git_commit else []
    where += [f"environment {run.environment}"] if run.environment else []
    return ", ".join(
        [moment(run.started_utc), f"night {document.sequence:,} of its history", *where]
    )


def _notes(document: NightlyDocument) -> list[str]:
    """Notes, then what of the history could not be used."""
    problems = [f"History: {night_words.ended(one)}" for one in document.history_problems]
    return [*(night_words.ended(note) for note in document.notes), *problems]


def _tiles(document: NightlyDocument) -> list[Tile]:
    gates = document.gates
    passed = sum(gate.status == "passed" for gate in gates)
    failed = sum(gate.status == "failed" for gate in gates)
    doubted = sum(gate.status in ("suspect", "muted") for gate in gates)
    unjudged = len(gates) - passed - failed - doubted
    length = length_s(document)
    return [
        Tile("Gates", None, f"{passed} of {len(gates)}", "passed"),
        Tile("Failed", None, f"{failed}", "budgets and regressions"),
        Tile("Suspected or muted", None, f"{doubted}"),
        Tile("Not judged", None, f"{unjudged}", _progress(document)),
        Tile("Took", None, ABSENT if length is None else seconds(length)),
        Tile("Cost", None, ABSENT if document.spent_usd is None else usd(document.spent_usd)),
    ]


def _progress(document: NightlyDocument) -> str:
    """How far the figures are that still wait for nights."""
    waiting = night_words.still_learn(document)
    if not waiting:
        return ""
    known = [gate.nights for gate in waiting]
    first, last = min(known), max(known)
    count = f"{first}" if first == last else f"{first} to {last}"
    return f"{count} of {max(gate.nights_needed for gate in waiting)} nights known"


def _facts(document: NightlyDocument) -> list[tuple[str, str]]:
    run = document.provenance
    return [
        ("Command", " ".join(run.command)),
        ("Plan", f"{run.plan_file}, SHA-256 {run.plan_sha256[:12]}"),
        ("Environment", run.environment or "none"),
        ("History", run.history),
        ("Branch and commit", f"{run.branch or ABSENT}, {run.git_commit or ABSENT}"),
        ("Night", f"{document.night_id}, {document.sequence:,} in its history"),
        ("From, to", f"{moment(run.started_utc)}, {moment(run.finished_utc)}"),
        ("Exit code", str(document.exit_code)),
        ("Version", run.tool_version),
    ]
