"""The part of a page about one tuning: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.document import Model, TuneDocument
from reports.figure import Figure
from reports.figures import megabytes, moment
from reports.tune_absent import absent_parts
from reports.tune_charts import cold_figure, cost_figure, duration_figure
from reports.tune_facts import (
    candidates_table,
    facts_of,
    model_sentence,
    parameters_of,
    spent_sentence,
)
from reports.tune_findings import asks_for_a_change, cautions, headline, support, verdict_word
from reports.tune_fit import sampling_sentence, valley_sentence
from reports.tune_goal import limit_words
from reports.tune_monthly import monthly_tables
from reports.tune_next import next_step
from reports.tune_pareto import pareto_figure
from reports.tune_parts import special_tables
from reports.tune_residuals import residual_figure
from reports.tune_saving import saving_cell
from reports.tune_split import split_figure, split_table
from reports.tune_table import sizes_table
from reports.tune_tiles import tiles_of
from reports.tune_validity import validity_line


@dataclass(frozen=True, slots=True)
class Section:
    """Everything that the template writes about one document, as text; parts in their order."""

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
    pareto: Figure | None
    figures: Sequence[Figure]
    split_chart: Figure | None
    split: Table | None
    month: Sequence[Table]
    cold_chart: Figure | None
    parts: Sequence[Table]
    sizes: Table
    fit: Fit
    spent: str
    facts: Sequence[tuple[str, str]]
    visualization_url: str | None
    absent: Sequence[tuple[str, str]]
    summary: Sequence[str]
    kind: Literal["tune"] = "tune"


@dataclass(frozen=True, slots=True)
class Fit:
    """The curve, how well it fits, and what it says of sizes that were not measured."""

    residuals: Figure | None
    words: Sequence[str]
    model: Model | None
    parameters: str
    candidates: Table | None


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
        validity_line=validity_line(document),
        headline=headline(document),
        cautions=cautions(document),
        support=[*support(document), next_step(document)],
        notes=document.notes,
        tiles=tiles_of(document),
        pareto=pareto_figure(document, anchor),
        figures=[cost_figure(document, anchor), duration_figure(document, anchor)],
        split_chart=split_figure(document, anchor),
        split=split_table(document),
        month=monthly_tables(document),
        cold_chart=cold_figure(document, anchor),
        parts=special_tables(document),
        sizes=sizes_table(document),
        fit=_fit(document, anchor),
        spent=spent_sentence(document),
        facts=facts_of(document),
        visualization_url=document.visualization_url,
        absent=absent_parts(document),
        summary=_summary(document),
    )


def _fit(document: TuneDocument, anchor: str) -> Fit:
    said = [model_sentence(document), valley_sentence(document), sampling_sentence(document)]
    return Fit(
        residuals=residual_figure(document, anchor),
        words=[sentence for sentence in said if sentence],
        model=document.model,
        parameters=parameters_of(document.model),
        candidates=candidates_table(document),
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
