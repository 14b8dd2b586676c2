"""JSON selectors of filter patterns: `{ $.status = 429 && $.path = "/orders*" }`.

Comparisons with = != < > <= >=, IS NULL, IS TRUE, IS FALSE, EXISTS and NOT EXISTS; && binds tighter
than ||. Texts may have * for anything, %...% is a regular expression. Objects are reached by names
and lists by [number]. A message that is no JSON does not match.
"""

from __future__ import annotations

import json
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

Matches = Callable[[str], bool]
_Test = Callable[[Any], bool]

_MAX_DEPTH = 50
_MISSING: Any = object()

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[\w@-]+|\[(?:\d+|'[^']*'|"[^"]*")\])+)
      | (?P<sign>&&|\|\||!=|<=|>=|[=<>(){}])
      | "(?P<text>(?:[^"\\]|\\.)*)"
      | %(?P<regex>[^%]+)%
      | (?P<word>[^\s"%=<>!&|(){}\[\]]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_STEP = re.compile(r"""\.([\w@-]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class PatternError(Exception):
    """When a text is no filter pattern, or one that the sandbox does not serve."""


def compile_selector(text: str) -> Matches:
    """Says of a message whether it is JSON that fulfils the selector.

    Raises:
        PatternError: the text is no selector.
    """
    test = _Parser(text).selector()

    def matches(message: str) -> bool:
        try:
            return test(json.loads(message))
        except (ValueError, RecursionError):
            return False

    return matches


def compile_regex(text: str) -> re.Pattern[str]:
    """The regular expression between two percent signs.

    Raises:
        PatternError: it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"not a regular expression: {error}") from error


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._depth = 0
        self._kind, self._token = "", ""
        self._advance()

    def selector(self) -> _Test:
        self._take_sign("{")
        test = self._any_of()
        self._take_sign("}")
        if self._kind != "end":
            raise self._unexpected("nothing behind the last }")
        return test

    def _advance(self) -> tuple[str, str]:
        """Steps to the next token; gives the one before."""
        before = self._kind, self._token
        if not self._text[self._offset :].strip():
            self._kind, self._token = "end", "the end"
            return before
        found = _TOKEN.match(self._text, self._offset)
        if found is None or found.lastgroup is None:
            raise PatternError(f"character {self._offset + 1}: not understood")
        self._kind, self._token = found.lastgroup, found[found.lastgroup]
        self._offset = found.end()
        return before

    def _unexpected(self, wanted: str) -> PatternError:
        return PatternError(f"character {self._offset}: expected {wanted} (got {self._token})")

    def _is_sign(self, sign: str) -> bool:
        return self._kind == "sign" and self._token == sign

    def _take_sign(self, sign: str) -> None:
        if not self._is_sign(sign):
            raise self._unexpected(sign)
        self._advance()

    def _any_of(self) -> _Test:
        tests = [self._all_of()]
        while self._is_sign("||"):
            self._advance()
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)

    def _all_of(self) -> _Test:
        tests = [self._condition()]
        while self._is_sign("&&"):
            self._advance()
            tests.append(self._condition())
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)

    def _condition(self) -> _Test:
        if not self._is_sign("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise PatternError("nested too deeply")
        self._advance()
        test = self._any_of()
        self._take_sign(")")
        self._depth -= 1
        return test

    def _comparison(self) -> _Test:
        if self._kind != "selector":
            raise self._unexpected("a selector such as $.status, or (")
        find = _finder(self._advance()[1])
        if self._kind == "word":
            return self._state(find)
        kind, sign = self._advance()
        if kind != "sign" or sign not in ("=", "!=", *_ORDER):
            raise PatternError(f"expected a comparison behind the selector (got {sign})")
        if sign in _ORDER:
            return self._order(find, _ORDER[sign])
        matches = self._value()
        if sign == "=":
            return lambda document: matches(find(document))
        return lambda document: (value := find(document)) is not _MISSING and not matches(value)

    def _state(self, find: Callable[[Any], Any]) -> _Test:
        words = [self._advance()[1].upper()]
        if words[0] in ("IS", "NOT") and self._kind == "word":
            words.append(self._advance()[1].upper())
        match words:
            case ["IS", "NULL"]:
                return lambda document: find(document) is None
            case ["IS", "TRUE"]:
                return lambda document: find(document) is True
            case ["IS", "FALSE"]:
                return lambda document: find(document) is False
            case ["NOT", "EXISTS"]:
                return lambda document: find(document) is _MISSING
            case ["EXISTS"]:
                return lambda document: find(document) is not _MISSING
        raise PatternError(f"not understood: {' '.join(words)}")

    def _order(self, find: Callable[[Any], Any], compare: Callable[[float, float], bool]) -> _Test:
        kind, token = self._advance()
        if kind != "word" or _NUMBER.fullmatch(token) is None:
            raise PatternError(f"expected a number to compare with (got {token})")
        limit = float(token)

        def test(document: Any) -> bool:
            value = find(document)
            return _is_number(value) and compare(value, limit)

        return test

    def _value(self) -> _Test:
        kind, token = self._advance()
        if kind == "regex":
            pattern = compile_regex(token)
            return lambda value: isinstance(value, str) and pattern.search(value) is not None
        if kind == "word" and _NUMBER.fullmatch(token) is not None:
            number = float(token)
            return lambda value: value == token or (_is_number(value) and value == number)
        if kind not in ("word", "text"):
            raise PatternError(f"expected a value (got {token})")
        parts = [re.escape(part) for part in _ESCAPED.sub(r"\1", token).split("*")]
        wildcard = re.compile(".*".join(parts), re.DOTALL)
        return lambda value: isinstance(value, str) and wildcard.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _finder(selector: str) -> Callable[[Any], Any]:
    steps: list[str | int] = []
    for name, number, single, double in _STEP.findall(selector):
        steps.append(int(number) if number else name or single or double)

    def find(document: Any) -> Any:
        for step in steps:
            if isinstance(step, int):
                if not isinstance(document, list) or step >= len(document):
                    return _MISSING
            elif not isinstance(document, dict) or step not in document:
                return _MISSING
            document = document[step]
        return document

    return find
