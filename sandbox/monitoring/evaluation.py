"""Metric math: expressions over the series of a call.

Served are + - * / ^, SUM AVG MIN MAX, METRICS, FILL, RATE, DIFF, ABS, CEIL, FLOOR, PERIOD and
SERVICE_QUOTA; everything else is refused. Definitions:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html (2026).
Between two series, a period counts where both have a value. Over several series, SUM and its like
take the values that are there. What is no finite number, such as a division by 0, is left out.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from sandbox.monitoring.expressions import (
    Array,
    Call,
    Expression,
    ExpressionError,
    Number,
    Operation,
    Reference,
    Text,
    references,
)
from sandbox.monitoring.queries import Query
from sandbox.monitoring.refusals import invalid
from sandbox.monitoring.time_series import Points, TimeSeries
from sandbox.monitoring.windows import start_of
from sandbox.telemetry.metrics import Metric

# The quota that a metric is the usage of, or None.
QuotaOf = Callable[[Metric], float | None]
Value = float | TimeSeries | list[TimeSeries]

# Points that FILL may make in one call: as many as one page of GetMetricData has.
MAX_FILLED = 100_800

_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": math.pow,
}
_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "AVG": lambda values: math.fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
_MAPPED: Mapping[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
}


class Evaluator:
    """Evaluates the expressions of one call; `metrics` are the series of its other queries."""

    def __init__(
        self,
        start: datetime,
        end_s: float,
        metrics: Mapping[str, TimeSeries],
        quota_of: QuotaOf,
    ) -> None:
        self._start = start
        self._end_s = end_s
        self._metrics = metrics
        self._quota_of = quota_of
        self._known: dict[str, Value] = dict(metrics)
        self._fillable = MAX_FILLED

    def evaluate(self, queries: Sequence[Query]) -> dict[str, list[TimeSeries]]:
        """The series of each query by its id, whatever order expressions refer to each other in.

        Raises:
            ApiError: ValidationError, where an expression cannot be evaluated.
        """
        waiting = {query.id: query for query in queries if query.expression is not None}
        ids = {query.id for query in queries}
        while waiting:
            ready = [query for query in waiting.values() if self._is_ready(query, ids)]
            if not ready:
                raise invalid(
                    f"Error in expression '{next(iter(waiting))}': expressions refer to each other "
                    "in a circle"
                )
            for query in ready:
                self._known[query.id] = self._checked(query)
                del waiting[query.id]
        return {name: _as_list(value) for name, value in self._known.items()}

    def _is_ready(self, query: Query, ids: set[str]) -> bool:
        if query.expression is None:
            return True
        return all(name in self._known or name not in ids for name in references(query.expression))

    def _checked(self, query: Query) -> Value:
        if query.expression is None:
            raise ValueError(f"{query.id} is no expression")
        try:
            value = self._value(query.expression)
            if isinstance(value, float):
                raise ExpressionError("the result is a number, not a time series")
            found = [
                TimeSeries(
                    query.id if isinstance(value, TimeSeries) else series.label,
                    series.period_s,
                    series.points,
                )
                for series in _as_list(value)
            ]
            if query.period_s is not None and any(s.period_s != query.period_s for s in found):
                raise ExpressionError(
                    f"the sandbox does not change the period of metrics to {query.period_s}"
                )
        except ExpressionError as error:
            raise invalid(f"Error in expression '{query.id}': {error}") from error
        return found[0] if isinstance(value, TimeSeries) else found

    def _value(self, expression: Expression) -> Value:
        match expression:
            case Number(value):
                return value
            case Reference(name):
                if name not in self._known:
                    raise ExpressionError(f"there is no query with the id {name}")
                return self._known[name]
            case Array(items):
                return [series for item in items for series in self._series_in(item)]
            case Operation(sign, left, right):
                return _operate(sign, self._value(left), self._value(right))
            case Call(name, arguments):
                return self._call(name, arguments)
            case Text(value):
                raise ExpressionError(f"a text is no value: {value}")

    def _series_in(self, expression: Expression) -> list[TimeSeries]:
        value = self._value(expression)
        if isinstance(value, float):
            raise ExpressionError("a list may have time series only")
        return _as_list(value)

    def _call(self, name: str, arguments: tuple[Expression, ...]) -> Value:
        if name == "METRICS":
            return self._all_metrics(arguments)
        if name == "FILL":
            return self._fill(arguments)
        if len(arguments) != 1:
            raise ExpressionError(f"{name} takes one argument")
        if name in _AGGREGATES:
            return _aggregate(_AGGREGATES[name], self._value(arguments[0]))
        change = self._change(name)
        if change is None:
            raise ExpressionError(f"the sandbox does not serve the function {name}")
        return change(self._value(arguments[0]))

    def _change(self, name: str) -> Callable[[Value], Value] | None:
        """What a function makes of a series, for each one of several."""
        if name in _MAPPED:
            return lambda value: _each(value, lambda series: series.map(_MAPPED[name]))
        if name == "PERIOD":
            return lambda value: float(_single(value, name).period_s)
        changes: dict[str, Callable[[TimeSeries], TimeSeries]] = {
            "RATE": lambda series: _steps(series, per_second=True),
            "DIFF": lambda series: _steps(series, per_second=False),
            "SERVICE_QUOTA": self._quota,
        }
        change = changes.get(name)
        return None if change is None else lambda value: _each(value, change)

    def _all_metrics(self, arguments: tuple[Expression, ...]) -> list[TimeSeries]:
        match arguments:
            case ():
                part = ""
            case (Text(part),):
                pass
            case _:
                raise ExpressionError("METRICS takes nothing, or a text in quotes")
        return [series for name, series in self._metrics.items() if part in name]

    def _fill(self, arguments: tuple[Expression, ...]) -> Value:
        if len(arguments) != 2:
            raise ExpressionError("FILL takes a time series and a filler")
        filler = arguments[1]
        repeats = filler == Reference("REPEAT")
        value = 0.0 if repeats else self._value(filler)
        if not isinstance(value, float):
            raise ExpressionError("the sandbox fills with a number or REPEAT only")

        def fill(series: TimeSeries) -> TimeSeries:
            return series.of(self._filled(series, None if repeats else value))

        return _each(self._value(arguments[0]), fill)

    def _filled(self, series: TimeSeries, value: float | None) -> Points:
        """A point for each period that has begun; None repeats the last value there was."""
        start_s = start_of(self._start, series.period_s)
        self._fillable -= max(0, math.ceil((self._end_s - start_s) / series.period_s))
        if self._fillable < 0:
            raise ExpressionError(f"FILL makes {MAX_FILLED} points at most in one call")
        points: Points = {}
        last = value
        for time_s in range(start_s, math.ceil(self._end_s), series.period_s):
            found = series.points.get(time_s, last)
            if found is not None:
                points[time_s] = found
            if value is None:
                last = found
        return points

    def _quota(self, series: TimeSeries) -> TimeSeries:
        quota = None if series.metric is None else self._quota_of(series.metric)
        if quota is None:
            raise ExpressionError("SERVICE_QUOTA takes a metric that is the usage of a quota")
        return series.map(lambda _: quota)


def _as_list(value: Value) -> list[TimeSeries]:
    match value:
        case TimeSeries():
            return [value]
        case list():
            return value
    return []


def _each(value: Value, change: Callable[[TimeSeries], TimeSeries]) -> Value:
    match value:
        case TimeSeries():
            return change(value)
        case list():
            return [change(series) for series in value]
    raise ExpressionError("a number stands where a time series has to")


def _single(value: Value, name: str) -> TimeSeries:
    if not isinstance(value, TimeSeries):
        raise ExpressionError(f"{name} takes one time series")
    return value


def _operate(sign: str, left: Value, right: Value) -> Value:
    def apply(a: float, b: float) -> float:
        try:
            return _OPERATORS[sign](a, b)
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan

    match left, right:
        case float(), float():
            return apply(left, right)
        case ((TimeSeries() | list()), float()):
            return _each(left, lambda series: series.map(lambda value: apply(value, right)))
        case float(), (TimeSeries() | list()):
            return _each(right, lambda series: series.map(lambda value: apply(left, value)))
        case list(), list():
            raise ExpressionError(f"{sign} does not take two lists of time series")
        case list(), TimeSeries():
            return _each(left, lambda series: _joined(apply, series, right))
        case TimeSeries(), (TimeSeries() | list()):
            return _each(right, lambda series: _joined(apply, left, series))
    raise ExpressionError(f"{sign} does not take these operands")


def _joined(
    apply: Callable[[float, float], float], left: TimeSeries, right: TimeSeries
) -> TimeSeries:
    _check_periods([left, right])
    return left.of(
        {
            time_s: apply(value, right.points[time_s])
            for time_s, value in left.points.items()
            if time_s in right.points
        }
    )


def _aggregate(combine: Callable[[Sequence[float]], float], value: Value) -> Value:
    """Of one series a number, of several a series."""
    match value:
        case TimeSeries():
            return _combined(combine, list(value.points.values()))
        case []:
            raise ExpressionError("there is no metric")
        case list():
            _check_periods(value)
            by_time: dict[int, list[float]] = {}
            for series in value:
                for time_s, number in series.points.items():
                    by_time.setdefault(time_s, []).append(number)
            return value[0].of(
                {time_s: _combined(combine, found) for time_s, found in by_time.items()}
            )
    raise ExpressionError("a number stands where a time series has to")


def _combined(combine: Callable[[Sequence[float]], float], values: Sequence[float]) -> float:
    try:
        return float(combine(values)) if values else math.nan
    except OverflowError:
        return math.nan


def _check_periods(several: Sequence[TimeSeries]) -> None:
    periods = sorted({series.period_s for series in several})
    if len(periods) > 1:
        raise ExpressionError(
            f"the sandbox does not mix metrics with periods of {periods[0]} and {periods[-1]} s"
        )


def _steps(series: TimeSeries, *, per_second: bool) -> TimeSeries:
    """The change from each value to the next."""
    times = sorted(series.points)
    points: Points = {}
    for before_s, time_s in pairwise(times):
        change = series.points[time_s] - series.points[before_s]
        points[time_s] = change / (time_s - before_s) if per_second else change
    return series.of(points)
