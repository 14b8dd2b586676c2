"""One self-contained HTML page for one or several tunings.

No script, no external request, no time of rendering: the same documents give the same bytes. All
texts of a document are escaped by Jinja2; the only ready markup is the SVG of `reports.chart`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.document import Model, SizeResult, TuneDocument
from reports.figures import listed_sizes, megabytes, milliseconds, moment, usd
from reports.tune_charts import Figure, figures_of
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
class Tile:
    """A key figure: now, and with the recommendation."""

    name: str
    before: str | None
    after: str


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
    drawings: Sequence[Sequence[Markup]]
    headings: Sequence[Heading]
    rows: Sequence[Row]
    model: Model | None
    parameters: str
    candidates: Sequence[Candidate]
    spent: str
    facts: Sequence[tuple[str, str]]
    summary: Sequence[str]


def render_tune_page(documents: Sequence[TuneDocument]) -> str:
    """The page as HTML text.

    Raises:
        ValueError: if there is no document.
    """
    if not documents:
        raise ValueError("a page needs at least one document (got none)")
    sections = [_section(document, f"run-{i}") for i, document in enumerate(documents, start=1)]
    template = _environment().get_template("tune_page.html.j2")
    return template.render(title=_title(documents), sections=sections, css=_style_sheet()) + "\n"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style_sheet() -> Markup:
    text = files("reports").joinpath("assets", "page.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - the style sheet is the package's own file


def _title(documents: Sequence[TuneDocument]) -> str:
    if len(documents) == 1:
        return f"Memory tuning of {documents[0].function.name}"
    return f"Memory tuning, {len(documents)} runs"


def _section(document: TuneDocument, anchor: str) -> Section:
    figures = figures_of(document, anchor)
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
        figures=figures,
        drawings=[
            # Every text in an SVG was escaped when it was drawn (reports.svg.text and titled).
            [Markup(drawing) for drawing in figure.drawings]  # noqa: S704
            for figure in figures
        ],
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
