"""The page of a night: verdict before numbers, worst first, safe with hostile names."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest

from reports.nightly.document import NightlyDocument
from reports.nightly_page.night_steps import link_to
from reports.nightly_page.night_words import (
    against_last_night,
    alarm_sentence,
    next_steps,
    validity_line,
    verdict_word,
)
from reports.nightly_page.panels import panel_groups
from reports.page import render_page
from tests.reports import load_documents
from tests.reports.nightly_documents import State, hostile_night, night_document
from tests.reports.pages import Page, svgs

GOLDEN = Path(__file__).parent / "golden" / "night_page.html"
CSS = (Path(__file__).parents[2] / "reports" / "assets" / "page.css").read_text(encoding="utf-8")
STATES: list[State] = [
    "pass", "failed", "suspect", "inconclusive", "invalid", "interrupted", "empty", "first night",
]  # fmt: skip


@cache
def of(state: State) -> NightlyDocument:
    """A night in a state; those that are not about their trends have few."""
    return (
        night_document(state) if state == "failed" else night_document(state, series=3, nights=12)
    )


@cache
def html_of(state: State) -> str:
    return render_page([of(state)])


@cache
def page_of(state: State) -> Page:
    return Page(html_of(state))


def page_text(html: str) -> str:
    return Page(html).words().replace("\N{NO-BREAK SPACE}", " ")


def words_of(state: State) -> str:
    return page_text(html_of(state))


def test_the_page_is_the_golden_one():
    document = night_document("failed", series=5, nights=60)
    html = render_page([document], {document.night_id: ""})
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(html, encoding="utf-8")
    assert html == GOLDEN.read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 accepts the new page"


@pytest.mark.parametrize(
    ("state", "verdict", "said"),
    [
        ("pass", "Passed", "All 3 steps were measured validly."),
        (
            "failed",
            "Failed",
            "orders, GET /search: p95 rose by 8.5 % (4.3 to 13 %) to 121 ms since",
        ),
        ("suspect", "Passed, with a suspect", "the next night confirms or clears it"),
        (
            "inconclusive",
            "Inconclusive, still learning",
            "(6 nights of the same key, 10 are needed)",
        ),
        ("invalid", "Invalid measurement", "Do not trust the figures of orders"),
        ("interrupted", "Interrupted", "2 of 3 steps made no run: browse and thumbnail."),
        ("empty", "Error", "Nothing was measured."),
        ("first night", "Inconclusive, still learning", "No night before this one is known here."),
    ],
)
def test_every_state_has_its_verdict_and_its_words(state, verdict, said):
    document, words = of(state), words_of(state)
    assert verdict_word(document) == verdict
    assert said in words
    assert f"The exit code is {document.exit_code}." in words
    # The verdict is read before any figure.
    assert words.index(verdict) < words.index("The exit code is")


def test_a_step_that_was_cut_was_not_measured_validly():
    document = of("pass")
    cut = document.steps[-1].model_copy(update={"exit_code": 130, "verdict": "interrupted"})
    document = document.model_copy(update={"steps": [*document.steps[:-1], cut]})
    assert validity_line(document) == f"1 of 3 steps gave no result: {cut.name}."


def test_a_confirmed_change_is_told_with_interval_night_commits_and_the_command_to_accept_it():
    (alarm,) = of("failed").alarms
    words = words_of("failed")
    # The headline has its size: what stands under it is not the same again.
    assert (
        "112 ms before; it began 2 days ago; confirmed: 2 reruns; commits c4da5b2..6311d4d."
    ) in words
    assert "GET /search in orders is slower" not in words
    assert f"reports history accept profiles/nightly.yaml {alarm.alarm_id} --reason WHY" in words
    assert "Still there: p95 of GET /search in orders." in words


def test_a_cost_that_rose_is_dearer_and_not_slower():
    (alarm,) = of("failed").alarms
    dearer = alarm.model_copy(update={"unit": "usd_per_million", "value": 6.4})
    words = alarm_sentence(dearer, "2026-11-27").replace("\N{NO-BREAK SPACE}", " ")
    assert "is dearer: +8.5 %" in words
    assert "to $6.40 per million" in words


def test_a_budget_that_failed_is_told_with_its_figures_and_where_its_limit_is():
    base = of("pass")
    budget = next(gate for gate in base.gates if gate.kind == "budget")
    gates = [budget.model_copy(update={"status": "failed"})]
    document = base.model_copy(update={"verdict": "failed", "exit_code": 3, "gates": gates})
    words = page_text(render_page([document]))
    assert f"Budget of GET /search in orders failed, {budget.text}: measured" in words
    assert "Look at the runs of orders; a limit that is meant to be another is changed in" in words


def test_a_regret_is_told_in_points():
    (alarm,) = of("failed").alarms
    regret = alarm.model_copy(
        update={"unit": "share", "value": 0.12, "baseline_value": 0.03, "change_share": 0.09,
                "change_interval": (0.05, 0.13), "confirmed_by": ""}
    )  # fmt: skip
    words = alarm_sentence(regret, "2026-11-25").replace("\N{NO-BREAK SPACE}", " ")
    assert "is dearer: +9.0 points (+5.0 to +13 points), 3.0 % to 12 %, new tonight" in words


def test_an_alarm_of_tonight_is_new():
    assert "New: p95 of GET /search in orders." in words_of("suspect")
    assert ", new tonight" in words_of("suspect")


def test_what_was_accepted_since_last_night_is_gone():
    document = of("failed").model_copy(update={"alarms": [], "cleared": []})
    assert against_last_night(document) == [
        "As usual again, or accepted: p95 of GET /search in orders."
    ]


def test_of_many_new_alarms_a_few_are_named():
    alarm = of("suspect").alarms[0]
    document = of("suspect").model_copy(update={"alarms": [alarm] * 40})
    (said,) = against_last_night(document)
    assert said.endswith(" and 34 more.")


def test_only_an_interrupted_night_goes_on_where_it_was():
    said = {state: " ".join(one for one, _ in next_steps(of(state))) for state in STATES}
    assert [state for state in STATES if "not run twice" in said[state]] == ["interrupted"]


def test_failed_gates_come_first_and_passed_ones_are_folded_away():
    html = html_of("failed")
    assert html.index(">Alarms<") < html.index("Gates that passed: 18")
    # The figure has an alarm, and is told there alone.
    assert "ates that did not pass" not in html
    assert '<details class="profile folded">\n<summary>Gates that passed: 18</summary>' in html
    (row,) = [row for row in page_of("failed").rows if row[-1:] == ["orders-p95-000088"]]
    assert row[:-1] == [
        "orders / GET /search / p95", "confirmed: 2 reruns", "112 ms", "121 ms",
        "+8.5 % (+4.3 to +13 %)", "0.00031", "2026-11-25 (3)", "c4da5b2..6311d4d",
    ]  # fmt: skip


def test_a_budget_that_failed_stands_beside_the_alarms():
    base = of("failed")
    gates = [
        gate.model_copy(update={"status": "failed"}) if gate.kind == "budget" else gate
        for gate in base.gates
    ]
    html = render_page([base.model_copy(update={"gates": gates})])
    assert "Other gates that did not pass" in html


def test_a_plan_that_still_learns_says_how_far_it_is():
    words = words_of("inconclusive")
    assert "6 of 10 nights known" in words
    assert "Next: Nothing to mend: it takes more nights." in words
    assert "reports doctor profiles/nightly.yaml --history nightly-history" in words
    rows = [row for row in page_of("inconclusive").rows if row[4:5] == ["6 of 10"]]
    assert all(row[3] != "–" for row in rows)
    assert len(rows) == 3
    assert "orders: 3 figures, not judged yet" in words


def test_gates_that_could_not_be_judged_say_why():
    rows = page_of("invalid").rows
    (why,) = [row[-1] for row in rows if row[:1] == ["the measurement is valid"] and len(row) == 7]
    assert why == "requests began 212 ms late (p99), more than the 100 ms allowed"


def test_cleared_suspects_savings_and_problems_of_the_history_are_listed():
    page = page_of("failed")
    assert ["orders / POST /orders / p99", "2026-11-21", "+13 % (+8.0 to +18 %)", "7.0 %",
            "2 reruns did not agree"] in page.rows  # fmt: skip
    assert ["shop-thumbnail", "thumbnail", "1,024 MB", "512 MB", "31 % (24 to 37 %)"] in page.rows
    assert "ends too early; left out." in page.words()


def test_each_run_of_a_step_is_linked_where_its_folder_is_known():
    document = night_document("failed", series=2, nights=12)
    there = Page(render_page([document], {document.night_id: "runs/night"}))
    links = [attributes["href"] for tag, attributes in there.tags if tag == "a"]
    assert links[0] == "./runs/night/steps/20261127T020004Z-load-orders/"
    assert len(links) == 5
    assert "<a " not in render_page([document])


@pytest.mark.parametrize(
    ("folder", "relative", "href"),
    [
        ("", "steps/a", "./steps/a/"),
        ("../runs/x y", "steps/a", "./../runs/x%20y/steps/a/"),
        ("", "javascript:alert(1)", "./javascript%3Aalert%281%29/"),
        ("", "//evil.example/x", "./evil.example/x/"),
        ("", "../../etc", "./etc/"),
        ("", None, ""),
        (None, "steps/a", ""),
    ],
)
def test_a_link_leads_to_a_folder_of_the_night_and_nowhere_else(folder, relative, href):
    assert link_to(folder, relative) == href


def test_panels_begin_with_what_is_worst():
    groups = panel_groups(of("failed"), "n")
    assert [group.title for group in groups] == [
        "Worse, suspected or changed", "orders: 6 figures without a change",
        "browse: 3 figures without a change", "thumbnail: 3 figures without a change",
    ]  # fmt: skip
    assert [figure.name for figure in groups[0].figures] == [
        "orders-get-search-p95", "orders-post-orders-p99", "orders-post-orders-p95",
    ]  # fmt: skip
    assert not any(group.folded for group in groups)


def test_of_many_figures_those_without_a_change_are_folded_away_and_the_page_stays_small():
    document = night_document("failed", series=60)
    assert [group.folded for group in panel_groups(document, "n")] == [False, True, True, True]
    assert len(render_page([document]).encode()) < 1024 * 1024


def test_every_chart_has_its_sentence_and_its_table():
    drawings = svgs(html_of("failed").replace("\N{NO-BREAK SPACE}", " "))
    descriptions = [drawing.findtext("desc") for drawing in drawings]
    assert any(text and text.startswith("Tonight 121 ms, +8.5 %") for text in descriptions)
    assert all(text and "nights since 2026-08-30; 4 missing" in text for text in descriptions)
    rows = page_of("failed").rows
    assert ["2026-11-10", "–", "–", "–", "no night"] in rows
    assert sum(row[:1] == ["2026-11-25"] for row in rows) == 15


def test_every_class_of_a_drawing_is_styled():
    drawings = "".join(re.findall(r"<svg .*?</svg>", html_of("failed")))
    found = {name for value in re.findall(r'class="([^"]+)"', drawings) for name in value.split()}
    assert {name for name in found - {"x-ticks"} if f".{name}" not in CSS} == set()


def test_names_that_are_markup_stay_text():
    document = hostile_night()
    page = Page(render_page([document], {document.night_id: ""}))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not any(tag == "b" for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "<script>alert(1)</script>|" in page.text


def test_the_same_night_gives_the_same_bytes():
    pages = {render_page([night_document("failed", series=2, nights=20)]) for _ in range(2)}
    assert len(pages) == 1


def test_nights_and_runs_are_told_together():
    words = Page(render_page([load_documents.failed(), of("first night"), of("suspect")])).words()
    assert words.startswith("2 nights and 1 load run")
    assert "1 of 2 nights passed" in words
    assert words.index("shop, night of 2026-11-27") < words.index("Load runs")


def test_several_alarms_are_accepted_by_their_night() -> None:
    document = night_document("failed")
    (first,) = document.alarms[:1]
    more = first.model_copy(update={"alarm_id": "a-22222222"})

    told = [*next_steps(document.model_copy(update={"alarms": [first, more]}))]
    alone = [*next_steps(document.model_copy(update={"alarms": [first]}))]

    assert f" {document.night_id} --reason" in told[0][1]
    assert "accept them as the new level" in told[0][0]
    assert f" {first.alarm_id} --reason" in alone[0][1]
