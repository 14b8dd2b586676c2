"""The answer on a terminal: whole, and no table wider than 80 columns."""

from __future__ import annotations

import pytest

from core.console import Console
from reports.document import TuneDocument
from reports.figures import SPACE
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents
from tuner.answer_view import show_document
from tuner.delivery import deliver


def shown(document: TuneDocument, capsys: pytest.CaptureFixture[str]) -> str:
    show_document(Console(), document)
    return capsys.readouterr().out.replace(SPACE, " ")


def rows(text: str) -> list[str]:
    """Lines of tables; sentences are left to the terminal to wrap."""
    return [line for line in text.splitlines() if "  " in line.strip() or line.startswith("─")]


@pytest.mark.parametrize(
    "document",
    [*documents.all_documents(), *adaptive.all_adaptive()],
    ids=lambda document: document.function.name,
)
def test_every_table_fits_into_80_columns_with_nothing_cut(
    document: TuneDocument, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(document, capsys)
    assert max((len(line) for line in rows(text)), default=0) <= 80
    assert "…" not in text
    assert "None" not in text


def test_everything_that_was_asked_for_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(adaptive.whole(), capsys)
    assert text.startswith(
        "Recommendation: 1,408 MB is the cheapest size shown to keep p95 < 300 ms"
    )
    for title in (
        "p95 against the limit",
        "With cold starts: 2.0 % of the calls are cold",
        "x86_64 and arm64: x86_64 is cart-totals",
        "A month of 12,000,000 requests: Traffic",
        "When not to use Lambda: At this traffic",
        "note: The free tier is not subtracted",
        "budget: at most $1; not reached",
    ):
        assert f"\n{title}" in text


def test_sizes_that_tie_without_a_row_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(adaptive.many_tied(), capsys)
    assert "  Sizes from 256 to 1,664 MB cannot be told apart in cost by these data.\n" in text


def test_negative_intervals_keep_their_words(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(adaptive.whole(), capsys)
    assert "76.27-83.42" in text
    assert "\N{MINUS SIGN}3.35 to 4.39" in text


def test_what_ended_the_run_is_said_above_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(adaptive.stopped_by_budget(), capsys)
    assert "  Stopped by --max-invocations 20: the best answer so far.\n" in text
    assert "budget: at most 20 invocations and $0.05; ended by --max-invocations\n" in text


def test_charts_follow_the_answer_where_they_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    deliver(documents.cpu_bound(), (), Console())
    assert "Cost per million invocations" not in capsys.readouterr().out

    deliver(documents.cpu_bound(), (), Console(), chart=True)
    out = capsys.readouterr().out
    assert out.index("Recommendation: ") < out.index("Cost per million invocations")
    assert "Duration of a warm invocation" in out
    assert "┊" in out
