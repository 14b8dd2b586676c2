"""Latency by rate: which phases are comparable, and a knee only where there is one."""

from __future__ import annotations

import pytest

from reports.load_curve import curve_figure, curve_of
from tests.reports import load_documents
from tests.reports.panel_documents import climbing, steady


def test_the_knee_is_where_rate_by_p95_is_largest():
    curve = curve_of(climbing())
    assert curve is not None
    assert [(one.rate_rps, one.p95_ms) for one in curve.phases][2] == (60.0, 23.0)
    # 60 / 23 is the largest quotient, and p95 grows thirteenfold beyond it.
    assert curve.knee_rps == 60.0
    assert curve.mix_known


def test_a_flat_run_has_no_knee():
    document = climbing()
    flat = [
        phase.model_copy(update={"response_ms": phase.response_ms.model_copy(update={"p95": 20.0})})
        for phase in document.phases
    ]
    curve = curve_of(document.model_copy(update={"phases": flat}))
    assert curve.knee_rps is None
    figure = curve_figure(document.model_copy(update={"phases": flat}), "run-1")
    assert "no knee" in figure.help


def test_phases_that_ask_for_other_steps_are_left_out_by_name():
    document = climbing()
    other = document.phases[0].model_copy(update={"by_step": [1000, 0], "name": "only products"})
    curve = curve_of(document.model_copy(update={"phases": [other, *document.phases[1:]]}))
    assert curve.left_out == ["only products"]
    assert len(curve.phases) == 4


def test_an_older_document_does_not_tell_the_mix_and_the_page_says_so():
    document = climbing()
    older = [phase.model_copy(update={"by_step": []}) for phase in document.phases]
    figure = curve_figure(document.model_copy(update={"phases": older}), "run-1")
    assert "does not tell whether phases ask for the same steps" in figure.help


def test_the_seconds_of_a_phase_that_climbs_are_points():
    ramp = load_documents.document(
        load_documents.simulate(
            (load_documents.Phase("ramp", 400, lambda share: 10 + 190 * share, "10 to 200/s"),),
            (load_documents.Step("browse", "GET", "/products", 1.0, 20),),
            seed=2,
        )
    )
    curve = curve_of(ramp)
    assert curve is not None
    assert 100 < len(curve.seconds) <= 300
    slowest = max(one.response_p95_ms for one in ramp.seconds)
    assert max(level.p95_ms for level in curve.seconds) == slowest  # peaks stay


@pytest.mark.parametrize(
    "document",
    [steady(), load_documents.nothing_at_all(), load_documents.nothing_completed()],
    ids=["one rate", "nothing sent", "nothing completed"],
)
def test_one_rate_is_no_curve(document):
    assert curve_of(document) is None


def test_the_data_have_a_row_for_each_point_in_order():
    figure = curve_figure(climbing(), "run-1")
    assert figure.name == "load-latency"
    assert [row.x for row in figure.data.rows] == [20.0, 40.0, 60.0, 80.0, 100.0]
    assert [row.cells[1] for row in figure.data.rows] == ["20.0", "21.0", "23.0", "60.0", "300.0"]
