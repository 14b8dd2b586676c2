"""Zoom: all that stands for a value moves with it, and comes back to where it was drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.reports import documents, load_documents
from tests.reports.browser.charts import Chart, charts_of, one_of_each

# All that is drawn, with its place on the page, but for what follows the pointer.
GEOMETRY = """svg => [...svg.querySelectorAll("*")]
  .filter(node => !node.matches(".cross, .selection, clipPath, clipPath *"))
  .map(node => {
    const {x, y, width, height} = node.getBoundingClientRect();
    const from = svg.getBoundingClientRect();
    return [node.localName, isSeen(node), x - from.x, y - from.y, width, height];
  })"""
# Where the places that pins stand for are now, in the drawing's pixels, with what they say.
PINS = """svg => [...svg.querySelectorAll("[data-at]:not([data-span])")].map(pin => {
  const at = Number(pin.dataset.at), y = 0;
  const now = new DOMPoint(at, y).matrixTransform(
    svg.getScreenCTM().inverse().multiply(pin.getScreenCTM()));
  return {at, x: now.x, y: now.y,
    seen: isSeen(pin), text: pin.textContent};
})"""
# Names of phases that are seen: where each begins and ends, and the plot.
NAMES = """svg => [...svg.querySelectorAll("[data-span]")].filter(isSeen).map(pin => {
  const [name, plot] = [pin, svg.querySelector("rect.scan")].map(n => n.getBoundingClientRect());
  return [pin.textContent, name.left - plot.left, plot.right - name.right];
})"""
# Lines and labels that stand for a value of the vertical axis.
LEVELS = """svg => [...svg.querySelectorAll("line, text")]
  .filter(node => !node.closest(".stretch, [data-at], .legend") && isSeen(node))
  .filter(node => Number(node.getAttribute("y1") ?? node.getAttribute("y"))
    <= Number(svg.dataset.plot.split(" ")[3]))
  .filter(node => node.getAttribute("y1") === node.getAttribute("y2"))
  .map(node => {
    const box = node.getBoundingClientRect(), from = svg.getBoundingClientRect();
    return [node.localName, node.textContent, box.x - from.x, box.y - from.y, box.width];
  })"""
TICKS = """svg => [...svg.querySelectorAll("text")]
  .filter(text => isSeen(text) && !text.closest("[data-at], .legend"))
  .filter(text => Math.abs(Number(text.getAttribute("y"))
    - Number(svg.dataset.plot.split(" ")[3]) - 18) < 0.1)
  .map(text => [text.textContent, Number(text.getAttribute("x"))])"""


def alike(one: list[list[Any]], other: list[list[Any]]) -> bool:
    """Whether two lists of parts and their places are the same within a tenth of a pixel."""
    return len(one) == len(other) and all(
        a[:2] == b[:2] and a[2:] == pytest.approx(b[2:], abs=0.1)
        for a, b in zip(one, other, strict=True)
    )


def zoomed_x(chart: Chart, share: float, low: float, high: float) -> float:
    """In the drawing's pixels, where a place is once the plot shows from `low` to `high`."""
    return chart.drawn_x((share - low) / (high - low))


def zooming(opened) -> list[Chart]:
    charts = [chart for chart in charts_of(opened) if chart.zooms]
    assert charts
    return charts


LOW, HIGH = 0.25, 0.75


def one_of_each_kind(opened) -> list[Chart]:
    """A chart over time and one of points."""
    charts = zooming(opened)
    return [
        next(chart for chart in charts if chart.steps),
        next(chart for chart in charts if not chart.steps),
    ]


def test_what_stands_for_a_value_moves_with_it(open_page):
    for chart in one_of_each(zooming(open_page("story"))):
        left, right, _, _ = chart.edges
        levels = chart.run(LEVELS)
        assert all(abs(pin["x"] - pin["at"]) < 0.01 for pin in chart.run(PINS))
        chart.drag(LOW, HIGH)
        for pin in chart.run(PINS):
            share = (pin["at"] - left) / (right - left)
            expected = zoomed_x(chart, share, LOW, HIGH)
            inside = left - 0.5 <= pin["x"] <= right + 0.5
            assert abs(pin["x"] - expected) * chart.scale <= 1, (chart.words, pin)
            assert abs(pin["y"]) < 0.01, (chart.words, pin)
            assert pin["seen"] == inside, (chart.words, pin)
        assert alike(chart.run(LEVELS), levels), chart.words
        check_ticks(chart)


def test_the_name_of_a_phase_keeps_to_what_is_seen_of_it(open_page):
    chart = next(chart for chart in zooming(open_page("load")) if chart.run(NAMES))
    for low, high in ((LOW, HIGH), (0.5, 0.6)):
        chart.drag(low, high)
        names = chart.run(NAMES)
        assert names
        assert all(before >= -1 and after >= -1 for _, before, after in names), names
        chart.find("rect.scan:visible").dblclick()


