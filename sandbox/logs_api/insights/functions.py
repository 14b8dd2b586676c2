"""The functions of the query language that work on one row."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.logs_api.insights.values import Timestamp, Value, is_true, number_of, text_of

Apply = Callable[[Sequence[Value]], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """A function, with how many arguments it takes; `most` None is any number."""

    apply: Apply
    least: int = 1
    most: int | None = 1


def _numeric(function: Callable[[float], float]) -> Function:
    def apply(arguments: Sequence[Value]) -> Value:
        number = number_of(arguments[0])
        try:
            return None if number is None else float(function(number))
        except (ValueError, OverflowError):  # the logarithm of -1, for instance
            return None

    return Function(apply)


def _textual(function: Callable[[str], Value]) -> Function:
    def apply(arguments: Sequence[Value]) -> Value:
        text = text_of(arguments[0])
        return None if text is None else function(text)

    return Function(apply)


def _extreme(choose: Callable[[list[float]], float]) -> Function:
    def apply(arguments: Sequence[Value]) -> Value:
        numbers = [number for value in arguments if (number := number_of(value)) is not None]
        return choose(numbers) if numbers else None

    return Function(apply, 1, None)


def _trimming(trim: Callable[[str, str | None], str]) -> Function:
    def apply(arguments: Sequence[Value]) -> Value:
        text = text_of(arguments[0])
        letters = text_of(arguments[1]) if len(arguments) > 1 else None
        return None if text is None else trim(text, letters)

    return Function(apply, 1, 2)


def _concat(arguments: Sequence[Value]) -> Value:
    return "".join(text_of(value) or "" for value in arguments)


def _coalesce(arguments: Sequence[Value]) -> Value:
    return next((value for value in arguments if value is not None), None)


def _substr(arguments: Sequence[Value]) -> Value:
    text, start = text_of(arguments[0]), number_of(arguments[1])
    if text is None or start is None:
        return None
    begin = max(int(start), 0)
    if len(arguments) < 3:
        return text[begin:]
    length = number_of(arguments[2])
    return None if length is None else text[begin : begin + max(int(length), 0)]


def _replace(arguments: Sequence[Value]) -> Value:
    text, old, new = (text_of(value) for value in arguments)
    if text is None or old is None or new is None:
        return None
    # An empty text stands everywhere, and is replaced nowhere.
    return text.replace(old, new) if old else text


def _strcontains(arguments: Sequence[Value]) -> Value:
    text, part = (text_of(value) for value in arguments)
    return None if text is None or part is None else part in text


def _to_millis(arguments: Sequence[Value]) -> Value:
    number = number_of(arguments[0])
    return None if number is None else int(number)


def _from_millis(arguments: Sequence[Value]) -> Value:
    number = number_of(arguments[0])
    return None if number is None else Timestamp(int(number))


def _if(arguments: Sequence[Value]) -> Value:
    return arguments[1] if is_true(arguments[0]) else arguments[2]


FUNCTIONS: Mapping[str, Function] = {
    "abs": _numeric(abs),
    "ceil": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt),
    "greatest": _extreme(max),
    "least": _extreme(min),
    "ispresent": Function(lambda values: values[0] is not None),
    "isempty": Function(lambda values: values[0] is None or values[0] == ""),
    "isblank": Function(lambda values: values[0] is None or not str(values[0]).strip()),
    "coalesce": Function(_coalesce, 1, None),
    "if": Function(_if, 3, 3),
    "concat": Function(_concat, 1, None),
    "strlen": _textual(len),
    "tolower": _textual(str.lower),
    "toupper": _textual(str.upper),
    "trim": _trimming(str.strip),
    "ltrim": _trimming(str.lstrip),
    "rtrim": _trimming(str.rstrip),
    "substr": Function(_substr, 2, 3),
    "replace": Function(_replace, 3, 3),
    "strcontains": Function(_strcontains, 2, 2),
    "tomillis": Function(_to_millis),
    "frommillis": Function(_from_millis),
    "now": Function(lambda _: int(time.time()), 0, 0),  # seconds
}
