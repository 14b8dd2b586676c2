"""Reads expressions: recursive descent, with a bound on how deep they are nested."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from sandbox.logs_api.insights.errors import QueryError
from sandbox.logs_api.insights.scanner import Scanner, Token
from sandbox.logs_api.insights.syntax import (
    AllOf,
    AnyOf,
    Arithmetic,
    Calculation,
    Call,
    Compare,
    Comparison,
    Constant,
    Expression,
    Field,
    Matches,
    Not,
    OneOf,
    Period,
    Star,
)

# Names that mean something between expressions; a field of such a name needs backticks.
RESERVED = frozenset({"and", "or", "not", "like", "in", "as", "by", "asc", "desc"})

Operand = Callable[[], Expression]

# Far more than people write, and far less than Python's own stack bears.
_MAX_DEPTH = 60
_MAX_OPERATORS = 150

_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_PERIOD = re.compile(r"(\d+)(ms|s|m|h|d)")
_PERIOD_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_MAX_PERIOD_MS = 3_650 * _PERIOD_MS["d"]
# Java writes named groups without the P.
_NAMED_GROUP = re.compile(r"(?<!\\)\(\?<(?![=!])")


class ExpressionParser:
    """Takes expressions from a scanner.

    Everything here raises QueryError where the text is no expression.
    """

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._depth = 0
        self._operators = 0

    def expression(self) -> Expression:
        """One expression, as far as it goes."""
        if self._depth == 0:
            self._operators = 0
        with self._deeper():
            values = [self._conjunction()]
            while self._scanner.peek().is_word("or"):
                self._scanner.take()
                values.append(self._conjunction())
        return values[0] if len(values) == 1 else AnyOf(tuple(values))

    def primary(self) -> Expression:
        """A field, a constant, a call, or anything in parentheses."""
        token = self._scanner.take()
        match token.kind:
            case "number":
                return Constant(float(token.text))
            case "string":
                return Constant(token.text)
            case "period":
                return Period(_period_ms(token), token.start, token.end)
            case "quoted":
                return Field(token.text)
            case "name" if token.text.lower() not in RESERVED:
                return self._name(token)
        if token.is_sign("("):
            inner = self.expression()
            self.expect(")")
            return inner
        raise unexpected(token, "a field, a value or a function")

    def expect(self, sign: str) -> Token:
        """Takes a sign that has to be there."""
        token = self._scanner.take()
        if not token.is_sign(sign):
            raise unexpected(token, f"'{sign}'")
        return token

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            token = self._scanner.peek()
            raise QueryError("the expression is nested too deeply", token.start, token.end)
        yield
        self._depth -= 1

    def _conjunction(self) -> Expression:
        values = [self._negation()]
        while self._scanner.peek().is_word("and"):
            self._scanner.take()
            values.append(self._negation())
        return values[0] if len(values) == 1 else AllOf(tuple(values))

    def _negation(self) -> Expression:
        if not self._scanner.peek().is_word("not"):
            return self._comparison()
        self._scanner.take()
        with self._deeper():
            return Not(self._negation())

    def _comparison(self) -> Expression:
        left = self._sum()
        token = self._scanner.peek()
        if token.kind == "sign" and token.text in _COMPARISONS:
            self._scanner.take()
            return Compare(cast(Comparison, token.text), left, self._sum())
        if token.is_sign("=~"):
            self._scanner.take()
            return Matches(left, self._pattern())
        if token.is_word("not"):
            self._scanner.take()
            return Not(self._membership(left, self._scanner.peek()))
        if token.is_word("like") or token.is_word("in"):
            return self._membership(left, token)
        return left

    def _membership(self, left: Expression, token: Token) -> Expression:
        self._scanner.take()
        if token.is_word("like"):
            return Matches(left, self._pattern())
        if token.is_word("in"):
            return OneOf(left, self._choices())
        raise unexpected(token, "'like' or 'in'")

    def _pattern(self) -> re.Pattern[str] | str:
        if self._scanner.peek().is_sign("/"):
            return compile_regex(self._scanner.regex())
        token = self._scanner.take()
        if token.kind != "string":
            raise unexpected(token, "a string or a /regular expression/")
        return token.text

    def _choices(self) -> tuple[Expression, ...]:
        self.expect("[")
        choices = [self._sum()]
        while self._scanner.peek().is_sign(","):
            self._scanner.take()
            choices.append(self._sum())
        self.expect("]")
        return tuple(choices)

    def _sum(self) -> Expression:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/", "%"), self._power))

    def _chain(self, signs: tuple[str, ...], operand: Operand) -> Expression:
        """Operands with the same precedence, taken from left to right."""
        value = operand()
        while (token := self._scanner.peek()).kind == "sign" and token.text in signs:
            self._scanner.take()
            self._operators += 1
            if self._operators > _MAX_OPERATORS:
                raise QueryError("the expression is too long", token.start, token.end)
            value = Calculation(cast(Arithmetic, token.text), value, operand())
        return value

    def _power(self) -> Expression:
        with self._deeper():
            if self._scanner.peek().is_sign("-"):
                self._scanner.take()
                return Calculation("-", Constant(0.0), self._power())
            base = self.primary()
            if self._scanner.peek().is_sign("^"):
                self._scanner.take()
                return Calculation("^", base, self._power())
            return base

    def _name(self, token: Token) -> Expression:
        if not self._scanner.peek().is_sign("("):
            word = token.text.lower()
            return Constant(word == "true") if word in ("true", "false") else Field(token.text)
        self._scanner.take()
        arguments: list[Expression] = []
        if not self._scanner.peek().is_sign(")"):
            arguments.append(self._argument())
            while self._scanner.peek().is_sign(","):
                self._scanner.take()
                arguments.append(self._argument())
        closing = self.expect(")")
        return Call(token.text.lower(), tuple(arguments), token.start, closing.end)

    def _argument(self) -> Expression:
        token = self._scanner.peek()
        if token.is_sign("*"):
            self._scanner.take()
            return Star(token.start, token.end)
        return self.expression()


def unexpected(token: Token, wanted: str) -> QueryError:
    """The error for a token that cannot stand where it does."""
    return QueryError(f"unexpected {token.shown}: expected {wanted}", token.start, token.end)


def compile_regex(token: Token) -> re.Pattern[str]:
    """The regular expression in a token; Java's named groups are understood.

    Raises:
        QueryError: it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read in another way
            return re.compile(_NAMED_GROUP.sub("(?P<", token.text))
    except (re.error, OverflowError, RecursionError) as error:
        raise QueryError(
            f"not a regular expression that the sandbox can use: {error}", token.start, token.end
        ) from error


def _period_ms(token: Token) -> int:
    found = _PERIOD.fullmatch(token.text)
    if found is None:
        raise QueryError(
            f"'{token.text}' is no period: expected a number with ms, s, m, h or d",
            token.start,
            token.end,
        )
    ms = int(found[1][:18]) * _PERIOD_MS[found[2]]
    if not 0 < ms <= _MAX_PERIOD_MS:
        raise QueryError(f"the period '{token.text}' is out of range", token.start, token.end)
    return ms
