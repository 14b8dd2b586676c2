"""Where things stand: buttons at their plot, and headings with what they head."""

from __future__ import annotations

import re

TOOLS = """() => [...document.querySelectorAll(".chart-figure:has(> .tools)")].map(figure => {
  const drawn = [...figure.querySelectorAll("svg.chart")].find(isSeen).getBoundingClientRect();
  const tools = figure.querySelector(".tools").getBoundingClientRect();
  return [figure.querySelector(".part").textContent, Math.round(tools.right - drawn.right)];
})"""
MARK = """() => document.querySelectorAll("h2.chapter, h3.chapter").forEach((heading, index) => {
  heading.append(` ${index}q`);
  heading.parentElement.querySelector(".part").prepend(`q${index} `);
})"""


def test_the_buttons_of_a_chart_end_where_it_ends(open_page):
    opened = open_page("story")
    for width in (360, 800, 1200):
        opened.page.set_viewport_size({"width": width, "height": 900})
        found = opened.run(TOOLS)
        assert found
        assert [one for one in found if abs(one[1]) > 1] == [], width


def test_on_paper_a_heading_is_on_the_sheet_of_what_it_heads(open_page):
    from pypdfium2 import PdfDocument

    opened = open_page("load")
    opened.run(MARK)
    paper = PdfDocument(opened.page.pdf(format="A4"))
    texts = [re.sub(r"\s+", "", page.get_textpage().get_text_range()) for page in paper]
    paper.close()
    for index in range(len(re.findall(r"\dq(?!\d)", "".join(texts)))):
        assert [f"{index}q" in text for text in texts] == [f"q{index}" in text for text in texts]


def test_on_paper_titles_leave_no_room_for_buttons(open_page):
    opened = open_page("tuning")
    opened.page.emulate_media(media="print")
    padded = """() => [...document.querySelectorAll(".chart-figure > .part")].map(part =>
      getComputedStyle(part).paddingRight)"""
    assert set(opened.run(padded)) == {"0px"}
