"""The part of a page about one probe of limits: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.endpoint import custom_endpoint, is_loopback
from reports.figure import Figure
from reports.figures import ABSENT, closed, moment, significant, usd
from reports.limits_absent import absent_parts, validity_line
from reports.limits_charts import limits_figures
from reports.limits_document import LimitsDocument, Quantity
from reports.limits_tables import guards_table, layers_table, phases_table
from reports.limits_words import headline, layer_words, support, took_words, verdict_word
from reports.load_findings import LOCAL_SANDBOX, LOCAL_TARGET

_TONES = {"refused": "failed", "interrupted": "inconclusive", "error": "failed"}


@dataclass(frozen=True, slots=True)
class LimitsSection:
    """Everything that the template writes about one probe, as text."""

    anchor: str
    name: str
    subtitle: str
    tone: str
    verdict_word: str
    headline: str
    cautions: Sequence[str]
    support: Sequence[str]
    notes: Sequence[str]
    tiles: Sequence[Tile]
    figures: Sequence[Figure]
    tables: Sequence[Table]
    facts: Sequence[tuple[str, str]]
    validity_line: str = ""
    absent: Sequence[tuple[str, str]] = ()
    kind: Literal["limits"] = "limits"


def section_of(document: LimitsDocument, anchor: str) -> LimitsSection:
    """The part of a page about one probe; `anchor` makes its ids unique there."""
    run = document.provenance
    tables = (layers_table(document), phases_table(document), guards_table(document))
    return LimitsSection(
        anchor=anchor,
        name=f"Limits of {document.name}",
        subtitle=f"{document.target.url}, {moment(run.started_utc)}",
        tone=_TONES.get(document.verdict, document.verdict),
        verdict_word=verdict_word(document),
        headline=headline(document),
        cautions=_cautions(document),
        support=[
            *(closed(error) for error in document.errors),
            *support(document),
            took_words(document),
        ],
        notes=[closed(note) for note in document.notes],
        tiles=_tiles(document),
        figures=limits_figures(document, anchor),
        tables=[table for table in tables if table is not None],
        facts=_facts(document),
        validity_line=validity_line(document),
        absent=absent_parts(document),
    )


def _cautions(document: LimitsDocument) -> list[str]:
    """Where the figures come from, if that is not AWS."""
    endpoint = document.provenance.endpoint
    if endpoint is not None:
        return [LOCAL_SANDBOX if is_loopback(endpoint) else custom_endpoint(endpoint)]
    return [LOCAL_TARGET] if is_loopback(document.target.url) else []


def _tiles(document: LimitsDocument) -> list[Tile]:
    found, counts = document.finding, document.counts
    return [
        Tile("Rate", None, *_told(found.rate_rps, "requests/s")),
        Tile("Burst", None, *_told(found.burst, "requests")),
        Tile("Limit of", None, layer_words(document.binding.layer)),
        Tile("Admitted", None, f"{counts.admitted:,}", f"of {counts.sent:,} requests"),
    ]


def _told(quantity: Quantity | None, unit: str) -> tuple[str, str]:
    if quantity is None:
        return ABSENT, unit
    low = significant(quantity.low)
    high = "more" if quantity.high is None else significant(quantity.high)
    if quantity.value is None:
        return f"{low} to {high}", unit
    return significant(quantity.value), f"{unit}, {low} to {high}"


def _facts(document: LimitsDocument) -> list[tuple[str, str]]:
    run, probed, spent = document.provenance, document.probed, document.spent
    key = ", with an API key" if probed.with_key else ""
    return [
        ("Probed", f"scenario {probed.scenario}: {probed.method} {probed.path}{key}"),
        ("Canary", f"scenario {probed.canary}" if probed.canary else "none"),
        ("Cost", "not known" if spent.usd is None else f"at most {usd(spent.usd)}"),
        ("Seed", str(run.seed)),
        ("Run", f"{run.run_id}, version {run.tool_version}"),
        ("Command", " ".join(run.command)),
        ("Profile", f"{run.profile_file}, SHA-256 {run.profile_sha256[:12]}"),
    ]
