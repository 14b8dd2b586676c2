"""Metric math as text: numbers, ids, operators, lists and calls of functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Parentheses, calls and signs within each other; more than anybody writes.
MAX_DEPTH = 50


class ExpressionError(ValueError):
    """When an expression cannot be read or evaluated."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The id of another query, or a keyword of a function."""

    id: str


@dataclass(frozen=True, slots=True)
class Array:
    """Several series."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands with + - * / or ^ between them."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Expression, ...]


Expression = Number | Text | Reference | Array | Operation | Call

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign>[-+*/^()\[\],]))"
)


def parse_expression(text: str) -> Expression:
    """The expression that `text` is.

    Raises:
        ExpressionError: it is none, or one of a kind that the sandbox does not serve.
    """
    parser = _Parser(text)
    expression = parser.sum()
    parser.end()
    return expression


def references(expression: Expression) -> Iterator[str]:
    """All ids in an expression."""
    match expression:
        case Reference(name):
            yield name
        case Array(items) | Call(_, items):
            for item in items:
                yield from references(item)
        case Operation(_, left, right):
            yield from references(left)
            yield from references(right)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self._depth = 0

    def sum(self) -> Expression:
        left = self._product()
        while self._kind_and_text()[1] in ("+", "-"):
            left = Operation(self._next(), left, self._product())
        return left

    def end(self) -> None:
        kind, text = self._kind_and_text()
        if kind != "end":
            raise ExpressionError(f"unexpected {text}")

    def _product(self) -> Expression:
        left = self._signed()
        while self._kind_and_text()[1] in ("*", "/"):
            left = Operation(self._next(), left, self._signed())
        return left

    def _signed(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested more than {MAX_DEPTH} levels deep")
        if self._kind_and_text()[1] == "-":
            self._next()
            result: Expression = Operation("-", Number(0.0), self._signed())
        else:
            result = self._power()
        self._depth -= 1
        return result

    def _power(self) -> Expression:
        base = self._atom()
        if self._kind_and_text()[1] != "^":
            return base
        return Operation(self._next(), base, self._signed())

    def _atom(self) -> Expression:
        kind, text = self._kind_and_text()
        self._place += 1
        match kind:
            case "number":
                return Number(float(text))
            case "text":
                return Text(text[1:-1])
            case "name" if self._kind_and_text()[1] == "(":
                self._next()
                return Call(text.upper(), self._items(")"))
            case "name":
                return Reference(text)
        if text == "(":
            inner = self.sum()
            self._expect(")")
            return inner
        if text == "[":
            return Array(self._items("]"))
        raise ExpressionError(f"unexpected {text or 'end'}")

    def _items(self, closing: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while self._kind_and_text()[1] != closing:
            if items:
                self._expect(",")
            items.append(self.sum())
        self._next()
        return tuple(items)

    def _expect(self, sign: str) -> None:
        text = self._kind_and_text()[1]
        if text != sign:
            raise ExpressionError(f"expected {sign} instead of {text or 'the end'}")
        self._place += 1

    def _next(self) -> str:
        text = self._tokens[self._place][1]
        self._place += 1
        return text

    def _kind_and_text(self) -> tuple[str, str]:
        return self._tokens[min(self._place, len(self._tokens) - 1)]


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise ExpressionError(f"the sandbox does not read {text[place:].strip()[:20]}")
        yield found.lastgroup, found[found.lastgroup]
        place = found.end()
    yield "end", ""
