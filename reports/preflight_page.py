"""The page of a preflight: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.figures import closed, moment
from reports.prediction_tables import prediction_tables
from reports.preflight_document import PreflightDocument
from reports.preflight_tables import checks_table, limits_table, summary


@dataclass(frozen=True, slots=True)
class Section:
    """Everything that the template writes, as text."""

    name: str
    subtitle: str
    tone: str
    verdict_word: str
    headline: str
    support: Sequence[str]
    notes: Sequence[str]
    tables: Sequence[Table]
    facts: Sequence[tuple[str, str]]
    cautions: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
    anchor: str = "preflight"
    validity_line: str = "Predicted from what is configured: nothing was sent."
    kind: Literal["preflight"] = "preflight"


def section_of(document: PreflightDocument) -> Section:
    """The page of one preflight."""
    tables = [
        checks_table(document.checks),
        *prediction_tables(document.prediction),
        limits_table(document),
    ]
    return Section(
        name=f"Preflight of {document.name}",
        subtitle=f"{moment(document.read_utc)}, {document.target.url}",
        tone="failed" if document.exit_code else "pass",
        verdict_word="Problems" if document.exit_code else "Can be sent",
        headline=closed(summary(document)),
        support=[closed(error) for error in document.errors],
        notes=[closed(note) for note in [*document.unknown, *document.prediction.notes]],
        tables=[table for table in tables if table is not None],
        facts=[
            ("Profile", f"{document.profile_file}, SHA-256 {document.profile_sha256}"),
            ("Seed", str(document.seed)),
            ("Command", " ".join(document.command)),
            ("Version", document.tool_version),
        ],
        cautions=(
            []
            if document.endpoint is None
            else [f"Limits are those of a local AWS at {document.endpoint}, not of an account."]
        ),
    )
