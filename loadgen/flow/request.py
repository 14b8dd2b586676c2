"""Requests as bytes, built ahead as far as nothing in them varies.

A request is a row of pieces: bytes that are always the same, and slots that are filled in for each
session. Where there are no slots and nothing has to be signed, one bytes object is sent again and
again until the credentials change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from loadgen.auth.apply import Applier
from loadgen.flow.session import Session
from loadgen.flow.template import RenderError

Slot = Callable[[Session], bytes]
Pieces = tuple[bytes | Slot, ...]
# By lower-case name: the name as sent, and the value.
Headers = Mapping[str, tuple[str, Pieces]]

_NOT_IN_HEADERS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_END: Final = b"\r\n"


class Request:
    """What a step sends.

    Of several headers with one name the step's own wins, then that of the credentials, then
    `headers`: so a step can send a wrong key on purpose.
    """

    def __init__(
        self,
        method: str,
        origin: str,
        target: Pieces,
        *,
        headers: Headers,
        own_headers: Headers,
        body: Pieces | None,
        applier: Applier,
    ) -> None:
        self.method = method
        self._origin = origin
        self._target = target
        self._headers = headers
        self._own_headers = own_headers
        self._has_body = body is not None or method in ("POST", "PUT", "PATCH")
        self._body = joined(body or ())
        self._applier = applier
        self._version: int | None = None
        self._head: Pieces = ()
        self._fixed: bytes | None = None

    def render(self, session: Session) -> bytes:
        """The whole HTTP/1.1 request.

        Raises:
            RenderError: data that it needs are missing, or do not fit where they belong.
        """
        if self._applier.per_request:
            return self._signed(session)
        if self._version != self._applier.version:
            self._prepare()
        if self._fixed is not None:
            return self._fixed
        body = filled(self._body, session)
        return self._whole(filled(self._head, session), body)

    def _prepare(self) -> None:
        """Puts the credentials in, for as long as they are the same."""
        self._version = self._applier.version
        added = _by_name(self._applier.headers(self.method, self._origin, [], b""))
        self._head = self._head_of(self._target, {**self._headers, **added, **self._own_headers})
        head, body = constant(self._head), constant(self._body)
        self._fixed = None if head is None or body is None else self._whole(head, body)

    def _signed(self, session: Session) -> bytes:
        """A request that is filled in once, then signed: what is signed is what is sent."""
        target = filled(self._target, session)
        body = filled(self._body, session)
        general = _filled_headers(self._headers, session)
        own = _filled_headers(self._own_headers, session)
        given = [
            (name, filled(value, session).decode("latin-1"))
            for name, value in {**general, **own}.values()
        ]
        url = self._origin + target.decode("ascii")
        added = _by_name(self._applier.headers(self.method, url, given, body))
        head = self._head_of((target,), {**general, **added, **own})
        return self._whole(filled(head, session), body)

    def _head_of(self, target: Pieces, headers: Headers) -> Pieces:
        pieces: list[bytes | Slot] = [self.method.encode(), b" ", *target, b" HTTP/1.1\r\n"]
        for name, value in headers.values():
            pieces += _line(name, value)
        return joined(pieces)

    def _whole(self, head: bytes, body: bytes) -> bytes:
        if self._has_body:
            return b"%b%b%d\r\n\r\n%b" % (head, b"Content-Length: ", len(body), body)
        return head + _END


def joined(pieces: Iterable[bytes | Slot]) -> Pieces:
    """The same pieces, with neighbours that never vary made one."""
    found: list[bytes | Slot] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, bytes) and isinstance(last, bytes):
            found[-1] = last + piece
        else:
            found.append(piece)
    return tuple(found)


def filled(pieces: Pieces, session: Session) -> bytes:
    """The pieces with the slots filled in.

    Raises:
        RenderError: data are missing, or do not fit.
    """
    return b"".join([p if isinstance(p, bytes) else p(session) for p in pieces])


def constant(pieces: Pieces) -> bytes | None:
    """The bytes that the pieces always are; None when there are slots."""
    parts = [piece for piece in pieces if isinstance(piece, bytes)]
    return b"".join(parts) if len(parts) == len(pieces) else None


def _line(name: str, value: Pieces) -> Pieces:
    start = f"{name}: ".encode("latin-1")
    if name.lower() != "cookie" or constant(value) is not None:
        return (start, *value, _END)

    def cookies(session: Session) -> bytes:
        """The line, or nothing as long as there are no cookies."""
        text = filled(value, session)
        return start + text + _END if text else b""

    return (cookies,)


def _filled_headers(headers: Headers, session: Session) -> dict[str, tuple[str, Pieces]]:
    found: dict[str, tuple[str, Pieces]] = {}
    for key, (name, value) in headers.items():
        text = filled(value, session)
        if text or key != "cookie":
            found[key] = (name, (text,))
    return found


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, Pieces]]:
    return {name.lower(): (name, (header_value(value),)) for name, value in pairs}


def header_value(text: str) -> bytes:
    """The value of a header in latin-1.

    Raises:
        RenderError: it cannot be sent. What it is stays out of the message: it may be a secret.
    """
    if _NOT_IN_HEADERS.search(text):
        raise RenderError("a header cannot have line breaks or other control characters")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise RenderError("a header cannot have characters beyond latin-1") from None
