"""How long a Lambda function ran, by the metric Duration, over past days.

Duration is the time of the handler: starts of environments (INIT) are not in it ("Types of metrics
for Lambda functions", developer guide 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.aws.session import aws_call

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

_DAY_S = 24 * 3600
DEFAULT_DAYS = 14


@dataclass(frozen=True, slots=True)
class PastDurations:
    """Durations of past calls in milliseconds; percentiles are None where AWS gives none."""

    calls: int
    mean_ms: float
    p50_ms: float | None
    p99_ms: float | None
    days: int

    @property
    def source(self) -> str:
        """Where the figures are from."""
        many = "1 call" if self.calls == 1 else f"{self.calls:,} calls"
        return f"metric Duration, {self.days} days, {many}"


def past_durations(
    client: CloudWatchClient,
    function: str,
    qualifier: str | None = None,
    *,
    days: int = DEFAULT_DAYS,
    now: datetime,
) -> PastDurations | None:
    """The durations of the last `days` days; None where no call was counted. Two calls.

    `qualifier` is the alias or version that was called. Days are weighted by their calls, which
    is exact for the mean and close for percentiles.

    Raises:
        AwsError: the metric cannot be read.
    """
    start = now.astimezone(UTC) - timedelta(days=days)
    dimensions: list[DimensionTypeDef] = [{"Name": "FunctionName", "Value": function}]
    if qualifier is not None:
        dimensions.append({"Name": "Resource", "Value": f"{function}:{qualifier}"})
    with aws_call(f"read the metric Duration of {function}"):
        sums = client.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Duration",
            Dimensions=dimensions,
            StartTime=start,
            EndTime=now,
            Period=_DAY_S,
            Statistics=["Sum", "SampleCount"],
        )
        percentiles = client.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Duration",
            Dimensions=dimensions,
            StartTime=start,
            EndTime=now,
            Period=_DAY_S,
            ExtendedStatistics=["p50", "p99"],
        )
    by_day = {point["Timestamp"]: point for point in sums["Datapoints"]}
    calls = sum(point.get("SampleCount", 0.0) for point in by_day.values())
    if not calls:
        return None
    weights = {day: point.get("SampleCount", 0.0) for day, point in by_day.items()}
    found = {
        point["Timestamp"]: point.get("ExtendedStatistics", {})
        for point in percentiles["Datapoints"]
    }
    return PastDurations(
        round(calls),
        sum(point.get("Sum", 0.0) for point in by_day.values()) / calls,
        _weighted(weights, {day: each.get("p50") for day, each in found.items()}),
        _weighted(weights, {day: each.get("p99") for day, each in found.items()}),
        days,
    )


def _weighted(weights: dict[datetime, float], values: dict[datetime, float | None]) -> float | None:
    """The mean of daily percentiles, each weighted with its calls."""
    known = [(weights.get(day, 0.0), value) for day, value in values.items() if value is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None
