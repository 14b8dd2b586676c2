"""The part of a page about one tuning: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Tile
from reports.document import Model, SizeResult, TuneDocument
from reports.figure import Figure
from reports.figures import listed_sizes, megabytes, milliseconds, moment, usd
from reports.tune_charts import figures_of
from reports.tune_facts import Candidate, candidates_of, facts_of, parameters_of, spent_sentence
from reports.tune_findings import (
    asks_for_a_change,
    cautions,
    headline,
    saving_cell,
    support,
    tied_sizes,
    verdict_word,
)
from reports.tune_table import HEADINGS, Heading, Row, table_of


@dataclass(frozen=True, slots=True)
class Section:
    """Everything that the template writes about one document, as text."""

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
    headings: Sequence[Heading]
    rows: Sequence[Row]
    model: Model | None
    parameters: str
    candidates: Sequence[Candidate]
    spent: str
    facts: Sequence[tuple[str, str]]
    summary: Sequence[str]
    kind: Literal["tune"] = "tune"


def section_of(document: TuneDocument, anchor: str) -> Section:
    """The part of a page about one tuning; `anchor` makes its ids unique there."""
    function = document.function
    runtime = function.runtime or "container image or unknown runtime"
    return Section(
        anchor=anchor,
        name=function.name,
        subtitle=f"{runtime}, {function.arch}, {function.region}, "
        f"measured {moment(document.provenance.started_utc)}",
        tone=_tone(document),
        verdict_word=verdict_word(document),
        headline=headline(document),
        cautions=cautions(document),
        support=support(document),
        notes=document.notes,
        tiles=_tiles(document),
        figures=figures_of(document, anchor),
        headings=HEADINGS,
        rows=table_of(document),
        model=document.model,
        parameters=parameters_of(document.model),
        candidates=candidates_of(document.model),
        spent=spent_sentence(document),
        facts=facts_of(document),
        summary=_summary(document),
    )


def _tone(document: TuneDocument) -> str:
    """The class that colours a verdict; a pass without a recommendation is no success."""
    if document.verdict == "pass" and document.recommendation is None:
        return "none"
    return document.verdict


def _size_at(document: TuneDocument, memory_mb: int) -> SizeResult | None:
    return next((size for size in document.sizes if size.memory_mb == memory_mb), None)


def _tiles(document: TuneDocument) -> list[Tile]:
    taken = document.recommendation
    if taken is None:
        return []
    current = document.current
    same = taken.memory_mb == current.memory_mb
    size = _size_at(document, taken.memory_mb)
    cost = size.cost_usd_per_million if size else None
    duration = size.duration_ms.p50 if size and size.duration_ms else None
    now_cost = None if same else current.cost_usd_per_million
    now_duration = None if same else current.duration_p50_ms
    tiles = [
        Tile("Memory", None if same else megabytes(current.memory_mb), megabytes(taken.memory_mb))
    ]
    if cost is not None:
        tiles.append(Tile("Cost per million invocations", _if_known(usd, now_cost), usd(cost)))
    if duration is not None:
        before = _if_known(milliseconds, now_duration)
        tiles.append(Tile("Duration, p50", before, milliseconds(duration)))
    tied = tied_sizes(document)
    if tied:
        tiles.append(Tile("Cannot be told apart", None, listed_sizes(tied)))
    return tiles


def _if_known(words: Callable[[float], str], value: float | None) -> str | None:
    return None if value is None else words(value)


def _summary(document: TuneDocument) -> list[str]:
    """Cells of the overview: change of size, of cost, of duration."""
    taken = document.recommendation
    current = megabytes(document.current.memory_mb)
    if taken is None or document.verdict != "pass":
        return [f"{current}, no recommendation", "unknown", "unknown"]
    if taken.memory_mb == document.current.memory_mb:
        return [f"{current}, stays", "no change", "no change"]
    if not asks_for_a_change(document, taken):
        return [f"{current}, as good as {megabytes(taken.memory_mb)}", "no change", "no change"]
    sizes = f"{current} \N{RIGHTWARDS ARROW} {megabytes(taken.memory_mb)}"
    saving = taken.saving
    if saving is None:
        return [sizes, "unknown", "unknown"]
    return [
        sizes,
        saving_cell(saving.cost_share, saving.cost_interval),
        saving_cell(saving.duration_share, saving.duration_interval),
    ]
