"""CloudWatch: what is put, what is asked for, and what Lambda and API Gateway put themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract.account import Account, http_status, refused, until
from tests.contract.apis import RestApi
from tests.contract.functions import RAISES, call, new_function
from tests.contract.step import step

# Whole minutes of the past, so that nothing depends on when within a minute a step runs.
_NOW = datetime.now(UTC).replace(second=0, microsecond=0)
_START = _NOW - timedelta(minutes=30)
_END = _NOW - timedelta(minutes=20)


def _put(aws: Account, namespace: str, *data: dict[str, Any]) -> None:
    for datum in data:
        datum.setdefault("MetricName", "Latency")
        datum.setdefault("Timestamp", _START + timedelta(minutes=1))
    answer = aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=list(data))
    assert http_status(answer) == 200


def _query(
    namespace: str,
    statistic: str,
    name: str = "Latency",
    period_s: int = 60,
    **dimensions: str,
) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": _dimensions(**dimensions)}
    return {
        "Id": "q1",
        "MetricStat": {"Metric": metric, "Period": period_s, "Stat": statistic},
    }


def _dimensions(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _values(aws: Account, *queries: dict[str, Any], **more: Any) -> list[float]:
    answer = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=list(queries),
        **{"StartTime": _START, "EndTime": _END, "ScanBy": "TimestampAscending", **more},
    )
    (result,) = answer["MetricDataResults"]
    assert result["StatusCode"] == "Complete"
    return list(result["Values"])


@step()
def statistics_are_of_all_values(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(aws, namespace, *({"Value": value} for value in (4.0, 1.0, 7.0)))
    answer = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="Latency",
        StartTime=_START,
        EndTime=_END,
        Period=60,
        Statistics=["Sum", "Average", "Minimum", "Maximum", "SampleCount"],
    )
    (point,) = answer["Datapoints"]
    assert point["Timestamp"] == _START + timedelta(minutes=1)
    assert (point["Sum"], point["Average"], point["SampleCount"]) == (12.0, 4.0, 3.0)
    assert (point["Minimum"], point["Maximum"]) == (1.0, 7.0)


@step()
def values_have_counts(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(aws, namespace, {"Values": [10.0, 20.0], "Counts": [3.0, 1.0]})
    assert _values(aws, _query(namespace, "SampleCount")) == [4.0]
    assert _values(aws, _query(namespace, "Sum")) == [50.0]


@step()
def statistic_sets_are_added_up(aws: Account) -> None:
    namespace = aws.name("Shop")
    sets = {"SampleCount": 4.0, "Sum": 20.0, "Minimum": 2.0, "Maximum": 9.0}
    _put(aws, namespace, {"StatisticValues": sets})
    assert _values(aws, _query(namespace, "Average")) == [5.0]
    assert _values(aws, _query(namespace, "Maximum")) == [9.0]


@step(moto="500 for percentiles")
def percentiles_are_of_single_values(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(aws, namespace, {"Values": [float(value) for value in range(1, 101)]})
    for statistic, expected in (("p50", 50.0), ("p90", 90.0), ("p99", 99.0)):
        (value,) = _values(aws, _query(namespace, statistic))
        # CloudWatch keeps no single values: a per cent of the value and of the rank is its own.
        assert abs(value - expected) <= 0.01 * expected + 1.0, statistic


@step(moto="500 for trimmed means", ministack="gives the mean of all")
def trimmed_means_leave_out_the_ends(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(aws, namespace, {"Values": [*(10.0,) * 1, 1000.0], "Counts": [99.0, 1.0]})
    (value,) = _values(aws, _query(namespace, "tm95"))
    assert abs(value - 10.0) <= 0.2


@step(moto="no ExtendedStatistics in the answer")
def percentiles_are_statistics_too(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(aws, namespace, {"Values": [float(value) for value in range(1, 101)]})
    answer = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="Latency",
        StartTime=_START,
        EndTime=_END,
        Period=60,
        ExtendedStatistics=["p95"],
    )
    (point,) = answer["Datapoints"]
    assert abs(point["ExtendedStatistics"]["p95"] - 95.0) <= 2.0


@step(
    moto="adds up all dimensions where none is given",
    ministack="adds up all dimensions where none is given",
)
def dimensions_make_metrics(aws: Account) -> None:
    namespace = aws.name("Shop")
    for shop, value in (("north", 1.0), ("south", 5.0)):
        _put(aws, namespace, {"Value": value, "Dimensions": _dimensions(Shop=shop)})
    assert _values(aws, _query(namespace, "Sum", Shop="north")) == [1.0]
    assert _values(aws, _query(namespace, "Sum", Shop="south")) == [5.0]
    assert _values(aws, _query(namespace, "Sum")) == []


@step(moto="ignores the namespace where there are dimensions")
def namespaces_make_metrics(aws: Account) -> None:
    first, second = aws.name("Shop"), aws.name("Shop")
    for namespace, value in ((first, 1.0), (second, 5.0)):
        _put(aws, namespace, {"Value": value, "Dimensions": _dimensions(Shop="north")})
    assert _values(aws, _query(first, "Sum", Shop="north")) == [1.0]


@step(ministack="ignores ScanBy")
def points_are_by_period(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(
        aws,
        namespace,
        *(
            {"Value": float(minute), "Timestamp": _START + timedelta(minutes=minute)}
            for minute in range(4)
        ),
    )
    assert _values(aws, _query(namespace, "Sum")) == [0.0, 1.0, 2.0, 3.0]
    newest_first = _values(aws, _query(namespace, "Sum"), ScanBy="TimestampDescending")
    assert newest_first == [3.0, 2.0, 1.0, 0.0]
    assert _values(aws, _query(namespace, "Sum"), EndTime=_START + timedelta(minutes=2)) == [
        0.0,
        1.0,
    ]


@step(moto="ignores MaxDatapoints", ministack="ignores MaxDatapoints")
def points_come_in_pages(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(
        aws,
        namespace,
        *(
            {"Value": float(minute), "Timestamp": _START + timedelta(minutes=minute)}
            for minute in range(5)
        ),
    )
    metrics = aws.client("cloudwatch")
    asked = {
        "MetricDataQueries": [_query(namespace, "Sum")],
        "StartTime": _START,
        "EndTime": _END,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": 2,
    }
    first = metrics.get_metric_data(**asked)
    assert len(first["MetricDataResults"][0]["Values"]) <= 2
    assert first["NextToken"]
    values: list[float] = []
    for page in metrics.get_paginator("get_metric_data").paginate(**asked):
        values += [value for result in page["MetricDataResults"] for value in result["Values"]]
    assert values == [0.0, 1.0, 2.0, 3.0, 4.0]


@step(
    moto="no values for an expression of several metrics", ministack="InternalError for expressions"
)
def metrics_are_added_by_an_expression(aws: Account) -> None:
    namespace = aws.name("Shop")
    _put(aws, namespace, {"Value": 3.0}, {"Value": 12.0, "MetricName": "Count"})
    inputs = [
        {**_query(namespace, "Sum"), "Id": "m1", "ReturnData": False},
        {**_query(namespace, "Sum", "Count"), "Id": "m2", "ReturnData": False},
    ]
    share = {"Id": "e1", "Expression": "100 * m1 / m2"}
    assert _values(aws, *inputs, share) == [25.0]


@step(moto="accepts any id", ministack="accepts any id")
def an_id_begins_with_a_small_letter(aws: Account) -> None:
    wrong = refused(
        aws.client("cloudwatch").get_metric_data,
        MetricDataQueries=[{**_query("Shop", "Sum"), "Id": "Q1"}],
        StartTime=_START,
        EndTime=_END,
    )
    assert wrong == ("ValidationError", 400)


@step()
def metrics_are_listed(aws: Account) -> None:
    namespace = aws.name("Shop")
    for shop in ("north", "south"):
        _put(aws, namespace, {"Value": 1.0, "Dimensions": _dimensions(Shop=shop)})
    metrics = aws.client("cloudwatch")
    listed = metrics.list_metrics(Namespace=namespace)["Metrics"]
    assert {metric["Dimensions"][0]["Value"] for metric in listed} == {"north", "south"}
    filtered = metrics.list_metrics(
        Namespace=namespace, MetricName="Latency", Dimensions=_dimensions(Shop="north")
    )["Metrics"]
    expected = {
        "Namespace": namespace,
        "MetricName": "Latency",
        "Dimensions": _dimensions(Shop="north"),
    }
    assert filtered == [expected]


@step(moto="accepts AWS's namespaces", ministack="accepts AWS's namespaces")
def a_namespace_of_aws_is_aws_s(aws: Account) -> None:
    wrong = refused(
        aws.client("cloudwatch").put_metric_data,
        Namespace="AWS/Lambda",
        MetricData=[{"MetricName": "Errors", "Value": 1.0}],
    )
    assert wrong[1] == 400
    assert wrong[0].startswith("InvalidParameterValue")


@step(moto="no metrics of functions")
def functions_have_metrics(aws: Account) -> None:
    name = new_function(aws, RAISES)
    for _ in range(3):
        call(aws, name)
    window = {"StartTime": _NOW - timedelta(minutes=5), "EndTime": _NOW + timedelta(minutes=30)}

    def total(metric: str) -> float:
        query = _query("AWS/Lambda", "Sum", metric, FunctionName=name)
        return sum(_values(aws, query, **window))

    until(lambda: total("Invocations") == 3.0)
    assert total("Errors") == 3.0
    assert total("Duration") > 0


@step(moto="no metrics of APIs", ministack="no metrics of APIs")
def apis_have_metrics(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    for path in ("/orders", "/orders", "/none"):
        api.get(path)
    window = {"StartTime": _NOW - timedelta(minutes=5), "EndTime": _NOW + timedelta(minutes=30)}

    def total(metric: str, statistic: str = "Sum") -> float:
        query = _query("AWS/ApiGateway", statistic, metric, ApiName=api.name, Stage="prod")
        return sum(_values(aws, query, **window))

    until(lambda: total("Count") == 3.0)
    assert total("4XXError") == 1.0
    assert total("5XXError") == 0.0
    assert total("Latency", "SampleCount") == 3.0
