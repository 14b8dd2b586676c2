"""An accessibility checker finds no serious fault, and every text can be read."""

from __future__ import annotations

from typing import Any

import pytest

# Findings of these impacts fail; the others are advice.
SERIOUS = ("serious", "critical")
# All rows of a table are made alike: the first few stand for them.
FEW_ROWS = {"exclude": [["details.data tbody tr:nth-child(n+3)"]]}
# The checker looks at each text from several sides, which takes as long as all else on a long page.
# There, contrast is computed here.
NO_CONTRAST = {"color-contrast": {"enabled": False}}
# Contrast by WCAG 2 between each text and what is painted behind it.
CONTRAST = """() => {
  const parsed = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return {colour: [r, g, b], a};
  };
  const over = (top, share, below) => top.map((c, i) => c * share + below[i] * (1 - share));
  const light = colour => {
    const [r, g, b] = colour.map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const grounds = new Map();
  const groundOf = node => {
    if (!node) return [255, 255, 255];
    if (!grounds.has(node)) {
      const {colour, a} = parsed(getComputedStyle(node).backgroundColor);
      grounds.set(node, a === 1 ? colour : over(colour, a, groundOf(node.parentElement)));
    }
    return grounds.get(node);
  };
  const hasText = node => [...node.childNodes].some(
    child => child.nodeType === Node.TEXT_NODE && child.textContent.trim());
  const found = [];
  for (const node of document.querySelectorAll("main *:not(svg, svg *)")) {
    if (!hasText(node) || !isSeen(node) || node.disabled) continue;
    const {colour, a} = parsed(getComputedStyle(node).color);
    const below = groundOf(node);
    found.push([node.textContent.trim().slice(0, 60), ratio(over(colour, a, below), below)]);
  }
  for (const svg of document.querySelectorAll("svg.chart")) {
    if (!isSeen(svg)) continue;
    const nodes = [...svg.querySelectorAll("rect, path, polygon, circle, text")]
      .filter(node => !node.closest("defs, pattern, clipPath") && isSeen(node));
    for (const text of nodes.filter(node => node.localName === "text")) {
      const style = getComputedStyle(text), box = text.getBBox();
      const middle = new DOMPoint(box.x + box.width / 2, box.y + box.height / 2);
      let below = groundOf(svg.parentElement);
      for (const node of nodes.slice(0, nodes.indexOf(text))) {
        if (node.localName === "text" || !node.isPointInFill(middle)) continue;
        const paint = getComputedStyle(node);
        if (!paint.fill.startsWith("rgb")) continue;
        const {colour, a} = parsed(paint.fill);
        below = over(colour, a * Number(paint.fillOpacity) * Number(paint.opacity), below);
      }
      // A halo is painted before the letters.
      if (style.paintOrder.startsWith("stroke") && style.stroke.startsWith("rgb")) {
        below = parsed(style.stroke).colour;
      }
      found.push([text.textContent, ratio(parsed(style.fill).colour, below)]);
    }
  }
  return found;
}"""


def faults(opened, **options: Any) -> list[str]:
    """What axe-core finds, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(
        opened.page, context=FEW_ROWS, options={"resultTypes": ["violations"], **options}
    )
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:200]}"
        for one in found.response["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("name", "width"), [("two", 1200), ("load", 360)])
def test_a_checker_finds_no_serious_fault(open_page, name, width):
    opened = open_page(name, width=width)
    opened.open_details()
    # The script runs as part of a test, not of the page: its policy does not apply.
    assert faults(opened, rules=NO_CONTRAST) == []


def test_a_checker_finds_no_fault_in_the_dark(open_page):
    assert faults(open_page("tuning", color_scheme="dark")) == []


def test_a_checker_would_find_a_fault(open_page):
    opened = open_page("tuning")
    opened.run("() => document.querySelector('main').append(document.createElement('button'))")
    found = faults(opened, runOnly=["button-name"])
    assert len(found) == 1
    assert found[0].startswith("button-name (critical)")


def test_every_text_has_a_contrast_of_at_least_4_5(open_page):
    opened = open_page("story")
    opened.open_details()
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        found = opened.run(CONTRAST)
        assert len(found) > 500
        low = [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.495]
        assert low == [], scheme
