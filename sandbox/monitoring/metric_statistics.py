"""GetMetricStatistics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sandbox.monitoring.refusals import invalid_combination, invalid_value
from sandbox.monitoring.windows import dimensions_of, is_period, shown_time, start_of
from sandbox.telemetry.distribution import Distribution
from sandbox.telemetry.metrics import Metric, MetricStore
from sandbox.telemetry.statistic import Statistic, statistic

# Data points that one call may ask for (CloudWatch quotas, 2026).
MAX_POINTS = 1440


class MetricStatistics:
    """Gives statistics of one metric."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def get_metric_statistics(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The data points of a metric, oldest first; each unit has points of its own."""
        period_s = parameters["Period"]
        start_s, end_s = _window(parameters)
        simple, extended = _wanted(parameters)
        metric = Metric(
            parameters["Namespace"], parameters["MetricName"], dimensions_of(parameters)
        )
        units = [parameters["Unit"]] if "Unit" in parameters else self._store.units(metric)
        points: list[dict[str, Any]] = []
        for unit in units:
            for begin_s, values in self._store.periods(metric, start_s, end_s, period_s, unit):
                point = _point(values, simple, extended)
                if point:
                    points.append({"Timestamp": shown_time(begin_s), **point, "Unit": unit})
        points.sort(key=lambda point: point["Timestamp"])
        return {"Label": metric.name, "Datapoints": points}


def _window(parameters: Mapping[str, Any]) -> tuple[int, float]:
    period_s = parameters["Period"]
    if not is_period(period_s):
        raise invalid_value(
            f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60 (got {period_s})."
        )
    start, end = parameters["StartTime"], parameters["EndTime"]
    if start >= end:
        raise invalid_value("The parameter StartTime must be less than the parameter EndTime.")
    start_s, end_s = start_of(start, period_s), end.timestamp()
    asked = math.ceil((end_s - start_s) / period_s)
    if asked > MAX_POINTS:
        raise invalid_combination(
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of "
            f"{MAX_POINTS:,}. You may reduce the datapoints requested by increasing Period, or "
            "decreasing the time range."
        )
    return start_s, end_s


def _wanted(parameters: Mapping[str, Any]) -> tuple[dict[str, Statistic], dict[str, Statistic]]:
    simple: list[str] = parameters.get("Statistics") or []
    extended: list[str] = parameters.get("ExtendedStatistics") or []
    if bool(simple) == bool(extended):
        raise invalid_combination(
            "You must specify either the parameter Statistics or the parameter "
            "ExtendedStatistics, but not both."
        )
    return _parsed(simple, "Statistics"), _parsed(extended, "ExtendedStatistics")


def _parsed(names: list[str], where: str) -> dict[str, Statistic]:
    parsed: dict[str, Statistic] = {}
    for number, name in enumerate(names, start=1):
        found = statistic(name)
        if found is None:
            raise invalid_value(
                f"The value {name} for parameter {where}.member.{number} is not supported."
            )
        parsed[name] = found
    return parsed


def _point(
    values: Distribution, simple: Mapping[str, Statistic], extended: Mapping[str, Statistic]
) -> dict[str, Any]:
    """What the period has of what was asked for; empty if that is nothing."""
    point: dict[str, Any] = _measured(values, simple)
    more = _measured(values, extended)
    if more:
        point["ExtendedStatistics"] = more
    return point


def _measured(values: Distribution, wanted: Mapping[str, Statistic]) -> dict[str, float]:
    measured = {name: measure(values) for name, measure in wanted.items()}
    return {name: value for name, value in measured.items() if value is not None}
