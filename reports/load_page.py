"""The part of a page about one load run: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.figure import Figure
from reports.figures import ABSENT, closed, milliseconds, moment, part_of, rate, rate_number, usd
from reports.load_charts import time_figures
from reports.load_client_tables import client_tables
from reports.load_document import LoadDocument, LoadPercentiles
from reports.load_facts import (
    TWO_CLOCKS,
    books_of,
    facts_of,
    health_of,
    spent_sentences,
    validity_sentence,
)
from reports.load_findings import (
    admitted_rps,
    cautions,
    headline,
    subtitle,
    support,
    verdict_word,
)
from reports.load_latency import stands_apart
from reports.load_outcome_tables import causes_table, errors_table, failures_table, statuses_table
from reports.load_spectrum import percentile_figure
from reports.load_tables import (
    latency_table,
    limits_table,
    phases_table,
    steps_table,
    thresholds_table,
)
from reports.load_words import failed_count
from reports.prediction_comparison import comparison_tables
from reports.search_charts import search_figures
from reports.search_tables import search_table, search_tiles
from reports.waterfall_chart import waterfall_figure
from reports.waterfall_tables import time_tables


@dataclass(frozen=True, slots=True)
class LoadSection:
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
    searched: Sequence[Figure]
    rates_tried: Table | None
    figures: Sequence[Figure]
    refusals: Sequence[Table]
    answers: Sequence[Table]
    slices: Sequence[Table]
    spectrum: Figure | None
    latencies: Table | None
    clocks: str
    waterfall: Figure | None
    times: Sequence[Table]
    thresholds: Table | None
    limits: Table | None
    limits_known: str
    validity: str
    warnings: Sequence[str]
    health: Sequence[tuple[str, str]]
    books: Sequence[tuple[str, str]]
    spent: Sequence[str]
    facts: Sequence[tuple[str, str]]
    profile_file: str
    profile_text: str
    summary: Sequence[str]
    kind: Literal["load"] = "load"


def section_of(document: LoadDocument, anchor: str) -> LoadSection:
    """The part of a page about one load run; `anchor` makes its ids unique there."""
    run = document.provenance
    refusals = [causes_table(document), errors_table(document)]
    answers = [statuses_table(document), failures_table(document)]
    slices = [
        steps_table(document),
        phases_table(document),
        *(comparison_tables(document.prediction) if document.prediction else ()),
        *client_tables(document),
    ]
    return LoadSection(
        anchor=anchor,
        name=document.name,
        subtitle=subtitle(document, moment(run.started_utc)),
        tone=_tone(document),
        verdict_word=verdict_word(document),
        headline=headline(document),
        cautions=cautions(document),
        support=support(document),
        notes=[closed(note) for note in document.notes],
        tiles=_tiles(document),
        searched=search_figures(document.search, anchor) if document.search else [],
        rates_tried=search_table(document.search) if document.search else None,
        figures=time_figures(document, anchor),
        refusals=[table for table in refusals if table is not None],
        answers=[table for table in answers if table is not None],
        slices=[table for table in slices if table is not None],
        spectrum=percentile_figure(document, anchor),
        latencies=latency_table(document),
        clocks=TWO_CLOCKS,
        waterfall=waterfall_figure(document.waterfall, anchor) if document.waterfall else None,
        times=time_tables(document),
        thresholds=thresholds_table(document),
        limits=limits_table(document),
        limits_known="No limit was read: the profile or the target does not allow it.",
        validity=validity_sentence(document),
        warnings=[closed(warning) for warning in document.validity.warnings],
        health=health_of(document),
        books=books_of(document),
        spent=spent_sentences(document),
        facts=facts_of(document),
        profile_file=run.profile_file,
        profile_text=run.profile_text,
        summary=_summary(document),
    )


def _tone(document: LoadDocument) -> str:
    """The class that colours a verdict."""
    return "none" if document.verdict == "refused" else document.verdict


def _tiles(document: LoadDocument) -> list[Tile]:
    if document.search is not None:
        return search_tiles(document.search)
    rates, outcomes, completed = document.rates, document.outcomes, document.requests.completed
    failed = failed_count(outcomes)
    return [
        Tile("Offered", None, rate(rates.offered_rps), f"{document.requests.offered:,} requests"),
        Tile("Admitted", None, rate(admitted_rps(document)), f"{outcomes.ok:,} ok"),
        Tile(
            "Throttled",
            None,
            part_of(outcomes.throttled, completed),
            f"{outcomes.throttled:,} requests",
        ),
        Tile("Failed", None, part_of(failed, completed), f"{failed:,} requests"),
        *_latency_tiles(document),
    ]


def _latency_tiles(document: LoadDocument) -> list[Tile]:
    response, ok = document.response_ms, document.ok_response_ms
    if not stands_apart(document):
        # The two differ only where something was not ok.
        beside = ok if response is not None and ok is not None and ok.n < response.n else None
        return _percentile_tiles("Response", response, "ok only", beside)
    if ok is None:
        return [Tile("Ok response", None, ABSENT, "no request was ok")]
    return _percentile_tiles("Ok response", ok, "all", response)


def _percentile_tiles(
    name: str, shown: LoadPercentiles | None, other: str, beside: LoadPercentiles | None
) -> list[Tile]:
    def tile(key: str) -> Tile:
        remark = "" if beside is None else f"{other}: {_of(beside, key)}"
        return Tile(f"{name} {key}", None, _of(shown, key), remark)

    return [tile(key) for key in ("p50", "p95", "p99")]


def _of(found: LoadPercentiles | None, key: str) -> str:
    return ABSENT if found is None else milliseconds(getattr(found, key))


def _summary(document: LoadDocument) -> list[str]:
    """Cells of the overview: rates, what was refused, response time of ok requests, cost."""
    requests, rates = document.requests, document.rates
    if not requests.completed:
        return ["nothing completed", *[ABSENT] * 4]
    # Runs can only be compared by what is of the same requests in each.
    ok, spent = document.ok_response_ms, document.spent.usd
    return [
        f"{rate_number(admitted_rps(document))} of {rate(rates.offered_rps)}",
        part_of(document.outcomes.throttled, requests.completed),
        part_of(failed_count(document.outcomes), requests.completed),
        ", ".join(_of(ok, key) for key in ("p50", "p95", "p99")) if ok else ABSENT,
        ABSENT if spent is None else usd(spent),
    ]
