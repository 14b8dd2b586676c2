"""What CloudWatch counts of an alias and of each version behind it.

An alias that leads to two versions has metrics of each of them (dimension ExecutedVersion).
Minutes become visible one to three minutes after they end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aws.session import aws_call

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

MINUTE_S = 60
MAX_MINUTES = 1440  # the most data points that GetMetricStatistics gives at once


@dataclass(frozen=True, slots=True)
class CallMetrics:
    """Calls in a time range; `throttles` are refusals, which are no calls.

    `median_ms` is the mean over the minutes of their median Duration, each weighted with its
    calls; None without a call.
    """

    calls: int
    errors: int
    throttles: int
    median_ms: float | None


@dataclass(frozen=True, slots=True)
class AliasMetrics:
    """Reads what is counted of one alias of a function, which is named without its ARN."""

    client: CloudWatchClient
    function: str
    alias: str

    def read(self, start_s: float, end_s: float, *, version: str | None = None) -> CallMetrics:
        """Calls through the alias in the minutes from `start_s` to `end_s` (Unix times).

        With `version` only those that this version served, which are counted only while the
        alias leads to two versions.

        Raises:
            AwsError: when AWS does not say.
        """
        calls = self._sums("Invocations", start_s, end_s, version)
        medians = self._medians(start_s, end_s, version)
        weights = {minute: calls.get(minute, 0.0) for minute in medians}
        weight = sum(weights.values())
        return CallMetrics(
            calls=round(sum(calls.values())),
            errors=round(sum(self._sums("Errors", start_s, end_s, version).values())),
            throttles=round(sum(self._sums("Throttles", start_s, end_s, version).values())),
            median_ms=sum(medians[minute] * weights[minute] for minute in medians) / weight
            if weight
            else None,
        )

    def _sums(
        self, metric: str, start_s: float, end_s: float, version: str | None
    ) -> dict[datetime, float]:
        """The metric summed by the minute."""
        first, last = _minutes(start_s, end_s)
        with aws_call(f"read the metric {metric} of {self.function}:{self.alias}"):
            answer = self.client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=metric,
                Dimensions=self._dimensions(version),
                StartTime=first,
                EndTime=last,
                Period=MINUTE_S,
                Statistics=["Sum"],
            )
        return {point["Timestamp"]: point.get("Sum", 0.0) for point in answer["Datapoints"]}

    def _medians(self, start_s: float, end_s: float, version: str | None) -> dict[datetime, float]:
        first, last = _minutes(start_s, end_s)
        with aws_call(f"read the metric Duration of {self.function}:{self.alias}"):
            answer = self.client.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName="Duration",
                Dimensions=self._dimensions(version),
                StartTime=first,
                EndTime=last,
                Period=MINUTE_S,
                ExtendedStatistics=["p50"],
            )
        found = {
            point["Timestamp"]: point.get("ExtendedStatistics", {}).get("p50")
            for point in answer["Datapoints"]
        }
        return {minute: median for minute, median in found.items() if median is not None}

    def _dimensions(self, version: str | None) -> list[DimensionTypeDef]:
        dimensions: list[DimensionTypeDef] = [
            {"Name": "FunctionName", "Value": self.function},
            {"Name": "Resource", "Value": f"{self.function}:{self.alias}"},
        ]
        if version is not None:
            dimensions.append({"Name": "ExecutedVersion", "Value": version})
        return dimensions


def _minutes(start_s: float, end_s: float) -> tuple[datetime, datetime]:
    """The whole minutes around a time range, as many as one answer may have."""
    last_s = max(-(-end_s // MINUTE_S), start_s // MINUTE_S + 1) * MINUTE_S
    first_s = max(start_s // MINUTE_S * MINUTE_S, last_s - MAX_MINUTES * MINUTE_S)
    return datetime.fromtimestamp(first_s, UTC), datetime.fromtimestamp(last_s, UTC)
