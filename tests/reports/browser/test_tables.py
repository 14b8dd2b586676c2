"""Tables sort by what their cells mean and filter by what they say."""

from __future__ import annotations

from html import escape
from importlib.resources import files

import pytest

from tests.reports.browser.charts import charts_of

SCRIPT = files("reports").joinpath("assets", "enhance.js").read_text(encoding="utf-8")
MINUS, ABSENT, SPACE = "−", "–", " "

# A column as it is written, and the same cells from the least to the greatest.
COLUMNS = [
    pytest.param(["10", "9", "1,024", "0.5"], ["0.5", "9", "10", "1,024"], id="thousands"),
    pytest.param(
        ["4", f"{MINUS}2.5", "0", f"{MINUS}11"],
        [f"{MINUS}11", f"{MINUS}2.5", "0", "4"],
        id="minus sign",
    ),
    pytest.param(
        [f"3{SPACE}%", f"{MINUS}12{SPACE}%", f"+0.4{SPACE}%"],
        [f"{MINUS}12{SPACE}%", f"+0.4{SPACE}%", f"3{SPACE}%"],
        id="per cent",
    ),
    pytest.param(
        [f"2{SPACE}s", f"900{SPACE}ms", f"1.5{SPACE}min", f"400{SPACE}µs"],
        [f"400{SPACE}µs", f"900{SPACE}ms", f"2{SPACE}s", f"1.5{SPACE}min"],
        id="units of time",
    ),
    pytest.param(
        [f"1.2{SPACE}MB", f"300{SPACE}kB", f"1{SPACE}GB", f"12{SPACE}bytes"],
        [f"12{SPACE}bytes", f"300{SPACE}kB", f"1.2{SPACE}MB", f"1{SPACE}GB"],
        id="units of size",
    ),
    pytest.param(["$1.10", "$0.002", "$1,000"], ["$0.002", "$1.10", "$1,000"], id="dollars"),
    pytest.param(
        ["9.1 (8.2 to 10)", "10 (9 to 12)", "0.9 (0.1 to 99)"],
        ["0.9 (0.1 to 99)", "9.1 (8.2 to 10)", "10 (9 to 12)"],
        id="intervals",
    ),
    pytest.param(["b", "a10", "a9", "A1"], ["A1", "a9", "a10", "b"], id="names"),
    pytest.param(
        ["3.11", "3.9", "n/a", "3.2"], ["3.2", "3.9", "3.11", "n/a"], id="not all numbers"
    ),
]


def page_with(rows: list[list[str]]) -> str:
    """A page whose only content is a table."""
    heads = "".join(f'<th scope="col">c{number}</th>' for number in range(len(rows[0])))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    region = f'<div class="scroll" role="region" aria-label="All steps">{table}</div>'
    return f"<!doctype html><meta charset=utf-8><main>{region}</main><script>{SCRIPT}</script>"


def column(opened, number: int) -> list[str]:
    return opened.run(
        """number => [...document.querySelectorAll("tbody tr")].filter(row => !row.hidden)
        .map(row => row.cells[number].textContent)""",
        number,
    )


@pytest.fixture
def open_table(window):
    """Opens a table on a page of its own."""

    def opened(rows):
        window.go("about:blank")
        window.page.set_content(page_with(rows))
        return window

    return opened


@pytest.mark.parametrize(("written", "ascending"), COLUMNS)
def test_a_heading_sorts_by_what_the_cells_mean(open_table, written, ascending):
    absent = [ABSENT, ABSENT]
    opened = open_table([[cell] for cell in [absent[0], *written, absent[1]]])
    head = opened.page.locator("thead th")
    button = head.get_by_role("button")
    assert head.get_attribute("aria-sort") is None
    button.click()
    assert column(opened, 0) == [*ascending, *absent]
    assert head.get_attribute("aria-sort") == "ascending"
    button.click()
    # What is absent is last either way.
    assert column(opened, 0) == [*reversed(ascending), *absent]
    assert head.get_attribute("aria-sort") == "descending"
    button.press("Enter")
    assert column(opened, 0) == [absent[0], *written, absent[1]]
    assert head.get_attribute("aria-sort") is None


def test_equal_rows_keep_their_order_and_only_one_heading_is_sorted(open_table):
    opened = open_table([["b", "1"], ["a", "2"], ["c", "1"]])
    buttons = opened.page.locator("thead button")
    buttons.nth(0).click()
    buttons.nth(1).click()
    assert column(opened, 0) == ["b", "c", "a"]
    assert opened.page.locator("thead [aria-sort]").count() == 1


def test_a_long_table_filters_by_all_words(open_table):
    rows = [[f"step {number}", "throttled" if number % 3 == 0 else "ok"] for number in range(12)]
    opened = open_table(rows)
    field = opened.page.get_by_label("Filter rows: All steps")
    field.fill("THROTTLED 1")
    assert column(opened, 0) == []
    field.fill("step THROTTLED")
    assert column(opened, 0) == ["step 0", "step 3", "step 6", "step 9"]
    assert opened.page.get_by_role("status").inner_text() == "4 of 12 rows"
    field.fill("")
    assert column(opened, 0) == [row[0] for row in rows]
    assert opened.page.get_by_role("status").inner_text() == ""


def test_a_short_table_has_no_filter_and_a_table_of_one_row_no_sorting(open_table):
    assert open_table([["a"], ["b"]]).page.locator("input").count() == 0
    assert open_table([["a"]]).page.locator("button").count() == 0


def test_the_tables_of_a_report_sort_and_keep_their_rows(open_page):
    opened = open_page("story")
    tables = opened.run(
        """() => [...document.querySelectorAll("main table")]
        .filter(table => table.querySelector("thead button"))
        .map(table => {
          const cells = () => [...table.tBodies[0].rows].map(row => row.textContent);
          const before = cells();
          const buttons = [...table.querySelectorAll("thead button")];
          return buttons.map(button => {
            const seen = [0, 1, 2].map(() => { button.click(); return cells(); });
            return {
              kept: seen.every(one => [...one].sort().join() === [...before].sort().join()),
              back: seen[2].join() === before.join(),
            };
          });
        }).flat()"""
    )
    assert tables
    assert all(column["kept"] and column["back"] for column in tables)
    assert charts_of(opened)
