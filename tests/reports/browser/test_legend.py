"""A legend's entries show and hide their series; a stack stands on what is shown."""

from __future__ import annotations

from tests.reports.browser.charts import Chart, charts_of

SEEN = """(svg, figure, series) => [...svg.querySelectorAll(
    `[data-series="${series}"], [data-layer="${series}"]`)]
  .filter(node => !node.closest(".legend") && isSeen(node)).length"""
# For each step that is asked about, the highest place of the layer's fill above its middle.
FILLED = """(svg, figure, [layer, points]) => {
  const path = svg.querySelector(`path[data-layer="${layer}"]`);
  return points.map(([x, y]) => path.isPointInFill(new DOMPoint(x, y)));
}"""


def toggled_charts(opened) -> list[Chart]:
    charts = [chart for chart in charts_of(opened) if len(chart.series) > 1]
    assert charts
    return charts


def test_an_entry_hides_its_series_and_shows_it_again(open_page):
    opened = open_page("load")
    for chart in toggled_charts(opened):
        for (number, name), how in zip(chart.series, ("click", "Enter", "Space"), strict=False):
            entry = chart.find(f"svg:visible .legend [data-series='{number}']")
            assert entry.get_attribute("role") == "button"
            assert name in entry.get_attribute("aria-label")
            before = chart.run(SEEN, number)
            assert before > 0, (chart.words, name)
            for pressed, seen in (("false", 0), ("true", before)):
                toggle(opened, entry, how)
                assert entry.get_attribute("aria-pressed") == pressed, (chart.words, how)
                assert chart.run(SEEN, number) == seen, (chart.words, name)
                chart.point(chart.row_share(len(chart.rows) // 2))
                told = [row[0] for row in chart.tip()]
                assert (chart.names[number] in told) == (pressed == "true"), chart.words


def toggle(opened, entry, how: str) -> None:
    if how == "click":
        entry.click()
    else:
        entry.focus()
        opened.page.keyboard.press(how)


def test_a_hidden_series_is_hidden_at_every_width(open_page):
    opened = open_page("load")
    (chart,) = [chart for chart in charts_of(opened) if chart.name == "rate"]
    number, _ = chart.series[0]
    chart.find(f"svg:visible .legend [data-series='{number}']").click()
    opened.page.set_viewport_size({"width": 360, "height": 800})
    (narrow,) = [chart for chart in charts_of(opened) if chart.name == "rate"]
    assert narrow.plot != chart.plot
    assert narrow.run(SEEN, number) == 0


def test_a_stack_stands_on_what_is_shown(open_page):
    opened = open_page("load")
    stacked = [chart for chart in charts_of(opened) if len(chart.layers) > 2]
    assert stacked
    for chart in stacked:
        layers = sorted(chart.layers)
        for off in ([], layers[:1], layers[-1:], layers[1:3]):
            entries = [chart.find(f"svg:visible .legend [data-series='{one}']") for one in off]
            for entry in entries:
                entry.click()
            check_stack(chart, [layer for layer in layers if layer not in off])
            for entry in entries:
                entry.click()


def check_stack(chart: Chart, shown: list[int]) -> None:
    """Each layer's upper edge is the sum of it and the layers below it, by the table."""
    _, _, top, bottom = chart.edges
    total = [0.0] * len(chart.rows)
    for layer in shown:
        points, expected = [], []
        for index, (_, cells) in enumerate(chart.rows):
            value = number_of(cells[layer])
            total[index] += value
            y = bottom - chart.y_axis.share(total[index]) * (bottom - top)
            x = chart.drawn_x(chart.row_share(index))
            # A little inside of the edge and a little outside of it, where there is room for both.
            if value and bottom - y > 3:
                points += [(x, y + 1), (x, y - 1)]
                expected += [True, False]
        assert expected
        assert chart.run(FILLED, [layer, points]) == expected, (chart.words, layer)


def number_of(cell: str) -> float:
    text = cell.replace(",", "").replace("−", "-")
    return 0.0 if text == "–" else float(text)
