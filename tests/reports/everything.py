"""A page of all that there is, made once for all tests of a process: it is as large as any."""

from __future__ import annotations

from functools import cache

from reports.kinds import Document
from reports.page import render_page
from tests.reports import (
    adaptive_documents,
    documents,
    load_documents,
    panel_documents,
    test_limits_page,
    waterfall_documents,
)
from tests.reports.compared_loads import Told, Truth, run_of
from tests.reports.pages import Page

SHOP = (Told(n=400), Told("GET /search", 120, n=250, throttled=10, failed=1, ramp=2))


@cache
def everything() -> tuple[Document, ...]:
    """Tunings, load runs and probes of every kind."""
    return (
        *documents.all_documents(),
        *adaptive_documents.all_adaptive(),
        *load_documents.all_documents(),
        *waterfall_documents.all_documents(),
        panel_documents.whole(),
        panel_documents.climbing(),
        panel_documents.cold(),
        run_of(Truth(1, SHOP)),
        test_limits_page.probe(),
        test_limits_page.no_refusal(),
    )


@cache
def everything_html() -> str:
    """Its page."""
    return render_page(everything())


@cache
def everything_page() -> Page:
    """Its page, read."""
    return Page(everything_html())
