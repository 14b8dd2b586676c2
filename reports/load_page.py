"""The part of a page about one load run: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Tile
from reports.concurrency import forecast_of
from reports.figures import ABSENT, milliseconds, moment, part_of, rate, rate_number, usd
from reports.load_absent import absent_parts
from reports.load_document import LoadDocument, LoadPercentiles
from reports.load_findings import (
    admitted_rps,
    cautions,
    headline,
    subtitle,
    support,
    verdict_word,
)
from reports.load_latency import stands_apart
from reports.load_layout import parts_of
from reports.load_matters import exit_sentence, matters, next_step, validity_line
from reports.load_parts import Part
from reports.load_words import failed_count
from reports.search_tables import search_tiles


@dataclass(frozen=True, slots=True)
class LoadSection:
    """Everything that the template writes about one document, as text."""

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
    matters: Sequence[str]
    next_step: str
    parts: Sequence[Part]
    profile_file: str
    profile_text: str
    absent: Sequence[tuple[str, str]]
    summary: Sequence[str]
    kind: Literal["load"] = "load"


def section_of(document: LoadDocument, anchor: str, *, beside: Collection[str] = ()) -> LoadSection:
    """The part of a page about one load run; `anchor` makes its ids unique there.

    `beside` are the kinds of documents on the page, which have parts that a load run lacks.
    """
    run, forecast = document.provenance, forecast_of(document)
    return LoadSection(
        anchor=anchor,
        name=document.name,
        subtitle=subtitle(document, moment(run.started_utc)),
        tone=_tone(document),
        verdict_word=verdict_word(document),
        validity_line=validity_line(document),
        headline=headline(document),
        cautions=cautions(document),
        support=[*support(document), exit_sentence(document)],
        notes=(),  # they stand beside the validity of the measurement
        tiles=_tiles(document),
        matters=matters(document, forecast),
        next_step=next_step(document, forecast),
        parts=parts_of(document, anchor, forecast),
        profile_file=run.profile_file,
        profile_text=run.profile_text,
        absent=absent_parts(document, forecast, beside),
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
