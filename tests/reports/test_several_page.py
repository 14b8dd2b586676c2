"""Several tunings of one command: one table, one page, and all the other exports."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from reports.document import Budget, Spent, TuneDocument
from reports.figures import SPACE
from reports.page import render_several
from reports.several_document import FunctionResult, SeveralDocument, SkippedFunction
from reports.several_exports import export_several
from reports.several_tables import several_title, summary_table, together
from tests.reports import documents
from tests.reports.pages import Page

NOTHING = Spent(invocations=0, gb_seconds=0.0, usd=0.0, unmeasured_invocations=0)


def tuned(document: TuneDocument) -> FunctionResult:
    return FunctionResult(
        name=document.function.name,
        arn=document.function.arn,
        current_mb=document.current.memory_mb,
        verdict=document.verdict,
        exit_code=document.exit_code,
        reason=None,
        spent=document.spent,
        folder="runs/x",
        document=document,
    )


def not_tuned(name: str, verdict: str, reason: str) -> FunctionResult:
    return FunctionResult(
        name=name,
        arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        current_mb=1024,
        verdict=verdict,
        exit_code=2,
        reason=reason,
        spent=NOTHING,
        folder=None,
        document=None,
    )


def several(*results: FunctionResult, budget: Budget | None = None) -> SeveralDocument:
    spent = Spent(invocations=120, gb_seconds=8.5, usd=0.0123, unmeasured_invocations=2)
    return SeveralDocument(
        verdict="error",
        exit_code=2,
        errors=[],
        notes=["t.yaml: nested stacks are not looked into: Inner"],
        source="t.yaml",
        functions=list(results),
        skipped=[SkippedFunction(name="steps", reason="it is a durable function")],
        spent=spent,
        budget=budget,
    )


WHOLE = several(
    tuned(documents.cpu_bound()),
    tuned(documents.interrupted()),
    not_tuned("mail", "error", "trial: <b>fails</b>"),
    not_tuned("late", "not begun", "the limits leave nothing for it"),
    budget=Budget(max_invocations=150, max_usd=0.5),
)


def test_the_table_has_a_row_for_each_function() -> None:
    rows = [[cell.replace(SPACE, " ") for cell in row.cells] for row in summary_table(WHOLE).rows]
    first, stopped, failed, late = rows
    saving = documents.cpu_bound().recommendation

    assert saving is not None
    assert first[:3] == [
        documents.cpu_bound().function.name,
        f"{documents.cpu_bound().current.memory_mb:,}",
        f"{saving.memory_mb:,}",
    ]
    assert re.fullmatch(r"[0-9.]+ % (less|more) \([0-9.]+ to [0-9.]+ %\)", first[3])
    assert stopped[2:5] == ["–", "–", "Interrupted"]
    assert failed == ["mail", "1,024", "–", "–", "Error", "0", "–"]
    assert late[4] == "Not begun"


def test_all_that_was_spent_is_told_with_the_limits_of_all() -> None:
    assert several_title(WHOLE) == "Memory tuning of 4 functions"
    assert together(WHOLE) == (
        "together: 120 invocations, 8.5 GB-s, $0.0123 and the cost of 2 without a REPORT; "
        "at most 150 invocations and $0.5 of all"
    )
    assert together(several(tuned(documents.waiting()))).endswith("2 without a REPORT")


def test_the_page_has_all_of_them_and_says_why_some_are_missing() -> None:
    page = Page(render_several(WHOLE))
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]

    assert {"#run-1", "#run-2"} <= links
    assert len(ids) == len(set(ids))
    assert [row[1:] for row in page.rows if row[0] == "mail"] == [["Error", "trial: <b>fails</b>"]]
    assert [row[1:] for row in page.rows if row[0] == "steps"] == [
        ["Skipped", "it is a durable function"]
    ]
    assert "Together: 120 invocations" in page.words()
    assert [tag for tag, _ in page.tags].count("h1") == 1


@pytest.mark.parametrize(
    "document",
    [
        several(not_tuned("mail", "error", "no")),
        several(tuned(documents.cpu_bound())),
    ],
    ids=["none was measured", "one was measured"],
)
def test_a_page_of_few_has_a_summary_as_well(document: SeveralDocument) -> None:
    page = Page(render_several(document))

    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert "Memory tuning of 1 function" in page.words()


def test_exports_have_all_tunings(tmp_path) -> None:
    for kind in ("html", "json", "csv", "md"):
        export_several(WHOLE, f"{kind}={tmp_path / kind}")
    frame = pd.read_csv(tmp_path / "csv")
    names = [documents.cpu_bound().function.name, documents.interrupted().function.name]

    assert (tmp_path / "html").read_text(encoding="utf-8") == render_several(WHOLE)
    assert SeveralDocument.model_validate(json.loads((tmp_path / "json").read_text())) == WHOLE
    assert set(frame["function"]) == set(names)
    text = (tmp_path / "md").read_text()
    assert text.startswith("# Memory tuning of 4 functions\n")
    assert text.count("## Memory tuning of ") == 2
    assert "mail: Error: trial: \\<b\\>fails" in text


def test_a_table_of_no_tuning_has_its_columns(tmp_path) -> None:
    export_several(several(not_tuned("a", "error", "no")), f"csv={tmp_path / 'csv'}")

    frame = pd.read_csv(tmp_path / "csv")
    assert len(frame) == 0
    assert "function" in frame.columns
