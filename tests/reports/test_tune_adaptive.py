"""The sentences of an adaptive tuning: how close to the best, how it is known, what ended it."""

from __future__ import annotations

import pytest

from reports.document import Budget, SloEvidence, TuneDocument
from reports.figures import SPACE
from reports.tune_facts import facts_of, model_sentence
from reports.tune_findings import headline, support, verdict_word
from reports.tune_slo import unkept_problem
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def said(document: TuneDocument) -> str:
    return plain(" ".join([headline(document), *support(document)]))


@pytest.mark.parametrize(
    ("objective", "claim"),
    [
        ("cost", "expected within 1.2 % of the cheapest size, at most 5.0 % above it with 90 %"),
        ("speed", "expected within 1.2 % of the fastest size, at most 5.0 % slower with 90 %"),
        ("balanced", "expected within 1.2 % of the best balance (weight of cost 0.7), at most"),
    ],
)
def test_a_size_to_keep_is_as_close_to_the_best_as_is_expected(objective, claim):
    weight = 0.7 if objective == "balanced" else None
    taken = adaptive.taken_size(objective=objective, weight=weight)
    document = adaptive.adaptive_document(taken, current_mb=1024)
    assert plain(headline(document)).startswith(f"Keep 1,024 MB: {claim}")
    assert said(document).count("expected within") == 1


def test_a_change_has_its_saving_first_and_then_how_close_it_is():
    document = adaptive.stopped_by_budget()
    assert plain(headline(document)).startswith("Set 1,024 MB instead of 1,536 MB: it costs 11 %")
    assert "expected within 6.1 % of the cheapest size" in plain(" ".join(support(document)))


def test_an_expectation_is_never_rounded_to_nothing():
    assert "within 0.1 % of the cheapest size, at most 0.4 %" in said(adaptive.keeps_its_size())


def test_a_bound_is_never_below_the_expectation():
    taken = adaptive.taken_size(regret_share=0.04, regret_bound_share=0.01)
    document = adaptive.adaptive_document(taken, current_mb=1024)
    assert "within 4.0 % of the cheapest size, at most 4.0 %" in said(document)


def test_a_saving_against_a_size_that_was_not_invoked_is_an_estimate():
    never = "today's size estimated from the curve"
    assert never in said(adaptive.many_tied())
    assert never not in said(adaptive.knee())


def test_a_size_that_was_not_invoked_is_not_verified():
    assert "1,152 MB is not verified by a call" in said(adaptive.too_little_budget())
    assert "not verified" not in said(adaptive.many_tied())


@pytest.mark.parametrize(
    ("budget", "sentence", "fact"),
    [
        (
            Budget(max_invocations=20, ended_by="max_invocations"),
            "Stopped by --max-invocations 20: the best answer so far.",
            "at most 20 invocations; ended by --max-invocations",
        ),
        (
            Budget(max_invocations=1_000_000, max_usd=0.05, ended_by="max_usd"),
            "Stopped by --max-usd 0.05: the best answer so far.",
            "at most 1,000,000 invocations and $0.05; ended by --max-usd",
        ),
        (
            Budget(max_invocations=1, max_usd=0.00002, ended_by="max_usd"),
            "Stopped by --max-usd 0.00002: the best answer so far.",
            "at most 1 invocation and $0.00002; ended by --max-usd",
        ),
        (Budget(max_seconds=600.0), None, "at most 10 min; not reached"),
        (Budget(), None, None),
    ],
    ids=["invocations", "dollars", "fractions of a cent", "not reached", "none"],
)
def test_a_budget_is_said_with_what_came_of_it(budget, sentence, fact):
    document = adaptive.many_tied().model_copy(update={"budget": budget})
    stops = [one for one in support(document) if one.startswith("Stopped")]
    assert stops == ([sentence] if sentence else [])
    assert plain(dict(facts_of(document)).get("Budget", "")) == (fact or "")


def test_a_budget_that_left_no_answer_does_not_claim_one():
    document = adaptive.adaptive_document(
        None, verdict="inconclusive", exit_code=4, budget=Budget(max_usd=0.0, ended_by="max_usd")
    )
    assert "Stopped by --max-usd 0: no answer so far." in said(document)


@pytest.mark.parametrize(
    ("document", "plan"),
    [
        (documents.cpu_bound(), "fixed: 20 warm samples at each size, 1 in parallel"),
        (adaptive.many_tied(), "adaptive: 33 invocations at 5 of 28 sizes, 1 in parallel"),
        (adaptive.keeps_its_size(), "adaptive, until the answer is close (--thorough): 33 invocat"),
    ],
    ids=["fixed", "adaptive", "thorough"],
)
def test_the_plan_is_among_the_facts(document, plan):
    assert dict(facts_of(document))["Plan"].startswith(plan)


def test_the_knee_is_explained_in_its_own_terms():
    document = adaptive.knee()
    assert plain(headline(document)) == (
        "1,408 MB is the knee: beyond it, another 10 % of speed costs more than 10 %. "
        "Set 1,408 MB instead of 256 MB."
    )
    assert "Against the current 256 MB it costs 11 % less" in said(document)


