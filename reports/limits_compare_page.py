"""The page of two probes of limits that are compared: what its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.figures import moment
from reports.limits_compare_document import LimitsCompareDocument
from reports.limits_compare_words import (
    compared_table,
    differences_table,
    headline,
    notes_of,
    title,
    verdict_word,
)

_TONES = {"same": "pass", "differs": "failed", "invalid": "invalid"}


@dataclass(frozen=True, slots=True)
class LimitsCompareSection:
    """Everything that the template writes, as text."""

    name: str
    subtitle: str
    tone: str
    verdict_word: str
    headline: str
    validity_line: str
    notes: Sequence[str]
    tables: Sequence[Table]
    facts: Sequence[tuple[str, str]]
    support: Sequence[str] = ()
    cautions: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
    anchor: str = "comparison"
    kind: Literal["limits-compare"] = "limits-compare"


def section_of(document: LimitsCompareDocument) -> LimitsCompareSection:
    """The page of one comparison."""
    tables = (compared_table(document), differences_table(document))
    sides = (("baseline", document.before), ("newer probe", document.after))
    return LimitsCompareSection(
        name=title(document),
        subtitle=" and ".join(moment(probe.started_utc) for _, probe in sides),
        tone=_TONES.get(document.verdict, "inconclusive"),
        verdict_word=verdict_word(document),
        headline=headline(document),
        validity_line=validity_line(document),
        notes=notes_of(document),
        tables=[table for table in tables if table is not None],
        facts=[(f"{name}: {what}", value) for name, side in sides for what, value in side.facts],
    )


def validity_line(document: LimitsCompareDocument) -> str:
    """How both probes ended, in one sentence."""
    state = "Invalid" if document.verdict == "invalid" else "Valid"
    return (
        f"{state}: the baseline ended as {document.before.verdict}, the newer probe as "
        f"{document.after.verdict}."
    )
