"""HTTP messages: requests as they came in, answers as they go out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from sandbox.counted_ids import HEX_DIGITS, counted_ids

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """How a connection fails in the middle of an answer: a fault that somebody asked for.

    Of the answer, `after_bytes` go out; then the connection is reset, or nothing comes for
    `stall_s` before the rest follows, or the connection `ends`. With `piece_bytes` the head goes
    out, and the body follows so many bytes at a time with that pause before each.
    """

    after_bytes: int = 0
    reset: bool = False
    stall_s: float = 0.0
    piece_bytes: int | None = None
    ends: bool = False


# Ids look like AWS's: the part that differs between runs is random, the rest counts.
_REQUEST_IDS = counted_ids(str(uuid.uuid4())[:24], HEX_DIGITS, 12)


def new_request_id() -> str:
    """An id that no other request of this process has."""
    return next(_REQUEST_IDS)


REQUEST_ID = b"x-amzn-RequestId"
# Headers that the connection writes: a second one of them would contradict it.
OF_THE_CONNECTION = frozenset(
    {b"connection", b"content-length", b"date", b"transfer-encoding", REQUEST_ID.lower()}
)


class UnsentBody(bytes):
    """The body of an answer to HEAD: empty here, of `length` bytes (None: unknown) in full."""

    length: int | None

    def __new__(cls, length: int | None) -> UnsentBody:
        """A body of which only the length is known."""
        made = super().__new__(cls)
        made.length = length
        return made


@dataclass(slots=True)  # not frozen: that doubles what it costs to make one for each request
class Response:
    """One answer, not to be changed; framing, `Date` and the id are added when it is written.

    `block` are further headers as they go on the wire, for what many answers share (`wire_block`).
    `id_header` is the header that carries the id of the request. `then` is what the connection
    does instead of going on, where a fault asks for it.
    """

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    block: bytes = b""
    id_header: bytes = REQUEST_ID
    then: Misbehaviour | None = None


# All control characters but the tab: what follows a line break would be another header.
_NO_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127), " ")


def header_text(text: str) -> bytes:
    """Text that somebody chose as the name or the value of a header; it cannot end the header."""
    return text.translate(_NO_CONTROLS).encode("latin-1", "replace")


def wire_block(headers: Iterable[Header]) -> bytes:
    """Headers as they go on the wire, for `Response.block`."""
    return b"".join(b"\r\n%b: %b" % header for header in headers)


def _nobody_listens(response: Response) -> None:
    """For requests that came over no connection."""


class Request:
    """One request as it came in; header names are in lower case, values are raw bytes."""

    __slots__ = (
        "_fields",
        "_id",
        "_path",
        "_query",
        "answer_early",
        "body",
        "client",
        "head_bound",
        "headers",
        "host",
        "method",
        "names",
        "target",
    )

    def __init__(
        self,
        method: str,
        target: bytes,
        headers: list[Header],
        body: bytes = b"",
        host: bytes | None = None,
        names: list[bytes] | None = None,
        head_bound: int | None = None,
        client: int | None = None,
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.host = host
        # The names of the headers as the client wrote them.
        self.names = [name for name, _ in headers] if names is None else names
        # The head has at most so many bytes, where the connection knows a bound.
        self.head_bound = head_bound
        # Tells connections apart.
        self.client = client
        # Answers before the coroutine that was to do so has ended; its own answer is dropped then.
        self.answer_early: Callable[[Response], None] = _nobody_listens
        self._fields: dict[bytes, bytes] | None = None
        self._id: str | None = None
        self._path: str | None = None
        self._query = ""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        if self._path is None:
            path, _, query = self.target.partition(b"?")
            self._path = path.decode("latin-1")
            self._query = query.decode("latin-1")
        return self._path

    @property
    def query(self) -> str:
        """What follows the question mark, still percent-encoded."""
        if self._path is None:
            _ = self.path
        return self._query

    @property
    def id(self) -> str:
        """The request id that the answer carries."""
        if self._id is None:
            self._id = new_request_id()
        return self._id

    @id.setter
    def id(self, value: str) -> None:
        self._id = value

    @property
    def header_bytes(self) -> int:
        """The size of all headers together: names, values and what stands between them."""
        return sum(len(name) + len(value) + 4 for name, value in self.headers)

    def header(self, name: bytes) -> bytes | None:
        """The value of the header `name` (in lower case); the last one where it is repeated."""
        if self._fields is None:
            self._fields = dict(self.headers)
        return self._fields.get(name)

    def text_header(self, name: bytes) -> str | None:
        """As `header`, decoded."""
        value = self.header(name)
        return None if value is None else value.decode("latin-1")


Answer = Response | Coroutine[Any, Any, Response]
Handler = Callable[[Request], Answer]

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}
# Neither a body nor a length goes with these (RFC 9110, 8.6).
_BODILESS = frozenset({204, 304})


class _Heads:
    """The first lines of an answer, from the status to the name of the id; new each second."""

    def __init__(self) -> None:
        self._valid_until_s = 0.0
        self._date = ""
        self._heads: dict[tuple[int, bytes], bytes] = {}

    def head(self, status: int, id_header: bytes) -> bytes:
        now_s = time.monotonic()
        if now_s >= self._valid_until_s:
            wall_s = time.time()
            self._valid_until_s = now_s + 1 - wall_s % 1
            self._date = formatdate(wall_s, usegmt=True)
            self._heads = {}
        try:
            return self._heads[status, id_header]
        except KeyError:
            line = _STATUS_LINES.get(status, f"HTTP/1.1 {status} \r\n")
            head = f"{line}date: {self._date}\r\n".encode() + id_header + b": "
            self._heads[status, id_header] = head
            return head


_HEADS = _Heads()


def encode(response: Response, request_id: str, *, keep_alive: bool, head_only: bool) -> bytes:
    """The bytes of `response` on the wire."""
    status, body = response.status, response.body
    parts = [_HEADS.head(status, response.id_header), request_id.encode(), response.block]
    for name, value in response.headers:
        parts += (b"\r\n", name, b": ", value)
    if not keep_alive:
        parts.append(b"\r\nconnection: close")
    if status in _BODILESS:
        parts.append(b"\r\n\r\n")
    elif head_only:
        length = body.length if isinstance(body, UnsentBody) else len(body)
        parts.append(b"" if length is None else b"\r\ncontent-length: %d" % length)
        parts.append(b"\r\n\r\n")
    else:
        parts.append(b"\r\ncontent-length: %d\r\n\r\n" % len(body))
        parts.append(body)
    return b"".join(parts)
