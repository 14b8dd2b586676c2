"""CloudWatch as boto3, its protocols and the AWS CLI see it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rpc_rig import REGION, authorization, client_of, send, serve

from sandbox.lambda_api.names import Home
from sandbox.monitoring import listing
from sandbox.monitoring.service import MonitoringService
from sandbox.telemetry.metrics import Metric, MetricStore

Refused = Callable[..., tuple[str, int, str]]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOON_S = int(NOON.timestamp())
ACCOUNT = "000000000000"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class Clock:
    now_s = NOON_S + 3600.0

    def __call__(self) -> float:
        return self.now_s


CLOCK = Clock()
STORE = MetricStore(CLOCK)
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    quotas = {Metric("AWS/Lambda", "ConcurrentExecutions"): 50.0}
    service = MonitoringService(Home(ACCOUNT, REGION), STORE, quotas.get)
    with serve({"monitoring": service}) as port:
        yield port


@pytest.fixture(scope="module")
def cloudwatch(port: int) -> Iterator[Any]:
    with client_of(port, "cloudwatch") as client:
        yield client


@pytest.fixture(scope="module")
def loose(port: int) -> Iterator[Any]:
    with client_of(port, "cloudwatch", parameter_validation=False) as client:
        yield client


@pytest.fixture
def namespace() -> str:
    return f"Own/{next(_NUMBERS)}"


def store(namespace: str, minute: int, *values: float, name: str = "M", **more: Any) -> None:
    counts: dict[float, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    unit, dimensions = more.get("unit", "Milliseconds"), more.get("dimensions", ())
    STORE.add(namespace, name, dimensions, unit, NOON_S + 60 * minute, counts)


def query(namespace: str, stat: str = "Sum", period: int = 60, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": more.pop("name", "M")}
    if "dimensions" in more:
        metric["Dimensions"] = [{"Name": k, "Value": v} for k, v in more.pop("dimensions")]
    stats = {"Metric": metric, "Period": period, "Stat": stat}
    if "unit" in more:
        stats["Unit"] = more.pop("unit")
    return {"Id": more.pop("id", "a"), "MetricStat": stats, **more}


def expression(text: str, name: str = "e", **more: Any) -> dict[str, Any]:
    return {"Id": name, "Expression": text, **more}


def get(
    client: Any, *queries: dict[str, Any], start: float = 0, end: float = 10, **more: Any
) -> dict[str, dict[float, float]]:
    """The values of each result, by minutes since noon, in the order of the answer."""
    answer = client.get_metric_data(
        MetricDataQueries=list(queries),
        StartTime=NOON + minutes(start),
        EndTime=NOON + minutes(end),
        **more,
    )
    assert "NextToken" not in answer
    assert {result["StatusCode"] for result in answer["MetricDataResults"]} <= {"Complete"}
    return {result["Id"]: by_minute(result) for result in answer["MetricDataResults"]}


def by_minute(result: dict[str, Any]) -> dict[float, float]:
    times = [(time - NOON).total_seconds() / 60 for time in result["Timestamps"]]
    return dict(zip(times, result["Values"], strict=True))


# GetMetricData


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("Sum", 10.0),
        ("Average", 2.5),
        ("Minimum", 1.0),
        ("Maximum", 4.0),
        ("SampleCount", 4.0),
        ("p50", 2.0),
        ("p99.9", 4.0),
        ("tm75", 2.0),
        ("TM(25%:75%)", 2.5),
        ("PR(:3)", 75.0),
    ],
)
def test_statistics(cloudwatch: Any, namespace: str, stat: str, expected: float) -> None:
    store(namespace, 1, 4, 3, 2, 1)
    assert get(cloudwatch, query(namespace, stat)) == {"a": {1: expected}}


@pytest.mark.parametrize(
    ("start", "end", "period", "expected"),
    [
        pytest.param(0, 4, 60, {0: 1, 1: 2, 2: 4, 3: 8}, id="minutes"),
        pytest.param(1, 3, 60, {1: 2, 2: 4}, id="end-exclusive"),
        pytest.param(1.5, 3.5, 60, {1: 2, 2: 4, 3: 8}, id="start-rounded-down"),
        pytest.param(0, 4, 120, {0: 3, 2: 12}, id="two-minutes"),
        pytest.param(1, 4, 120, {1: 6, 3: 8}, id="periods-from-the-start"),
        pytest.param(0, 1440, 3600, {0: 15}, id="an-hour"),
        pytest.param(0, 4, 10, {0: 1, 1: 2, 2: 4, 3: 8}, id="ten-seconds-are-still-minutes"),
        pytest.param(0.25, 4, 10, {1: 2, 2: 4, 3: 8}, id="start-rounded-to-ten-seconds"),
        pytest.param(4, 9, 60, {}, id="nothing-there"),
    ],
)
def test_times_and_periods(
    cloudwatch: Any,
    namespace: str,
    start: float,
    end: float,
    period: int,
    expected: dict[float, float],
) -> None:
    for minute in range(4):
        store(namespace, minute, 2**minute)
    found = get(cloudwatch, query(namespace, period=period), start=start, end=end)
    assert {time // 1: value for time, value in found["a"].items()} == expected


def test_newest_first_unless_asked_otherwise(cloudwatch: Any, namespace: str) -> None:
    for minute in range(3):
        store(namespace, minute, 1)
    assert list(get(cloudwatch, query(namespace))["a"]) == [2, 1, 0]
    ascending = get(cloudwatch, query(namespace), ScanBy="TimestampAscending")
    assert list(ascending["a"]) == [0, 1, 2]


def test_a_metric_is_its_dimensions_exactly(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 1)
    store(namespace, 1, 2, dimensions=(("A", "1"), ("B", "2")))
    both = query(namespace, id="b", dimensions=[("B", "2"), ("A", "1")])
    part = query(namespace, id="c", dimensions=[("A", "1")])
    assert get(cloudwatch, query(namespace), both, part) == {"a": {1: 1}, "b": {1: 2}, "c": {}}


def test_a_unit_chooses(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 1)
    store(namespace, 1, 5, unit="Count")
    found = get(
        cloudwatch,
        query(namespace, unit="Count"),
        query(namespace, id="b", unit="Bytes"),
        query(namespace, id="c"),
    )
    assert found == {"a": {1: 5}, "b": {}, "c": {1: 6}}


def test_labels_and_what_is_not_returned(cloudwatch: Any, namespace: str) -> None:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[
            query(namespace),
            query(namespace, id="b", Label="mine"),
            query(namespace, id="c", ReturnData=False),
        ],
        StartTime=NOON,
        EndTime=NOON + minutes(1),
    )
    results = answer["MetricDataResults"]
    assert [(one["Id"], one["Label"]) for one in results] == [("a", "M"), ("b", "mine")]


def test_the_publication_delay(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 57, 1)
    store(namespace, 58, 1)
    STORE.delay_s = 90
    try:
        assert get(cloudwatch, query(namespace), end=60) == {"a": {57: 1}}
    finally:
        STORE.delay_s = 0
    assert get(cloudwatch, query(namespace), end=60) == {"a": {58: 1, 57: 1}}


@pytest.mark.parametrize("backwards", [True, False], ids=["descending", "ascending"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 100])
def test_pages_put_together_are_everything(
    cloudwatch: Any,
    namespace: str,
    size: int,
    backwards: bool,  # noqa: FBT001
) -> None:
    for minute in range(3):
        store(namespace, minute, minute)
        store(namespace, minute, minute, name="N")
    scan = "TimestampDescending" if backwards else "TimestampAscending"
    queries = [
        query(namespace),
        query(namespace, id="none", name="nothing"),
        query(namespace, id="b", name="N"),
    ]
    pages = list(
        cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=NOON,
            EndTime=NOON + minutes(5),
            ScanBy=scan,
            PaginationConfig={"PageSize": size},
        )
    )
    found: dict[str, list[float]] = {"a": [], "none": [], "b": []}
    statuses: dict[str, str] = {}
    for page in pages:
        results = page["MetricDataResults"]
        assert sum(len(result["Values"]) for result in results) <= size
        for result in results:
            found[result["Id"]] += result["Values"]
            statuses[result["Id"]] = result["StatusCode"]
    order = [2.0, 1.0, 0.0] if backwards else [0.0, 1.0, 2.0]
    assert found == {"a": order, "none": [], "b": order}
    assert set(statuses.values()) == {"Complete"}
    assert len(pages) == -(-6 // size)


def test_a_result_that_goes_on_is_partial(cloudwatch: Any, namespace: str) -> None:
    for minute in range(3):
        store(namespace, minute, 1)
    window = {"StartTime": NOON, "EndTime": NOON + minutes(5), "MaxDatapoints": 2}
    first = cloudwatch.get_metric_data(MetricDataQueries=[query(namespace)], **window)
    assert [one["StatusCode"] for one in first["MetricDataResults"]] == ["PartialData"]
    # What arrives in between moves nothing.
    store(namespace, 4, 1)
    second = cloudwatch.get_metric_data(
        MetricDataQueries=[query(namespace)], NextToken=first["NextToken"], **window
    )
    assert by_minute(second["MetricDataResults"][0]) == {0: 1}
    assert "NextToken" not in second


@pytest.mark.parametrize("token", ["x", "bm8=", "W10=", "WyJhIiwgWzAsIDBdXQ=="])
def test_tokens_of_others_are_refused(
    cloudwatch: Any, namespace: str, refused: Refused, token: str
) -> None:
    window = {"StartTime": NOON, "EndTime": NOON + minutes(5)}
    queries = [query(namespace)]
    found = refused(
        cloudwatch.get_metric_data, MetricDataQueries=queries, NextToken=token, **window
    )
    assert found[:2] == ("InvalidNextToken", 400)


def stat(**changes: Any) -> dict[str, Any]:
    return {"MetricStat": {**query("N")["MetricStat"], **changes}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"StartTime": NOON + minutes(10)}, "StartTime must be less", id="window"),
        pytest.param({"MaxDatapoints": 0}, "MaxDatapoints", id="no-points"),
        pytest.param({"MaxDatapoints": 100_801}, "MaxDatapoints", id="too-many-points"),
        pytest.param({"MetricDataQueries": []}, "MetricDataQueries is required", id="no-query"),
        pytest.param(
            {"MetricDataQueries": [query("N", id=f"a{i}") for i in range(501)]},
            "greater than 500",
            id="501-queries",
        ),
        pytest.param({"MetricDataQueries": [query("N"), query("N")]}, "not unique", id="same-id"),
        pytest.param({"MetricDataQueries": [query("N", id="A")]}, "expected pattern", id="id"),
        pytest.param({"MetricDataQueries": [query("N", id="a-b")]}, "expected pattern", id="id-2"),
        pytest.param({"MetricDataQueries": [{"Id": "a"}]}, "both missing", id="empty-query"),
        pytest.param(
            {"MetricDataQueries": [query("N", Expression="a")]}, "mutually exclusive", id="both"
        ),
        pytest.param({"MetricDataQueries": [query("N", "p101")]}, "value p101", id="percentile"),
        pytest.param({"MetricDataQueries": [query("N", "sum")]}, "value sum", id="statistic"),
        pytest.param({"MetricDataQueries": [query("N", period=15)]}, "value 15", id="period"),
        pytest.param({"MetricDataQueries": [query("N", period=90)]}, "value 90", id="period-90"),
        pytest.param({"MetricDataQueries": [query("N", Period=60)]}, "only for", id="own-period"),
        pytest.param(
            {"MetricDataQueries": [query("N", AccountId="1")]}, "no linked accounts", id="account"
        ),
        pytest.param(
            {"MetricDataQueries": [query("N", Label="${MAX}")]}, "dynamic label", id="label"
        ),
        pytest.param(
            {"MetricDataQueries": [{"Id": "a", **stat(Metric={"MetricName": "M"})}]},
            "Namespace",
            id="no-namespace",
        ),
        pytest.param({"MetricDataQueries": None}, "not be null", id="nothing"),
        pytest.param({"ScanBy": "Backwards"}, "enum value set", id="scan-by"),
    ],
)
def test_what_get_metric_data_refuses(
    loose: Any, refused: Refused, changes: dict[str, Any], words: str
) -> None:
    arguments: dict[str, Any] = {
        "MetricDataQueries": [query("N")],
        "StartTime": NOON,
        "EndTime": NOON + minutes(10),
        **changes,
    }
    if arguments["MetricDataQueries"] is None:
        del arguments["MetricDataQueries"]
    code, status, message = refused(loose.get_metric_data, **arguments)
    assert (code, status) == ("ValidationError", 400)
    assert words in message


# Expressions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", {0: 2, 1: 4, 3: 6}),
        ("a + 1", {0: 3, 1: 5, 3: 7}),
        ("10 - a * 2", {0: 6, 1: 2, 3: -2}),
        ("(10 - a) * 2", {0: 16, 1: 12, 3: 8}),
        ("-a ^ 2", {0: -4, 1: -16, 3: -36}),
        ("2 ^ -1 * a", {0: 1, 1: 2, 3: 3}),
        ("a - 1 - 1", {0: 0, 1: 2, 3: 4}),
        ("a / b", {1: 0.4}),
        ("a / (a - 2)", {1: 2, 3: 1.5}),
        ("a + b", {1: 14}),
        ("SUM([a, b])", {0: 2, 1: 14, 2: 20, 3: 6}),
        ("SUM(METRICS())", {0: 2, 1: 14, 2: 20, 3: 6}),
        ('SUM(METRICS("b"))', {1: 10, 2: 20}),
        ("AVG([a, b])", {0: 2, 1: 7, 2: 20, 3: 6}),
        ("MAX([a, b])", {0: 2, 1: 10, 2: 20, 3: 6}),
        ("min([a, b])", {0: 2, 1: 4, 2: 20, 3: 6}),
        ("a / SUM(a)", {0: 2 / 12, 1: 4 / 12, 3: 0.5}),
        ("a * 0 + AVG(a)", {0: 4, 1: 4, 3: 4}),
        ("a / PERIOD(a)", {0: 2 / 60, 1: 4 / 60, 3: 0.1}),
        ("FILL(a, 0)", {0: 2, 1: 4, 2: 0, 3: 6, 4: 0}),
        ("FILL(b, REPEAT)", {1: 10, 2: 20, 3: 20, 4: 20}),
        ("FILL(a, 0) + FILL(b, 0)", {0: 2, 1: 14, 2: 20, 3: 6, 4: 0}),
        ("SUM(FILL(METRICS(), 1))", {0: 3, 1: 14, 2: 21, 3: 7, 4: 2}),
        ("DIFF(a)", {1: 2, 3: 2}),
        ("RATE(a)", {1: 2 / 60, 3: 2 / 120}),
        ("ABS(1 - a)", {0: 1, 1: 3, 3: 5}),
        ("CEIL(a / 4) + FLOOR(a / 4)", {0: 1, 1: 2, 3: 3}),
        (".5e1 * a", {0: 10, 1: 20, 3: 30}),
    ],
)
def test_metric_math(
    cloudwatch: Any, namespace: str, text: str, expected: dict[float, float]
) -> None:
    for minute, value in ((0, 2), (1, 4), (3, 6)):
        store(namespace, minute, value)
    for minute, value in ((1, 10), (2, 20)):
        store(namespace, minute, value, name="N")
    found = get(
        cloudwatch,
        expression(text),
        query(namespace, ReturnData=False),
        query(namespace, id="b", name="N", ReturnData=False),
        end=5,
    )
    assert found["e"] == pytest.approx(expected)


def test_expressions_refer_to_expressions_in_any_order(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 3)
    chain = [expression(f"e{i + 1} + 1", f"e{i}", ReturnData=not i) for i in range(300)]
    last = expression("a", "e300", ReturnData=False)
    assert get(cloudwatch, *chain, last, query(namespace, ReturnData=False)) == {"e0": {1: 303}}


def test_several_series_of_one_expression(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 3)
    store(namespace, 1, 5, name="N")
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[
            query(namespace, ReturnData=False),
            query(namespace, id="b", name="N", ReturnData=False),
            expression("METRICS() * 2"),
        ],
        StartTime=NOON,
        EndTime=NOON + minutes(5),
    )
    found = [(one["Id"], one["Label"], one["Values"]) for one in answer["MetricDataResults"]]
    assert found == [("e", "M", [6.0]), ("e", "N", [10.0])]


def test_the_use_of_a_quota(cloudwatch: Any) -> None:
    store("AWS/Lambda", 1, 20, name="ConcurrentExecutions", unit="Count")
    usage = query("AWS/Lambda", "Maximum", name="ConcurrentExecutions", ReturnData=False)
    found = get(cloudwatch, usage, expression("a / SERVICE_QUOTA(a) * 100"))
    assert found == {"e": {1: 40}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a +", "unexpected end", id="cut"),
        pytest.param("(a", "expected )", id="open"),
        pytest.param("a b", "unexpected b", id="two"),
        pytest.param("a > 1", "does not read > 1", id="comparison"),
        pytest.param("missing + 1", "no query with the id missing", id="unknown-id"),
        pytest.param("e + 1", "in a circle", id="itself"),
        pytest.param("1 + 2", "a number, not a time series", id="number"),
        pytest.param("SUM(a)", "a number, not a time series", id="sum-of-one"),
        pytest.param("SEARCH('{N} M', 'Sum')", "SEARCH", id="search"),
        pytest.param("ANOMALY_DETECTION_BAND(a)", "ANOMALY_DETECTION_BAND", id="function"),
        pytest.param("SELECT AVG(M) FROM N", "unexpected AVG", id="insights"),
        pytest.param("SERVICE_QUOTA(a)", "usage of a quota", id="no-quota"),
        pytest.param("a + c", "periods of 60 and 300 s", id="periods"),
        pytest.param("METRICS() + METRICS()", "two lists", id="two-lists"),
        pytest.param("SUM(1)", "a number stands where", id="sum-of-a-number"),
        pytest.param("SUM(METRICS('none'))", "no metric", id="sum-of-nothing"),
        pytest.param("FILL(a)", "FILL takes", id="fill-what"),
        pytest.param("FILL(a, LINEAR)", "no query with the id LINEAR", id="fill-linear"),
        pytest.param("FILL(a, b)", "a number or REPEAT only", id="fill-series"),
        pytest.param("'a'", "a text is no value", id="text"),
        pytest.param("(" * 60 + "a" + ")" * 60, "levels deep", id="deep"),
        pytest.param("-" * 900 + "a", "levels deep", id="signs"),
    ],
)
def test_expressions_that_are_refused(
    cloudwatch: Any, namespace: str, refused: Refused, text: str, words: str
) -> None:
    queries = [
        query(namespace),
        query(namespace, id="b", name="N"),
        query(namespace, id="c", period=300),
        expression(text),
    ]
    code, status, message = refused(
        cloudwatch.get_metric_data,
        MetricDataQueries=queries,
        StartTime=NOON,
        EndTime=NOON + minutes(10),
    )
    assert (code, status) == ("ValidationError", 400)
    assert message.startswith("Error in expression 'e'")
    assert words in message


def test_expressions_in_a_circle(cloudwatch: Any, refused: Refused) -> None:
    queries = [expression("b + 1", "a"), expression("a + 1", "b")]
    window = {"StartTime": NOON, "EndTime": NOON + minutes(10)}
    message = refused(cloudwatch.get_metric_data, MetricDataQueries=queries, **window)[2]
    assert "in a circle" in message


def test_a_fill_without_bounds_is_refused(cloudwatch: Any, refused: Refused) -> None:
    queries = [query("N", period=1), expression("FILL(a, 0)")]
    window = {"StartTime": NOON - timedelta(days=3000), "EndTime": NOON + minutes(10)}
    message = refused(cloudwatch.get_metric_data, MetricDataQueries=queries, **window)[2]
    assert "100800 points at most" in message


def test_an_expression_may_tell_the_period_that_it_has(
    cloudwatch: Any, namespace: str, refused: Refused
) -> None:
    store(namespace, 1, 3)
    hidden = query(namespace, ReturnData=False)
    assert get(cloudwatch, hidden, expression("a", Period=60)) == {"e": {1: 3}}
    queries = [hidden, expression("a", Period=300)]
    window = {"StartTime": NOON, "EndTime": NOON + minutes(10)}
    message = refused(cloudwatch.get_metric_data, MetricDataQueries=queries, **window)[2]
    assert "does not change the period" in message


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="ab12.()[],+-*/^ 'SUMFILREPT_", min_size=1, max_size=30))
def test_no_expression_is_an_internal_error(cloudwatch: Any, text: str) -> None:
    queries = [query("AnyMath"), query("AnyMath", id="b"), expression(text)]
    try:
        get(cloudwatch, *queries)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationError"  # noqa: PT017


# GetMetricStatistics


def statistics(client: Any, namespace: str, **changes: Any) -> list[dict[str, Any]]:
    arguments: dict[str, Any] = {
        "Namespace": namespace,
        "MetricName": "M",
        "StartTime": NOON,
        "EndTime": NOON + minutes(10),
        "Period": 60,
        "Statistics": ["Sum"],
        **changes,
    }
    kept = {name: value for name, value in arguments.items() if value is not None}
    return list(client.get_metric_statistics(**kept)["Datapoints"])


def test_all_statistics_of_a_point(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 1, 2, 3)
    names = ["Sum", "Average", "Minimum", "Maximum", "SampleCount"]
    assert statistics(cloudwatch, namespace, Statistics=names) == [
        {
            "Timestamp": NOON + minutes(1),
            "Unit": "Milliseconds",
            "Sum": 6.0,
            "Average": 2.0,
            "Minimum": 1.0,
            "Maximum": 3.0,
            "SampleCount": 3.0,
        }
    ]


def test_extended_statistics(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, *range(1, 101))
    (point,) = statistics(
        cloudwatch, namespace, Statistics=None, ExtendedStatistics=["p50", "p99", "tm90"]
    )
    assert point["ExtendedStatistics"] == {"p50": 50.0, "p99": 99.0, "tm90": 45.5}


def test_units_are_points_of_their_own(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 1)
    store(namespace, 1, 2, unit="Seconds")
    points = statistics(cloudwatch, namespace)
    assert sorted((point["Unit"], point["Sum"]) for point in points) == [
        ("Milliseconds", 1.0),
        ("Seconds", 2.0),
    ]
    assert [point["Sum"] for point in statistics(cloudwatch, namespace, Unit="Seconds")] == [2.0]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        pytest.param(
            {"EndTime": NOON + minutes(1441)},
            "InvalidParameterCombination",
            "You have requested up to 1,441 datapoints, which exceeds the limit of 1,440.",
            id="1441-points",
        ),
        pytest.param({"EndTime": NOON}, "InvalidParameterValue", "must be less", id="window"),
        pytest.param({"Period": 61}, "InvalidParameterValue", "multiple of 60", id="period"),
        pytest.param(
            {"Statistics": None}, "InvalidParameterCombination", "either", id="no-statistic"
        ),
        pytest.param(
            {"ExtendedStatistics": ["p50"]}, "InvalidParameterCombination", "not both", id="both"
        ),
        pytest.param(
            {"Statistics": None, "ExtendedStatistics": ["p500"]},
            "InvalidParameterValue",
            "p500",
            id="percentile",
        ),
        pytest.param({"Statistics": ["Median"]}, "ValidationError", "enum value set", id="enum"),
    ],
)
def test_what_get_metric_statistics_refuses(
    cloudwatch: Any, refused: Refused, changes: dict[str, Any], code: str, words: str
) -> None:
    found = refused(statistics, client=cloudwatch, namespace="N", **changes)
    assert found[:2] == (code, 400)
    assert words in found[2]


def test_1440_points_are_allowed(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 1)
    assert len(statistics(cloudwatch, namespace, EndTime=NOON + minutes(1440))) == 1


# ListMetrics


def names(answer: dict[str, Any]) -> list[str]:
    return [metric["MetricName"] for metric in answer["Metrics"]]


def test_filters_of_list_metrics(cloudwatch: Any, namespace: str) -> None:
    store(namespace, 1, 1, name="plain")
    store(namespace, 1, 1, name="one", dimensions=(("A", "1"),))
    store(namespace, 1, 1, name="two", dimensions=(("A", "2"), ("B", "1")))

    def listed(**filters: Any) -> list[str]:
        return names(cloudwatch.list_metrics(Namespace=namespace, **filters))

    assert listed() == ["one", "plain", "two"]
    assert listed(MetricName="one") == ["one"]
    assert listed(Dimensions=[{"Name": "A"}]) == ["one", "two"]
    assert listed(Dimensions=[{"Name": "A", "Value": "2"}]) == ["two"]
    assert listed(Dimensions=[{"Name": "A"}, {"Name": "B", "Value": "1"}]) == ["two"]
    assert listed(Dimensions=[{"Name": "C"}]) == []
    metric = cloudwatch.list_metrics(Namespace=namespace, MetricName="two")["Metrics"][0]
    assert metric["Dimensions"] == [{"Name": "A", "Value": "2"}, {"Name": "B", "Value": "1"}]


def test_metrics_are_listed_for_two_weeks(cloudwatch: Any, namespace: str) -> None:
    store(namespace, -121, 1, name="hours-ago")
    store(namespace, -119, 1, name="recent")
    store(namespace, 60 - 14 * 24 * 60 - 2, 1, name="weeks-ago")
    assert names(cloudwatch.list_metrics(Namespace=namespace)) == ["hours-ago", "recent"]
    recent = cloudwatch.list_metrics(Namespace=namespace, RecentlyActive="PT3H")
    assert names(recent) == ["recent"]


def test_metrics_come_in_pages(
    cloudwatch: Any, namespace: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    for number in range(5):
        store(namespace, 1, 1, name=f"m{number}")
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
    assert [names(page) for page in pages] == [["m0", "m1"], ["m2", "m3"], ["m4"]]
    token = pages[0]["NextToken"]
    other = refused(cloudwatch.list_metrics, Namespace="Other", NextToken=token)
    assert other[0] == "InvalidParameterValue"


def test_there_are_no_linked_accounts(cloudwatch: Any, namespace: str, refused: Refused) -> None:
    store(namespace, 1, 1)
    own = cloudwatch.list_metrics(Namespace=namespace, IncludeLinkedAccounts=True)
    assert own["OwningAccounts"] == [ACCOUNT]
    other = cloudwatch.list_metrics(
        Namespace=namespace, IncludeLinkedAccounts=True, OwningAccount="111111111111"
    )
    assert other["Metrics"] == []
    alone = refused(cloudwatch.list_metrics, OwningAccount=ACCOUNT)
    assert alone[0] == "InvalidParameterCombination"


# PutMetricData


def put(client: Any, namespace: str, **fields: Any) -> None:
    datum = {"MetricName": "M", "Timestamp": NOON + minutes(1.5), **fields}
    client.put_metric_data(Namespace=namespace, MetricData=[datum])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"Value": 3.0}, (1, 3, 3, 3, 3), id="value"),
        pytest.param({"Values": [1.0, 5.0]}, (2, 6, 1, 5, 1), id="values"),
        pytest.param(
            {"Values": [1.0, 5.0], "Counts": [1.0, 4.0]}, (5, 21, 1, 5, 5), id="values-with-counts"
        ),
        pytest.param(
            {"StatisticValues": {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}},
            (4, 10, 1, 4, None),
            id="statistic-set-without-percentiles",
        ),
        pytest.param(
            {"StatisticValues": {"SampleCount": 4, "Sum": 8, "Minimum": 2, "Maximum": 2}},
            (4, 8, 2, 2, 2),
            id="statistic-set-of-one-value",
        ),
    ],
)
def test_what_is_put_can_be_got(
    cloudwatch: Any, namespace: str, fields: dict[str, Any], expected: tuple[float | None, ...]
) -> None:
    put(cloudwatch, namespace, **fields)
    stats = ("SampleCount", "Sum", "Minimum", "Maximum", "p50")
    found = get(cloudwatch, *(query(namespace, stat, id=stat.lower()) for stat in stats))
    assert tuple(found[stat.lower()].get(1) for stat in stats) == expected
    assert names(cloudwatch.list_metrics(Namespace=namespace)) == ["M"]


def test_without_a_time_it_is_now(cloudwatch: Any, namespace: str) -> None:
    cloudwatch.put_metric_data(
        Namespace=namespace, MetricData=[{"MetricName": "M", "Value": 1.0, "Unit": "Count"}]
    )
    (point,) = statistics(cloudwatch, namespace, EndTime=NOON + minutes(61))
    assert (point["Timestamp"], point["Unit"]) == (NOON + minutes(60), "Count")


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        pytest.param({}, "MissingParameter", "At least one", id="no-value"),
        pytest.param(
            {"Value": 1.0, "Values": [1.0]},
            "InvalidParameterCombination",
            "mutually exclusive",
            id="value-and-values",
        ),
        pytest.param(
            {"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue", "same", id="counts"
        ),
        pytest.param(
            {"Values": [float(i) for i in range(151)]},
            "InvalidParameterValue",
            "between 1 and 150",
            id="151-values",
        ),
        pytest.param(
            {"Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue", "than 0", id="no-count"
        ),
        pytest.param({"Value": 1e109}, "InvalidParameterValue", "2^360", id="too-large"),
        pytest.param(
            {"Value": 1.0, "Timestamp": NOON - timedelta(days=15)},
            "InvalidParameterValue",
            "two weeks",
            id="too-old",
        ),
        pytest.param(
            {"Value": 1.0, "Timestamp": NOON + minutes(181)},
            "InvalidParameterValue",
            "two hours",
            id="too-new",
        ),
        pytest.param(
            {"Value": 1.0, "StorageResolution": 1},
            "InvalidParameterValue",
            "by the minute",
            id="high-resolution",
        ),
        pytest.param(
            {"Value": 1.0, "StorageResolution": 30},
            "InvalidParameterValue",
            "must be 1 or 60",
            id="other-resolution",
        ),
        pytest.param(
            {
                "Value": 1.0,
                "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "A", "Value": "2"}],
            },
            "InvalidParameterValue",
            "unique names",
            id="dimension-twice",
        ),
        pytest.param({"Value": 1.0, "Unit": "Parsecs"}, "ValidationError", "enum", id="unit"),
        pytest.param(
            {"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}},
            "InvalidParameterValue",
            "SampleCount",
            id="empty-set",
        ),
        pytest.param(
            {"StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 2, "Maximum": 1}},
            "InvalidParameterValue",
            "at least the Minimum",
            id="set-upside-down",
        ),
    ],
)
def test_what_put_metric_data_refuses(
    cloudwatch: Any,
    namespace: str,
    refused: Refused,
    fields: dict[str, Any],
    code: str,
    words: str,
) -> None:
    good = {"MetricName": "Good", "Value": 1.0, "Timestamp": NOON}
    bad = {"MetricName": "M", "Timestamp": NOON, **fields}
    found = refused(cloudwatch.put_metric_data, Namespace=namespace, MetricData=[good, bad])
    assert found[:2] == (code, 400)
    assert words in found[2]
    assert cloudwatch.list_metrics(Namespace=namespace)["Metrics"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(
            {"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "M", "Value": 1.0}]},
            "InvalidParameterValue",
            "The value AWS/Lambda for parameter Namespace is invalid.",
            id="aws-namespace",
        ),
        pytest.param(
            {"Namespace": "N", "MetricData": []}, "MissingParameter", "MetricData", id="0"
        ),
        pytest.param(
            {"Namespace": "N", "MetricData": [{"MetricName": "M", "Value": 1.0}] * 1001},
            "InvalidParameterValue",
            "greater than 1000",
            id="1001",
        ),
        pytest.param(
            {"Namespace": "N", "EntityMetricData": [{"MetricData": []}]},
            "InvalidParameterValue",
            "EntityMetricData",
            id="entities",
        ),
        pytest.param(
            {"Namespace": ":n", "MetricData": [{"MetricName": "M", "Value": 1.0}]},
            "ValidationError",
            "pattern",
            id="namespace",
        ),
    ],
)
def test_requests_that_put_nothing(
    cloudwatch: Any, refused: Refused, arguments: dict[str, Any], code: str, words: str
) -> None:
    found = refused(cloudwatch.put_metric_data, **arguments)
    assert found[:2] == (code, 400)
    assert words in found[2]


def test_a_full_store_refuses_new_metrics(
    cloudwatch: Any, namespace: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cloudwatch, namespace, Value=1.0)
    monkeypatch.setattr("sandbox.telemetry.metrics.MAX_SERIES", 0)
    put_new = {"client": cloudwatch, "namespace": namespace, "MetricName": "New", "Value": 1.0}
    assert refused(put, **put_new)[0] == "LimitExceeded"


# Protocols and the CLI


def test_dashboards_are_not_served(cloudwatch: Any, refused: Refused) -> None:
    code, status, message = refused(cloudwatch.list_dashboards)
    assert (code, status) == ("UnknownOperationException", 501)
    assert "does not serve the CloudWatch operation ListDashboards" in message


def test_the_query_protocol(port: int, namespace: str) -> None:
    store(namespace, 1, 1, 2)
    form = (
        f"Action=GetMetricStatistics&Version=2010-08-01&Namespace={namespace}&MetricName=M"
        "&StartTime=2026-03-02T12:00:00Z&EndTime=2026-03-02T12:10:00Z&Period=60"
        "&Statistics.member.1=Sum&Statistics.member.2=Maximum"
    )
    headers = {
        "Authorization": authorization("monitoring"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    status, _, body = send(port, form, headers)
    assert status == 200
    assert (
        b"<Datapoints><member><Timestamp>2026-03-02T12:01:00Z</Timestamp><Sum>3.0</Sum>"
        b"<Maximum>2.0</Maximum><Unit>Milliseconds</Unit></member></Datapoints>"
    ) in body


def test_the_cli_puts_and_gets(port: int, namespace: str) -> None:
    def aws(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "cloudwatch", *arguments, "--output", "json"],
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "any",
                "AWS_SECRET_ACCESS_KEY": "any",
                "AWS_DEFAULT_REGION": REGION,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    time = (NOON + minutes(1)).isoformat()
    aws(
        *("put-metric-data", "--namespace", namespace, "--metric-name", "M"),
        *("--dimensions", "A=1", "--value", "7", "--unit", "Count", "--timestamp", time),
    )
    window = ("--start-time", NOON.isoformat(), "--end-time", (NOON + minutes(5)).isoformat())
    got = aws(
        *("get-metric-statistics", "--namespace", namespace, "--metric-name", "M", *window),
        *("--dimensions", "Name=A,Value=1", "--period", "60", "--extended-statistics", "p99"),
    )
    (point,) = got["Datapoints"]
    assert point["ExtendedStatistics"] == {"p99": 7.0}
    queries = [query(namespace, "Sum", dimensions=[("A", "1")])]
    got = aws("get-metric-data", "--metric-data-queries", json.dumps(queries), *window)
    assert got["MetricDataResults"][0]["Values"] == [7.0]
