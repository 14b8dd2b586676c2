"""The sentences of a report: what they claim, and what they must not claim."""

from __future__ import annotations

import pytest

from reports import tune_findings, tune_sizes
from reports.document import Recommendation, Saving
from reports.endpoint import is_loopback
from reports.figures import SPACE
from tests.reports import documents


def words(document):
    return tune_findings.headline(document).replace(SPACE, " ")


def saving(low, high, share=None, duration=(0.4, 0.6)):
    middle = (low + high) / 2 if share is None else share
    return Saving(
        cost_share=middle,
        cost_interval=(low, high),
        duration_share=sum(duration) / 2,
        duration_interval=duration,
    )


def recommended(memory_mb=1024, tied_mb=(), saving=None, objective="cost"):
    taken = Recommendation(
        memory_mb=memory_mb,
        tied_mb=list(tied_mb),
        objective=objective,
        weight=0.5 if objective == "balanced" else None,
        saving=saving,
        reasons=[],
    )
    sizes = [documents.size_result(mb, documents.saturating) for mb in (512, 1024)]
    return documents.document(sizes, recommendation=taken)


def test_a_clear_saving_is_one_sentence_with_its_intervals():
    assert words(recommended(saving=saving(0.2, 0.3))) == (
        "Set 1,024 MB instead of 512 MB: it costs 25 % less (90 % interval 20 to 30 %) "
        "and takes 50 % less time (40 to 60 %)."
    )


@pytest.mark.parametrize(
    ("low", "high", "claim"),
    [
        (-0.3, -0.2, "costs 25 % more (90 % interval 20 to 30 %)"),
        (-0.01, 0.02, "costs about the same (between 2.0 % less and 1.0 % more)"),
        (-0.3, 0.4, "costs somewhere between 40 % less and 30 % more"),
    ],
    ids=["dearer", "same", "open"],
)
def test_a_change_is_called_what_its_interval_allows(low, high, claim):
    assert claim in words(recommended(saving=saving(low, high)))


@pytest.mark.parametrize(
    ("objective", "cost", "duration", "is_an_order"),
    [
        ("cost", (-0.01, 0.02), (0.4, 0.6), True),
        ("cost", (-0.01, 0.02), (-0.02, 0.03), False),
        ("cost", (-0.01, 0.02), (0.01, 0.03), False),
        ("cost", (-0.04, 0.01), (-0.9, -0.8), False),
        ("speed", (0.2, 0.3), (-0.01, 0.01), True),
        ("speed", (-0.1, 0.3), (-0.01, 0.01), False),
        ("balanced", (0.2, 0.3), (-0.3, -0.2), False),
    ],
    ids=[
        "same cost, half the time",
        "nothing gained",
        "too little gained",
        "only slower",
        "same speed, cheaper",
        "same speed, cost open",
        "a balance leaves nothing out",
    ],
)
def test_a_tie_asks_for_a_change_only_where_the_other_quality_gains(
    objective, cost, duration, is_an_order
):
    document = recommended(
        tied_mb=[512, 1024], saving=saving(*cost, duration=duration), objective=objective
    )
    claim = "No change is called for: 1,024 MB and the current 512 MB cannot be told apart"
    assert words(document).startswith("Set 1,024 MB" if is_an_order else claim)
    assert ("Set " in words(document)) == is_an_order


@pytest.mark.parametrize("tied_mb", [[512, 1024], [1024]], ids=["tied", "not tied"])
def test_too_few_samples_at_the_current_size_are_no_order_either(tied_mb):
    assert words(recommended(tied_mb=tied_mb)) == (
        "1,024 MB looks best for the lowest cost, but the samples at the current 512 MB are too "
        "few to compare the two."
    )


def test_the_interval_decides_what_a_change_is_called():
    assert "costs 25 % less (90 % interval" in words(recommended(saving=saving(0.2, 0.3, 0.25)))
    assert "costs somewhere between" in words(recommended(saving=saving(-0.1, 0.3, 0.25)))


def test_the_current_size_is_kept_when_it_is_the_best():
    assert words(recommended(memory_mb=512)).startswith("Keep 512 MB")


def test_an_unknown_saving_says_what_would_tell_it():
    failed = documents.with_failures()
    assert words(failed).endswith("instead of 512 MB. 512 MB failed: timeout after 30 s.")
    elsewhere = failed.model_copy(
        update={"current": failed.current.model_copy(update={"memory_mb": 640})}
    )
    # Nothing says that it is better than a size that the run left out: that is no order.
    assert words(elsewhere) == (
        "1,024 MB looks best for the lowest cost. Whether to set it instead of 640 MB is unknown: "
        "640 MB has no usable samples in this run."
    )


@pytest.mark.parametrize(
    ("document", "first_words"),
    [
        (documents.inconclusive(), "The data are too few or too noisy"),
        (documents.invalid(), "Do not act on the figures below"),
        (documents.interrupted(), "The run was stopped"),
    ],
    ids=["inconclusive", "invalid", "interrupted"],
)
def test_a_run_that_is_no_pass_says_so_before_any_number(document, first_words):
    text = words(document)
    assert text.startswith(first_words)
    assert not any(letter.isdigit() for letter in text[: len(first_words)])
    assert tune_findings.verdict_word(document) != "Recommendation"


def test_a_pass_without_recommendation_is_not_called_one():
    assert tune_findings.verdict_word(documents.bare()) == "No recommendation"
    assert words(documents.bare()).endswith("The table says why, size by size.")


def test_a_run_without_a_call_has_no_table_to_point_at():
    nothing = documents.bare().model_copy(update={"sizes": []})
    assert words(nothing) == "No size is recommended: there is no usable sample."


@pytest.mark.parametrize(("failed", "calls"), [(0, ""), (1, "1 call at"), (3, "3 calls at")])
def test_failed_calls_at_the_recommended_size_are_said(failed, calls):
    document = recommended(memory_mb=512)
    sizes = [
        size.model_copy(update={"n_failed": failed}) if size.memory_mb == 512 else size
        for size in document.sizes
    ]
    said = " ".join(tune_findings.support(document.model_copy(update={"sizes": sizes})))
    assert ("failed: find the cause" in said) == bool(failed)
    assert calls in said


def test_ties_name_the_recommended_size_too():
    assert tune_sizes.tied_sizes(documents.cpu_bound()) == [1536, 1769]
    assert tune_sizes.tied_sizes(documents.waiting()) == []


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://127.8.0.1", True),
        ("https://localhost:443/x", True),
        ("http://api.localhost", True),
        ("http://[::1]:80", True),
        ("127.0.0.1:4566", True),
        ("http://0.0.0.0:1", True),
        ("https://lambda.eu-west-1.amazonaws.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("http://[bad", False),
        ("", False),
    ],
)
def test_only_this_machine_counts_as_the_sandbox(endpoint, local):
    assert is_loopback(endpoint) is local


def test_another_endpoint_is_named():
    document = documents.document(
        [], provenance=documents.provenance(endpoint="https://lambda.example.com")
    )
    [caution] = tune_findings.cautions(document)
    assert "https://lambda.example.com" in caution
