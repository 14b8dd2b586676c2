"""Alarms of CloudWatch: kept, listed by name and page, and set by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rpc_rig import REGION, client_of, serve

from sandbox.lambda_api.names import Home
from sandbox.monitoring.service import MonitoringService
from sandbox.telemetry.metrics import MetricStore


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[Any]:
    service = MonitoringService(Home("000000000000", REGION), MetricStore())
    with serve({"monitoring": service}) as port, client_of(port, "cloudwatch") as client:
        yield client


def put(client: Any, name: str) -> None:
    client.put_metric_alarm(
        AlarmName=name,
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )


def states(client: Any, **asked: Any) -> dict[str, str]:
    return {
        alarm["AlarmName"]: alarm["StateValue"]
        for alarm in client.describe_alarms(**asked)["MetricAlarms"]
    }


def test_an_alarm_has_no_data_until_somebody_sets_its_state(cloudwatch: Any) -> None:
    put(cloudwatch, "orders-errors")
    assert states(cloudwatch, AlarmNames=["orders-errors"]) == {
        "orders-errors": "INSUFFICIENT_DATA"
    }

    cloudwatch.set_alarm_state(AlarmName="orders-errors", StateValue="ALARM", StateReason="test")
    put(cloudwatch, "orders-errors")

    assert states(cloudwatch, AlarmNames=["orders-errors", "none"]) == {"orders-errors": "ALARM"}
    assert states(cloudwatch, AlarmTypes=["CompositeAlarm"]) == {}
    cloudwatch.delete_alarms(AlarmNames=["orders-errors"])
    assert states(cloudwatch, AlarmNames=["orders-errors"]) == {}


def test_an_alarm_that_does_not_exist_has_no_state_to_set(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="Alarm not found"):
        cloudwatch.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="test")


def test_alarms_are_listed_by_page_and_prefix(cloudwatch: Any) -> None:
    for number in range(5):
        put(cloudwatch, f"page-{number}")

    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix="page-", PaginationConfig={"PageSize": 2}
    )

    assert [[alarm["AlarmName"] for alarm in page["MetricAlarms"]] for page in pages] == [
        ["page-0", "page-1"],
        ["page-2", "page-3"],
        ["page-4"],
    ]
