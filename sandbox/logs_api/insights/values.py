"""Values of fields: what counts as a number, as equal, as true, and how results print them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal


class Timestamp(int):
    """A time in ms since the epoch, which results print as a date."""


class Measured(float):
    """A number as a log line has it; computed numbers are plain floats and print differently."""


# None: the field is not there.
Value = str | float | int | bool | Timestamp | Measured | None

# What a sort compares: missing values, then texts, then numbers.
SortableKey = tuple[int, float, tuple[tuple[int, float, str], ...]]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_RUNS = re.compile(r"\d+|\D+")
_DECIMALS = 4
_LAST_MS = 253_402_300_799_999  # of the year 9999


def number_of(value: Value) -> float | None:
    """The value as a finite number; None where it is none."""
    if isinstance(value, str):
        if _NUMBER.fullmatch(value) is None:
            return None
        number = float(value)
    elif value is None:
        return None
    else:
        try:
            number = float(value)
        except OverflowError:
            return None
    return number if math.isfinite(number) else None


def text_of(value: Value) -> str | None:
    """The value as results print it.

    Numbers of log lines print as Java does (12.34, 13.0, 1.28E8); computed ones have at most four
    decimals and no exponent (observed on CloudWatch; not documented).
    """
    match value:
        case None | str():
            return value
        case bool():
            return "1" if value else "0"
        case Timestamp():
            return date_text(value)
        case Measured():
            return _java_text(value)
        case int():
            return str(value)
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def date_text(timestamp_ms: int) -> str:
    """A time as results print it: 2026-01-05 10:11:12.345."""
    within_ms = min(max(timestamp_ms, 0), _LAST_MS)
    at = datetime.fromtimestamp(within_ms // 1000, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{within_ms % 1000:03d}"


def is_equal(left: Value, right: Value) -> bool:
    """Whether two values are the same: as numbers where both are, otherwise as texts."""
    if left is None or right is None:
        return False
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return one == other
    return _words(left) == _words(right)


def is_true(value: Value) -> bool:
    """Whether a value makes a condition true: not missing, not zero, not empty."""
    if isinstance(value, str):
        return value not in ("", "0", "false")
    return bool(value)


def order_of(left: Value, right: Value) -> int | None:
    """-1, 0 or 1; None where the two cannot be compared."""
    if left is None or right is None:
        return None
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    return None


def sort_key(value: Value) -> SortableKey:
    """What rows are sorted by: texts before numbers, numbers inside texts by their size."""
    if value is None:
        return 0, 0.0, ()
    number = number_of(value)
    if number is not None:
        return 2, number, ()
    return 1, 0.0, tuple(_run_key(run) for run in _RUNS.findall(str(value)))


def _run_key(run: str) -> tuple[int, float, str]:
    # More digits than a float has cannot be compared as one.
    return (0, float(run), "") if run.isdecimal() and len(run) < 300 else (1, 0.0, run)


def _words(value: Value) -> str | None:
    return str(value).lower() if isinstance(value, bool) else text_of(value)


def _java_text(value: float) -> str:
    """As Double.toString of Java prints it."""
    number = float(value)
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    first, *rest = map(str, digits)
    return f"{'-' * sign}{first}.{''.join(rest) or '0'}E{len(rest) + int(exponent)}"
