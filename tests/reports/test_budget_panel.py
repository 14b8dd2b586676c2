"""Error budgets: what thresholds allow, what was used of it, and when."""

from __future__ import annotations

import pytest

from reports.budget_panel import budget_figure, budget_table, refused_sentence
from reports.figures import SPACE
from reports.load_document import LoadDocument
from reports.objectives import objectives_of, without_budget
from tests.reports import load_documents
from tests.reports.load_documents import threshold
from tests.reports.panel_documents import steady, with_histograms


def asked(document: LoadDocument, *thresholds) -> LoadDocument:
    return document.model_copy(update={"thresholds": list(thresholds)})


def failing() -> LoadDocument:
    """14 of 15,516 requests failed with a server error, and 5,553 were refused."""
    return asked(
        load_documents.five_causes(),
        threshold("rate(failed) < 0.1%", 14 / 15_516, 0.001, unit="share"),
    )


def test_a_share_of_requests_is_a_budget():
    [found] = objectives_of(failing())
    assert (found.whole, found.used) == (15_516, 14.0)
    assert found.allowed == pytest.approx(15.516)
    assert found.used_share == pytest.approx(14 / 15.516)


@pytest.mark.parametrize(
    ("that", "limit", "unit", "allowed"),
    [
        ("count(server_error) <= 20", 20, "count", 20),
        ("count(server_error) < 20", 20, "count", 19),
        ("count(server_error) == 0", 0, "count", None),
        ("rate(admitted) > 50%", 0.5, "share", None),
        ("rps(ok) > 50", 50, "rps", None),
        ("rate(throttled:quota) < 1%", 0.01, "share", None),
        ("max(response) < 2s", 2000, "ms", None),
    ],
)
def test_only_what_may_go_wrong_up_to_a_limit_leaves_a_budget(that, limit, unit, allowed):
    document = asked(load_documents.five_causes(), threshold(that, 1.0, limit, unit=unit))
    found = [one.allowed for one in objectives_of(document)]
    assert found == ([] if allowed is None else [pytest.approx(allowed)])
    assert len(without_budget(document)) == (allowed is None)


def test_a_window_leaves_no_budget_but_a_phase_and_a_step_do():
    share = {"unit": "share"}
    document = asked(
        load_documents.five_causes(),
        threshold("rate(failed) < 1%", 0.0, 0.01, scope="the run, 3 times 10 s in a row", **share),
        threshold("rate(failed) < 1%", 0.0, 0.01, scope="phase hold", **share),
        threshold("rate(failed) < 1%", 0.0, 0.01, scope="step POST /checkout", **share),
        threshold("rate(failed) < 1%", 0.0, 0.01, scope="step of nobody", **share),
    )
    found = objectives_of(document)
    assert [one.scope for one in found] == ["phase hold", "step POST /checkout"]
    hold = next(phase for phase in document.phases if phase.name == "hold")
    assert found[0].whole == hold.requests.completed


def test_of_a_percentile_slower_requests_are_counted_in_the_histogram():
    document = asked(steady(), threshold("p95(ok_response) < 300ms", 290, 300))
    whole = document.ok_response_ms.n
    [unknown] = objectives_of(document)
    assert unknown.allowed == pytest.approx(0.05 * whole)
    assert (unknown.used, unknown.used_share) == (None, None)
    [known] = objectives_of(with_histograms(document, [100.0] * 95 + [400.0] * 5))
    assert known.used == 5.0


def test_the_chart_ends_where_the_table_does():
    figure = budget_figure(failing(), "run-1")
    assert figure is not None
    used = [row.cells[1] for row in figure.data.rows]
    assert float(used[-1]) == pytest.approx(100 * 14 / 15.516, rel=0.01)
    values = [float(cell) for cell in used]
    assert values == sorted(values)
    assert "the whole budget: 15" in figure.drawings[0]
    assert (
        "14 were used, 90\N{NO-BREAK SPACE}% of the budget: 14 server errors (5xx)" in figure.help
    )


def test_what_is_overspent_is_marked_and_told_in_multiples():
    document = asked(
        load_documents.five_causes(), threshold("count(failed) <= 5", 14, 5, unit="count")
    )
    table = budget_table(document)
    assert table.rows[0].css == "failed"
    assert table.rows[0].cells[4:] == ["14", "2.80 times the whole", "0"]


def test_refusals_are_counted_apart_from_failures():
    words = refused_sentence(load_documents.five_causes()).replace(SPACE, " ")
    assert "5,553, 36 % of completed requests (the largest three: 1,620 by the stage's" in words
    assert "No request was refused" in refused_sentence(steady())


def test_without_failures_there_is_no_chart_and_without_objectives_no_table():
    assert budget_figure(steady(), "run-1") is None
    assert budget_table(steady()) is not None
    assert budget_table(asked(steady())) is None
    nothing = asked(load_documents.nothing_at_all(), threshold("rate(failed) < 1%", None, 0.01))
    assert budget_table(nothing) is None
