"""Reads a query: commands, with a vertical bar between them."""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.logs_api.insights.errors import QueryError
from sandbox.logs_api.insights.expressions import (
    RESERVED,
    ExpressionParser,
    compile_regex,
    unexpected,
)
from sandbox.logs_api.insights.scanner import Scanner, Token
from sandbox.logs_api.insights.syntax import (
    Command,
    DedupCommand,
    DisplayCommand,
    Expression,
    Field,
    FieldsCommand,
    FilterCommand,
    Item,
    LimitCommand,
    ParseCommand,
    SortCommand,
    SortKey,
    StatsCommand,
)

# The most rows of a result (StartQuery, read 2026-09).
MAX_ROWS = 100_000

# Commands of the language that the sandbox does not run.
_UNSERVED = frozenset(
    {
        "anomaly",
        "diff",
        "filterindex",
        "join",
        "lookup",
        "pattern",
        "source",
        "subquery",
        "unmask",
        "unnest",
    }
)
_SPACE = re.compile(r"\s+")


def parse_query(text: str) -> tuple[Command, ...]:
    """The commands of a query.

    Raises:
        QueryError: the text is no query, or has what the sandbox does not run.
    """
    return _QueryParser(text).commands()


class _QueryParser:
    def __init__(self, text: str) -> None:
        self._scanner = Scanner(text)
        self._expressions = ExpressionParser(self._scanner)
        self._readers: dict[str, Callable[[], Command]] = {
            "fields": lambda: FieldsCommand(self._items()),
            "display": lambda: DisplayCommand(self._items()),
            "filter": lambda: FilterCommand(self._expressions.expression()),
            "parse": self._parse,
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
            "dedup": self._dedup,
        }

    def commands(self) -> tuple[Command, ...]:
        commands = [self._command()]
        while self._scanner.peek().is_sign("|"):
            self._scanner.take()
            commands.append(self._command())
        token = self._scanner.peek()
        if token.kind != "end":
            raise unexpected(token, "',', '|' or the end of the query")
        return tuple(commands)

    def _command(self) -> Command:
        token = self._scanner.take()
        word = token.text.lower()
        if token.kind == "name" and word in self._readers:
            return self._readers[word]()
        if token.kind == "name" and word in _UNSERVED:
            raise QueryError(
                f"the sandbox does not run the command '{word}'", token.start, token.end
            )
        raise unexpected(token, f"a command ({', '.join(self._readers)})")

    def _items(self, *, bare_aliases: bool = False) -> tuple[Item, ...]:
        items = [self._item(bare_aliases=bare_aliases)]
        while self._took_comma():
            items.append(self._item(bare_aliases=bare_aliases))
        return tuple(items)

    def _item(self, *, bare_aliases: bool) -> Item:
        start = self._scanner.peek().start
        value = self._expressions.expression()
        token = self._scanner.peek()
        text = self._scanner.text[start : token.start].rstrip()
        name = value.name if isinstance(value, Field) else _SPACE.sub(" ", text)
        if token.is_word("as"):
            self._scanner.take()
            name = self._alias()
        elif bare_aliases and _is_alias(token):
            name = self._alias()
        return Item(value, name, start, start + len(text))

    def _alias(self) -> str:
        token = self._scanner.take()
        if not _is_alias(token):
            raise unexpected(token, "a name")
        return token.text

    def _took_comma(self) -> bool:
        if not self._scanner.peek().is_sign(","):
            return False
        self._scanner.take()
        return True

    def _stats(self) -> StatsCommand:
        items = self._items(bare_aliases=True)
        by: tuple[Item, ...] = ()
        if self._scanner.peek().is_word("by"):
            self._scanner.take()
            by = self._items()
        return StatsCommand(items, by)

    def _sort(self) -> SortCommand:
        keys = [self._sort_key()]
        while self._took_comma():
            keys.append(self._sort_key())
        return SortCommand(tuple(keys))

    def _sort_key(self) -> SortKey:
        value = self._expressions.expression()
        token = self._scanner.peek()
        if token.is_word("asc") or token.is_word("desc"):
            self._scanner.take()
        return SortKey(value, token.is_word("desc"))

    def _limit(self) -> LimitCommand:
        token = self._scanner.take()
        # A longer number is out of range anyway, and may be longer than Python takes.
        if token.kind != "number" or not token.text.isdecimal():
            raise unexpected(token, "a whole number")
        count = int(token.text[:9])
        if not 1 <= count <= MAX_ROWS:
            raise QueryError(f"limit: expected 1 to {MAX_ROWS}", token.start, token.end)
        return LimitCommand(count)

    def _dedup(self) -> DedupCommand:
        values = [self._expressions.expression()]
        while self._took_comma():
            values.append(self._expressions.expression())
        return DedupCommand(tuple(values))

    def _parse(self) -> ParseCommand:
        token = self._scanner.peek()
        value: Expression = Field("@message")
        if token.kind != "string" and not token.is_sign("/"):
            value = self._expressions.primary()
            token = self._scanner.peek()
        if token.is_sign("/"):
            return self._parse_regex(value, self._scanner.regex())
        if token.kind == "string":
            return self._parse_glob(value, self._scanner.take())
        raise unexpected(token, "a string with * or a /regular expression/")

    def _parse_regex(self, value: Expression, token: Token) -> ParseCommand:
        pattern = compile_regex(token)
        if pattern.groupindex:
            names = tuple((number, name) for name, number in pattern.groupindex.items())
            return ParseCommand(value, pattern, names)
        return self._named(value, pattern, token)

    def _parse_glob(self, value: Expression, token: Token) -> ParseCommand:
        literals = [re.escape(part) for part in token.text.split("*")]
        text = "(.*?)".join(literals)
        if token.text.endswith("*"):  # the last star takes all that is left
            text = text.removesuffix("(.*?)") + "(.*)"
        return self._named(value, re.compile(text, re.DOTALL), token)

    def _named(self, value: Expression, pattern: re.Pattern[str], token: Token) -> ParseCommand:
        names = []
        if self._scanner.peek().is_word("as"):
            self._scanner.take()
            names.append(self._alias())
            while self._took_comma():
                names.append(self._alias())
        if len(names) != pattern.groups or not names:
            raise QueryError(
                f"parse: the pattern has {pattern.groups} unnamed parts and {len(names)} names",
                token.start,
                token.end,
            )
        return ParseCommand(value, pattern, tuple(enumerate(names, start=1)))


def _is_alias(token: Token) -> bool:
    return token.kind == "quoted" or (token.kind == "name" and token.text.lower() not in RESERVED)
