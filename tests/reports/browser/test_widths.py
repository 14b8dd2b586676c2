"""At any width nothing overlaps and nothing hangs out."""

from __future__ import annotations

from itertools import combinations

MEASURE = """() => ({
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  figures: [...document.querySelectorAll("figure")].filter(one => one.querySelector("svg")).length,
  drawings: [...document.querySelectorAll("svg.chart")].filter(isSeen).map(svg => {
    const {left, right, top, bottom} = svg.getBoundingClientRect();
    const title = svg.closest("figure").querySelector(".part").textContent;
    return {title, left, right, top, bottom, texts: [...svg.querySelectorAll("text")].filter(isSeen)
      .map(text => {
        const b = text.getBoundingClientRect();
        return [text.textContent, b.left, b.top, b.right, b.bottom];
      })};
  }),
  tools: [...document.querySelectorAll(".tools")].filter(isSeen).map(tools => {
    const heading = tools.parentElement.querySelector(".part");
    const range = document.createRange();
    range.selectNodeContents(heading);
    const box = tools.getBoundingClientRect();
    return [heading.textContent, [...range.getClientRects()].some(line =>
      line.right > box.left && line.left < box.right && line.bottom > box.top
      && line.top < box.bottom)];
  }),
})"""


def test_nothing_overlaps_or_hangs_out(open_page):
    opened = open_page("everything")
    # From 1244 px on a page only stands further from the edges.
    for width in (360, 800, 1200):
        opened.page.set_viewport_size({"width": width, "height": 900})
        seen = opened.run(MEASURE)
        assert seen["overflow"] <= 0, width
        # Each figure is drawn for several widths, and one of them is shown.
        assert len(seen["drawings"]) == seen["figures"], width
        for drawing in seen["drawings"]:
            check_texts(drawing, width)
        assert [title for title, covered in seen["tools"] if covered] == [], width


def check_texts(drawing, width: int) -> None:
    for text, left, top, right, bottom in drawing["texts"]:
        assert drawing["left"] - 1 <= left, (width, drawing["title"], text)
        assert right <= drawing["right"] + 1, (width, drawing["title"], text)
        assert drawing["top"] - 4 <= top, (width, drawing["title"], text)
        assert bottom <= drawing["bottom"] + 4, (width, drawing["title"], text)
    for one, other in combinations(drawing["texts"], 2):
        beside = one[3] <= other[1] or other[3] <= one[1]
        # Line boxes are taller than letters: boxes may share a few pixels.
        apart = min(one[4], other[4]) - max(one[2], other[2]) <= 4
        assert beside or apart, (width, drawing["title"], one[0], other[0])
