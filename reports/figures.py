"""Numbers as people read them: rounded to what they can bear, with units and thousands marks.

Everything here is a pure function of its arguments, so that a page has the same bytes every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

MINUS = "\N{MINUS SIGN}"
# Keeps a number and its unit on one line.
SPACE = "\N{NO-BREAK SPACE}"
# Stands for what was not measured.
ABSENT = "\N{EN DASH}"
# More sizes than a reader looks through one by one: `--sizes all` has 46.
_MOST_LISTED = 16


def decimals_for(value: float, digits: int = 3) -> int:
    """How many decimals show `digits` significant digits of `value`; never negative."""
    if value == 0:
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def fixed(value: float, decimals: int) -> str:
    """`value` with thousands marks, a real minus sign and no negative zero."""
    text = f"{abs(value):,.{decimals}f}"
    return MINUS + text if value < 0 and any(c in text for c in "123456789") else text


def significant(value: float, digits: int = 3) -> str:
    """`value` to `digits` significant digits, whole part always complete: 2,345 or 0.0123."""
    return fixed(value, decimals_for(value, digits))


def column(values: Sequence[float | None], digits: int = 3) -> list[str | None]:
    """A table column with one number of decimals, enough for its smallest value."""
    known = [abs(value) for value in values if value]
    # More than six decimals would make a column of near-zeros unreadable.
    decimals = min(decimals_for(min(known), digits), 6) if known else 0
    return [None if value is None else fixed(value, decimals) for value in values]


def columns_alike(several: Sequence[Sequence[float | None]], digits: int = 3) -> list[list[str]]:
    """Table columns that are read beside each other: all have the same number of decimals."""
    texts = iter(column([value for values in several for value in values], digits))
    return [[next(texts) or ABSENT for _ in values] for values in several]


def interval_cells(lows: Sequence[str], highs: Sequence[str]) -> list[str]:
    """Two columns of bounds as one: 2.10 to 2.40."""
    return [
        ABSENT if ABSENT in (low, high) else f"{low} to {high}"
        for low, high in zip(lows, highs, strict=True)
    ]


def money_columns(several: Sequence[Sequence[float | None]]) -> list[list[str]]:
    """Columns of bills: cents, whole dollars where bills are large, more digits below a dollar."""
    known = [abs(value) for values in several for value in values if value is not None]
    highest = max(known, default=0.0)
    if highest < 1:
        return columns_alike(several)
    decimals = 0 if highest >= 10_000 else 2
    return [
        [ABSENT if value is None else fixed(value, decimals) for value in values]
        for values in several
    ]


def requests(count: float) -> str:
    """A number of requests that was computed, so without digits that it does not have."""
    return fixed(float(f"{count:.3g}"), 0)


def megabytes(memory_mb: float) -> str:
    """A memory size with its unit: 1,024 MB."""
    return f"{memory_mb:,.0f}{SPACE}MB"


def listed_sizes(memory_mb: Iterable[int]) -> str:
    """Several sizes in words: 512, 1,024 and 2,048 MB."""
    *others, last = [f"{size:,}" for size in memory_mb]
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"{listed}{SPACE}MB"


def told_sizes(memory_mb: Sequence[int]) -> str:
    """Ascending sizes as `listed_sizes` has them, or how many from where to where."""
    if len(memory_mb) <= _MOST_LISTED:
        return listed_sizes(memory_mb)
    ends = f"{len(memory_mb)} sizes from {memory_mb[0]:,} to {memory_mb[-1]:,}{SPACE}MB"
    steps = {after - before for before, after in pairwise(memory_mb)}
    return f"{ends} in steps of {steps.pop():,}" if len(steps) == 1 else ends


def usd(value: float) -> str:
    """Money for readers: cents from a tenth of a dollar up, three digits below."""
    decimals = (2 if abs(value) < 1000 else 0) if abs(value) >= 0.1 else decimals_for(value)
    text = fixed(value, decimals)
    return f"{MINUS}${text[1:]}" if text.startswith(MINUS) else f"${text}"


def unit_price(value: float) -> str:
    """A unit price with all its digits: $0.0000166667."""
    text = f"{value:.14f}".rstrip("0").rstrip(".")
    return f"${text}"


def milliseconds(value: float) -> str:
    """A duration with its unit: 176 ms."""
    return f"{significant(value)}{SPACE}ms"


def short_time(value_ms: float) -> str:
    """A time that may be far below a millisecond: 60 µs, or 41.2 ms."""
    if 0 < value_ms < 0.9995:
        value_us = value_ms * 1000
        return f"{fixed(value_us, 0) if value_us >= 10 else significant(value_us)}{SPACE}µs"
    return milliseconds(value_ms)


def percent(share: float) -> str:
    """A share as a percentage: 23 %, or 4.2 % below ten."""
    return f"{_percent_number(share)}{SPACE}%"


def percent_range(low: float, high: float) -> str:
    """An interval of shares: 19 to 27 %, with decimals where whole numbers would be equal."""
    first, last = _percent_number(low), _percent_number(high)
    if first == last:
        first, last = fixed(low * 100, 1), fixed(high * 100, 1)
    return f"{first} to {last}{SPACE}%"


def _percent_number(share: float) -> str:
    scaled = share * 100
    return fixed(scaled, 0 if abs(scaled) >= 9.95 else 1)


def moment(iso_text: str) -> str:
    """An ISO time as 2025-11-23 15:51:07 UTC; any other text stays as it is."""
    try:
        parsed = datetime.fromisoformat(iso_text)
    except ValueError:
        return iso_text
    offset = parsed.utcoffset()
    # A field named *_utc without an offset is in UTC by its name.
    if offset is not None and offset.total_seconds() != 0:
        return iso_text
    return f"{parsed:%Y-%m-%d %H:%M:%S} UTC"


def part_of(part: float, whole: float) -> str:
    """A part of a whole as a percentage that never hides a rest: 0 %, < 0.1 %, > 99.9 %."""
    if whole <= 0:
        return ABSENT
    if part <= 0:
        return f"0{SPACE}%"
    share = part / whole
    if share < 0.0005:
        return f"<{SPACE}0.1{SPACE}%"
    if share >= 0.995 and part < whole:
        return f">{SPACE}99.9{SPACE}%" if share >= 0.9995 else f"{fixed(share * 100, 1)}{SPACE}%"
    return percent(share)


def rate_number(per_second: float) -> str:
    """A rate without decimals that it does not have: 78.9, or 31."""
    return fixed(per_second, 0) if per_second == int(per_second) else significant(per_second)


def rate(per_second: float) -> str:
    """A rate with its unit: 78.9/s."""
    return f"{rate_number(per_second)}/s"


def seconds(value_s: float) -> str:
    """A length of time in the largest units that it fills: 45 s, 2 min 30 s, 3 h."""
    if value_s < 60:
        return f"{significant(value_s) if value_s % 1 else fixed(value_s, 0)}{SPACE}s"
    whole = round(value_s)
    parts = (whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s")
    return " ".join(f"{number:,}{SPACE}{unit}" for number, unit in parts if number)


def bytes_of(count: int) -> str:
    """An amount of data in decimal units: 1.23 MB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{significant(count / size)}{SPACE}{unit}"
    return f"{count:,}{SPACE}bytes"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Several names in words: a, b and c."""
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def closed(sentence: str) -> str:
    """A sentence that begins with a capital and ends with a stop, whoever wrote it."""
    stripped = sentence.strip()
    if not stripped:
        return stripped
    ended = stripped if stripped[-1] in ".!?" else stripped + "."
    return ended[0].upper() + ended[1:]
