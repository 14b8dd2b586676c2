"""From the text of a query to tokens, one at a time.

One at a time because a slash begins a regular expression in some places and divides in others:
only the parser knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sandbox.logs_api.insights.errors import QueryError

Kind = Literal["name", "quoted", "number", "period", "string", "sign", "end"]

_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_TOKEN = re.compile(
    r"""
      (?P<period>\d+[A-Za-z]+)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)
    | (?P<name>[^\W\d][\w.@$]*|[@$][\w.@$]*)
    | `(?P<quoted>[^`]+)`
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<sign>=~|!=|<=|>=|[-+*/%^=<>(),|\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_EXPONENT = re.compile(r"\d+[eE]\d+")
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/", re.DOTALL)
_ESCAPED_QUOTE = re.compile(r"\\([\"'\\])")


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `text` is a string's content, or what stands in the query."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_word(self, word: str) -> bool:
        """Whether it is that keyword; case does not matter."""
        return self.kind == "name" and self.text.lower() == word

    def is_sign(self, sign: str) -> bool:
        """Whether it is that sign."""
        return self.kind == "sign" and self.text == sign

    @property
    def shown(self) -> str:
        """How messages call it."""
        return "end of input" if self.kind == "end" else f"'{self.text}'"


class Scanner:
    """Walks through the text of a query."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._offset = 0
        self._peeked: Token | None = None

    def peek(self) -> Token:
        """The next token, which stays the next one."""
        if self._peeked is None:
            self._peeked = self._scan()
        return self._peeked

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self._peeked = None
        self._offset = token.end
        return token

    def regex(self) -> Token:
        """The regular expression that begins with the slash that is next.

        Raises:
            QueryError: it does not end.
        """
        start = self.peek().start
        found = _REGEX.match(self.text, start)
        if found is None:
            raise QueryError("the regular expression has no closing '/'", start, len(self.text))
        self._peeked = None
        self._offset = found.end()
        return Token("string", found[1].replace(r"\/", "/"), start, found.end())

    def _scan(self) -> Token:
        blank = _BLANK.match(self.text, self._offset)
        start = self._offset if blank is None else blank.end()
        if start == len(self.text):
            return Token("end", "", start, start)
        found = _TOKEN.match(self.text, start)
        if found is None:
            raise QueryError(f"unexpected symbol '{self.text[start]}'", start, start + 1)
        text, end = found[found.lastgroup or 0], found.end()
        match found.lastgroup:
            case "double" | "single":
                return Token("string", _ESCAPED_QUOTE.sub(r"\1", text), start, end)
            case "period" if _EXPONENT.fullmatch(text):
                return Token("number", text, start, end)
            case "period":
                return Token("period", text, start, end)
            case "number":
                return Token("number", text, start, end)
            case "name":
                return Token("name", text, start, end)
            case "quoted":
                return Token("quoted", text, start, end)
        return Token("sign", text, start, end)
