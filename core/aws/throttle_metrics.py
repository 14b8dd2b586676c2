"""The metric Throttles of Lambda functions: how many calls Lambda refused, minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aws.session import aws_call

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_MINUTE_S = 60
_MAX_POINTS = 1440  # the most that GetMetricStatistics gives at once


def lambda_throttles(
    client: CloudWatchClient, function: str, *, start_s: float, end_s: float
) -> int:
    """Calls of `function` that Lambda refused in the whole minutes around a time range (Unix)."""
    first = int(start_s) // _MINUTE_S * _MINUTE_S
    last = max(first + _MINUTE_S, -(-int(end_s + 1) // _MINUTE_S) * _MINUTE_S)
    minutes = (last - first) // _MINUTE_S
    period_s = _MINUTE_S * -(-minutes // _MAX_POINTS)
    with aws_call(f"read the metric Throttles of {function}"):
        answer = client.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Throttles",
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=datetime.fromtimestamp(first, UTC),
            EndTime=datetime.fromtimestamp(last, UTC),
            Period=period_s,
            Statistics=["Sum"],
        )
    return round(sum(point.get("Sum", 0.0) for point in answer["Datapoints"]))
