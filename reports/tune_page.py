"""The part of a page about one tuning: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.document import Model, TuneDocument
from reports.figure import Figure
from reports.figures import megabytes, moment
from reports.tune_charts import cold_figure, cost_figure, duration_figure
from reports.tune_facts import (
    Candidate,
    candidates_help,
    candidates_of,
    facts_of,
    model_sentence,
    parameters_of,
    spent_sentence,
)
from reports.tune_findings import asks_for_a_change, cautions, headline, support, verdict_word
from reports.tune_goal import limit_words
from reports.tune_pareto import pareto_figure
from reports.tune_parts import tables_of
from reports.tune_saving import saving_cell
from reports.tune_table import HEADINGS, Heading, Row, table_help, table_of
from reports.tune_tiles import tiles_of


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
    pareto: Figure | None
    figures: Sequence[Figure]
    cold_chart: Figure | None
    headings: Sequence[Heading]
    rows: Sequence[Row]
    rows_help: str
    parts: Sequence[Table]
    model: Model | None
    model_words: str
    parameters: str
    candidates: Sequence[Candidate]
    candidates_help: str
    spent: str
    facts: Sequence[tuple[str, str]]
    visualization_url: str | None
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
        tiles=tiles_of(document),
        pareto=pareto_figure(document, anchor),
        figures=[cost_figure(document, anchor), duration_figure(document, anchor)],
        cold_chart=cold_figure(document, anchor),
        headings=HEADINGS,
        rows=table_of(document),
        rows_help=table_help(document),
        parts=tables_of(document),
        model=document.model,
        model_words=model_sentence(document),
        parameters=parameters_of(document.model),
        candidates=candidates_of(document.model),
        candidates_help=candidates_help(document),
        spent=spent_sentence(document),
        facts=facts_of(document),
        visualization_url=document.visualization_url,
        summary=_summary(document),
    )


def _tone(document: TuneDocument) -> str:
    """The class that colours a verdict; a pass without a recommendation is no success."""
    if document.verdict == "pass" and document.recommendation is None:
        return "none"
    return "failed" if document.verdict == "fail" else document.verdict


def _summary(document: TuneDocument) -> list[str]:
    """Cells of the overview: change of size, of cost, of duration."""
    taken = document.recommendation
    current = megabytes(document.current.memory_mb)
    if document.verdict == "fail" and document.slo is not None:
        return [f"{current}, no size keeps {limit_words(document.slo)}", "unknown", "unknown"]
    if taken is None or document.verdict != "pass":
        return [f"{current}, no recommendation", "unknown", "unknown"]
    if taken.memory_mb == document.current.memory_mb:
        return [f"{current}, stays", "no change", "no change"]
    if not asks_for_a_change(document, taken):
        if taken.saving is None:
            return [
                f"{current}, not compared with {megabytes(taken.memory_mb)}",
                "unknown",
                "unknown",
            ]
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
