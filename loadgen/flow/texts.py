"""From the texts of a step to the pieces of its request; what templates need is noted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

import orjson
from pydantic import JsonValue

from core.errors import InputError
from loadgen.flow.request import Pieces, Slot, filled, header_value, joined
from loadgen.flow.session import Session
from loadgen.flow.template import Insert, RenderError, Template, text_of

# What may stand in a request target as it is; `%` because people write paths already encoded.
_TARGET_SAFE: Final = "/%:?@!$&'()*+,;=~-._[]"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# These would contradict what is really sent.
_OURS: Final = ("content-length", "transfer-encoding")

Scalar = str | int | float | bool | None
Encode = Callable[[str], bytes]


class Texts:
    """Parses the texts of one place, such as `step 'GET /'`. `names` collects what they need."""

    def __init__(self, place: str, variables: Mapping[str, JsonValue]) -> None:
        self._place = place
        self._variables = variables
        self.names: set[str] = set()

    def fault(self, key: str, words: object) -> InputError:
        """An error about `key` of this place."""
        return InputError(f"{self._place}: {key}: {words}")

    def template(self, key: str, text: str) -> Template:
        """The template that `key` has.

        Raises:
            InputError: it is none.
        """
        try:
            found = Template.parse(text, self._variables)
        except ValueError as error:
            raise self.fault(key, error) from error
        self.names |= found.names
        return found

    def target(
        self, base_url: str, base_path: str, path: str, query: Mapping[str, Scalar | list[Scalar]]
    ) -> Pieces:
        """The request target: base path, path and query.

        What is put in is percent-encoded as a whole, `/` too. A path that begins with `${...}` is
        an exception: that may be a link of an earlier answer, so it stays as it is.
        """
        template = self.template("path", path)
        pairs = self._query(query)
        first = template.parts[0] if template.parts else ""
        rest = _pieces(template.parts[1:], _target, _quoted)
        site = base_url.rstrip("/")
        if isinstance(first, str) or first.fixed:
            start = first if isinstance(first, str) else text_of(first.value).removeprefix(site)
            if not start.startswith("/"):
                raise self.fault("path", f"must begin with / (got '{path}')")
            literal = start + "".join(one for one in template.parts[1:] if isinstance(one, str))
            head = _target(base_path + start)
            return joined((head, *rest, *_after(pairs, has_query="?" in literal)))

        def linked(session: Session) -> bytes:
            link = text_of(first.give(session)).removeprefix(site)
            if not link.startswith("/"):
                raise RenderError("the path of a request must begin with /")
            whole = _target(base_path + link) + filled(rest, session)
            return whole + filled(_after(pairs, has_query=b"?" in whole), session)

        return (linked,)

    def header(self, name: str, value: str) -> tuple[str, Pieces]:
        """A header: its name, and its value in latin-1.

        Raises:
            InputError: it cannot be sent so.
        """
        key = f"headers.{name}"
        if not _HEADER_NAME.fullmatch(name):
            raise self.fault(key, "is no name of a header")
        if name.lower() in _OURS:
            raise self.fault(key, "is set by loadgen, from the body that it sends")
        try:
            return name, self._same(key, value, header_value)
        except RenderError as error:
            raise self.fault(key, error) from error

    def json(self, value: JsonValue) -> Pieces:
        """A JSON body; a text in it that is one `${...}` becomes that value with its type."""
        return joined(self._json(value))

    def form(self, fields: Mapping[str, Scalar]) -> Pieces:
        """An `application/x-www-form-urlencoded` body."""
        pieces: list[bytes | Slot] = []
        for name, value in fields.items():
            pieces.append(b"&" if pieces else b"")
            pieces.append(f"{quote_plus(name)}=".encode())
            pieces += self._scalar(f"form.{name}", value, _form_value)
        return joined(pieces)

    def body(self, text: str) -> Pieces:
        """A text body in UTF-8."""
        return self._same("body", text, _utf8)

    def _query(self, query: Mapping[str, Scalar | list[Scalar]]) -> Pieces:
        """`&name=value` for each value."""
        pieces: list[bytes | Slot] = []
        for name, values in query.items():
            for value in values if isinstance(values, list) else [values]:
                pieces.append(b"&" + _quoted(name) + b"=")
                pieces += self._scalar(f"query.{name}", value, _quoted)
        return joined(pieces)

    def _scalar(self, key: str, value: Scalar, encode: Encode) -> Pieces:
        if isinstance(value, str):
            return self._same(key, value, encode)
        return (encode(text_of(value)),)

    def _same(self, key: str, text: str, encode: Encode) -> Pieces:
        """The pieces of a text whose literals are encoded as what is put in."""
        return _pieces(self.template(key, text).parts, encode, encode)

    def _json(self, value: JsonValue) -> list[bytes | Slot]:
        if isinstance(value, str):
            return [self._json_text(value)]
        if isinstance(value, dict):
            pieces: list[bytes | Slot] = []
            for key, inner in value.items():
                pieces += [b"," if pieces else b"{", dumps(key), b":", *self._json(inner)]
            return [*pieces, b"}"] if pieces else [b"{}"]
        if isinstance(value, list):
            pieces = []
            for inner in value:
                pieces += [b"," if pieces else b"[", *self._json(inner)]
            return [*pieces, b"]"] if pieces else [b"[]"]
        return [dumps(value)]

    def _json_text(self, text: str) -> bytes | Slot:
        template = self.template("json", text)
        if template.is_constant:
            return dumps(template.constant())
        return lambda session: dumps(template.value(session))


def dumps(value: JsonValue) -> bytes:
    """Compact JSON; whole numbers beyond 64 bits too, which orjson refuses."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _pieces(parts: Iterable[str | Insert], literal: Encode, put_in: Encode) -> Pieces:
    def piece(part: str | Insert) -> bytes | Slot:
        if isinstance(part, str):
            return literal(part)
        if part.fixed:
            return put_in(text_of(part.value))
        return lambda session: put_in(text_of(part.give(session)))

    return joined(piece(part) for part in parts)


def _after(pairs: Pieces, *, has_query: bool) -> Pieces:
    """The pairs `&name=value`, the first with `?` where no query has begun."""
    first = pairs[0] if pairs else None
    if has_query or not isinstance(first, bytes):
        return pairs
    return (b"?" + first[1:], *pairs[1:])


def _target(text: str) -> bytes:
    return quote(text, _TARGET_SAFE, errors="replace").encode()


def _quoted(text: str) -> bytes:
    return quote(text, "", errors="replace").encode()


def _form_value(text: str) -> bytes:
    return quote_plus(text, "", errors="replace").encode()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
