"""Which metric and which time a request is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.telemetry.contract import Dimensions
from sandbox.telemetry.metrics import MINUTE_S, Metric

# Periods below a minute; all others are multiples of one (GetMetricData, 2026).
SUB_MINUTE_PERIODS_S = (1, 5, 10, 20, 30)


def metric_of(parameters: Mapping[str, Any]) -> Metric | None:
    """The metric that `Namespace`, `MetricName` and `Dimensions` name; None if one is missing."""
    namespace, name = parameters.get("Namespace"), parameters.get("MetricName")
    if namespace is None or name is None:
        return None
    return Metric(namespace, name, dimensions_of(parameters))


def dimensions_of(parameters: Mapping[str, Any]) -> Dimensions:
    """`Dimensions` in the order of their names."""
    given = parameters.get("Dimensions") or []
    return tuple(sorted((one["Name"], one["Value"]) for one in given))


def shown_dimensions(dimensions: Dimensions) -> list[dict[str, str]]:
    """Dimensions as answers have them."""
    return [{"Name": name, "Value": value} for name, value in dimensions]


def is_period(period_s: int) -> bool:
    """Whether CloudWatch has such a period."""
    return period_s in SUB_MINUTE_PERIODS_S or (period_s > 0 and period_s % MINUTE_S == 0)


def start_of(time: datetime, period_s: int) -> int:
    """Where the first period begins, in seconds: the minute, or its part for short periods."""
    step_s = min(period_s, MINUTE_S)
    return int(time.timestamp() // step_s * step_s)


def shown_time(time_s: int) -> datetime:
    """A time as answers have it."""
    return datetime.fromtimestamp(time_s, UTC)
