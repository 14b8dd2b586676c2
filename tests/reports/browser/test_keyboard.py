"""Tab reaches each control in the order of the page, and shows where it is."""

from __future__ import annotations

import pytest

from tests.reports.browser.charts import charts_of

NATIVE = "a[href], button, input, select, summary, [tabindex='0']"
# What has to be reached, marked in the order of the page; positive orders are forbidden.
MARK = """selector => {
  if (document.querySelector("[tabindex]:not([tabindex='0'], [tabindex='-1'])")) return -1;
  const shown = [...document.querySelectorAll(selector)]
    .filter(node => isSeen(node) && !node.disabled);
  shown.forEach((node, index) => { node.dataset.tab = index; });
  // From here on the next Tab goes to the first one.
  const start = Object.assign(document.createElement("i"), {tabIndex: -1});
  document.body.prepend(start);
  start.focus();
  start.remove();
  return shown.length;
}"""
ACTIVE = """() => {
  const node = document.activeElement;
  if (node === document.body) return null;
  const style = getComputedStyle(node), box = node.getBoundingClientRect();
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const stroked = node.matches("rect.scan") && style.stroke !== "none"
    && parseFloat(style.strokeWidth) >= 1;
  return {
    tab: Number(node.dataset.tab), seen: outlined || stroked,
    inside: box.bottom > 0 && box.top < innerHeight,
    words: node.getAttribute("aria-label") ?? node.textContent.trim().slice(0, 60),
    name: node.localName,
  };
}"""


def reached(opened, count: int, key: str = "Tab") -> list[dict]:
    """What the key goes to, until it leaves the page."""
    found = []
    for _ in range(count + 2):
        opened.page.keyboard.press(key)
        active = opened.run(ACTIVE)
        if active is None or (found and active["tab"] == found[0]["tab"]):
            break
        found.append(active)
    return found


@pytest.mark.parametrize(("name", "details"), [("tuning", "closed"), ("load", "open")])
def test_tab_reaches_every_control_and_shows_it(open_page, name, details):
    opened = open_page(name)
    if details == "open":
        opened.open_details()
    for chart in charts_of(opened)[:1]:
        # Zoomed, so that the buttons that lead back are there too.
        chart.drag(0.2, 0.8)
    opened.run("() => scrollTo(0, 0)")
    count = opened.run(MARK, NATIVE)
    assert count > 0
    found = reached(opened, count)
    assert sorted(one["tab"] for one in found) == list(range(count))
    assert [one["tab"] for one in found] == sorted(one["tab"] for one in found)
    assert [one["words"] for one in found if not one["seen"]] == []
    assert [one["words"] for one in found if not one["inside"]] == []
    assert [one["name"] for one in found if not one["words"]] == []


def test_a_summary_opens_with_enter(open_page):
    opened = open_page("load")
    summary = opened.page.locator("details.data > summary").first
    summary.focus()
    opened.page.keyboard.press("Enter")
    assert opened.page.locator("details.data").first.get_attribute("open") is not None
    assert opened.page.locator("details.data table").first.is_visible()


def test_zoom_by_keys_keeps_the_row_in_sight(open_page):
    opened = open_page("load")
    for chart in charts_of(opened):
        if not chart.zooms:
            continue
        left, right, _, _ = chart.edges
        chart.find("rect.scan:visible").focus()
        for key in ("End", "+", "+", "+", "Home", "ArrowRight"):
            opened.page.keyboard.press(key)
            x, shown = chart.run(
                """svg => { const cross = svg.querySelector(".cross");
                return [Number(cross.getAttribute("x1")), isSeen(cross)]; }"""
            )
            assert shown, (chart.words, key)
            assert left - 0.5 <= x <= right + 0.5, (chart.words, key)
