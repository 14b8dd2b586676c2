"""The functions of `stats`: what many rows come to."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from sandbox.logs_api.insights.errors import QueryError
from sandbox.logs_api.insights.evaluation import Evaluate, check_count, evaluate
from sandbox.logs_api.insights.rows import Row
from sandbox.logs_api.insights.syntax import Call, Constant, Star
from sandbox.logs_api.insights.values import (
    SortableKey,
    Timestamp,
    Value,
    number_of,
    sort_key,
    text_of,
)


class Aggregate(Protocol):
    """Takes rows of one group, and says what they come to."""

    def add(self, row: Row) -> None:
        """Takes a row."""

    def result(self) -> Value:
        """The value for all rows so far; None where no row had one."""


MakeAggregate = Callable[[], Aggregate]


class _Count:
    def __init__(self, value: Evaluate | None) -> None:
        self._value = value
        self._count = 0

    def add(self, row: Row) -> None:
        if self._value is None or self._value(row) is not None:
            self._count += 1

    def result(self) -> Value:
        return self._count


class _CountDistinct:
    """Exact, where CloudWatch estimates if there are many."""

    def __init__(self, value: Evaluate) -> None:
        self._value = value
        self._seen: set[str] = set()

    def add(self, row: Row) -> None:
        text = text_of(self._value(row))
        if text is not None:
            self._seen.add(text)

    def result(self) -> Value:
        return len(self._seen)


class _Numbers:
    """All numbers, at 8 bytes each, and a figure over them in the end."""

    def __init__(self, value: Evaluate, figure: Callable[[np.ndarray], float]) -> None:
        self._value = value
        self._figure = figure
        self._numbers = array("d")

    def add(self, row: Row) -> None:
        number = number_of(self._value(row))
        if number is not None:
            self._numbers.append(number)

    def result(self) -> Value:
        if not self._numbers:
            return None
        with np.errstate(all="ignore"):
            figure = float(self._figure(np.array(self._numbers)))
        return figure if math.isfinite(figure) else None


class _Moments:
    """Sum or mean; the sum is carried in two parts, so that small numbers are not lost in it."""

    def __init__(self, value: Evaluate, *, is_mean: bool) -> None:
        self._value = value
        self._is_mean = is_mean
        self._count = 0
        self._sum = self._rest = 0.0

    def add(self, row: Row) -> None:
        number = number_of(self._value(row))
        if number is None:
            return
        self._count += 1
        total = self._sum + number
        # Neumaier's summation.
        if abs(self._sum) >= abs(number):
            self._rest += (self._sum - total) + number
        else:
            self._rest += (number - total) + self._sum
        self._sum = total

    def result(self) -> Value:
        total = self._sum + self._rest
        if self._count == 0 or not math.isfinite(total):
            return None
        return total / self._count if self._is_mean else total


class _Extreme:
    """The smallest or the largest number; times stay times."""

    def __init__(self, value: Evaluate, sign: int) -> None:
        self._value = value
        self._sign = sign
        self._best: float | Timestamp | None = None

    def add(self, row: Row) -> None:
        value = self._value(row)
        number = number_of(value)
        if number is None:
            return
        if self._best is None or self._sign * number > self._sign * self._best:
            self._best = value if isinstance(value, Timestamp) else number

    def result(self) -> Value:
        return self._best


class _Chosen:
    """The value of the row that comes first or last by some key."""

    def __init__(
        self, value: Evaluate, key: Callable[[Row, Value], SortableKey], *, is_last: bool
    ) -> None:
        self._value = value
        self._key = key
        self._is_last = is_last
        self._best: Value = None
        self._best_key: SortableKey | None = None

    def add(self, row: Row) -> None:
        value = self._value(row)
        if value is None:
            return
        key, best = self._key(row, value), self._best_key
        if best is None or (key > best if self._is_last else key < best):
            self._best, self._best_key = value, key

    def result(self) -> Value:
        return self._best


def _by_time(row: Row, _: Value) -> SortableKey:
    return sort_key(row.get("@timestamp"))


def _by_value(_: Row, value: Value) -> SortableKey:
    return sort_key(value)


_SIMPLE: Mapping[str, Callable[[Evaluate], Aggregate]] = {
    "count_distinct": _CountDistinct,
    "sum": lambda value: _Moments(value, is_mean=False),
    "avg": lambda value: _Moments(value, is_mean=True),
    "min": lambda value: _Extreme(value, -1),
    "max": lambda value: _Extreme(value, 1),
    # Of the population; the user guide does not say which.
    "stddev": lambda value: _Numbers(value, np.std),
    "median": lambda value: _Numbers(value, np.median),
    "earliest": lambda value: _Chosen(value, _by_time, is_last=False),
    "latest": lambda value: _Chosen(value, _by_time, is_last=True),
    "sortsfirst": lambda value: _Chosen(value, _by_value, is_last=False),
    "sortslast": lambda value: _Chosen(value, _by_value, is_last=True),
}


def aggregate_of(call: Call) -> MakeAggregate | None:
    """Makes the aggregates that a call of a `stats` function means; None for other functions.

    Raises:
        QueryError: the arguments are wrong.
    """
    if call.name == "count":
        return _count(call)
    if call.name == "pct":
        return _percentile(call)
    make = _SIMPLE.get(call.name)
    if make is None:
        return None
    check_count(call, 1, 1)
    value = evaluate(call.arguments[0])
    return lambda: make(value)


def _count(call: Call) -> MakeAggregate:
    check_count(call, 0, 1)
    if not call.arguments or isinstance(call.arguments[0], Star):
        return lambda: _Count(None)
    value = evaluate(call.arguments[0])
    return lambda: _Count(value)


def _percentile(call: Call) -> MakeAggregate:
    """Between two values it interpolates; CloudWatch estimates, and does not say how."""
    check_count(call, 2, 2)
    value, share = evaluate(call.arguments[0]), call.arguments[1]
    percent = number_of(share.value) if isinstance(share, Constant) else None
    if percent is None or not 0 <= percent <= 100:
        raise QueryError("pct: expected a percentage from 0 to 100", call.start, call.end)
    return lambda: _Numbers(value, lambda numbers: float(np.percentile(numbers, percent)))
