"""Calls at once at other rates: Little's law, its band, and where a limit is reached."""

from __future__ import annotations

import pytest

from reports.concurrency import Pool, forecast_of
from reports.concurrency_panel import (
    concurrency_figure,
    concurrency_finding,
    concurrency_table,
)
from reports.erlang import concurrency_at
from reports.load_document import CauseCount
from tests.reports import load_documents
from tests.reports.pages import svgs
from tests.reports.panel_documents import steady


def test_the_mean_is_rate_times_duration_of_the_admitted_mix():
    document = steady()
    forecast = forecast_of(document)
    assert forecast is not None
    order = next(pool for pool in forecast.pools if pool.name == "function order")
    step = document.steps[1]
    share = step.requests.completed / document.requests.completed
    now = order.at(document.rates.admitted_rps)
    assert now.mean == pytest.approx(document.rates.admitted_rps * share * 0.1)
    assert order.at(2 * document.rates.admitted_rps).mean == pytest.approx(2 * now.mean)
    assert (now.low, now.high) == (concurrency_at(now.mean, 0.01), concurrency_at(now.mean, 0.99))
    assert order.p95_per_request_s == pytest.approx(2 * order.per_request_s)


def test_a_limit_is_reached_where_one_per_cent_of_the_time_needs_it():
    pool = Pool("function order", 10, ("order",), 0.1, None)
    reached = pool.reached_rps
    assert reached is not None
    # Tables of the Poisson distribution: a mean of 4.1 needs 10 in 1 % of the time.
    assert 38 < reached < 46
    assert pool.at(reached * 1.001).high >= 10
    assert pool.at(reached * 0.98).high < 10


def test_the_pool_that_is_full_first_stands_first():
    forecast = forecast_of(steady())
    assert [pool.name for pool in forecast.pools] == ["function order", "account"]
    table = concurrency_table(forecast)
    assert [row.cells[0] for row in table.rows] == ["function order", "account"]
    assert [row.cells[1] for row in table.rows] == ["20", "100"]
    assert "Its limit of 20 is reached at" in concurrency_finding(forecast)


def test_the_chart_has_the_limit_the_rate_and_its_data():
    forecast = forecast_of(steady())
    figure = concurrency_figure(forecast, "run-1")
    texts = [node.text for node in svgs(figure.drawings[0])[0].iter() if node.tag.endswith("text")]
    assert "function order: 20" in texts
    assert any(text and text.startswith("reached at ") for text in texts)
    assert {"1x", "2x", "5x"} <= set(texts)
    rates = [row.x for row in figure.data.rows]
    assert rates == sorted(rates)
    assert all(len(row.cells) == len(figure.data.columns) for row in figure.data.rows)


def test_without_a_limit_all_functions_are_one_pool_and_it_says_so():
    forecast = forecast_of(steady(limits=[]))
    [pool] = forecast.pools
    assert (pool.limit, pool.reached_rps) == (None, None)
    assert pool.per_request_s == pytest.approx(0.06, rel=0.05)
    assert "No limit of concurrency is known." in concurrency_finding(forecast)
    assert concurrency_figure(forecast, "run-1").drawings


@pytest.mark.parametrize(
    "document",
    [
        load_documents.five_causes(),
        load_documents.nothing_at_all(),
        steady(telemetry=None),
        steady(functions=[]),
    ],
    ids=["no function", "no request", "no duration", "no configuration"],
)
def test_what_nobody_knows_has_no_forecast(document):
    assert forecast_of(document) is None


def test_a_pool_that_lacks_the_duration_of_a_function_is_left_out():
    document = steady()
    only = [one for one in document.telemetry.functions if one.function == "order"]
    telemetry = document.telemetry.model_copy(update={"functions": only})
    forecast = forecast_of(document.model_copy(update={"telemetry": telemetry}))
    assert [pool.name for pool in forecast.pools] == ["function order"]
    assert forecast.unknown == ("list",)
    assert "Not in it: list" in concurrency_figure(forecast, "run-1").help


def test_a_limit_that_was_met_already_is_told():
    entry = CauseCount(
        outcome="throttled", cause="lambda_concurrency", evidence="access_log", count=12
    )
    forecast = forecast_of(steady(throttled_by_cause=[entry]))
    assert "it refused 12 requests" in concurrency_figure(forecast, "run-1").help
