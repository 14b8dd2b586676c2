"""What holds for a page of any documents."""

from __future__ import annotations

import re
from itertools import pairwise

from reports.page import render_page
from tests.reports import documents, load_documents
from tests.reports.everything import everything_html, everything_page
from tests.reports.pages import Page


def test_a_page_asks_nobody_for_anything():
    page = everything_page()
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "action", "srcset", "data", "poster"):
            target = attrs.get(name) or ""
            assert target in ("", "data:,") or target[1:] in ids, f"{tag} {name}={target}"
        assert "style" not in attrs
    html = everything_html()
    css = html[html.index("<style>") : html.index("</style>")]
    assert not re.search(r"@import|url\(|@font-face|https?:|//", css)


def test_ids_are_unique_and_described_ones_exist():
    tags = everything_page().tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = {a[n] for _, a in tags for n in ("aria-labelledby", "aria-describedby") if n in a}
    assert named <= set(ids)


def test_headings_descend_one_level_at_a_time():
    one_tuning = Page(render_page([documents.cpu_bound()]))
    one_load_run = Page(render_page([load_documents.failed()]))
    for page in (one_tuning, one_load_run, everything_page()):
        levels = [int(tag[1]) for tag, _ in page.tags if re.match(r"h\d", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
