"""The page of a night in the browser: at every width, in the dark, on paper, under the pointer."""

from __future__ import annotations

import re

from tests.reports.browser.charts import charts_of
from tests.reports.browser.test_access import CONTRAST, NO_CONTRAST, faults
from tests.reports.browser.test_hostile import FOREIGN
from tests.reports.browser.test_print import MARK
from tests.reports.browser.test_widths import MEASURE, check_texts
from tests.reports.nightly_documents import night_document


def test_nothing_overlaps_or_hangs_out(open_page):
    opened = open_page("night")
    opened.open_details()
    for width in (360, 800, 1200):
        opened.page.set_viewport_size({"width": width, "height": 900})
        seen = opened.run(MEASURE)
        assert seen["overflow"] <= 0, width
        assert len(seen["drawings"]) == seen["figures"] == 8, width
        for drawing in seen["drawings"]:
            check_texts(drawing, width)
        assert [title for title, covered in seen["tools"] if covered] == [], width


def test_the_pointer_shows_the_night_of_the_table(open_page):
    trend = night_document("failed", series=8, nights=60).trends[0]
    charts = charts_of(open_page("night"))
    assert len(charts) == 8
    for chart in (charts[0], charts[-1]):
        last = len(chart.rows) - 1
        for index in (0, last // 2, last):
            chart.point(chart.row_share(index))
            assert chart.tip() == chart.expected_tip(index)
    point = trend.points[-1]
    tip = dict(charts[0].expected_tip(len(charts[0].rows) - 1))
    assert (tip["Night"], tip["p95, ms"]) == (point.night, f"{point.value:.1f}")
    assert tip["n"] == f"{point.n:,}"


def test_a_folded_chart_has_its_values_when_it_is_opened(open_page):
    opened = open_page("many nights")
    assert [chart.name for chart in charts_of(opened)] == ["orders-get-search-p95"]
    opened.open_details()
    chart = charts_of(opened)[-1]
    chart.point(chart.row_share(3))
    assert chart.tip() == chart.expected_tip(3)


def test_a_small_chart_shows_its_tools_once_it_is_zoomed(open_page):
    charts = charts_of(open_page("night"))
    tools = charts[-1].find(".tools")
    assert not tools.is_visible()
    charts[-1].drag(0.3, 0.7)
    assert tools.is_visible()
    tools.get_by_role("button", name="Reset zoom").click()
    assert not tools.is_visible()


def test_a_checker_finds_no_serious_fault(open_page):
    opened = open_page("few nights")  # it takes a millisecond for each cell of each table
    opened.open_details()
    for width in (1200, 360):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert faults(opened, rules=NO_CONTRAST) == [], width


def test_every_text_can_be_read_in_the_light_and_in_the_dark(open_page):
    opened = open_page("night")
    opened.open_details()
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        low = [(text, round(ratio, 2)) for text, ratio in opened.run(CONTRAST) if ratio < 4.495]
        assert low == [], scheme


def test_markup_in_names_stays_text(open_page):
    opened = open_page("hostile night")
    found = opened.run(FOREIGN)
    hostile, plain = found["links"]
    assert hostile.startswith("./javascript%3Aalert%283%29/%3Cscript%3Ealert%281%29%3C/")
    assert plain == "./steps/20261127T020104Z-tune-thumbnail/"
    assert {**found, "links": []} == {"elements": [], "scripts": 1, "handlers": [], "links": []}


def test_on_paper_no_chart_is_cut_between_two_sheets(open_page):
    from pypdfium2 import PdfDocument

    opened = open_page("night")
    figures = opened.run(MARK)
    paper = PdfDocument(opened.page.pdf(format="A4"))
    texts = [re.sub(r"\s+", "", page.get_textpage().get_text_range()) for page in paper]
    paper.close()
    for index in range(figures):
        assert [f"[{index}q" in text for text in texts] == [f"q{index}]" in text for text in texts]
    assert all(texts)
