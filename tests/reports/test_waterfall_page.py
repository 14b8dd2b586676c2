"""Where the time goes, on a page and in Markdown: parts, what they are known from, cold starts."""

from __future__ import annotations

import re

import pytest

from reports.figures import SPACE
from reports.load_markdown import render_load_markdown
from reports.page import render_page
from reports.waterfall_chart import waterfall_figure
from tests.reports import load_documents, waterfall_documents
from tests.reports.pages import Page, svgs

ALL = waterfall_documents.all_documents()


def page_of(document) -> Page:
    return Page(render_page([document]))


def words(document) -> str:
    return page_of(document).words().replace(SPACE, " ")


@pytest.mark.parametrize("document", ALL, ids=lambda d: d.name)
def test_every_kind_renders_without_gaps(document):
    text = words(document)
    assert not re.search(r"\bNone\b(?! of)|\bnan\b|\binf\b|Undefined", text)
    assert "Where the time goes" in text


def test_the_table_has_every_part_of_both_groups_and_what_they_leave():
    rows = {row[0]: row[1:] for row in page_of(waterfall_documents.from_logs()).rows if row}
    assert rows["INIT or restore"] == ["0.00", "0 %", "412.0", "68 %"]
    assert rows["Handler"] == ["31.00", "59 %", "68.0", "11 %"]
    assert rows["Residual"] == ["\N{MINUS SIGN}0.02", "0.0 %", "0.0", "0 %"]
    assert rows["Response time"] == ["52.50", "100 %", "602.0", "100 %"]


def test_unmatched_requests_and_functions_that_ran_on_are_told():
    text = words(waterfall_documents.from_logs())
    assert "the parts are of the 109 with log lines, 3.5 % are unmatched" in text
    assert "(all of the group take 655 ms)" in text
    assert "the function of 2 worked beyond the integration's latency" in text


def test_parts_from_metrics_are_marked():
    document = waterfall_documents.from_metrics()
    assert "from metrics, of the whole window, and only of the median request" in words(document)
    names = [row[0] for row in page_of(document).rows if row]
    assert "Gateway overhead (from metrics)" in names
    assert "Response" in names


def test_bigger_parts_say_what_is_in_them():
    text = words(waterfall_documents.from_the_client())
    assert "Network, API and function: from the request to the first byte" in text
    assert "loadgen run --logs asks for them" in text


def test_cold_starts_are_told_with_and_without():
    text = words(waterfall_documents.from_logs())
    assert "1.5 % of 10,780 requests with a REPORT line" in text
    assert "p99 of the response time is 588 ms with them and 151 ms without." in text
    rows = [row for row in page_of(waterfall_documents.from_logs()).rows if row]
    assert ["0", "4,100", "158", "3.9 %"] in rows
    assert next(
        row[:4] for row in rows if row[0] == "order: POST /checkout" and row[2] == "1,080"
    ) == ["order: POST /checkout", "1,080", "1,080", "100 %"]
    none = words(waterfall_documents.with_every_part())
    assert "None of 10,780 requests with a REPORT line" in none
    assert "The logs have 8, of requests that were not answered in time" in none


def test_a_bar_has_a_piece_for_each_part_with_its_figures():
    html = render_page([waterfall_documents.from_logs()])
    drawing = next(one for one in svgs(html) if one[0].text == "Parts of the response time")
    hovers = [one.text.replace(SPACE, " ") for one in drawing.findall("g/title")]
    assert "handler: 31.0 ms, 59 %" in hovers
    assert "INIT or restore: 412 ms, 68 %" in hovers
    assert drawing[1].text.startswith("The median request takes 52.5")
    assert "INIT or restore 68" in drawing[1].text


def test_markdown_has_the_parts_and_the_price_of_cold_starts():
    text = render_load_markdown(waterfall_documents.from_logs())
    assert "| Handler | 31.00 | 59 % | 68.0 | 11 % |" in text
    assert "588 ms with them and 151 ms without" in text


def test_without_records_nothing_is_said():
    text = words(load_documents.five_causes())
    assert "Where the time goes" not in text[: text.index("Not on this page")]


def test_what_is_not_explained_is_a_piece_of_the_bar_and_a_row_of_its_data():
    waterfall = waterfall_documents.from_logs().waterfall
    median = waterfall.median.model_copy(update={"residual_ms": 5.0, "response_ms": 57.5})
    for group, shown in ((median, True), (waterfall.median, False)):
        figure = waterfall_figure(waterfall.model_copy(update={"median": group}), "a")
        assert ("residual, not explained: 5.00" in figure.drawings[0]) is shown
        assert figure.drawings[0].count("<path d=") == figure.drawings[0].count('fill="none"')
        names = [row.cells[0] for row in figure.data.rows]
        assert names[-2:] == ["Residual", "Response time"]
        assert all(row.x is None for row in figure.data.rows)
