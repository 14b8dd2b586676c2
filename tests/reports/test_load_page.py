"""The page of a load run: whole with absent data, safe with hostile texts, honest."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reports.figures import SPACE
from reports.load_document import CauseCount, LoadDocument
from reports.page import render_page
from tests.reports import documents, load_documents
from tests.reports.pages import Page, svgs

GOLDEN = Path(__file__).parent / "golden" / "load_page.html"
ALL = load_documents.all_documents()


def words(*shown: LoadDocument) -> str:
    return Page(render_page(shown)).words().replace(SPACE, " ")


def without(document: LoadDocument, **changes: object) -> LoadDocument:
    return document.model_copy(update=changes)


def test_the_page_is_the_golden_one():
    html = render_page([documents.local(), load_documents.interrupted()])
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(html, encoding="utf-8")
    assert html == GOLDEN.read_text(encoding="utf-8"), "UPDATE_GOLDEN=1 accepts the new page"


@pytest.mark.parametrize("document", ALL, ids=lambda d: d.name)
def test_every_document_renders_to_matching_tags_and_drawings(document):
    html = render_page([document])
    assert not re.search(r"\bNone\b(?! of)|\bnan\b|\binf\b|Undefined", Page(html).words())
    for drawing in svgs(html):
        assert drawing.attrib["role"] == "img"
        title, description = drawing[0], drawing[1]
        assert title.attrib["id"] == drawing.attrib["aria-labelledby"]
        assert description.attrib["id"] == drawing.attrib["aria-describedby"]
        assert description.text


def test_the_parts_stand_in_order():
    text = words(load_documents.five_causes())
    parts = [
        "Passed",
        "Valid: the load generator sent what was planned, when it was due",
        "The API admitted 80.3 of 125 offered requests/s; 36 % were refused, of them 29 % by",
        "Exit code 0: nothing that the profile asks for is broken.",
        "What matters most",
        "Next: raise what the stage's throttle allows, or send less; loadgen limits",
        "What the load generator did",
        "Where the requests went",
        "What this run cost",
        "Offered and admitted rate",
        "Response time",
        "What refused requests",
        "Limits in force",
        "Objectives and their budgets",
        "Latency by percentile",
        "By step",
        "By phase",
        "Measured against the limits ThresholdWhereMeasured",
        "What it takes to repeat this",
        "The profile as it was read: profiles/orders.yaml",
        "Not on this page",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_each_part_has_an_anchor_that_a_link_leads_to():
    page = Page(render_page([load_documents.five_causes()]))
    parts = [
        attrs["id"]
        for tag, attrs in page.tags
        if attrs.get("class") == "chapter" and tag == "section"
    ]
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert [f"#{part}" for part in parts] == links
    assert parts[0] == "run-1-validity"
    assert parts[-1] == "run-1-provenance"


def test_an_invalid_run_says_so_before_any_number_and_what_to_do():
    html = render_page([load_documents.invalid()])
    badge = html.index('<span class="badge invalid">Invalid measurement</span>')
    assert not re.search(r">[^<]*\d\.\d+[^<]*<", html[html.index("<main>") : badge])
    text = words(load_documents.invalid())
    warned = text.index("the measurement cannot be trusted")
    reason = text.index("Start lag p99 is 41.2 ms, above validity.max_start_lag 10 ms: use")
    assert warned < reason < text.index("Offered and admitted rate")
    # The reasons are errors of the document too, and stand there once.
    assert text.count("Start lag p99 is 41.2 ms") == 1


def test_what_refused_requests_is_told_with_its_evidence_and_limit():
    rows = Page(render_page([load_documents.five_causes()])).rows
    for row in (
        ["The stage's throttle", "1,620", "29 %", "The configuration implies"],
        ["The usage plan's quota", "777", "14 %", "The response says"],
        ["Lambda's concurrency limit", "739", "13 %", "The access log says"],
    ):
        assert row in [found[:4] for found in rows]
    limits = [found[-1] for found in rows]
    assert "prod: 80/s, burst 40" in limits
    assert "plan basic: 600 a day, 12 used before" in limits
    assert "function checkout: 5 at once" in limits


def test_thresholds_say_in_words_whether_they_hold():
    document = load_documents.failed()
    assert "2 of 4 thresholds do not hold." in words(document)
    rows = Page(render_page([document])).rows
    results = {
        found[0]: found[2:]
        for found in rows
        if found[-1].startswith(("\N{CHECK MARK}", "\N{BALLOT X}", "?"))
    }
    assert results == {
        "p99(response) < 200ms": ["413 ms", "200 ms", "✗ does not hold"],
        "rate(throttled) < 1%": ["34 %", "1 %", "✗ does not hold, ended the run at second 129"],
        "count(timeout) < 1": ["0", "1", "✓ holds"],
        "p95(response) < 1s": ["–", "1,000 ms", "? not judged"],
    }


def test_figures_of_the_sandbox_say_so_before_the_verdict():
    text = words(load_documents.sandbox())
    said = "The requests went to the local sandbox, not to AWS."
    assert text.index(said) < text.index("The API admitted")
    assert "The target is on this machine" in words(load_documents.locustfile())
    assert "Note the source" not in words(load_documents.five_causes())


@pytest.mark.parametrize(
    "field",
    [
        "response_ms",
        "service_ms",
        "ok_response_ms",
        "first_byte_ms",
        "connect_ms",
        "tls_ms",
    ],
)
def test_a_latency_that_is_absent_everywhere_breaks_nothing(field):
    whole = load_documents.five_causes()
    absent = {
        part: [entry.model_copy(update={field: None}) for entry in getattr(whole, part)]
        for part in ("steps", "phases")
    }
    assert "None" not in words(without(whole, **{field: None}, **absent))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (load_documents.nothing_completed(), "No chart: no request was completed"),
        (load_documents.nothing_at_all(), "No chart: no second of this run has a request."),
        (load_documents.nothing_at_all(), "No limit was read"),
        (load_documents.sandbox(), "What this run cost is not known."),
        (load_documents.locustfile(), "The profile sets no threshold"),
    ],
    ids=["no latency", "no second", "no limit", "no price", "no threshold"],
)
def test_what_is_missing_is_named(document, said):
    assert said in words(document)


def test_tiles_show_the_times_of_ok_responses_where_much_was_not_ok():
    text = words(load_documents.forbidden())
    assert "Ok response p5024.0 ms all: 1.10 ms" in text
    assert "Response p503.00 ms" in words(load_documents.one_second())
    nothing = words(load_documents.forbidden(1.0))
    assert "Ok response\N{EN DASH} no request was ok" in nothing
    assert "Response p50" not in nothing


def test_the_headline_and_the_tiles_admit_the_same():
    document = load_documents.wrong_answers()
    text = words(document)
    assert "The API admitted 69.9 of 89.0 offered" in text
    assert "Admitted69.9/s 1,354 ok" in text
    page = Page(render_page([document, document])).words()
    assert "69.9 of 89.0/s" in page


def test_the_overview_compares_the_times_of_ok_responses():
    shown = [load_documents.forbidden(), load_documents.forbidden(1.0)]
    page = Page(render_page(shown))
    assert "Ok response p50, p95, p99" in page.words()
    rows = {row[1]: row[5].replace(SPACE, " ") for row in page.rows if shown[0].name in row[0]}
    assert rows["Completed"].startswith("24.0 ms, ")
    assert rows["Failed"] == "\N{EN DASH}"


def test_status_codes_and_the_reasons_of_failed_checks_have_tables():
    document = load_documents.wrong_answers()
    text = words(document)
    places = [text.index(part) for part in ("What failed", "Status codes", "Failed checks of")]
    assert places == sorted(places)
    rows = [
        [cell.replace(SPACE, " ") for cell in row] for row in Page(render_page([document])).rows
    ]
    assert ["200", "1,394", "78 %"] in rows
    assert ["No response", "40", "2.2 %"] in rows
    assert ["GET /products", "checks.json.$[0].name: expected Lamp, got Chair", "18"] in rows
    assert ["GET /products", "other reasons", "2"] in rows


def test_without_records_and_failed_checks_there_are_no_such_tables():
    text = words(load_documents.five_causes())
    assert "Status codes" not in text
    assert "Failed checks" not in text


def test_a_failed_check_has_no_cause():
    entry = CauseCount(outcome="check_failed", cause="none", evidence="none", count=7)
    rows = Page(render_page([without(ALL[0], errors_by_cause=[entry])])).rows
    assert ["Failed checks", "\N{EN DASH}", "7"] in [row[:3] for row in rows]


def test_a_run_of_hours_is_drawn_with_a_bounded_number_of_steps():
    html = render_page([load_documents.three_hours()])
    assert len(html.encode()) < 300_000
    text = words(load_documents.three_hours())
    assert "Line and areas are the mean of 1 min" in text
    assert "Each point is the worst second of 1 min: percentiles are not averaged." in text
    assert "Line and areas are" not in words(load_documents.five_causes())


def test_patterns_are_defined_in_the_drawing_that_uses_them():
    for drawing in svgs(render_page([load_documents.five_causes(), load_documents.five_causes()])):
        defined = {pattern.attrib["id"] for pattern in drawing.iter("pattern")}
        used = {
            fill[5:-1]
            for mark in drawing.iter()
            if (fill := mark.attrib.get("fill", "")).startswith("url(#")
        }
        assert used <= defined


def test_hostile_texts_stay_text():
    html = render_page([load_documents.hostile(), load_documents.hostile()])
    page = Page(html)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == 1  # the page's own
    assert not set(tags) & {"b", "iframe", "object", "embed", "form", "img"}
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert html.count("<style>") == html.count("</style>") == 1
    assert page.words().count(load_documents.HOSTILE) > 30
    assert len(svgs(html)) == 16


def test_ids_are_unique_and_described_ones_exist():
    twice = [documents.cpu_bound(), load_documents.failed(), load_documents.failed()]
    tags = Page(render_page(twice)).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = {a[n] for _, a in tags for n in ("aria-labelledby", "aria-describedby") if n in a}
    assert named <= set(ids)


def test_tunings_come_first_and_each_kind_has_an_overview():
    shown = [load_documents.failed(), documents.waiting(), load_documents.one_second()]
    page = Page(render_page(shown))
    text = page.words().replace(SPACE, " ")
    assert text.startswith("1 tuning and 2 load runs")
    assert text.index("Memory tunings") < text.index("Load runs Load run")
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert [link for link in dict.fromkeys(links) if link.count("-") == 1] == [
        "#run-1",
        "#run-2",
        "#run-3",
    ]
    overview = [row[:5] for row in page.rows]
    assert ["orders-nightly", "Threshold failed", "81.4 of 124/s", "34 %", "0.1 %"] in overview


@pytest.mark.parametrize(
    ("shown", "title"),
    [
        ([load_documents.one_second()], "Load run one-second"),
        ([load_documents.one_second()] * 2, "2 load runs"),
        ([documents.waiting()] * 2, "Memory tuning, 2 runs"),
        ([documents.waiting(), load_documents.one_second()], "1 tuning and 1 load run"),
    ],
    ids=["one", "two", "two tunings", "one of each"],
)
def test_the_title_counts_what_is_on_the_page(shown, title):
    assert f"<title>{title}</title>" in render_page(shown)


def test_the_profile_is_there_whole_and_folded_away():
    html = render_page([load_documents.five_causes()])
    assert "<details" in html
    assert "<details open" not in html
    assert load_documents.PROFILE in Page(html).text