def check_ticks(chart: Chart) -> None:
    """Ticks are the names of rows, and stand where the rows are."""
    left, right, _, _ = chart.edges
    places: dict[str, list[float]] = {}
    for x, cells in chart.rows:
        place = zoomed_x(chart, chart.x_axis.share(x), LOW, HIGH)
        places.setdefault(cells[0], []).append(place)
    ticks = chart.run(TICKS)
    inside = [x for xs in places.values() for x in xs if left <= x <= right]
    assert bool(ticks) == bool(inside), chart.words
    for label, x in ticks:
        assert min(abs(x - place) for place in places[label]) * chart.scale <= 1, chart.words
        assert left - 1 <= x <= right + 1


def test_a_chart_comes_back_to_what_was_drawn(open_page):
    opened = open_page("load")
    for chart in one_of_each_kind(opened):
        chart.point(0.5)
        drawn = chart.run(GEOMETRY)
        for how in WAYS_BACK:
            chart.drag(LOW, HIGH)
            assert not alike(chart.run(GEOMETRY), drawn)
            WAYS_BACK[how](chart)
            opened.run("() => document.activeElement.blur()")
            assert alike(chart.run(GEOMETRY), drawn), (chart.words, how)


def _pressed(key: str) -> Callable[[Chart], None]:
    def press(chart: Chart) -> None:
        chart.find("rect.scan:visible").focus()
        chart.opened.page.keyboard.press(key)

    return press


def _double_clicked(chart: Chart) -> None:
    y = chart.middle_y() - chart.scroll_to()
    chart.opened.page.mouse.dblclick(chart.screen_x(0.5), y)


WAYS_BACK: dict[str, Callable[[Chart], None]] = {
    "double-click": _double_clicked,
    "Escape": _pressed("Escape"),
    "0": _pressed("0"),
    "-": _pressed("-"),
    "Reset": lambda chart: chart.find(".tools").get_by_label("Reset zoom").click(),
    "Zoom out": lambda chart: chart.find(".tools").get_by_label("Zoom out").click(),
}


def test_buttons_halve_and_double_what_is_shown(open_page):
    for chart in one_of_each_kind(open_page("load")):
        tools = chart.find(".tools")
        assert tools.get_by_label("Zoom out").is_disabled()
        assert tools.get_by_label("Reset zoom").is_disabled()
        tools.get_by_label("Zoom in").click()
        tools.get_by_label("Zoom in").click()
        left, right, _, _ = chart.edges
        for pin in chart.run(PINS):
            share = (pin["at"] - left) / (right - left)
            assert abs(pin["x"] - zoomed_x(chart, share, 3 / 8, 5 / 8)) * chart.scale <= 1
        tools.get_by_label("Zoom out").click()
        tools.get_by_label("Zoom out").click()
        assert tools.get_by_label("Zoom out").is_disabled()


def test_the_values_under_the_pointer_are_those_of_the_zoomed_place(open_page):
    for chart in one_of_each_kind(open_page("load")):
        chart.drag(LOW, HIGH)
        inside = [
            index
            for index in range(len(chart.rows))
            if LOW + 0.02 < chart.row_share(index) < HIGH - 0.02
        ]
        assert inside
        for index in inside[:: max(1, len(inside) // 3)]:
            chart.point((chart.row_share(index) - LOW) / (HIGH - LOW))
            assert chart.tip() == chart.expected_tip(index), (chart.words, index)


# Independent of pins and their attributes: what is drawn for a value that the document has.
LABELLED = """(svg, figure, text) => {
  const label = [...svg.querySelectorAll("[data-at] text")].find(
    one => one.textContent.includes(text));
  const line = label.closest("[data-at]").querySelector("line");
  const box = line.getBoundingClientRect();
  return box.x + box.width / 2;
}"""
PHASES = """svg => [...svg.querySelectorAll("rect.c-phase")].map(rect => {
  const box = rect.getBoundingClientRect();
  return [box.left, box.right];
})"""


def test_rules_stand_at_the_memory_sizes_of_the_document(open_page):
    document = documents.cpu_bound()
    sizes = {"current": document.current.memory_mb}
    sizes["recommended"] = document.recommendation.memory_mb
    charts = {chart.name: chart for chart in charts_of(open_page("tuning"))}
    for chart in (charts["cost"], charts["duration"]):
        for low, high in ((0.0, 1.0), (0.3, 0.9)):
            if high < 1:
                chart.drag(low, high)
            for text, memory_mb in sizes.items():
                share = (chart.x_axis.share(memory_mb) - low) / (high - low)
                off = chart.run(LABELLED, text) - chart.screen_x(share)
                assert abs(off) <= 1, (chart.words, text, low)


def test_bands_stand_at_the_phases_of_the_document(open_page):
    phases = load_documents.five_causes().phases
    charts = [chart for chart in charts_of(open_page("load")) if chart.name in ("rate", "latency")]
    assert len(charts) == 2
    for chart in charts:
        for low, high in ((0.0, 1.0), (0.3, 0.9)):
            if high < 1:
                chart.drag(low, high)
            drawn = chart.run(PHASES)
            expected = [
                chart.screen_x((chart.x_axis.share(seconds) - low) / (high - low))
                for phase in phases
                for seconds in (phase.from_s, phase.to_s)
            ]
            edges = [px for band in drawn for px in band]
            assert edges == pytest.approx(expected, abs=1), chart.words
