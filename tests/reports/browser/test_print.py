"""On paper: a figure is on one page, all text is there, and nothing is for pointers."""

from __future__ import annotations

import re

import pytest

A4_MM, LETTER_MM = (210, 297), (215.9, 279.4)
POINTS_PER_MM = 72 / 25.4
# Marks before the title of each figure and behind its words, that can be found on paper.
MARK = """() => {
  const figures = [...document.querySelectorAll("figure")];
  figures.forEach((figure, index) => {
    figure.querySelector(".part").prepend(`[${index}q `);
    (figure.querySelector("figcaption") ?? figure).append(` q${index}]`);
  });
  return figures.length;
}"""
SEEN = """() => ({
  tools: [...document.querySelectorAll(".tools, .tip, .filter, details.data")]
    .filter(isSeen).length,
  drawings: [...document.querySelectorAll("figure")].filter(figure => figure.querySelector("svg"))
    .map(figure => [...figure.querySelectorAll("svg.chart")].filter(isSeen).length),
  cut: [...document.querySelectorAll(".scroll")].filter(isSeen)
    .filter(one => getComputedStyle(one).overflowX !== "visible").length,
  ground: getComputedStyle(document.body).backgroundColor,
})"""


@pytest.mark.parametrize(("name", "size"), [("two", "A4"), ("load", "Letter")])
def test_a_figure_is_not_cut_between_two_sheets(open_page, name, size):
    from pypdfium2 import PdfDocument

    opened = open_page(name)
    figures = opened.run(MARK)
    paper = PdfDocument(opened.page.pdf(format=size))
    texts = [re.sub(r"\s+", "", page.get_textpage().get_text_range()) for page in paper]
    for index in range(figures):
        first = [number for number, text in enumerate(texts) if f"[{index}q" in text]
        last = [number for number, text in enumerate(texts) if f"q{index}]" in text]
        assert len(first) == 1, index
        assert first == last, index
    # No sheet is empty.
    assert all(texts)
    expected = A4_MM if size == "A4" else LETTER_MM
    for page in paper:
        assert page.get_size() == pytest.approx([mm * POINTS_PER_MM for mm in expected], abs=1)
    paper.close()


def test_paper_shows_no_tools_and_is_white(open_page):
    opened = open_page("story")
    for scheme in ("light", "dark"):
        opened.page.emulate_media(media="print", color_scheme=scheme)
        seen = opened.run(SEEN)
        assert seen["tools"] == 0
        assert set(seen["drawings"]) == {1}
        assert seen["cut"] == 0
        assert seen["ground"] in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"), scheme


def test_a_zoomed_chart_is_printed_as_it_is_seen(open_page):
    """What a reader has zoomed into or hidden stays so on paper."""
    from tests.reports.browser.charts import charts_of

    opened = open_page("load")
    chart = next(chart for chart in charts_of(opened) if chart.zooms)
    chart.drag(0.2, 0.6)
    opened.page.emulate_media(media="print")
    zoomed = opened.run(
        """index => [...document.querySelectorAll("figure.chart-figure")[index]
        .querySelectorAll("svg[data-plot]")].map(svg => svg.hasAttribute("data-zoomed"))""",
        chart.index,
    )
    assert all(zoomed)
