"""What a reader is told of a search: sentences, table, charts, and the verdict of its run."""

from __future__ import annotations

import re
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from core.errors import ExitCode
from loadgen.result import judge_search
from loadgen.search.document import search_part
from loadgen.search.plan import search_plan
from loadgen.search.simulated import Flat, Queue, System, TokenBucket, play
from loadgen.search.view import search_view
from reports.figures import SPACE
from reports.load_search import SearchPart
from reports.search_charts import search_figures
from reports.search_tables import search_table, search_tiles
from reports.search_words import rates_words, search_answer, search_support
from tests.loadgen.made_runs import profile_of


def searched(system: System) -> SearchPart:
    search = {
        "name": "most",
        "search": "max_rate",
        "bounds": [20, 320],
        "slo": ["p95(ok_response) < 300ms"],
    }
    profile = profile_of(search)
    phase = profile.load.phases[-1]
    return search_part(profile, phase, play(search_plan(profile, phase), system, 1))


@pytest.fixture(scope="module")
def found() -> SearchPart:
    return searched(Queue(40.0, 3, np.random.default_rng(1)))


def told(search: SearchPart) -> str:
    return " ".join([search_answer(search), *search_support(search)]).replace(SPACE, " ")


def test_the_answer_names_the_estimate_and_both_ends(found):
    words = told(found)
    assert re.search(r"The SLO holds up to about \d+ requests/s: it holds at [\d.]+", words)
    assert "(95 % confidence)" in words
    assert "What breaks there: p95(ok_response) < 300ms does not hold." in words
    assert "The knee of the latency curve is at" in words
    assert "tested as well: rate(failed) < 1% and rate(throttled) < 1%." in words


def test_a_throttle_is_told_with_its_refill_and_without_a_knee():
    words = told(searched(TokenBucket(80.0, 40.0, np.random.default_rng(1))))
    assert re.search(r"(79|80|81)\.\d requests/s were admitted; a burst of at least \d\d", words)
    assert "no knee within what was tried" in words


def test_what_holds_everywhere_is_told_with_how_long_it_was_held():
    words = told(searched(Flat(np.random.default_rng(1))))
    assert "The SLO holds up to 320 requests/s, held for 30 s; no more was tried." in words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ended": "unstable", "detail": "80/s broke before, and holds now", "rate_rps": None},
         "No single rate holds the SLO, because the API changes: 80/s broke before"),
        ({"ended": "breaks_everywhere", "rate_rps": None, "low_rps": None, "high_rps": 20.0},
         "The SLO does not hold at 20.0 requests/s, the lowest rate of the search."),
        ({"ended": "generator", "rate_rps": None, "low_rps": 80.0, "high_rps": None},
         "The SLO holds at 80.0 requests/s; what is above it is not known."),
        ({"ended": "budget", "rate_rps": None, "low_rps": None, "high_rps": 80.0},
         "The SLO breaks at 80.0 requests/s; no lower rate was seen to hold it."),
        ({"ended": "stopped", "rate_rps": None, "low_rps": None, "high_rps": None},
         "The search could not say which rate holds the SLO."),
    ],
    ids=["unstable", "breaks everywhere", "generator", "budget", "stopped"],
)  # fmt: skip
def test_what_a_search_cannot_say_is_not_said(found, change, words):
    assert search_answer(found.model_copy(update=change)).startswith(words)


@pytest.mark.parametrize(
    ("ended", "verdict", "code"),
    [
        ("found", "pass", ExitCode.PASS),
        ("holds_everywhere", "pass", ExitCode.PASS),
        ("breaks_everywhere", "failed", ExitCode.FAILED),
        ("errors", "failed", ExitCode.FAILED),
        ("unstable", "inconclusive", ExitCode.INCONCLUSIVE),
        ("generator", "inconclusive", ExitCode.INCONCLUSIVE),
        ("refused", "inconclusive", ExitCode.INCONCLUSIVE),
    ],
)
def test_the_verdict_follows_the_end_of_the_search(found, ended, verdict, code):
    assert judge_search(found.model_copy(update={"ended": ended}), [])[:2] == (verdict, code)


