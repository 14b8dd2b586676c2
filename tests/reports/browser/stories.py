"""The pages that are opened: all kinds of documents, and one that tells a whole story."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from reports.kinds import Document
from reports.load_comparison import compare_loads
from reports.page import render_load_comparison, render_page
from tests.reports import adaptive_documents, documents, load_documents, panel_documents
from tests.reports.compared_loads import Truth, run_of
from tests.reports.everything import SHOP, everything_html
from tests.reports.nightly_documents import hostile_night, night_document


def story() -> list[Document]:
    """Three tunings and two load runs of one shop."""
    return [
        documents.cpu_bound(),
        documents.waiting(),
        adaptive_documents.whole(),
        load_documents.five_causes(),
        panel_documents.whole(),
    ]


def comparison() -> str:
    """Two load runs, the newer of them slower."""
    slower = replace(SHOP[0], median_ms=60)
    runs = run_of(Truth(1, SHOP)), run_of(Truth(2, (slower, SHOP[1])))
    return render_load_comparison(compare_loads(*runs, ("runs/a", "runs/b")))


def hostile() -> str:
    """A night with markup in its names, where its folder is known."""
    document = hostile_night()
    return render_page([document], {document.night_id: ""})


def _of(documents_of: Callable[[], Sequence[Document]]) -> Callable[[], str]:
    return cache(lambda: render_page(documents_of()))


STORIES: dict[str, Callable[[], str]] = {
    "story": _of(story),
    "everything": everything_html,
    "two": _of(lambda: [adaptive_documents.whole(), panel_documents.whole()]),
    "tuning": _of(lambda: [documents.cpu_bound()]),
    "load": _of(lambda: [load_documents.five_causes()]),
    "comparison": comparison,
    "night": _of(lambda: [night_document("failed", series=8, nights=60)]),
    "few nights": _of(lambda: [night_document("failed", series=8, nights=15)]),
    "many nights": _of(lambda: [night_document("failed", series=24, nights=12)]),
    "hostile night": hostile,
    "hostile": _of(
        lambda: [
            documents.hostile(),
            adaptive_documents.hostile_parts(),
            load_documents.hostile(),
        ]
    ),
}
