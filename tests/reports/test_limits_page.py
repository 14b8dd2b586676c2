"""The page of a probe of limits: what was measured beside what is configured, and residuals."""

from __future__ import annotations

import re

import pytest

from reports.figures import SPACE
from reports.gates import gates_of
from reports.limits_absent import absent_parts, validity_line
from reports.limits_charts import limits_figures
from reports.limits_document import (
    AccountQuota,
    BindingLayer,
    FrontierPoint,
    LayerComparison,
    LimitFinding,
    LimitsDocument,
    LimitsProvenance,
    ProbeBin,
    ProbeCounts,
    ProbedScenario,
    ProbePhase,
    Quantity,
)
from reports.limits_drift import drift_words, drifts_of
from reports.limits_markdown import render_limits_markdown
from reports.limits_tables import layers_table
from reports.limits_words import headline
from reports.load_document import LoadSpent, TargetFacts
from reports.page import render_page
from tests.reports.pages import Page

STAGE = LayerComparison(
    layer="stage", name="stage prod", binds=True, rate_rps=60, burst=50, answer="agrees", why="so"
)
UNREAD = LayerComparison(
    layer="account", name="account", binds=False, rate_rps=None, burst=None, answer="unknown",
    why="not read",
)  # fmt: skip


def bins(
    admitted: list[int], model: float | None = 10.0, band: float | None = 3.0
) -> list[ProbeBin]:
    return [
        ProbeBin(
            from_s=index / 2,
            to_s=(index + 1) / 2,
            sent=20,
            admitted=count,
            model=model,
            drift_low=None if band is None else -band,
            drift_high=band,
        )
        for index, count in enumerate(admitted)
    ]


def probe(**changes: object) -> LimitsDocument:
    """A probe that found 60 requests/s and a burst of 50."""
    rate = Quantity(value=59.91, low=59.79, high=60.03, calibrated=True)
    burst = Quantity(value=50.25, low=49.96, high=50.54, calibrated=True)
    document = LimitsDocument(
        name="shop",
        verdict="pass",
        exit_code=0,
        errors=[],
        notes=[],
        target=TargetFacts(url="https://a1.execute-api.eu-west-1.amazonaws.com/prod"),
        probed=ProbedScenario(
            scenario="a", method="GET", path="/a", stage="prod", with_key=False, canary=None
        ),
        finding=LimitFinding(kind="token_bucket", rate_rps=rate, burst=burst, reasons=[]),
        binding=BindingLayer(layer="stage", evidence="configuration"),
        comparisons=[STAGE],
        counts=ProbeCounts(
            sent=80, admitted=40, refused=40, base_admitted=40, layer_admitted=0,
            canary_admitted=0, canary_refused=0, allowed=None,
        ),
        phases=[
            ProbePhase(
                name="ramp", purpose="ramp", from_s=0, to_s=2, rate_rps=40, sent=80, admitted=40,
                refused=40, failed=0, p95_ms=12.0,
            )
        ],
        bins=bins([10, 11, 9, 10]),
        guards=[],
        statuses={},
        length_s=2,
        spent=LoadSpent(usd=0.001, estimated_usd=None, detail=[]),
        provenance=LimitsProvenance(
            tool_version="0.1.0", command=["loadgen", "limits"], seed=1, run_id="abc",
            started_utc="2026-01-05T10:00:00", finished_utc="2026-01-05T10:00:02",
            profile_file="p.yaml", profile_sha256="0" * 64, profile_text="", environment=None,
            processes=1,
        ),
    )  # fmt: skip
    return document.model_copy(update=changes)


def test_what_was_measured_stands_above_what_is_configured():
    table = layers_table(probe(account_quota=AccountQuota(rate_rps=10_000, burst=5_000)))

    assert table is not None
    assert [list(row.cells[:4]) for row in table.rows] == [
        ["measured", "59.91 (59.79 to 60.03)", "50.25 (49.96 to 50.54)", "\N{EN DASH}"],
        ["stage prod", "60", "50", "yes"],
        ["Service Quotas", "10,000", "5,000", "\N{EN DASH}"],
    ]
    assert "90 % interval" in table.help


