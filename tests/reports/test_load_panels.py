"""Cold starts over time, what matters most, what is absent: and where they stand on the page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reports.cold_panel import cold_figure, init_figure
from reports.concurrency import forecast_of
from reports.cost_panel import cost_figure
from reports.figures import SPACE
from reports.load_absent import absent_parts
from reports.load_document import LoadDocument
from reports.load_facts import health_of, validity_sentence
from reports.load_markdown import render_load_markdown
from reports.load_matters import exit_sentence, matters, next_step, validity_line
from reports.load_page import section_of
from reports.load_waterfall import ColdPercentiles
from reports.objectives import room_words
from reports.page import render_page
from reports.sections import figures_of
from reports.waterfall_words import spread_words
from tests.reports import load_documents, waterfall_documents
from tests.reports.pages import Page, svgs
from tests.reports.panel_documents import climbing, cold, steady, whole


def plain(sentences: list[str]) -> str:
    return " ".join(sentences).replace(SPACE, " ")


def test_cold_starts_are_shares_of_their_stretch():
    figure = cold_figure(cold(), "run-1")
    assert [row.cells for row in figure.data.rows] == [
        ["0:00", "50.0", "50", "100"],
        ["1:00", "1.0", "4", "400"],
        ["2:00", "0.0", "0", "0"],
    ]
    assert "between 0:00 and 1:00: 50 of 100 requests" in figure.help
    table = plain([table.lead for table in _tables(cold(), "Cold starts by step")])
    assert "Of the slowest 1 % of requests, 93 % met a cold start (100 of 108)." in table


def test_starts_are_bars_by_how_long_they_took():
    document = cold()
    figure = init_figure(document.cold_starts, "run-1")
    assert [row.cells[1] for row in figure.data.rows] == ["120", "38", "2"]
    assert [row.x for row in figure.data.rows] == [365, 422, 487]
    said = figure.help.replace(SPACE, " ")
    assert "INIT of 160 cold starts took 402 ms at p50, 460 ms at p95 and 501 ms at p99." in said
    drawing = svgs(figure.drawings[0])[0]
    bars = [float(node.attrib["height"]) for node in drawing.iter() if node.tag == "rect"]
    assert bars[0] / bars[1] == pytest.approx(120 / 38, rel=0.01)
    assert init_figure(waterfall_documents.cold_starts(), "run-1") is None


def test_an_older_document_has_minutes_and_does_not_tell_of_the_slowest():
    older = waterfall_documents.from_logs()
    assert cold_figure(older, "run-1") is None
    assert _tables(older, "Cold starts by minute")
    names = [name for name, _ in absent_parts(older, None)]
    assert "Cold starts among the slowest requests" in names


def _tables(document: LoadDocument, title: str):
    panels = [
        panel
        for part in section_of(document, "run-1").parts
        for row in part.rows
        for panel in row.panels
    ]
    return [
        panel.table for panel in panels if panel.table is not None and panel.table.title == title
    ]


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (steady(), ("Valid: the load generator sent what was planned, when it was due, and "
                   "what CloudWatch counts agrees.")),
        (load_documents.invalid(), ("Invalid: the load generator did not do what the schedule "
                                   "asked of it.")),
    ],
    ids=["valid", "invalid"],
)  # fmt: skip
def test_validity_is_a_sentence_without_figures(document, line):
    assert validity_line(document) == line
    assert not any(character.isdigit() for character in line)


def test_three_findings_matter_most_and_none_of_an_invalid_run():
    document = whole()
    said = matters(document, forecast_of(document))
    assert len(said) == 3
    assert "The concurrency of 20 of function order is reached at" in said[0]
    assert (
        "Cold starts, 1.5 % of requests with a REPORT line, raise p99 from 151 ms to 588 ms."
        in plain(said)
    )
    assert matters(load_documents.invalid(), None) == []


def test_what_refused_most_comes_with_its_limit():
    said = plain(matters(load_documents.five_causes(), None))
    assert "The stage's throttle refused most: 1,620 of 15,516 requests; configured there" in said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (load_documents.invalid(), "remove what made it invalid"),
        (load_documents.interrupted(), "repeat the run: loadgen run"),
        (load_documents.nothing_at_all(), "change the load or the guard"),
        (load_documents.failed(), "look below at what refused and what failed"),
        (load_documents.five_causes(), "loadgen limits profiles/orders.yaml"),
        (load_documents.locustfile(), "say in profiles/orders.yaml what is good enough"),
        (steady(), "learn where the time goes: loadgen run profiles/orders.yaml --logs."),
        (whole(), "reports compare RUN NEXT"),
    ],
    ids=["invalid", "interrupted", "refused", "failed", "throttled", "no threshold", "no logs",
         "all there"],
)  # fmt: skip
def test_the_next_step_is_that_of_the_verdict(document, said):
    assert said in next_step(document, None)


def test_exit_codes_have_their_meaning():
    assert exit_sentence(load_documents.failed()).startswith("Exit code 3: a threshold does not")
    unknown = steady().model_copy(update={"exit_code": 77})
    assert exit_sentence(unknown) == "Exit code 77."


def test_what_is_absent_says_what_fills_it():
    bare = absent_parts(load_documents.nothing_at_all(), None)
    names = [name for name, _ in bare]
    filled_by_this = {"Cost of a million requests", "Where the time goes", "Limits in force",
                      "Concurrency at other rates", "Cold starts", "Error budget"}  # fmt: skip
    assert {*filled_by_this, "Latency by rate"} <= set(names)
    commands = ("loadgen ", "reports ", "tune ", "phase")
    assert all(any(word in how for word in commands) for _, how in bare)
    filled = [name for name, _ in absent_parts(whole(), forecast_of(whole()))]
    assert not filled_by_this & set(filled)


def test_what_another_document_of_the_page_shows_is_not_absent():
    alone = {name for name, _ in absent_parts(whole(), None)}
    beside = {name for name, _ in absent_parts(whole(), None, {"tune", "load", "limits"})}
    assert alone - beside == {
        "Cost against latency by memory size",
        "Inferred rate and burst beside the configured ones",
        "Fit quality",
    }


def test_validity_has_rate_counts_and_clocks():
    facts = dict(health_of(steady()))
    assert facts["Requests, client and CloudWatch"] == (
        "6,000 answered, 6,000 counted: the counts agree"
    )
    assert facts["Rate, achieved of asked"].endswith("(100\N{NO-BREAK SPACE}%)")
    assert "is not measured" in facts["Clock skew"]
    assert dict(health_of(load_documents.failed()))["Requests, client and CloudWatch"] == (
        "CloudWatch was not asked"
    )
    assert dict(health_of(load_documents.nothing_at_all()))["Rate, achieved of asked"] == (
        "nothing was due"
    )


def test_panels_stand_in_the_order_of_the_page_and_have_data():
    figures = figures_of(section_of(whole(), "run-1"))
    assert [figure.name for figure in figures] == [
        "cost", "waterfall", "rate", "latency", "concurrency", "cold-starts", "init", "spectrum",
    ]  # fmt: skip
    for figure in [*figures, *figures_of(section_of(climbing(), "run-1"))]:
        assert figure.data is not None
        assert len(figure.data.rows) <= 400
        assert figure.help.endswith((".", "!"))


def test_the_page_of_everything_is_sound_and_names_no_none():
    page = Page(render_page([whole()]))
    assert "None" not in page.words()
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_markdown_has_validity_the_three_findings_the_next_step_and_the_tables_of_panels():
    text = render_load_markdown(whole())
    places = [
        text.index(words)
        for words in (
            "Valid: the load generator",
            "Exit code 0",
            "\n1. The concurrency of 20",
            "\n3. ",
            "**Next:** keep this run",
            "| Objective | Where |",
            "| Part | In this run |",
            "| Pool | Limit |",
        )
    ]
    assert places == sorted(places)
    assert "\n1. " not in render_load_markdown(load_documents.invalid())


def test_a_document_from_before_the_panels_is_read_and_shown():
    fields = load_documents.five_causes().model_dump(mode="json")
    for phase in fields["phases"]:
        del phase["by_step"]
    for name in ("parts", "as_if", "prices_date"):
        del fields["spent"][name]
    for name in ("histograms", "raw_files"):
        del fields[name]
    older = LoadDocument.model_validate(fields)
    assert older.spent.parts == []
    names = [name for name, _ in section_of(older, "run-1").absent]
    assert {"Cost of a million requests", "Intervals of percentiles"} <= set(names)


def test_where_aws_tells_nothing_the_tail_and_the_steps_are_findings():
    said = matters(load_documents.one_second(), None)
    assert "Nearest to its limit is p99(response) < 50ms" in said[0]
    assert "The slow tail: p99 is" in plain(said)


def test_a_run_that_sent_some_of_it_late_is_not_said_to_have_sent_when_it_was_due():
    late = "start lag p99 is 253 ms, above validity.max_start_lag 100 ms: requests began late"
    document = steady()
    document = document.model_copy(
        update={"validity": document.validity.model_copy(update={"warnings": [late]})}
    )
    assert "but some of it late" in validity_line(document)
    assert "when it was due" not in validity_line(document)
    assert validity_sentence(document) == "The measurement is valid, with a warning."


def test_a_limit_that_refused_already_says_so_beside_the_rate_at_which_it_is_reached():
    document = whole()
    forecast = forecast_of(document)
    assert forecast is not None
    [said] = [words for words in matters(document, forecast) if "is reached at" in words]
    assert "refused" not in said
    met = replace(forecast, refused=106)
    [said] = [words for words in matters(document, met) if "is reached at" in words]
    assert "a limit of concurrency refused 106 already" in said


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, ["230 ms"]),
        (11, ["173 ms at p50", "230 ms at most"]),
        (20, ["173 ms at p50", "210 ms at p95", "230 ms at most"]),
        (100, ["173 ms at p50", "210 ms at p95", "230 ms at p99"]),
    ],
)
def test_starts_have_the_percentiles_that_so_many_can_have(n, said):
    assert plain(spread_words(ColdPercentiles(p50=173, p95=210, p99=230, n=n))) == " ".join(said)


def test_the_bill_of_a_month_is_that_of_the_requests_that_are_said():
    said = plain([cost_figure(steady(), "run-1").help])
    found = re.search(r"At ([\d,]+) requests/month.*that is \$([\d,.]+)/month", said)
    each = re.search(r"A million admitted requests cost \$([\d.]+)", said)
    requests = int(found[1].replace(",", ""))
    bill = float(found[2].replace(",", ""))
    assert bill == pytest.approx(requests / 1e6 * float(each[1]), rel=0.005)


def test_what_a_budget_allows_is_rounded_down():
    assert room_words(17.81) == "17"
    assert room_words(0.07 * 300) == "21"
    assert room_words(3.2) == "3.20"
