"""Texts with `${...}` in them, parsed once and filled in a request at a time.

    ${vars.NAME}        a variable of the profile
    ${data.FEED.COLUMN} the row that the flow drew from a feed; JSON rows by a dotted path
    ${NAME}             what an earlier step captured
    ${uuid} ${now_iso} ${now_ms} ${random_int(1, 100)} ${random_hex(8)} ${injector} ${iteration}
    $$                  a dollar sign; one alone stands for itself unless a brace follows

Random numbers follow the seed of the run. `${uuid}` does not: the same idempotency key in two runs
would make the second one a different measurement.
"""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

import orjson
from pydantic import JsonValue


class RenderError(Exception):
    """When a request cannot be built: data that it needs are missing, or do not fit there."""


class Scope(Protocol):
    """What a template is filled from."""

    @property
    def rows(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """The row of each feed."""

    @property
    def captured(self) -> Mapping[str, JsonValue]:
        """What earlier steps captured."""

    @property
    def rng(self) -> random.Random:
        """Where random numbers come from."""

    @property
    def injector(self) -> int:
        """The number of this injector, from 0."""

    @property
    def iteration(self) -> int:
        """The number of this flow in this injector, from 0."""


Give = Callable[[Scope], JsonValue]


@dataclass(frozen=True, slots=True)
class Insert:
    """One `${...}`: the datum it needs (None of functions) and how to get its value.

    A fixed one is a variable, whose `value` is known and the same for every request.
    """

    name: str | None
    give: Give
    fixed: bool = False
    value: JsonValue = None


_MARK: Final = re.compile(r"\$(?:\$|\{)")
_CALL: Final = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.DOTALL)
_REFERENCE: Final = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+(?: +[\w-]+)*)*")
_WHOLE: Final = re.compile(r"\s*[+-]?\d{1,18}\s*")


def _random_int(low: int, high: int) -> Give:
    if low > high:
        raise ValueError(f"random_int needs its smaller number first (got {low}, {high})")
    return lambda scope: scope.rng.randint(low, high)


def _random_hex(digits: int) -> Give:
    if not 1 <= digits <= 1024:
        raise ValueError(f"random_hex makes 1 to 1024 digits (got {digits})")
    return lambda scope: f"{scope.rng.getrandbits(4 * digits):0{digits}x}"


def _uuid(_: Scope) -> JsonValue:
    return str(uuid.uuid4())


def _now_iso(_: Scope) -> JsonValue:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _now_ms(_: Scope) -> JsonValue:
    return time.time_ns() // 1_000_000


_PLAIN: Final[Mapping[str, Give]] = {
    "uuid": _uuid,
    "now_iso": _now_iso,
    "now_ms": _now_ms,
    "injector": lambda scope: scope.injector,
    "iteration": lambda scope: scope.iteration,
}
# How many whole numbers each takes, and what makes its value.
_WITH_NUMBERS: Final[Mapping[str, tuple[int, Callable[..., Give]]]] = {
    "random_int": (2, _random_int),
    "random_hex": (1, _random_hex),
}
FUNCTIONS: Final = frozenset({*_PLAIN, *_WITH_NUMBERS})
# No capture may have one of these names.
RESERVED: Final = FUNCTIONS | {"vars", "data", "env"}


class Template:
    """A parsed text.

    `parts` are literal texts and what comes between them, `names` the data it needs, as `vars.x`,
    `data.users.id`, `token`; `single` is the `${...}` that is the whole text, if it is one.
    """

    __slots__ = ("names", "parts", "single", "source")

    def __init__(self, source: str, parts: Sequence[str | Insert]) -> None:
        self.source = source
        self.parts = tuple(parts)
        first = self.parts[0] if len(self.parts) == 1 else None
        self.single = first if isinstance(first, Insert) else None
        self.names = frozenset(
            part.name for part in parts if isinstance(part, Insert) and part.name is not None
        )

    @classmethod
    def parse(cls, text: str, variables: Mapping[str, JsonValue] | None = None) -> Template:
        """The template of a text; `variables` are put in for good where they are given.

        Raises:
            ValueError: where, as a character counted from 1, and what is wrong.
        """
        return cls(text, _parts(text, variables))

    @property
    def is_constant(self) -> bool:
        """Whether every rendering gives the same text."""
        return all(isinstance(part, str) or part.fixed for part in self.parts)

    def render(self, scope: Scope, encode: Callable[[str], str] | None = None) -> str:
        """The text with everything put in; `encode` is applied to what is put in alone.

        Raises:
            RenderError: a datum is missing.
        """
        texts = [
            part
            if isinstance(part, str)
            else text_of(part.give(scope))
            if encode is None
            else encode(text_of(part.give(scope)))
            for part in self.parts
        ]
        return "".join(texts)

    def value(self, scope: Scope) -> JsonValue:
        """As `render`, but a text that is one `${...}` gives its value with its JSON type."""
        return self.render(scope) if self.single is None else self.single.give(scope)

    def constant(self) -> JsonValue:
        """The value of a template that is constant: what `value` gives whatever the scope."""
        if self.single is not None:
            return self.single.value
        return "".join([p if isinstance(p, str) else text_of(p.value) for p in self.parts])


