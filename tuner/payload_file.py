"""A file of several events with weights: a JSON list, or one JSON object after the other (NDJSON).

Each event is sent as it stands in the file, byte for byte. Errors name the line and the item, and
show nothing of the events.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.aws.limits import SYNC_PAYLOAD_MAX_BYTES
from core.errors import InputError
from core.text import one_line
from tuner.payload import (
    STDIN,
    Fetch,
    Payload,
    check_size,
    decoded,
    read_source,
    refusing_constants,
)
from tuner.payload_mix import PayloadMix, WeightedPayload

OPTION = "--payloads"
# More events than a run makes calls would tell nothing of most of them.
MOST_PAYLOADS = 1000
# Ten of the largest events.
MOST_BYTES = 10 * SYNC_PAYLOAD_MAX_BYTES
_MOST_NAME_CHARS = 40
_KEYS = ("payload", "weight", "name")
_EXPECTED = '{"payload": ..., "weight": ..., "name": ...}'
_WHITE_SPACE = re.compile(r"[ \t\r\n]*")


def read_payload_file(source: str, seed: int, fetch: Fetch | None = None) -> PayloadMix:
    """The payloads of a file, of stdin (`-`) or of an s3:// URL.

    Raises:
        InputError: naming the file, the line, the item, the key and what was expected.
        AwsError: when S3 cannot be read.
    """
    if not source:
        raise InputError(f"{OPTION}: expected a file, s3:// or - for stdin (got '')")
    content = read_source(source, OPTION, MOST_BYTES, fetch)
    origin = "stdin" if source == STDIN else source
    if len(content) > MOST_BYTES:
        raise InputError(f"{origin}: expected at most {MOST_BYTES} bytes (got more)")
    return PayloadMix(parse_payloads(decoded(content, origin), origin), seed)


def parse_payloads(text: str, origin: str) -> tuple[WeightedPayload, ...]:
    """The payloads in a text; `origin` is what errors call it.

    Raises:
        InputError: naming the line, the item, the key and what was expected.
    """
    items: list[WeightedPayload] = []
    taken: dict[str, int] = {}
    for number, item in enumerate(_Reader(text, origin).items(), 1):
        if number > MOST_PAYLOADS:
            raise InputError(f"{origin}: expected at most {MOST_PAYLOADS} payloads (got more)")
        weighted = item.weighted(number)
        if weighted.name in taken:
            raise item.refusal(
                number,
                f"name: expected one of its own, item {taken[weighted.name]} has it "
                f"(got {weighted.name!r})",
            )
        taken[weighted.name] = number
        items.append(weighted)
    if not items:
        raise InputError(f"{origin}: expected at least one payload, {_EXPECTED} (got none)")
    return tuple(items)


@dataclass(slots=True)
class _Item:
    """One object of the file: the text of each value by its key."""

    place: str
    values: dict[str, str] = field(default_factory=dict)

    def refusal(self, number: int, problem: str) -> InputError:
        return InputError(f"{self.place}: item {number}: {problem}")

    def weighted(self, number: int) -> WeightedPayload:
        unknown = next((key for key in self.values if key not in _KEYS), None)
        if unknown is not None:
            raise self.refusal(number, f"expected {_EXPECTED} (got the key {_short(unknown)})")
        if "payload" not in self.values:
            raise self.refusal(number, f"payload: missing, expected {_EXPECTED}")
        content = self.values["payload"].encode()
        check_size(content, f"{self.place}: item {number}: payload")
        return WeightedPayload(Payload(content), self._name(number), self._weight(number))

    def _weight(self, number: int) -> float:
        text = self.values.get("weight", "1")
        try:
            weight = math.nan if text in ("true", "false") else float(text)
        except ValueError:
            weight = math.nan
        if not (weight > 0 and math.isfinite(weight)):
            raise self.refusal(
                number, f"weight: expected a number above 0 (got {_short(text, quoted=False)})"
            )
        return weight

    def _name(self, number: int) -> str:
        if "name" not in self.values:
            return str(number)
        name = json.loads(self.values["name"])
        if not isinstance(name, str) or not name.strip() or len(name) > _MOST_NAME_CHARS:
            raise self.refusal(
                number,
                f"name: expected a text of 1 to {_MOST_NAME_CHARS} characters "
                f"(got {_short(self.values['name'], quoted=False)})",
            )
        return one_line(name)


def _short(text: str, *, quoted: bool = True) -> str:
    line = one_line(text)
    shown = line if len(line) <= 40 else f"{line[:39]}…"
    return repr(shown) if quoted else shown


class _Reader:
    """Goes through the text once; what it has to skip it reads with Python's JSON parser."""

    def __init__(self, text: str, origin: str) -> None:
        self._text, self._origin, self._at = text, origin, 0
        self._line, self._counted_to = 1, 0
        # Numbers stay texts: Python would not read one of more than 4,300 digits.
        self._decoder = json.JSONDecoder(
            parse_constant=refusing_constants(text, origin), parse_int=str, parse_float=str
        )

    def items(self) -> Iterator[_Item]:
        if self._next() != "[":
            while self._next():
                yield self._object()
            return
        self._take("[")
        if self._next() != "]":
            yield self._object()
            while self._next() == ",":
                self._take(",")
                yield self._object()
        self._take("]", "a comma or the end of the list")
        if self._next():
            raise self._refusal("expected the end of the file")

    def _object(self) -> _Item:
        if self._next() != "{":
            raise self._refusal(f"expected {_EXPECTED}")
        item = _Item(self._place())
        self._take("{")
        if self._next() != "}":
            self._member(item)
            while self._next() == ",":
                self._take(",")
                self._member(item)
        self._take("}", "a comma or the end of the object")
        return item

    def _member(self, item: _Item) -> None:
        if self._next() != '"':
            raise self._refusal("expected a key in quotes")
        key = json.loads(self._value())
        if key in item.values:
            raise self._refusal(f"expected each key once (got {_short(key)} again)")
        self._take(":")
        self._next()
        item.values[key] = self._value()

    def _value(self) -> str:
        """The text of the value that begins here."""
        start = self._at
        try:
            _, self._at = self._decoder.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._refusal(f"expected JSON, got: {error.msg}") from error
        except RecursionError as error:
            raise self._refusal("expected a JSON payload, got one nested too deep") from error
        return self._text[start : self._at]

    def _next(self) -> str:
        """The next character that is not white space; empty at the end."""
        found = _WHITE_SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _take(self, sign: str, expected: str | None = None) -> None:
        if self._next() != sign:
            raise self._refusal(f"expected {expected or repr(sign)}")
        self._at += 1

    def _refusal(self, problem: str) -> InputError:
        start = self._text.rfind("\n", 0, self._at) + 1
        return InputError(f"{self._place()}:{self._at - start + 1}: {problem}")

    def _place(self) -> str:
        # From the last place on: to count from the first line each time takes long in a long file.
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return f"{self._origin}:{self._line}"
