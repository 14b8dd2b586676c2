"""From expressions to functions of a row."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from sandbox.logs_api.insights.errors import QueryError
from sandbox.logs_api.insights.functions import FUNCTIONS, Function
from sandbox.logs_api.insights.rows import Row
from sandbox.logs_api.insights.syntax import (
    AllOf,
    AnyOf,
    Calculation,
    Call,
    Compare,
    Constant,
    Expression,
    Field,
    Matches,
    Not,
    OneOf,
    Period,
    Star,
)
from sandbox.logs_api.insights.values import (
    Timestamp,
    Value,
    is_equal,
    is_true,
    number_of,
    order_of,
    text_of,
)

Evaluate = Callable[[Row], Value]
# Takes a call that it knows how to evaluate, and gives None for all others.
CallCompiler = Callable[[Call], Evaluate | None]

# bin and datefloor round down, dateceil up.
_ROUNDING: Mapping[str, Callable[[float], int]] = {
    "bin": math.floor,
    "datefloor": math.floor,
    "dateceil": math.ceil,
}


def evaluate(expression: Expression, special: CallCompiler = lambda _: None) -> Evaluate:
    """What an expression is worth for a row; `special` is asked about each call first.

    Raises:
        QueryError: it calls a function that does not exist, or with the wrong arguments.
    """
    match expression:
        case Field(name):
            return lambda row: row.get(name)
        case Constant(constant):
            return lambda _: constant
        case Calculation():
            return _calculation(expression, special)
        case Compare():
            return _comparison(expression, special)
        case Matches():
            return _matching(expression, special)
        case OneOf(value, choices):
            one = evaluate(value, special)
            others = [evaluate(choice, special) for choice in choices]
            return lambda row: _is_one_of(one(row), [other(row) for other in others])
        case Not(value):
            inner = evaluate(value, special)
            return lambda row: not is_true(inner(row))
        case AllOf(values):
            parts = [evaluate(value, special) for value in values]
            return lambda row: all(is_true(part(row)) for part in parts)
        case AnyOf(values):
            parts = [evaluate(value, special) for value in values]
            return lambda row: any(is_true(part(row)) for part in parts)
        case Call():
            return special(expression) or _call(expression, special)
        case Period(_, start, end):
            raise QueryError("only bin, datefloor and dateceil take a period", start, end)
        case Star(start, end):
            raise QueryError("only count takes a *", start, end)


def check_count(call: Call, least: int, most: int | None) -> None:
    """Refuses a call with too few or too many arguments.

    Raises:
        QueryError: it has.
    """
    count = len(call.arguments)
    if count >= least and (most is None or count <= most):
        return
    wanted = f"{least}" if least == most else f"{least} or more" if most is None else None
    raise QueryError(
        f"{call.name}: expected {wanted or f'{least} to {most}'} arguments (got {count})",
        call.start,
        call.end,
    )


def _call(call: Call, special: CallCompiler) -> Evaluate:
    if call.name in _ROUNDING:
        return _rounded_time(call, special)
    function = FUNCTIONS.get(call.name)
    if function is None:
        raise QueryError(f"unknown function '{call.name}'", call.start, call.end)
    check_count(call, function.least, function.most)
    arguments = [evaluate(argument, special) for argument in call.arguments]
    return _apply(function, arguments)


def _apply(function: Function, arguments: Sequence[Evaluate]) -> Evaluate:
    apply = function.apply
    return lambda row: apply([argument(row) for argument in arguments])


def _rounded_time(call: Call, special: CallCompiler) -> Evaluate:
    """`bin(5m)`, `datefloor(@timestamp, 1h)` and `dateceil(@timestamp, 1h)`."""
    count = 1 if call.name == "bin" else 2
    check_count(call, count, count)
    period = call.arguments[-1]
    if not isinstance(period, Period):
        raise QueryError(f"{call.name}: expected a period such as 5m", call.start, call.end)
    time = Field("@timestamp") if call.name == "bin" else call.arguments[0]
    value, rounding = evaluate(time, special), _ROUNDING[call.name]

    def rounded(row: Row) -> Value:
        number = number_of(value(row))
        return None if number is None else Timestamp(rounding(number / period.ms) * period.ms)

    return rounded


def _calculation(calculation: Calculation, special: CallCompiler) -> Evaluate:
    left = evaluate(calculation.left, special)
    right = evaluate(calculation.right, special)
    compute = _ARITHMETIC[calculation.sign]

    def calculate(row: Row) -> Value:
        one, other = number_of(left(row)), number_of(right(row))
        if one is None or other is None:
            return None
        try:
            result = compute(one, other)
        except (ArithmeticError, ValueError):
            return None
        return result if math.isfinite(result) else None

    return calculate


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": math.pow,
}


def _comparison(compare: Compare, special: CallCompiler) -> Evaluate:
    left, right = evaluate(compare.left, special), evaluate(compare.right, special)
    if compare.sign == "=":
        return lambda row: is_equal(left(row), right(row))
    if compare.sign == "!=":
        return lambda row: not is_equal(left(row), right(row))
    accepted = _ACCEPTED[compare.sign]
    return lambda row: order_of(left(row), right(row)) in accepted


_ACCEPTED = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}


def _matching(matches: Matches, special: CallCompiler) -> Evaluate:
    value, pattern = evaluate(matches.value, special), matches.pattern

    def matching(row: Row) -> Value:
        text = text_of(value(row))
        if text is None:
            return False
        return pattern in text if isinstance(pattern, str) else pattern.search(text) is not None

    return matching


def _is_one_of(value: Value, choices: Sequence[Value]) -> bool:
    return any(is_equal(value, choice) for choice in choices)
