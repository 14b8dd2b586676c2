"""The table of steps: times of ok requests with intervals, cold starts, cost and thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import pytest

from reports.blocks import Table
from reports.histogram import encoded, of_ms
from reports.load_cost_parts import LoadCostPart
from reports.load_document import CalledFunction, LoadDocument, ThresholdResult
from reports.load_endpoints import steps_table, usd_per_million
from reports.load_frame import frame_of
from reports.load_histograms import LatencyBlock
from reports.page import with_interval
from tests.reports import load_documents, waterfall_documents
from tests.reports.load_documents import threshold


def plain(cell: str) -> str:
    return cell.replace("\N{NO-BREAK SPACE}", " ")


def table_of(document: LoadDocument) -> Table:
    table = steps_table(document)
    assert table is not None
    return table


def column_of(document: LoadDocument, name: str) -> list[str]:
    table = table_of(document)
    at = [column.name for column in table.columns].index(name)
    return [plain(row.cells[at]) for row in table.rows]


def names_of(document: LoadDocument) -> list[str]:
    return [column.name for column in table_of(document).columns]


def block(number: int, size: int, median_ms: float) -> LatencyBlock:
    """Ok requests at the quantiles of a log-normal distribution."""
    shares = [(at + 0.5) / size for at in range(size)]
    values = [median_ms * math.exp(0.4 * NormalDist().inv_cdf(share)) for share in shares]
    return LatencyBlock(
        from_s=10.0 * number,
        to_s=10.0 * number + 10,
        completed=size,
        ok=size,
        throttled=0,
        failed=0,
        ok_response=encoded(of_ms(values)),
    )


def with_blocks(document: LoadDocument, size: int) -> LoadDocument:
    """Its first step has blocks of `size` requests around 100 ms."""
    blocks = [block(number, size, 100 + number % 3) for number in range(9)]
    return with_step(document, blocks=blocks)


def with_step(document: LoadDocument, **changes: Any) -> LoadDocument:
    first, *others = document.steps
    return document.model_copy(update={"steps": [first.model_copy(update=changes), *others]})


# -- times ----------------------------------------------------------------------------------------


def test_documents_without_blocks_have_times_of_ok_requests_and_no_intervals() -> None:
    document = load_documents.forbidden()
    assert names_of(document) == [
        "Step", "Completed", "Offered", "Admitted", "Ok p50", "Ok p95", "Ok p99", "Throttled",
        "Failed",
    ]  # fmt: skip
    assert column_of(document, "Ok p50") == ["24.0"]
    assert "brackets" not in table_of(document).help


def test_times_begin_with_their_number_and_have_their_interval_in_brackets() -> None:
    document = with_blocks(load_documents.forbidden(), 300)
    [cell] = column_of(document, "Ok p95")
    assert cell.split(" ")[0] == column_of(load_documents.forbidden(), "Ok p95")[0]
    assert cell.endswith(")")
    assert " to " in cell
    assert "95 % interval" in plain(table_of(document).help)


def test_few_requests_have_an_interval_of_the_median_only() -> None:
    document = with_blocks(load_documents.forbidden(), 4)
    assert "(" in column_of(document, "Ok p50")[0]
    assert "(" not in column_of(document, "Ok p99")[0]


def test_a_step_without_an_ok_request_has_no_times() -> None:
    assert column_of(load_documents.forbidden(1.0), "Ok p95") == ["\N{EN DASH}"]


def test_the_table_says_how_many_requests_a_sure_p95_takes() -> None:
    document = load_documents.forbidden()
    [note] = table_of(with_blocks(document, 40)).notes
    assert note.startswith("For a p95 within \N{PLUS-MINUS SIGN}1")
    assert "of GET /products (has 360)." in note
    assert table_of(document).notes == []


def test_tables_for_other_programs_have_the_intervals_too() -> None:
    rows = frame_of(with_blocks(load_documents.forbidden(), 300)).set_index("part")
    cell = column_of(with_blocks(load_documents.forbidden(), 300), "Ok p99")[0]
    bounds = [
        f"{rows.ok_response_p99_low_ms['step']:.0f}",
        f"{rows.ok_response_p99_high_ms['step']:.0f}",
    ]
    assert f"({' to '.join(bounds)})" in cell
    assert rows.ok_response_p99_low_ms.isna().to_dict() == {
        "run": True,
        "step": False,
        "phase": True,
    }


# -- thresholds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "scope", "mark"),
    [
        pytest.param([True], "", "\N{CHECK MARK} holds", id="one holds"),
        pytest.param([True, True], "", "\N{CHECK MARK} hold", id="both hold"),
        pytest.param([True, False], "", "\N{BALLOT X} p1 < 1s", id="one does not"),
        pytest.param([True, None], "", "? not judged", id="one could not be judged"),
        pytest.param([False], " in phase hold", "\N{BALLOT X} p0 < 1s", id="in a phase"),
        pytest.param([False], ", each 10 s", "\N{BALLOT X} p0 < 1s", id="in windows"),
        pytest.param([False], "/more", None, id="of another step"),
    ],
)
def test_marks_of_thresholds(held: Sequence[bool | None], scope: str, mark: str | None) -> None:
    document = load_documents.forbidden()
    found: list[ThresholdResult] = [
        threshold(
            f"p{number} < 1s", 1, 2, scope=f"step {document.steps[0].name}{scope}"
        ).model_copy(update={"ok": ok})
        for number, ok in enumerate(held)
    ]
    document = document.model_copy(update={"thresholds": found})
    if mark is None:
        assert "Thresholds" not in names_of(document)
    else:
        assert column_of(document, "Thresholds") == [mark]


# -- cold starts and cost -------------------------------------------------------------------------


def test_cold_starts_are_told_by_step() -> None:
    document = waterfall_documents.from_logs()
    assert document.cold_starts is not None
    shares = {one.step: one.share for one in document.cold_starts.steps}
    cells = column_of(document, "Cold")
    for step, cell in zip(document.steps, cells, strict=True):
        assert (step.name in shares) == (cell != "\N{EN DASH}")


def function(name: str, *steps: int) -> CalledFunction:
    return CalledFunction(name=name, memory_mb=512, arch="x86_64", timeout_s=3, steps=list(steps))


def cost(
    part: Any, amount: float | None, unit_usd: float | None, name: str | None = None
) -> LoadCostPart:
    unit: Any = "requests" if part.endswith("requests") else "GB-s"
    return LoadCostPart(
        part=part, function=name, amount=amount, unit=unit, unit_usd=unit_usd, detail=""
    )


FEE = cost("api_requests", 900, 1e-6)
CALLS = cost("lambda_requests", 100, 2e-7, "search")
TIME = cost("lambda_duration", 3.0, 1e-5, "search")
INIT = cost("lambda_init", 1.0, 1e-5, "search")


@pytest.mark.parametrize(
    ("parts", "functions", "usd"),
    [
        pytest.param([FEE, CALLS, TIME, INIT], [function("search", 0)], 1.6, id="all is known"),
        pytest.param([CALLS, TIME, INIT], [function("search", 0)], 0.6, id="a URL has no fee"),
        pytest.param(
            [FEE, CALLS, TIME, cost("lambda_init", None, 1e-5, "search")], [function("search", 0)],
            1.5, id="INIT is in the service time",
        ),
        pytest.param([FEE, CALLS, TIME], [function("search", 0, 1)], None, id="several steps"),
        pytest.param([FEE, CALLS, TIME], [], None, id="no function is known"),
        pytest.param([FEE], [function("search", 0)], None, id="no call is known"),
        pytest.param(
            [FEE, CALLS, cost("lambda_duration", 3.0, None, "search")], [function("search", 0)],
            None, id="no price",
        ),
        pytest.param(
            [cost("api_requests", 9, None), CALLS, TIME], [function("search", 0)], None,
            id="no price of the API",
        ),
        pytest.param([], [], None, id="an older document"),
    ],
)  # fmt: skip
def test_what_a_million_requests_of_a_step_cost(
    parts: list[LoadCostPart], functions: list[CalledFunction], usd: float | None
) -> None:
    document = load_documents.wrong_answers()
    document = document.model_copy(
        update={
            "functions": functions,
            "spent": document.spent.model_copy(update={"parts": parts}),
        }
    )
    assert usd_per_million(document) == [None if usd is None else pytest.approx(usd), None]
    assert ("Per million" in names_of(document)) == (usd is not None)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("18.7 (15.7 to 23.7)", "18.7 <small>(15.7 to 23.7)</small>"),
        ("0.376 (2)", "0.376 (2)"),
        ("from 1 (a to b)", "from 1 (a to b)"),
        ("<b> (<i> to 2)", "&lt;b&gt; <small>(&lt;i&gt; to 2)</small>"),
    ],
    ids=["interval", "another bracket", "words", "hostile"],
)
def test_an_interval_stands_small_behind_its_figure(cell, written):
    assert with_interval(cell) == written