def escape(text: str) -> str:
    """The template that stands for `text` itself."""
    return text.replace("$", "$$")


def text_of(value: JsonValue) -> str:
    """A value inside a text: texts as they are, nothing for null, other values as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _parts(text: str, variables: Mapping[str, JsonValue] | None) -> list[str | Insert]:
    parts: list[str | Insert] = []
    literal = ""
    at = 0
    while found := _MARK.search(text, at):
        literal += text[at : found.start()]
        if found[0] == "$$":
            literal += "$"
            at = found.end()
            continue
        end = text.find("}", found.end())
        if end == -1:
            raise ValueError(f"character {found.start() + 1}: ${{ has no }}")
        if literal:
            parts.append(literal)
            literal = ""
        try:
            parts.append(_insert(text[found.end() : end].strip(), variables))
        except ValueError as error:
            raise ValueError(f"character {found.start() + 1}: {error}") from None
        at = end + 1
    literal += text[at:]
    if literal:
        parts.append(literal)
    return parts


def _insert(inside: str, variables: Mapping[str, JsonValue] | None) -> Insert:
    call = _CALL.fullmatch(inside)
    if call and (call[1] in FUNCTIONS or call[2] is not None):
        return Insert(None, _function(call[1], call[2]))
    if not _REFERENCE.fullmatch(inside):
        raise ValueError(
            f"must be a name such as vars.NAME, data.FEED.COLUMN or a capture (got '{inside}')"
        )
    first, *rest = inside.split(".")
    if first == "vars":
        return _variable(inside, rest, variables)
    if first == "data":
        if len(rest) < 2:
            raise ValueError(f"must name a feed and a column, data.FEED.COLUMN (got '{inside}')")
        return Insert(inside, partial(_column, rest[0], tuple(rest[1:])))
    if first == "env":
        raise ValueError(f"environment variables are filled in as the file is read (got {inside})")
    if rest:
        raise ValueError(f"only vars and data have parts (got '{inside}')")
    return Insert(inside, partial(_capture, inside))


def _variable(inside: str, rest: list[str], variables: Mapping[str, JsonValue] | None) -> Insert:
    if len(rest) != 1:
        raise ValueError(f"must name a variable, vars.NAME (got '{inside}')")
    if variables is None:
        return Insert(inside, partial(_missing, inside))
    if rest[0] not in variables:
        known = ", ".join(variables) or "none"
        raise ValueError(f"there is no variable {rest[0]} (known: {known})")
    value = variables[rest[0]]
    return Insert(inside, lambda _: value, fixed=True, value=value)


def _function(name: str, inside: str | None) -> Give:
    arguments = [one for one in (inside or "").split(",") if one.strip() or "," in (inside or "")]
    if name in _PLAIN:
        if arguments:
            raise ValueError(f"{name} takes nothing (got '{inside}')")
        return _PLAIN[name]
    if name not in _WITH_NUMBERS:
        raise ValueError(f"there is no function {name} (known: {', '.join(sorted(FUNCTIONS))})")
    count, make = _WITH_NUMBERS[name]
    if len(arguments) != count or not all(_WHOLE.fullmatch(one) for one in arguments):
        words = "two whole numbers" if count == 2 else "one whole number"
        raise ValueError(f"{name} takes {words} (got '{inside or ''}')")
    return make(*(int(one) for one in arguments))


def _column(feed: str, path: tuple[str, ...], scope: Scope) -> JsonValue:
    row = scope.rows.get(feed)
    if row is None:
        raise RenderError(f"no row was drawn from {feed}")
    whole = ".".join(path)
    if whole in row:
        return row[whole]
    value: JsonValue = dict(row)
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise RenderError(f"this row of {feed} has no {whole}")
    return value


def _capture(name: str, scope: Scope) -> JsonValue:
    try:
        return scope.captured[name]
    except KeyError:
        raise RenderError(f"{name} was not captured") from None


def _missing(name: str, _: Scope) -> JsonValue:
    raise RenderError(f"{name} is not known")
