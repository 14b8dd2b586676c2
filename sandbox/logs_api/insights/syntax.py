"""What a query says: its commands and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Comparison = Literal["=", "!=", "<", "<=", ">", ">="]
Arithmetic = Literal["+", "-", "*", "/", "%", "^"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a string, true or false."""

    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time, as `bin` has it."""

    ms: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Star:
    """The star of `count(*)`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; `start` and `end` say where it stands in the query."""

    name: str
    arguments: tuple[Expression, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Calculation:
    """Two numbers and what is done with them."""

    sign: Arithmetic
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values compared."""

    sign: Comparison
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Matches:
    """Whether a text has a match of a regular expression, or has a substring."""

    value: Expression
    pattern: re.Pattern[str] | str


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a value is in a list."""

    value: Expression
    choices: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    value: Expression


@dataclass(frozen=True, slots=True)
class AllOf:
    """Whether all are true."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whether one of them is true."""

    values: tuple[Expression, ...]


Expression = (
    Field
    | Constant
    | Period
    | Star
    | Call
    | Calculation
    | Compare
    | Matches
    | OneOf
    | Not
    | AllOf
    | AnyOf
)


@dataclass(frozen=True, slots=True)
class Item:
    """An expression and the name of its column: its alias, or its own text."""

    value: Expression
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FieldsCommand:
    """`fields`: adds columns."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class DisplayCommand:
    """`display`: these columns and no others."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class FilterCommand:
    """`filter`: only the rows for which it is true."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class ParseCommand:
    """`parse`: fields from the groups of a pattern; `names` are by the number of the group."""

    value: Expression
    pattern: re.Pattern[str]
    names: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class StatsCommand:
    """`stats`: one row for each group."""

    items: tuple[Item, ...]
    by: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class SortKey:
    """What rows are sorted by."""

    value: Expression
    is_descending: bool


@dataclass(frozen=True, slots=True)
class SortCommand:
    """`sort`: by the first key, then by the second, and so on."""

    keys: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class LimitCommand:
    """`limit`: the first rows."""

    count: int


@dataclass(frozen=True, slots=True)
class DedupCommand:
    """`dedup`: the first row of those that have the same values."""

    values: tuple[Expression, ...]


Command = (
    FieldsCommand
    | DisplayCommand
    | FilterCommand
    | ParseCommand
    | StatsCommand
    | SortCommand
    | LimitCommand
    | DedupCommand
)


def fields_of(expression: Expression) -> Iterator[str]:
    """The fields that an expression reads itself; not those in the arguments of calls."""
    match expression:
        case Field(name):
            yield name
        case Calculation(_, left, right) | Compare(_, left, right):
            yield from fields_of(left)
            yield from fields_of(right)
        case Matches(value, _) | Not(value) | OneOf(value, _):
            yield from fields_of(value)
        case AllOf(values) | AnyOf(values):
            for value in values:
                yield from fields_of(value)
