"""Absolute budgets: what they say, what cannot be said, and what comes of them in a run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.located_yaml import read_document
from reports.document import TuneDocument
from reports.load_document import LoadDocument
from reports.nightly.budgets import (
    budget_fault,
    document_gates,
    judge_budget,
    parse_budget,
)
from reports.nightly.profile_steps import step_names
from tests.reports import adaptive_documents, documents, load_documents
from tests.reports.compared_loads import Told, Truth, run_of

SHOP = run_of(
    Truth(
        seed=1,
        steps=(Told("GET /products", 50, 400), Told("GET /search", 80, 90, throttled=10, failed=5)),
    )
)


# -- what a budget says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "scope", "metric", "operator", "limit", "unit"),
    [
        ("p95 < 300ms", None, "p95", "<", 300, "ms"),
        ("  p99.9<=1.5s ", None, "p99.9", "<=", 1500, "ms"),
        ("P50 < 900us", None, "p50", "<", 0.9, "ms"),
        ("GET /search: p99 <= 1s", "GET /search", "p99", "<=", 1000, "ms"),
        ("GET /a:b: x: p95 < 1s", "GET /a:b: x", "p95", "<", 1000, "ms"),
        ("browse: GET /x: errors < 1%", "browse: GET /x", "errors", "<", 0.01, "share"),
        ("the run: errors < 0.02", None, "errors", "<", 0.02, "share"),
        ("errors <= 0", None, "errors", "<=", 0, "share"),
        ("throttled <= 5 %", None, "throttled", "<=", 0.05, "share"),
        ("rate >= 50/s", None, "rate", ">=", 50, "rps"),
        ("rate > 50", None, "rate", ">", 50, "rps"),
        ("usd_per_million < 5", None, "usd_per_million", "<", 5, "usd_per_million"),
        ("usd_per_million < $4.20", None, "usd_per_million", "<", 4.2, "usd_per_million"),
        ("regret < 10%", None, "regret", "<", 0.1, "share"),
        ("regret < 150%", None, "regret", "<", 1.5, "share"),
        ("duration < 250ms", None, "duration", "<", 250, "ms"),
    ],
)
def test_a_budget_is_read(  # one column each
    text: str, scope: str | None, metric: str, operator: str, limit: float, unit: str
) -> None:
    budget = parse_budget(text)

    assert (budget.scope, budget.metric, budget.operator) == (scope, metric, operator)
    assert budget.limit == pytest.approx(limit)
    assert budget.unit == unit
    assert parse_budget(budget.text) == budget


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be METRIC < LIMIT"),
        ("p95", "must be METRIC < LIMIT"),
        ("p95 <", "must be METRIC < LIMIT"),
        ("p95 < 300ms\nerrors < 1%", "must be METRIC < LIMIT"),
        ("p95 < 300", "the limit of p95 must be in us, ms or s (got '300')"),
        ("p95 < 300 m", "must be in us, ms or s"),
        ("p95 > 300ms", "of p95 less is better: expected < or <= (got '>')"),
        ("rate < 50/s", "of rate more is better: expected > or >= (got '<')"),
        ("p95 = 300ms", "'=' is no operator: expected <, <=, > or >="),
        ("p0 < 1s", "'p0' is no metric"),
        ("p100 < 1s", "'p100' is no metric"),
        ("latency < 1s", "did you mean p95?"),
        ("error_rate < 1%", "did you mean errors?"),
        ("durations < 1s", "did you mean duration?"),
        ("memory <= 1024", "'memory' is no metric: expected p50, p95"),
        ("errors < 1/s", "must be a share such as 1% or 0.01 (got '1/s')"),
        ("errors < 2", "must be a share such as 1% or 0.01 (got '2'); did you mean 2%?"),
        ("errors < 1", "did you mean 1%?"),
        ("regret < 5.50", "did you mean 5.5%?"),
        ("throttled < 101%", "must be a share such as 1% or 0.01 (got '101%')"),
        ("errors < 0%", "never holds: expected a limit above 0 (got '0%')"),
        ("rate >= 0/s", "always or never holds: expected a limit above 0"),
        ("rate > 50ms", "must be requests a second: 50/s (got '50ms')"),
        ("usd_per_million < 5%", "must be in USD for a million"),
        ("usd_per_million < many", "the limit must be a number with its unit (got 'many')"),
        ("errors < -1%", "the limit must be a number"),
        ("errors < 1e3%", "the limit must be a number with its unit (got '1e3%')"),
        ("GET /x: usd_per_million < 5", "usd_per_million is of a whole run"),
        ("512 MB: regret < 5%", "regret is of a whole run"),
    ],
)
def test_what_is_no_budget_says_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^'") as failure:
        parse_budget(text)

    assert said in str(failure.value)


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_any_text_is_a_budget_or_a_value_error(text: str) -> None:
    try:
        budget = parse_budget(text)
    except ValueError:
        return
    assert parse_budget(budget.text) == budget


@given(
    metric=st.sampled_from(["p50", "p99.9", "p7", "duration"]),
    limit=st.decimals(min_value="0.001", max_value="99999", places=3),
    unit=st.sampled_from(["us", "ms", "s"]),
    scope=st.none() | st.from_regex(r"GET /[a-z{}/:]{0,12}[a-z]", fullmatch=True),
)
@settings(max_examples=50)
def test_a_budgets_text_is_the_same_budget(
    metric: str, limit: object, unit: str, scope: str | None
) -> None:
    prefix = f"{scope}: " if scope is not None and metric != "duration" else ""

    budget = parse_budget(f"{prefix}{metric} < {limit}{unit}")

    assert parse_budget(budget.text) == budget
    assert budget.scope == (scope if prefix else None)


@pytest.mark.parametrize(
    ("text", "kind", "scopes", "said"),
    [
        ("regret < 5%", "load", None, "a load run has no regret: expected p50, p95"),
        ("duration < 5ms", "load", None, "a load run has no duration"),
        ("p95 < 5ms", "tune", None, "a tuning has no p95: expected duration, usd_per_million or"),
        ("rate > 5", "tune", None, "a tuning has no rate"),
        ("GET /serch: p95 < 5ms", "load", ["GET /search"], "did you mean GET /search?"),
        ("zzz: p95 < 5ms", "load", ["GET /a", "GET /b"], "it has GET /a or GET /b"),
        ("zzz: p95 < 5ms", "load", [], "it has none"),
        ("zzz: p95 < 5ms", "load", None, None),
        ("GET /a: p95 < 5ms", "load", ["GET /a"], None),
        ("p90 < 5ms", "load", None, None),
        ("usd_per_million < 5", "tune", None, None),
    ],
)
def test_what_a_step_cannot_have_is_known_before(
    text: str, kind: str, scopes: list[str] | None, said: str | None
) -> None:
    fault = budget_fault(parse_budget(text), "tune" if kind == "tune" else "load", scopes)

    assert fault is None if said is None else said in (fault or "")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (load_documents.PROFILE, {"GET /products", "GET /search"}),
        ("scenarios: [{flow: [{post: '/o/${a}', name: order}, {think: 1s}]}]", {"order"}),
        ("scenarios: [{flow: [{get: '/o/${id}'}]}]", {"GET /o/${id}"}),
        ("scenarios: [{flow: [{get: '/${env.V}/o'}]}]", None),
        ("scenarios: [{flow: [{get: /}]}]\nenvironments: {a: {scenarios: []}}", None),
        ("scenarios: [{flow: [{get: /}]}]\nlocustfile: {file: x.py}", None),
        ("scenarios: 3\nenvironments: [1]", None),
        ("scenarios: [3, {flow: 1}, {flow: [2]}]", None),
        ("- 1", None),
        ("", None),
    ],
)
def test_the_steps_of_a_profile_are_known_before_where_its_text_has_them(
    text: str, names: set[str] | None
) -> None:
    assert step_names(read_document(text)) == names


# -- load runs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("p95 < 300ms", "passed", "95 % interval"),
        ("p95 < 90ms", "failed", "limit 90 ms, n = 3,920"),
        ("GET /search: p50 < 100ms", "passed", "n = 720"),
        ("GET /search: p99.9 < 1s", "inconclusive", "720 ok requests are too few for p99.9"),
        ("GET /nothing: p50 < 1s", "inconclusive", "the profile has no step 'GET /nothing'"),
        ("errors < 2%", "passed", "measured 0.990 %, limit 2 %, n = 4,040"),
        ("errors < 0.5%", "failed", "limit 0.5"),
        ("GET /search: throttled < 5%", "failed", "measured 9.52 %, limit 5 %, n = 840"),
        ("GET /products: throttled < 5%", "passed", "measured 0 %"),
        ("rate >= 45/s", "passed", "measured 49.5/s, limit 45/s"),
        ("rate >= 50/s", "failed", "measured 49.5/s, limit 50/s"),
        ("usd_per_million < 5", "inconclusive", "what the run costs is not known"),
        ("regret < 5%", "inconclusive", "a load run has no regret"),
    ],
)
def test_a_budget_is_judged_by_the_value_of_the_run(text: str, status: str, message: str) -> None:
    document = SHOP.model_copy(
        update={"spent": SHOP.spent.model_copy(update={"usd": None, "parts": []})}
    )

    gate = judge_budget(parse_budget(text), document, step="orders")

    assert (gate.status, gate.kind, gate.step) == (status, "budget", "orders")
    assert message in gate.message


def test_a_budget_just_missed_shows_the_digits_that_tell_it() -> None:
    p95 = judge_budget(parse_budget("p95 < 1s"), SHOP, step="orders").value
    assert p95 is not None

    gate = judge_budget(parse_budget(f"p95 < {p95 - 0.004:.3f}ms"), SHOP, step="orders")

    shown = gate.message.split(",")
    assert gate.status == "failed"
    assert shown[0].removeprefix("measured ") != shown[2].removeprefix(" limit ")


@pytest.mark.parametrize(
    ("document", "status", "message"),
    [
        (load_documents.invalid(), "invalid", "the measurement is invalid"),
        (load_documents.interrupted(), "inconclusive", "the run ended early: interrupted"),
        (load_documents.nothing_at_all(), "inconclusive", "the run ended early: refused"),
    ],
)
def test_a_run_that_says_nothing_fails_no_budget(
    document: LoadDocument, status: str, message: str
) -> None:
    gate = judge_budget(parse_budget("errors < 1%"), document, step="orders")

    assert (gate.status, gate.message) == (status, message)


# -- tunings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "text", "status", "message"),
    [
        (documents.waiting(), "regret < 10%", "failed", "judged by its lower bound, beside 128 MB"),
        (documents.waiting(), "regret < 500%", "passed", "limit 500 %"),
        (documents.cpu_bound(), "regret < 10%", "passed", "95 % interval 0.0 to"),
        (documents.cpu_bound(), "duration < 800ms", "passed", "measured 757 ms, 90 % interval"),
        (documents.cpu_bound(), "duration < 700ms", "failed", "n = 20"),
        (documents.cpu_bound(), "usd_per_million < 6.5", "failed", "$6.51 a million"),
        (documents.empty(), "duration < 1s", "inconclusive", "ended early: interrupted"),
        (documents.invalid(), "duration < 1s", "invalid", "the measurement is invalid"),
        (documents.bare(), "duration < 1s", "failed", "128 MB, today's size: "),
        (adaptive_documents.many_tied(), "duration < 1s", "passed", "measured 282 ms"),
        (documents.cpu_bound(), "p95 < 1s", "inconclusive", "a tuning has no p95"),
        (documents.with_failures(), "duration < 1s", "failed", "512 MB, today's size: timeout"),
    ],
)
def test_a_tunings_budget_is_about_todays_size(
    document: TuneDocument, text: str, status: str, message: str
) -> None:
    gate = judge_budget(parse_budget(text), document, step="thumbnail")

    assert gate.status == status
    assert message in gate.message
    assert gate.scope == "today's size"


def test_a_single_failure_at_todays_size_is_no_failed_budget() -> None:
    document = documents.with_failures()
    sizes = [
        size.model_copy(update={"n_failed": 1}) if size.failure else size for size in document.sizes
    ]

    gate = judge_budget(
        parse_budget("duration < 1s"), document.model_copy(update={"sizes": sizes}), step="x"
    )

    assert gate.status == "inconclusive"
    assert "was not measured: timeout" in gate.message


# -- what the run itself was held against -----------------------------------------------------


def test_thresholds_are_gates_behind_the_validity() -> None:
    first, *rest = document_gates(load_documents.five_causes(), step="orders")

    assert (first.kind, first.metric, first.status) == ("validity", "validity", "passed")
    assert rest
    assert {gate.kind for gate in rest} == {"budget"}
    assert {gate.step for gate in rest} == {"orders"}
    assert all(gate.text.startswith(gate.metric) for gate in rest)


def test_an_invalid_run_has_its_reason_in_the_first_gate() -> None:
    first, *_ = document_gates(load_documents.invalid(), step="orders")

    assert first.status == "invalid"
    assert "start lag" in first.message


def test_sizes_that_are_too_small_are_no_gates_and_todays_size_is_one() -> None:
    gates = document_gates(documents.with_failures(), step="thumbnail")

    assert [gate.text for gate in gates] == [
        "the measurement is valid",
        "today's size works",
        "a memory size is found",
    ]
    assert [gate.status for gate in gates] == ["passed", "failed", "passed"]


def test_an_slo_of_a_tuning_is_a_budget() -> None:
    gates = document_gates(adaptive_documents.slo_infeasible(), step="thumbnail")

    assert [(gate.metric, gate.status) for gate in gates[1:2]] == [("p95(duration)", "failed")]
