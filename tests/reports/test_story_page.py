"""A page of several runs: one verdict over all, and how the runs belong together."""

from __future__ import annotations

import pytest

from reports.figures import SPACE
from reports.load_document import CalledFunction
from reports.page import prose, render_page
from reports.story import names_of, story_of
from tests.reports import documents, load_documents
from tests.reports.pages import Page

LATER = "2025-11-24T02:00:00Z"


def placed(*runs):
    return [(f"run-{number}", run) for number, run in enumerate(runs, start=1)]


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def calling(name: str, memory_mb: int, steps=(0,)):
    """A load run whose steps call a function."""
    function = CalledFunction(
        name=name, memory_mb=memory_mb, arch="x86_64", timeout_s=3, steps=list(steps)
    )
    return load_documents.five_causes().model_copy(update={"functions": [function]})


def later(run):
    provenance = run.provenance.model_copy(update={"started_utc": LATER})
    return run.model_copy(update={"provenance": provenance})


@pytest.mark.parametrize(
    ("runs", "word"),
    [
        pytest.param((documents.cpu_bound, load_documents.five_causes), "Passed", id="all good"),
        pytest.param((documents.cpu_bound, documents.inconclusive), "Inconclusive", id="open"),
        pytest.param((documents.inconclusive, load_documents.failed), "Failed", id="failed"),
        pytest.param(
            (load_documents.failed, load_documents.invalid), "Invalid measurement", id="x"
        ),
        pytest.param((documents.cpu_bound, documents.invalid), "Invalid measurement", id="tuning"),
        pytest.param((documents.cpu_bound, documents.interrupted), "Interrupted", id="partial"),
    ],
)
def test_the_verdict_over_all_runs_is_that_of_the_worst(runs, word):
    assert story_of(placed(*(run() for run in runs))).verdict_word == word


def test_an_invalid_run_is_named_before_any_number():
    story = story_of(placed(documents.cpu_bound(), load_documents.invalid()))
    name = load_documents.invalid().name
    assert story.validity_line == f"Do not trust the figures of {name}: measured invalidly."
    html = render_page([documents.cpu_bound(), load_documents.invalid()])
    assert html.index(story.validity_line) < html.index('class="headline"')


@pytest.mark.parametrize("verdict", ["interrupted", "error", "failed"])
def test_a_run_that_ended_otherwise_is_invalid_all_the_same(verdict):
    run = load_documents.invalid().model_copy(update={"verdict": verdict})
    story = story_of(placed(documents.cpu_bound(), run))
    assert story.validity_line.startswith(f"Do not trust the figures of {run.name}")


def test_the_headline_counts_what_should_change_and_what_holds():
    story = story_of(
        placed(documents.cpu_bound(), documents.waiting(), load_documents.five_causes())
    )
    tuned = documents.cpu_bound().recommendation.memory_mb
    assert f"checkout-api to {tuned:,} MB" in plain(story.headline)
    assert story.headline.startswith("Both functions should change size")
    assert story.headline.endswith("the load run keeps its thresholds.")
    assert [point.name for point in story.points] == ["checkout-api", "webhook-forwarder", "orders"]


def test_a_tuning_without_an_answer_is_counted_apart():
    story = story_of(placed(documents.inconclusive(), load_documents.failed()))
    assert "without an answer yet" in story.headline
    assert "threshold failed" in story.headline


def test_a_function_is_told_with_the_steps_that_call_it_and_its_size_in_the_run():
    tuning = documents.cpu_bound()
    run = calling(tuning.function.name, tuning.current.memory_mb)
    [sentence] = [plain(one) for one in story_of(placed(tuning, run)).links]
    step = run.steps[0].name
    assert sentence.startswith(f"checkout-api answered {step} in the load run orders with 512 MB: ")
    assert "with 1,769 MB, an invocation costs" in sentence


@pytest.mark.parametrize(
    ("memory_mb", "words"),
    [
        pytest.param(1769, "the size that its tuning recommends", id="recommended"),
        pytest.param(3008, "its tuning recommends 1,769 MB", id="a third size"),
    ],
)
def test_a_run_with_another_size_than_todays_is_told_what_the_tuning_says(memory_mb, words):
    tuning = documents.cpu_bound()
    assert words in plain(
        story_of(placed(tuning, calling(tuning.function.name, memory_mb))).links[0]
    )


def test_a_function_that_no_run_called_has_no_link():
    assert story_of(placed(documents.cpu_bound(), calling("another", 512))).links == []


def test_runs_of_one_profile_are_compared_in_order_of_time_and_told_apart_by_it():
    first, second = load_documents.five_causes(), later(load_documents.five_causes())
    runs = [second, first]
    assert names_of(runs) == ["orders, 2025-11-24 02:00:00 UTC", "orders, 2025-11-23 15:51:07 UTC"]
    [sentence] = story_of(placed(*runs)).links
    assert "From one run of orders to the next" in sentence
    assert "reports compare" in sentence


def test_a_page_of_three_tunings_and_two_load_runs_tells_one_story():
    runs = [
        documents.cpu_bound(),
        documents.waiting(),
        documents.with_failures(),
        calling("checkout-api", 512),
        later(calling("checkout-api", 512)),
    ]
    html = render_page(runs)
    page = Page(html)
    head = html[: html.index("<article")]
    for number in range(1, 6):
        assert f'href="#run-{number}"' in head
        assert f'<article id="run-{number}"' in html
    assert "How these runs belong together" in head
    assert "in the 2 load runs" in head
    assert "3 tunings and 2 load runs" in page.words()


def test_one_run_has_no_story():
    assert "How these runs" not in render_page([documents.cpu_bound()])


def test_hostile_names_stay_text_in_the_story():
    html = render_page([documents.hostile(), load_documents.hostile()])
    assert "<b>" not in html
    assert html.count("</script>") == 1


def test_what_stands_in_backticks_is_code_and_all_else_stays_text():
    assert prose("run `tune <b> --yes` & go") == "run <code>tune &lt;b&gt; --yes</code> &amp; go"
    assert prose("one ` alone") == "one ` alone"


def test_a_function_that_was_tuned_twice_is_not_counted_as_two_functions():
    first = documents.cpu_bound()
    other = first.recommendation.model_copy(update={"memory_mb": 128, "tied_mb": [128]})
    second = first.model_copy(update={"recommendation": other})

    story = story_of(placed(first, second))
    assert story.headline.startswith("2 of 2 tunings say to change the size")
    [link] = story.links
    assert plain(link).startswith("The 2 tunings of checkout-api do not agree: they recommend ")
    assert list(story_of(placed(first, first)).links) == []
    quickest = other.model_copy(update={"objective": "speed"})
    third = first.model_copy(update={"recommendation": quickest})
    assert list(story_of(placed(first, third)).links) == []


def test_a_load_run_that_is_invalid_is_not_one_that_breaks_its_thresholds():
    story = story_of(placed(load_documents.five_causes(), load_documents.invalid()))
    assert story.headline == "1 of 2 load runs keeps its thresholds, 1 is invalid."
