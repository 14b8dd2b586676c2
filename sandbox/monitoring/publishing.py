"""PutMetricData: values of the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.api_errors import ApiError
from sandbox.monitoring.refusals import invalid_combination, invalid_value, missing
from sandbox.monitoring.windows import dimensions_of
from sandbox.telemetry.distribution import Distribution
from sandbox.telemetry.metrics import MAX_SERIES, MINUTE_S, Metric, MetricStore, Series

# PutMetricData, 2026.
MAX_DATA = 1000
MAX_DISTINCT_VALUES = 150
MAX_AGE_S = 14 * 24 * 3600
MAX_AHEAD_S = 2 * 3600
MAX_SIZE = 2.0**360


@dataclass(frozen=True, slots=True)
class _Datum:
    """One entry of a request; `where` names it in errors."""

    where: str
    fields: Mapping[str, Any]


class MetricPublishing:
    """Takes values into a store."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def put_metric_data(self, parameters: Mapping[str, Any]) -> None:
        """Stores all values of a request, or none of them."""
        namespace = parameters["Namespace"]
        if namespace.startswith("AWS/"):
            raise invalid_value(f"The value {namespace} for parameter Namespace is invalid.")
        if parameters.get("EntityMetricData"):
            raise invalid_value("The sandbox does not serve the parameter EntityMetricData.")
        data = _data(parameters)
        points = [
            (
                Series(_metric(namespace, datum), datum.fields.get("Unit", "None")),
                self._minute(datum),
                _distribution(datum),
            )
            for datum in data
        ]
        if not self._store.has_room(series for series, _, _ in points):
            raise ApiError(
                "LimitExceededFault", f"The sandbox keeps {MAX_SERIES:,} metrics at most."
            )
        for series, minute_s, values in points:
            self._store.add_distribution(series, minute_s, values)

    def _minute(self, datum: _Datum) -> int:
        now_s = self._store.now()
        given = datum.fields.get("Timestamp")
        time_s = now_s if given is None else given.timestamp()
        if not now_s - MAX_AGE_S <= time_s <= now_s + MAX_AHEAD_S:
            raise invalid_value(
                f"The parameter {datum.where}.Timestamp must specify a time no more than two weeks "
                "in the past and no more than two hours in the future."
            )
        return int(time_s // MINUTE_S * MINUTE_S)


def _data(parameters: Mapping[str, Any]) -> list[_Datum]:
    given: Sequence[Mapping[str, Any]] = parameters.get("MetricData") or ()
    if not given:
        raise missing("The parameter MetricData is required.")
    if len(given) > MAX_DATA:
        raise invalid_value(
            f"The collection MetricData must not have a size greater than {MAX_DATA}."
        )
    return [_Datum(f"MetricData.member.{n}", fields) for n, fields in enumerate(given, start=1)]


def _metric(namespace: str, datum: _Datum) -> Metric:
    dimensions = dimensions_of(datum.fields)
    if len(dict(dimensions)) < len(dimensions):
        raise invalid_value(f"The parameter {datum.where}.Dimensions must have unique names.")
    resolution = datum.fields.get("StorageResolution", MINUTE_S)
    if resolution == 1:
        raise invalid_value(
            f"The sandbox keeps metrics by the minute: {datum.where}.StorageResolution must be 60."
        )
    if resolution != MINUTE_S:
        raise invalid_value(f"The parameter {datum.where}.StorageResolution must be 1 or 60.")
    return Metric(namespace, datum.fields["MetricName"], dimensions)


def _distribution(datum: _Datum) -> Distribution:
    fields = datum.fields
    given = [
        name for name in ("Value", "Values", "StatisticValues") if fields.get(name) is not None
    ]
    if not given:
        raise missing(
            f"At least one of the parameters {datum.where}.Value, {datum.where}.Values and "
            f"{datum.where}.StatisticValues must be specified."
        )
    if len(given) > 1:
        raise invalid_combination(
            f"The parameters {datum.where}.{given[0]} and {datum.where}.{given[1]} are mutually "
            "exclusive and you have specified both."
        )
    match given[0]:
        case "Value":
            return Distribution.of({_checked(fields["Value"], datum, "Value"): 1.0})
        case "Values":
            return _of_values(datum)
    return _of_set(datum)


def _of_values(datum: _Datum) -> Distribution:
    values: list[float] = datum.fields["Values"]
    counts: list[float] = datum.fields.get("Counts") or [1.0] * len(values)
    if len(values) != len(counts):
        raise invalid_value(
            f"The parameters {datum.where}.Values and {datum.where}.Counts must be of the same "
            "size."
        )
    if not 0 < len(values) <= MAX_DISTINCT_VALUES:
        raise invalid_value(
            f"The collection {datum.where}.Values must have a size between 1 and "
            f"{MAX_DISTINCT_VALUES}."
        )
    counted: dict[float, float] = {}
    for value, count in zip(values, counts, strict=True):
        if not 0 < count <= MAX_SIZE:
            raise invalid_value(f"The parameter {datum.where}.Counts must be greater than 0.")
        checked = _checked(value, datum, "Values")
        counted[checked] = counted.get(checked, 0.0) + count
    return Distribution.of(counted)


def _of_set(datum: _Datum) -> Distribution:
    found = {
        name: _checked(value, datum, f"StatisticValues.{name}")
        for name, value in datum.fields["StatisticValues"].items()
    }
    count, low, high = found["SampleCount"], found["Minimum"], found["Maximum"]
    if count <= 0:
        raise invalid_value(
            f"The parameter {datum.where}.StatisticValues.SampleCount must be greater than 0."
        )
    if low > high:
        raise invalid_value(
            f"The parameter {datum.where}.StatisticValues.Maximum must be at least the Minimum."
        )
    return Distribution.of_set(count, found["Sum"], low, high)


def _checked(value: float, datum: _Datum, name: str) -> float:
    if not -MAX_SIZE <= value <= MAX_SIZE:
        raise invalid_value(f"The parameter {datum.where}.{name} must be between -2^360 and 2^360.")
    return float(value)
