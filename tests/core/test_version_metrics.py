"""Metrics of an alias and of the versions behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.aws.version_metrics import MAX_MINUTES, AliasMetrics, CallMetrics

NOON_S = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()


class CloudWatch:
    """Answers with two minutes: 10 calls of 50 ms, and 30 of 90 ms."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        first, second = (datetime.fromtimestamp(NOON_S + at, UTC) for at in (0, 60))
        points: dict[str, list[float]] = {"Invocations": [10, 30], "Errors": [0, 2]}
        if asked["MetricName"] == "Duration":
            return {
                "Datapoints": [
                    {"Timestamp": second, "ExtendedStatistics": {"p50": 90.0}},
                    {"Timestamp": first, "ExtendedStatistics": {"p50": 50.0}},
                ]
            }
        sums = points.get(asked["MetricName"], [])
        return {
            "Datapoints": [
                {"Timestamp": at, "Sum": value}
                for at, value in zip((first, second), sums, strict=False)
            ]
        }


def test_minutes_are_added_and_their_medians_weighted_with_their_calls() -> None:
    client = CloudWatch()

    found = AliasMetrics(cast("Any", client), "orders", "live").read(
        NOON_S + 5, NOON_S + 70, version="7"
    )

    assert found == CallMetrics(calls=40, errors=2, throttles=0, median_ms=80.0)
    (window,) = {(asked["StartTime"], asked["EndTime"]) for asked in client.asked}
    assert [time.timestamp() - NOON_S for time in window] == [0, 120]
    assert {item["Name"]: item["Value"] for item in client.asked[0]["Dimensions"]} == {
        "FunctionName": "orders",
        "Resource": "orders:live",
        "ExecutedVersion": "7",
    }


@pytest.mark.parametrize(
    ("start_s", "end_s", "minutes"),
    [
        pytest.param(NOON_S, NOON_S, 1, id="no time at all"),
        pytest.param(NOON_S, NOON_S + 60, 1, id="a minute"),
        pytest.param(NOON_S - 1, NOON_S + 61, 3, id="parts of minutes"),
        pytest.param(NOON_S - 10 * 86_400, NOON_S, MAX_MINUTES, id="longer than one answer"),
    ],
)
def test_whole_minutes_are_asked_for(start_s: float, end_s: float, minutes: int) -> None:
    client = CloudWatch()

    AliasMetrics(cast("Any", client), "orders", "live").read(start_s, end_s)

    asked = client.asked[0]
    assert (asked["EndTime"] - asked["StartTime"]).total_seconds() == 60 * minutes


def test_an_alias_that_was_not_called_has_no_median(
    local_access: LocalAccess, make_function: Callable[[], str]
) -> None:
    client = AwsSession(local=local_access).cloudwatch()

    found = AliasMetrics(client, make_function(), "live").read(NOON_S, NOON_S + 60)

    client.close()
    assert found == CallMetrics(calls=0, errors=0, throttles=0, median_ms=None)