def test_ranges_and_unknown_limits_are_told_as_such():
    rate = Quantity(value=None, low=50, high=90, calibrated=False)
    burst = Quantity(value=None, low=20, high=None, calibrated=False)
    finding = LimitFinding(kind="other_traffic", rate_rps=rate, burst=burst, reasons=[])
    table = layers_table(probe(finding=finding, comparisons=[UNREAD]))

    assert table is not None
    assert list(table.rows[0].cells[1:3]) == ["50.00 to 90.00", "20.00 or more"]
    assert list(table.rows[1].cells[:3]) == ["the account", "unknown", "\N{EN DASH}"]
    assert "as the data allow" in table.help


def test_without_anything_to_compare_there_is_no_table():
    nothing = LimitFinding(kind="unknown", rate_rps=None, burst=None, reasons=[])
    assert layers_table(probe(finding=nothing, comparisons=[])) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (bins([10, 11, 9, 10]), "The limit that was found explains what came through: of 40 "),
        (bins([10, 11, 9, 10]), "at most 1 more and 0 fewer than it would admit up to any moment"),
        (bins([10, 9, 11, 12]), "at most 2 more and 1 fewer"),
        (bins([10, 15, 9, 10]), "does not explain all: at 1.0 s, 5 more had come through than"),
        (bins([2, 10, 10, 10]), "does not explain all: at 0.5 s, 8 fewer had come through than"),
        (bins([10, 11], band=None), "How far chance alone reaches is not known."),
    ],
    ids=["inside", "counts", "both sides", "above", "below", "no band"],
)
def test_residuals_are_concluded_in_words(found, words):
    assert words in drift_words(found)


def test_what_is_not_explained_is_told_in_every_form():
    words = "does not explain all: at 1.0 s, 5 more had come through"
    odd, plain = probe(bins=bins([10, 15, 9, 10])), probe()

    assert words in render_limits_markdown(odd)
    assert Page(render_page([odd])).words().count(words) >= 2
    assert words not in render_limits_markdown(plain)


def test_names_from_outside_stay_text():
    hostile = STAGE.model_copy(update={"name": "</script><b>x"})
    html = render_page([probe(name="<b>shop", comparisons=[hostile])])
    assert "<b>" not in html
    assert "&lt;/script&gt;&lt;b&gt;x" in html


def test_residuals_are_drawn_with_chance_around_zero():
    document = probe(bins=bins([10, 11, 7, 10]))
    sent, drift = limits_figures(document, "a")

    assert drifts_of(document.bins) == [0, 1, -2, -2]
    assert (sent.name, drift.name) == ("admitted", "residuals")
    assert drift.data is not None
    assert [list(row.cells) for row in drift.data.rows][2] == [
        "1.00", "\N{MINUS SIGN}2", "3.0", "\N{MINUS SIGN}3.0",
    ]  # fmt: skip
    assert [row.x for row in drift.data.rows] == [0.0, 0.5, 1.0, 1.5]
    for drawing in (*sent.drawings, *drift.drawings):
        assert 'data-rows="step"' in drawing
        assert not re.search(r"\bnan\b|\binf\b|None", drawing)
    # Below zero has room: the axis begins under the band.
    assert 'data-y="linear -4 4"' in drift.drawings[0]


def no_refusal(**changes: object) -> LimitsDocument:
    rate = Quantity(value=None, low=100, high=None, calibrated=False)
    frontier = [(0.0, 467.0), (50.0, 170.6), (100.0, 1.0)]
    finding = LimitFinding(
        kind="no_refusal",
        rate_rps=rate,
        burst=None,
        reasons=[],
        frontier=[FrontierPoint(rate_rps=rate, burst=burst) for rate, burst in frontier],
    )
    return probe(finding=finding, bins=bins([20, 20], model=None, band=None), **changes)


