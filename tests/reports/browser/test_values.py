"""What the pointer and the keys tell of a chart is what its table says, and that is the data."""

from __future__ import annotations

import pytest

from tests.reports import load_documents
from tests.reports.browser.charts import Chart, charts_of, one_of_each


def some_rows(chart: Chart) -> list[int]:
    count = len(chart.rows)
    return sorted({0, count // 3, 2 * count // 3, count - 1})


def at_one_place(chart: Chart, index: int) -> list[int]:
    """Rows that stand within a pixel of this one: the pointer can not tell them apart."""
    here = chart.screen_x(chart.row_share(index))
    return [
        other
        for other in range(len(chart.rows))
        if abs(chart.screen_x(chart.row_share(other)) - here) <= 1
    ]


@pytest.mark.parametrize(("name", "width"), [("story", 1200), ("comparison", 1200), ("load", 360)])
def test_the_pointer_shows_the_row_of_the_table(open_page, name, width):
    opened = open_page(name, width=width)
    charts = one_of_each(charts_of(opened))
    assert charts
    for chart in charts:
        for index in some_rows(chart):
            chart.point(chart.row_share(index))
            told = [chart.expected_tip(row) for row in at_one_place(chart, index)]
            assert chart.tip() in told, (chart.words, index)
        opened.page.mouse.move(2, 2)
        assert chart.tip() is None, chart.words


def test_the_values_of_the_rate_are_those_of_the_document(open_page):
    document = load_documents.five_causes()
    (chart,) = [chart for chart in charts_of(open_page("load")) if chart.name == "rate"]
    offered = next(at for at, name in enumerate(chart.names) if name.startswith("offered"))
    for second in document.seconds[:: len(document.seconds) // 8]:
        index = next(at for at, row in enumerate(chart.rows) if row[0] == second.second)
        chart.point(chart.row_share(index))
        told = chart.tip()
        assert told
        assert float(told[offered][1].replace(",", "")) == second.offered


def test_arrow_keys_go_through_the_rows(open_page):
    opened = open_page("load")
    keyboard = opened.page.keyboard
    for chart in charts_of(opened):
        scan = chart.find("rect.scan:visible")
        scan.focus()
        last = len(chart.rows) - 1
        for key, index in [
            ("Home", 0),
            ("ArrowRight", min(1, last)),
            ("ArrowUp", min(2, last)),
            ("ArrowLeft", min(2, last) - 1),
            ("End", last),
            ("PageDown", max(0, last - 10)),
        ]:
            keyboard.press(key)
            assert chart.tip() == chart.expected_tip(index), (chart.words, key)
            told = scan.get_attribute("aria-valuetext")
            assert told == "; ".join(f"{n}: {value}" for n, value in chart.expected_tip(index))
            assert scan.get_attribute("aria-valuenow") == str(index)
            x = chart.run("(svg, figure) => Number(svg.querySelector('.cross').getAttribute('x1'))")
            assert abs(x - chart.drawn_x(chart.row_share(index))) < 0.1
        assert scan.get_attribute("aria-valuemax") == str(last)
