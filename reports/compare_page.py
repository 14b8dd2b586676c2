"""The page of two tunings that are compared: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.compare_document import CompareDocument, ComparedRun
from reports.compare_findings import (
    compare_headline,
    compare_support,
    compare_title,
    compare_verdict_word,
    nothing_differs,
)
from reports.compare_tables import differences_table, sizes_table
from reports.figures import megabytes, moment, percent


@dataclass(frozen=True, slots=True)
class Section:
    """Everything that the template writes, as text."""

    name: str
    subtitle: str
    tone: str
    verdict_word: str
    headline: str
    validity_line: str
    support: Sequence[str]
    notes: Sequence[str]
    tables: Sequence[Table]
    facts: Sequence[tuple[str, str]]
    absent: Sequence[tuple[str, str]]
    cautions: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
    anchor: str = "comparison"
    kind: Literal["tune-compare"] = "tune-compare"


def section_of(document: CompareDocument) -> Section:
    """The page of one comparison."""
    same = nothing_differs(document)
    tables = (differences_table(document.differences), sizes_table(document))
    return Section(
        name=compare_title(document),
        subtitle=f"{moment(document.before.started_utc)} and {moment(document.after.started_utc)}",
        tone="failed" if document.verdict == "fail" else document.verdict,
        verdict_word=compare_verdict_word(document),
        headline=compare_headline(document),
        validity_line=_validity_line(document),
        support=compare_support(document),
        notes=[*document.notes, *([same] if same else [])],
        tables=[table for table in tables if table is not None],
        facts=[
            ("Before", _run(document.before)),
            ("After", _run(document.after)),
            ("Tolerance", percent(document.tolerance_share)),
        ],
        absent=list(_absent(document)),
    )


def _validity_line(document: CompareDocument) -> str:
    sides = (("earlier", document.before), ("later", document.after))
    broken = [name for name, run in sides if run.verdict == "invalid"]
    if not broken:
        return "Valid: neither tuning lost measurements."
    return f"Invalid: the {' and the '.join(broken)} tuning lost measurements."


def _absent(document: CompareDocument) -> Iterator[tuple[str, str]]:
    if not document.sizes:
        yield "sizes", "two tunings that measure the same sizes: --sizes and --samples"
    if document.choice is None:
        yield "choice", "two tunings that recommend a size"
    if document.starts is None:
        yield "cold starts", "cold calls at the same sizes in both: --cold-samples"


def _run(run: ComparedRun) -> str:
    taken = "none" if run.recommended_mb is None else megabytes(run.recommended_mb)
    return (
        f"run {run.run_id} of {run.arn}: {run.verdict}, {run.invocations} invocations, "
        f"{megabytes(run.current_mb)} in use, {taken} recommended"
    )