def test_without_a_refusal_the_excluded_limits_are_drawn_beside_configured_ones():
    far = STAGE.model_copy(update={"name": "account", "rate_rps": 10_000, "burst": 5_000})
    sent, excluded = limits_figures(no_refusal(comparisons=[STAGE, far, UNREAD]), "a")

    assert sent.title == "Sent and admitted"
    assert "refused" not in sent.drawings[0]
    assert (excluded.name, excluded.data and len(excluded.data.rows)) == ("frontier", 3)
    assert 'data-y="linear 0 ' in excluded.drawings[0]
    assert "configured: stage prod" in excluded.drawings[0]
    assert "configured: account" not in excluded.drawings[0]
    assert "Far above what was sent, and not drawn: account (10,000/s, burst 5,000)." in (
        excluded.help
    )


def test_with_a_refusal_or_without_bounds_there_is_nothing_excluded():
    nothing = no_refusal().finding.model_copy(update={"frontier": []})
    for document in (probe(), probe(finding=nothing)):
        assert "frontier" not in [figure.name for figure in limits_figures(document, "a")]


def test_a_document_of_an_older_version_has_residuals_without_chance():
    text = probe().model_dump_json(
        exclude={"bins": {"__all__": {"drift_low", "drift_high"}}, "account_quota": True}
    )
    old = LimitsDocument.model_validate_json(text.replace('"lost":null,', ""))
    figures = limits_figures(old, "a")

    assert len(figures) == 2
    assert "by chance" not in figures[1].drawings[0]
    assert (
        "run loadgen limits again" in dict(absent_parts(old))["What chance does to the residuals"]
    )
    assert validity_line(old).startswith("Valid: no more than 5 %")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verdict": "invalid"}, "Invalid: too many arrivals were dropped or cut"),
        ({"verdict": "refused"}, "Valid as far as it went"),
        ({"verdict": "failed", "lost": 4}, "Valid: 4.8 % of the arrivals were dropped or cut."),
        ({"verdict": "pass", "lost": 0}, "Valid: 0 % of the arrivals"),
    ],
    ids=["invalid", "ended early", "some lost", "none lost"],
)
def test_validity_is_told_before_any_figure(changes, words):
    counts = probe().counts.model_copy(update={"lost": changes.get("lost")})
    document = probe(verdict=changes["verdict"], counts=counts)

    assert validity_line(document).replace(SPACE, " ").startswith(words)
    text = Page(render_page([document])).words().replace(SPACE, " ")
    assert text.index(words) < text.index("59.91")


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["Who shares the limit", "The account's quota"]),
        ({"bins": []}, ["Sent and admitted over time", "Who shares the limit"]),
        ({"bins": bins([10], model=None)}, ["Residuals of the limit", "Who shares the limit"]),
        ({"comparisons": [UNREAD]}, ["Who shares the limit", "What is configured"]),
        ({"account_quota": AccountQuota(rate_rps=1, burst=None)}, ["Who shares the limit"]),
    ],
    ids=["nothing compared", "nothing sent", "no point", "not read", "quota known"],
)
def test_absent_parts_say_what_would_fill_them(changes, names):
    document = probe(**changes)
    assert [name for name, _ in absent_parts(document)][: len(names)] == names
    text = Page(render_page([document])).words()
    assert "Not on this page" in text
    assert not re.search(r"\bNone\b|\bnan\b|Undefined", text)


@pytest.mark.parametrize(
    ("verdict", "begins", "found", "kept"),
    [
        ("pass", "A token bucket", "passed", "passed"),
        (
            "refused",
            "The probe ended early; so far it looks like a token",
            "inconclusive",
            "passed",
        ),
        ("invalid", "A token bucket", "invalid", "invalid"),
    ],
)
def test_a_limit_of_a_probe_that_ended_early_is_not_yet_found(verdict, begins, found, kept):
    document = probe(verdict=verdict)
    assert headline(document).startswith(begins)
    gates = {gate.text: gate.status for gate in gates_of(document).gates}
    assert gates.pop("a limit is found") == found
    assert gates.pop("the measurement is valid") == ("passed" if verdict == "pass" else "invalid")
    assert kept in gates.values()
