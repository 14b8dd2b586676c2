"""Metrics that are read many at once, against what CloudWatch may answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from core.aws.function_metrics import CallsOf
from core.aws.gateway_metrics import StageMetrics
from core.aws.metric_data import MetricReader, Query, Spread, Window, spread_of, spread_queries
from core.errors import AwsError

NOON_S = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())
WINDOW = Window.around(NOON_S + 5, NOON_S + 70)
COUNT = Query("N", "Count", (("Stage", "prod"),), "Sum")


class CloudWatch:
    """Answers with these pages, one after the other, and notes what was asked."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages: Iterator[dict[str, Any]] = iter(pages)
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return next(self._pages)


def reader(*pages: dict[str, Any]) -> MetricReader:
    return MetricReader(cast("Any", CloudWatch(*pages)))


def page(number: int, points: dict[int, float], status: str = "Complete", **more: Any) -> Any:
    times = [datetime.fromtimestamp(NOON_S + at, UTC) for at in points]
    result = {
        "Id": f"q{number}",
        "StatusCode": status,
        "Timestamps": times,
        "Values": list(points.values()),
    }
    return {"MetricDataResults": [result | more.pop("result", {})], **more}


@pytest.mark.parametrize(
    ("begin_s", "end_s", "minutes"),
    [
        pytest.param(NOON_S, NOON_S, (0, 60), id="a moment"),
        pytest.param(NOON_S + 59.9, NOON_S + 60, (0, 120), id="over a border"),
        pytest.param(NOON_S - 16 * 86_400, NOON_S, (60 - 15 * 86_400, 60), id="16 days"),
    ],
)
def test_a_window_has_whole_minutes(begin_s: float, end_s: float, minutes: tuple[int, int]) -> None:
    window = Window.around(begin_s, end_s)

    assert (window.begin_s - NOON_S, window.end_s - NOON_S) == minutes


def test_pages_are_put_together() -> None:
    client = CloudWatch(page(0, {60: 3}, "PartialData", NextToken="more"), page(0, {0: 2}))

    found = MetricReader(cast("Any", client)).by_minute([COUNT], WINDOW)

    assert found == {COUNT: {NOON_S: 2, NOON_S + 60: 3}}
    assert [asked.get("NextToken") for asked in client.asked] == [None, "more"]
    (query,) = client.asked[0]["MetricDataQueries"]
    assert query["MetricStat"]["Period"] == 60


def test_more_than_500_queries_are_asked_in_turn() -> None:
    queries = [Query("N", f"m{number}", (), "Sum") for number in range(501)]
    client = CloudWatch(page(499, {0: 1}), page(0, {0: 2}))

    found = MetricReader(cast("Any", client)).by_minute(queries, WINDOW)

    assert {query.metric: points for query, points in found.items() if points} == {
        "m499": {NOON_S: 1},
        "m500": {NOON_S: 2},
    }


@pytest.mark.parametrize("status", ["Forbidden", "InternalError"])
def test_half_an_answer_is_no_answer(status: str) -> None:
    refused = page(0, {}, status, result={"Messages": [{"Code": "x", "Value": "why"}]})

    with pytest.raises(AwsError, match=f"could not read metrics: {status}: why"):
        reader(refused).by_minute([COUNT], WINDOW)


@pytest.mark.parametrize(
    ("points", "value"),
    [
        pytest.param({0: 7.0}, 7.0, id="one period"),
        pytest.param({}, None, id="no data"),
        pytest.param({-60: 7.0}, None, id="a period that begins before the window"),
        pytest.param({0: 3.0, 60: 4.0}, None, id="shorter periods"),
    ],
)
def test_a_whole_window_is_one_period_or_unknown(
    points: dict[int, float], value: float | None
) -> None:
    assert reader(page(0, points)).over_all([COUNT], WINDOW) == {COUNT: value}


def test_windows_of_more_than_a_day_are_unknown() -> None:
    window = Window.around(NOON_S, NOON_S + 90_000)

    assert reader().over_all([COUNT], window) == {COUNT: None}


def test_a_spread_is_known_whole_or_not_at_all() -> None:
    queries = spread_queries(COUNT)
    found: dict[Query, float | None] = {query: float(n) for n, query in enumerate(queries)}

    assert spread_of(COUNT, found) == Spread(0, 1, 2, 3, 4, 5, 6)
    assert spread_of(COUNT, found | {queries[0]: None}) is None


@pytest.mark.parametrize(
    ("stage", "dimensions"),
    [
        pytest.param(StageMetrics("rest", "id", "shop", "prod"), ("ApiName", "shop"), id="REST"),
        pytest.param(StageMetrics("http", "id", "shop", "prod"), ("ApiId", "id"), id="HTTP"),
    ],
)
def test_stages_are_named_as_their_kind_is(
    stage: StageMetrics, dimensions: tuple[str, str]
) -> None:
    assert stage.count.dimensions == (dimensions, ("Stage", "prod"))


def test_a_version_behind_an_alias_is_named_with_both() -> None:
    calls = CallsOf("orders", "live").of_version("7")

    assert dict(calls.invocations.dimensions) == {
        "FunctionName": "orders",
        "Resource": "orders:live",
        "ExecutedVersion": "7",
    }