def test_the_table_on_a_terminal_fits_80_columns(found):
    out = StringIO()
    Console(file=out, width=80).print(search_view(found))
    lines = out.getvalue().splitlines()
    assert len(lines) >= len(found.steps)
    assert max(map(len, lines)) <= 80


def test_the_page_has_a_row_for_each_rate_and_charts_with_the_knee(found):
    assert len(search_table(found).rows) == len(found.steps)
    assert [tile.name for tile in search_tiles(found)][:3] == [
        "Highest rate",
        "Holds at",
        "Breaks at",
    ]
    latency, served = search_figures(found, "a")
    for drawing in (*latency.drawings, *served.drawings):
        assert drawing.startswith("<svg")
        assert not re.search(r"\bnan\b|\binf\b|None", drawing)
    assert "knee" in latency.drawings[0]
    assert "fitted p95" in latency.drawings[0]


def test_charts_say_what_moves_on_zoom_and_have_their_rates_in_order(found):
    latency, served = search_figures(found, "a")
    assert [latency.name, served.name] == ["load-latency", "load-served"]
    for figure in (latency, served):
        rates = [row.x for row in figure.data.rows]
        assert rates == sorted(rates)
        assert set(rates) <= {step.rate_rps for step in found.steps}
        assert 'data-rows="point"' in figure.drawings[0]
    drawing = latency.drawings[0]
    assert [column.name for column in latency.data.columns][1:5] == [
        "p50", "p95", "p99", "fitted p95",
    ]  # fmt: skip
    # Bands are stretched, a rule and its label are one pin, and the curve is the fourth column.
    assert '<g class="stretch"><polygon' in drawing
    assert re.search(r'<g data-at="[\d.]+"><line [^>]*/><text [^>]*>knee ', drawing)
    assert '<g data-series="4"><polyline' in drawing
    assert "SLO: p95(ok_response) &lt; 300ms" in drawing
    assert "ok, SLO breaks" in served.drawings[0]


def test_a_search_without_a_knee_or_a_latency_limit_draws_neither(found):
    knee = found.knee.model_copy(update={"rate_rps": None, "low_rps": None, "high_rps": None})
    plain = found.model_copy(update={"knee": knee, "slo": ["rate(failed) < 1%"], "curve": None})
    latency, _ = search_figures(plain, "a")
    assert "knee" not in latency.drawings[0].split("</desc>")[1]
    assert "SLO: " not in latency.drawings[0]
    assert "interval of the knee." not in latency.help
    assert len(latency.data.columns) == 5


def test_a_search_that_sent_nothing_has_no_charts(found):
    nothing = found.model_copy(update={"steps": []})
    assert search_figures(nothing, "a") == []
    assert "at 0 rates" in told(nothing)


def test_a_rate_that_was_tried_again_is_one_rate(found):
    step = found.steps[0]
    once = found.model_copy(update={"steps": [step]})
    twice = found.model_copy(update={"steps": [step, step]})
    assert rates_words(once) == "1 rate"
    assert rates_words(twice) == "1 rate (2 tries)"
    assert "at 1 rate (2 tries) in" in told(twice)
    assert search_tiles(twice)[-1].remark == "requests at 1 rate (2 tries)"


def test_a_chart_says_what_is_shaded_only_where_something_is(found):
    latency = search_figures(found, "run-1")[0]
    assert "Shaded: between the highest rate that holds" in latency.help
    none = found.model_copy(
        update={
            "rate_rps": None,
            "knee": found.knee.model_copy(update={"rate_rps": None, "low_rps": None}),
        }
    )
    assert "Shaded" not in search_figures(none, "run-1")[0].help


def test_the_most_that_was_ok_is_of_the_rates_that_could_be_judged(found):
    usable = [step for step in found.steps if step.goodput_rps is not None]
    unusable = usable[-1].model_copy(update={"verdict": "unusable", "goodput_rps": None})
    some, all_of_them = (
        found.model_copy(update={"steps": steps}) for steps in ([*usable, unusable], usable)
    )
    served = search_figures(some, "run-1")[1]
    assert "were ok, of the rates that could be judged." in served.help
    assert "judged" not in search_figures(all_of_them, "run-1")[1].help
