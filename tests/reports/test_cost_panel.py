"""What a million requests cost: known parts add up, unknown ones are named."""

from __future__ import annotations

import re

import pytest

from reports.cost_panel import (
    admitted_requests,
    cost_figure,
    cost_finding,
    cost_table,
    costs_of,
    function_costs_table,
)
from reports.figures import SPACE
from reports.load_document import LoadSpent
from tests.reports import load_documents
from tests.reports.panel_documents import cost_part, costs, steady


def cells(table):
    return {row.cells[0]: [cell.replace(SPACE, " ") for cell in row.cells] for row in table.rows}


def test_a_million_admitted_requests_cost_what_their_parts_do():
    table = cost_table(steady())
    assert table is not None
    found = cells(table)
    assert found["API Gateway requests"][3] == "3.50"
    assert found["Lambda requests"][3] == "0.20"
    assert found["Lambda duration"][3] == "1.67"
    assert found["All known parts"][3] == "5.37"
    assert found["All known parts"][5] == "without Lambda INIT and data transfer"


def test_parts_that_are_not_known_say_so_and_why():
    found = cells(cost_table(steady()))
    assert found["Lambda INIT"][2:] == ["not known", "not known", "\N{EN DASH}", "No REPORT line"]
    assert found["Data transfer"][5] == "No price"


def test_the_bar_has_its_parts_and_the_month_states_its_requests():
    document = steady()
    figure = cost_figure(document, "run-1")
    assert figure is not None
    assert figure.name == "cost"
    shares = [row.cells[2].replace(SPACE, " ") for row in figure.data.rows]
    assert shares == ["65 %", "3.7 %", "31 %"]
    month = re.search(r"At ([\d,]+) requests/month", figure.help)
    assert month is not None
    asked = float(month[1].replace(",", ""))
    assert asked == pytest.approx(document.rates.admitted_rps * 30.4375 * 86_400, rel=0.005)
    said = re.search(r"that is \$([\d,.]+)/month", figure.help)
    assert said is not None
    assert float(said[1].replace(",", "")) == pytest.approx(asked / 1e6 * 5.37, rel=0.01)


def test_refused_requests_are_not_among_those_that_the_cost_is_of():
    document = load_documents.five_causes()
    every = sum(phase.requests.completed for phase in document.phases)
    assert admitted_requests(document) < every
    parts = [cost_part("api_requests", admitted_requests(document), "requests", 3.5e-6)]
    spent = LoadSpent(usd=0, estimated_usd=None, detail=[], parts=parts)
    assert "cost $3.50" in cost_finding(document.model_copy(update={"spent": spent}))


def test_bounds_are_words_and_of_a_local_target_nothing_was_billed():
    parts = [cost_part("api_requests", 100.0, "requests", 3.5e-6, bound="at_most")]
    spent = LoadSpent(usd=0, estimated_usd=None, detail=[], parts=parts, as_if=True)
    table = cost_table(steady(spent=spent))
    assert cells(table)["API Gateway requests"][2].startswith("at most 0.00035")
    assert table.help.startswith("Nothing was billed")


@pytest.mark.parametrize("parts", [[], costs(0)[5:]], ids=["older document", "nothing is known"])
def test_without_a_known_part_there_is_no_bar(parts):
    spent = LoadSpent(usd=None, estimated_usd=None, detail=[], parts=parts)
    document = steady(spent=spent)
    assert cost_figure(document, "run-1") is None
    assert (cost_table(document) is None) == (not parts)


def test_functions_have_rows_where_there_are_several():
    table = function_costs_table(steady())
    assert table is not None
    # Half of the requests each: 0.04 and 0.16 GB-s a call.
    found = cells(table)
    assert float(found["list"][4]) == pytest.approx(0.2 + 0.04 * 16.7, rel=0.01)
    assert float(found["order"][4]) == pytest.approx(0.2 + 0.16 * 16.7, rel=0.01)
    one = [part for part in costs(100) if part.function in (None, "list")]
    spent = LoadSpent(usd=None, estimated_usd=None, detail=[], parts=one)
    assert function_costs_table(steady(spent=spent)) is None


def test_one_unknown_function_makes_the_whole_part_unknown():
    parts = [
        cost_part("lambda_duration", 5.0, "GB-s", 1e-5, function="a"),
        cost_part("lambda_duration", None, "GB-s", None, function="b", detail="no price"),
    ]
    [whole] = costs_of(parts)
    assert whole.usd is None
    assert whole.detail == "no price"