def test_a_size_alone_is_not_said_to_be_close_to_the_best():
    document = adaptive.many_tied()
    alone = document.model_copy(update={"sizes": [s for s in document.sizes if s.n][:1]})
    assert "expected within" in said(document)
    assert "expected within" not in said(alone)


def test_a_limit_that_is_met_names_the_size_and_its_bound():
    document = adaptive.slo_met()
    # 299.9 must not be rounded to the limit itself.
    assert plain(headline(document)) == (
        "1,408 MB is the cheapest size shown to keep p95 < 300 ms: at most 299.9 ms with 95 %. "
        "Set 1,408 MB instead of 1,536 MB."
    )


def test_a_limit_that_today_keeps_is_a_reason_to_keep_the_size():
    current = documents.document([], current_mb=1408).current
    document = adaptive.slo_met().model_copy(update={"current": current})
    assert plain(headline(document)) == (
        "Keep 1,408 MB. It is the cheapest size shown to keep p95 < 300 ms: at most 299.9 ms "
        "with 95 %."
    )


def test_a_limit_that_no_size_keeps_is_an_answer_of_its_own():
    document = adaptive.slo_infeasible()
    assert verdict_word(document) == "Infeasible"
    assert plain(headline(document)) == (
        "No measured size keeps p95 < 200 ms: 1,769 MB comes nearest with 255 ms from 62 samples, "
        "at least 251 ms with 95 %."
    )


def test_a_limit_that_no_size_keeps_has_the_range_and_says_what_the_curve_adds():
    document = adaptive.slo_infeasible()
    few = SloEvidence(n=2, quantile_ms=410.0, verdict="open", lower_ms=None, upper_ms=None)
    sizes = [document.sizes[0].model_copy(update={"slo": few}), *document.sizes[1:]]
    provenance = document.provenance.model_copy(update={"candidates_mb": [128, 512, 3008]})
    text = headline(document.model_copy(update={"sizes": sizes, "provenance": provenance}))
    assert plain(text).startswith("No size from 128 to 3,008 MB keeps p95 < 200 ms: 1,769 MB")
    assert text.endswith("By the curve, the sizes that are open miss it as well.")


def test_a_size_that_comes_nearest_to_a_limit_was_shown_to_miss_it():
    document = adaptive.slo_infeasible()
    few = SloEvidence(n=2, quantile_ms=210.0, verdict="open", lower_ms=None, upper_ms=None)
    sizes = [
        size.model_copy(update={"slo": few}) if size.memory_mb == 1024 else size
        for size in document.sizes
    ]
    text = plain(headline(document.model_copy(update={"sizes": sizes})))
    assert "1,769 MB comes nearest with 255 ms" in text


@pytest.mark.parametrize(
    ("n", "upper_ms", "claim"),
    [
        pytest.param(
            3, None, "390 ms from 3 samples, and it takes at least 59 to show it", id="too few"
        ),
        pytest.param(
            120,
            410,
            "390 ms from 120 samples, at most 410 ms with 95 %: that is too",
            id="too close",
        ),
    ],
)
def test_an_open_limit_names_the_size_that_may_keep_it_and_what_it_lacks(n, upper_ms, claim):
    document = adaptive.slo_open()
    found = SloEvidence(n=n, quantile_ms=390, verdict="open", lower_ms=None, upper_ms=upper_ms)
    sizes = [
        size.model_copy(update={"slo": found if size.memory_mb == 1769 else None})
        for size in document.sizes
    ]
    text = said(document.model_copy(update={"sizes": sizes}))
    assert f"No size is shown to keep p95 < 400 ms: 1,769 MB looks best with {claim}" in text


@pytest.mark.parametrize(
    "document", [adaptive.slo_infeasible(), adaptive.slo_open()], ids=["infeasible", "open"]
)
def test_what_the_headline_says_of_a_limit_is_not_said_again(document):
    errors = [unkept_problem(document.slo), "version 7 is left"]
    sentences = support(document.model_copy(update={"errors": errors}))
    assert "Version 7 is left." in sentences
    assert not any("p95" in text for text in sentences)


@pytest.mark.parametrize("verdict", ["interrupted", "inconclusive"])
def test_a_limit_in_a_run_that_is_no_pass_is_no_order(verdict):
    document = adaptive.slo_met().model_copy(update={"verdict": verdict})
    assert "So far 1,408 MB looks best for the lowest cost within the limit" in said(document)
    assert "Set 1,408 MB" not in said(document)


def test_an_invalid_run_says_nothing_of_its_limit():
    document = adaptive.slo_open().model_copy(update={"verdict": "invalid"})
    assert "p95" not in headline(document)


def test_the_curve_of_an_adaptive_run_is_called_what_it_is():
    assert "what all samples together lead to expect" in model_sentence(adaptive.many_tied())
    nothing = adaptive.adaptive_document(None, model=None)
    assert model_sentence(nothing) == "No curve was fitted: there is no usable sample."
