"""The page of two load runs that are compared: everything that its template writes, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.blocks import Table, Tile
from reports.figure import Figure
from reports.load_compare_charts import blocks_chart, spectrum_chart
from reports.load_compare_document import ComparedLoad, LoadCompareDocument, MetricChange
from reports.load_compare_figures import MARKS, told_words, value_words, verdict_words
from reports.load_compare_tables import changes_table, differences_table, steps_table
from reports.load_compare_words import (
    headline,
    notes_of,
    support,
    title,
    validity_line,
    verdict_word,
    when,
)

_TONES = {
    "regressed": "failed",
    "improved": "pass",
    "same": "pass",
    "cannot be told": "inconclusive",
    "not comparable": "inconclusive",
    "invalid": "invalid",
}
_TILES = (("p50", "Ok p50"), ("p95", "Ok p95"), ("p99", "Ok p99"), ("admitted", "Admitted"))
_AGAIN = "run it again with this version, loadgen run PROFILE"
_SHARES = (("throttled", "Throttled"), ("failed", "Failed"), ("cost", "$ per million"))


@dataclass(frozen=True, slots=True)
class LoadCompareSection:
    """Everything that the template writes, as text."""

    name: str
    subtitle: str
    tone: str
    verdict_word: str
    headline: str
    validity_line: str
    support: Sequence[str]
    notes: Sequence[str]
    tiles: Sequence[Tile]
    validity: Sequence[tuple[str, str]]
    differences: Table | None
    profile_changes: str
    figures: Sequence[Figure]
    spectrum: Figure | None
    tables: Sequence[Table]
    before: Sequence[tuple[str, str]]
    after: Sequence[tuple[str, str]]
    absent: Sequence[tuple[str, str]]
    cautions: Sequence[str] = ()
    anchor: str = "comparison"
    kind: Literal["load-compare"] = "load-compare"


def section_of(document: LoadCompareDocument) -> LoadCompareSection:
    """The page of one comparison."""
    anchor = "comparison"
    # Drawings of runs that answer different questions would be a comparison all the same.
    spectrum, blocks = (
        (spectrum_chart(document, anchor), blocks_chart(document, anchor))
        if document.parts
        else (None, None)
    )
    tables = (steps_table(document), changes_table(document))
    return LoadCompareSection(
        name=title(document),
        subtitle=when(document),
        tone=_TONES[document.verdict],
        verdict_word=verdict_word(document),
        headline=headline(document),
        validity_line=validity_line(document),
        support=support(document),
        notes=notes_of(document),
        tiles=_tiles(document),
        validity=[
            ("Baseline", _validity(document.before)),
            ("Newer run", _validity(document.after)),
        ],
        differences=differences_table(document),
        profile_changes="\n".join(document.profile_changes),
        figures=[blocks] if blocks else [],
        spectrum=spectrum,
        tables=[table for table in tables if table is not None],
        before=[("Run", document.before.run), *_facts(document.before)],
        after=[("Run", document.after.run), *_facts(document.after)],
        absent=_absent(document),
        anchor=anchor,
    )


def _facts(run: ComparedLoad) -> list[tuple[str, str]]:
    return [("Run id" if name == "Run" else name, value) for name, value in run.facts]


def _validity(run: ComparedLoad) -> str:
    state = "valid" if run.valid else f"not valid: {'; '.join(run.reasons) or 'no reason given'}"
    return (
        f"{state}; verdict of the run: {run.verdict}; {run.ok:,} of {run.completed:,} requests ok "
        f"in {run.measured_s:,.0f} s"
    )


def _tiles(document: LoadCompareDocument) -> list[Tile]:
    if not document.parts or document.verdict == "invalid":
        return []
    changes: dict[str, MetricChange] = {c.metric: c for c in document.parts[0].changes}
    return [
        Tile(
            name,
            value_words(change, change.before),
            value_words(change, change.after),
            _remark(change),
        )
        for metric, name in (*_TILES, *_SHARES)
        if (change := changes.get(metric)) is not None and None not in (change.before, change.after)
    ]


def _remark(change: MetricChange) -> str:
    if change.verdict in ("worse", "better"):
        return f"{MARKS[change.verdict]} {told_words(change)}"
    return verdict_words(change)


def _absent(document: LoadCompareDocument) -> list[tuple[str, str]]:
    found = []
    if not document.parts:
        found.append(("changes and charts", "two runs with the same keys, or --force"))
    if document.parts and not (document.before.blocks and document.after.blocks):
        found.append(
            (
                "intervals and bands",
                f"a run has no histograms by block of time: {_AGAIN}",
            )
        )
    costs = [c for part in document.parts[:1] for c in part.changes if c.metric == "cost"]
    if costs and None in (costs[0].before, costs[0].after):
        found.append(("cost", "a run on AWS whose target names an API, so that its price is known"))
    if document.parts:
        found.append(("night to night variance", "a history of runs of the same profile"))
    return found
