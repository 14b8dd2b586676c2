"""What came back for one request: the raw bytes, the clocks, and what went wrong on the wire.

The wire client makes one `Answer` a request, so making one costs as little as can be: the head
stays as it came and is read only by who asks for a header, which a plain 2xx never does.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import orjson
from pydantic import JsonValue

# How much a compressed body may grow: checks and captures look at bodies, and a small answer that
# unpacks to gigabytes must not end the run.
MAX_UNPACKED_BYTES = 16_000_000


class Answer:
    """The end of one request; all times are nanoseconds of `perf_counter_ns`.

    `status` is 0 when no response began, `cause` a `loadgen.outcome.Cause` (NONE when a whole
    response came). `head` is the head section of the final response, with or without its status
    line. `body` may be cut short, `bytes_in` counts everything that was received. `connect_ns` and
    `tls_ns` are durations, 0 on a connection that was kept; `dns_ns`, the look-up of the name, is
    part of `connect_ns`. `connection` numbers connections from 1.
    """

    __slots__ = (
        "_content",
        "_headers",
        "_json",
        "body",
        "bytes_in",
        "cause",
        "connect_ns",
        "connection",
        "dns_ns",
        "end_ns",
        "first_byte_ns",
        "head",
        "start_ns",
        "status",
        "tls_ns",
    )

    # Set when first asked for; reading them before raises AttributeError.
    _content: bytes
    _headers: list[tuple[str, str]]
    _json: JsonValue

    def __init__(
        self,
        status: int,
        head: bytes,
        body: bytes,
        cause: int,
        start_ns: int,
        first_byte_ns: int,
        end_ns: int,
        connect_ns: int,
        tls_ns: int,
        bytes_in: int,
        dns_ns: int = 0,
        connection: int = 0,
    ) -> None:
        self.status = status
        self.head = head
        self.body = body
        self.cause = cause
        self.start_ns = start_ns
        self.first_byte_ns = first_byte_ns
        self.end_ns = end_ns
        self.connect_ns = connect_ns
        self.tls_ns = tls_ns
        self.bytes_in = bytes_in
        self.dns_ns = dns_ns
        self.connection = connection

    def headers(self) -> list[tuple[str, str]]:
        """All headers in the order they came, names as sent, values without outer blanks."""
        try:
            return self._headers
        except AttributeError:
            self._headers = _read_head(self.head)
            return self._headers

    def header(self, name: str) -> str | None:
        """The value of a header whatever its case; several are joined by `, `, as HTTP says."""
        wanted = name.lower()
        key = f"\n{wanted}:".encode("latin-1", "replace")
        lower = b"\n" + self.head.lower()
        start = lower.find(key)
        if start == -1:
            return None  # the usual case: nothing is parsed
        start += len(key)
        end = lower.find(b"\n", start)
        goes_on = end == -1 or lower[end + 1 : end + 2] in (b" ", b"\t")
        if not goes_on and lower.find(key, end) == -1:  # one line, once
            return self.head[start - 1 : end - 1].decode("latin-1").strip(" \t\r")
        return ", ".join(value for name, value in self.headers() if name.lower() == wanted)

    def content(self) -> bytes:
        """The body as the application wrote it: gzip and deflate are undone, as far as it came."""
        try:
            return self._content
        except AttributeError:
            self._content = self._unpacked()
            return self._content

    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become the replacement character."""
        return self.content().decode("utf-8", "replace")

    def json(self) -> JsonValue:
        """The body as JSON.

        Raises:
            ValueError: it is none.
        """
        try:
            return self._json
        except AttributeError:
            self._json = orjson.loads(self.content())
            return self._json

    def _unpacked(self) -> bytes:
        coding = (self.header("content-encoding") or "identity").strip().lower()
        unpack = _UNPACK.get(coding)
        if unpack is None:
            return self.body
        try:
            return unpack(self.body)
        except zlib.error:
            return self.body


def _read_head(head: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in head.decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and found:  # a header that goes on in the next line
            name, value = found[-1][0], f"{found.pop()[1]} {line.strip()}"
        elif not colon or line.startswith("HTTP/"):
            continue
        found.append((name.strip(), value.strip(" \t\r")))
    return found


def _gunzip(body: bytes) -> bytes:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(body, MAX_UNPACKED_BYTES)


def _inflate(body: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, MAX_UNPACKED_BYTES)
    except zlib.error:  # some servers send the bare stream
        return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(body, MAX_UNPACKED_BYTES)


_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
}
