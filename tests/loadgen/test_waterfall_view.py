"""Where the time goes, on a terminal."""

from __future__ import annotations

import pytest

from core.console import Console
from loadgen.waterfall.view import show_times
from tests.reports import load_documents, waterfall_documents


def shown(capsys: pytest.CaptureFixture[str], document) -> str:
    show_times(Console(), document)
    text = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    assert all(len(line) <= 80 for line in text.splitlines())
    return text


def test_both_groups_stand_beside_each_other_with_bars(capsys):
    text = shown(capsys, waterfall_documents.from_logs())
    [row] = [line for line in text.splitlines() if line.startswith("INIT or restore")]
    assert row.split() == ["INIT", "or", "restore", "0.00", "0", "%", "412.0", "68", "%", "█████▌"]
    assert "113 slowest; unmatched: 0.0 % and 3.5 %" in text
    assert "p99 of" in text


@pytest.mark.parametrize(
    "document",
    [waterfall_documents.from_metrics(), waterfall_documents.with_every_part()],
    ids=lambda d: d.name,
)
def test_long_names_fit_eighty_columns(capsys, document):
    assert "response time" in shown(capsys, document)


@pytest.mark.parametrize(
    "document",
    [waterfall_documents.from_the_client(), load_documents.sandbox()],
    ids=lambda d: d.name,
)
def test_what_only_the_client_knows_needs_no_table_of_its_own(capsys, document):
    assert shown(capsys, document) == ""
