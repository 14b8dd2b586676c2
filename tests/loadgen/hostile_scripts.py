"""What the hostile server answers by path: bytes, sent part by part, and what becomes of the
connection then.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from enum import Enum, auto


class Then(Enum):
    """What becomes of the connection after the last part."""

    KEEP = auto()  # the next request is read
    CLOSE = auto()  # FIN, in the same segment as the last part
    DROP = auto()  # the same, but TLS is not ended before
    RESET = auto()  # RST
    HOLD = auto()  # nothing more is said or read until the client leaves


@dataclass(frozen=True, slots=True)
class Script:
    """What a path does once its request has been read; to HEAD, only its head is sent."""

    parts: tuple[bytes, ...] = ()
    then: Then = Then.KEEP
    pause_s: float = 0.0  # before each part but the first
    endless: bytes = b""  # sent over and over after the parts, ENDLESS times at most
    reads_body_after_s: float = 0.0


def answer(
    body: bytes = b"",
    *headers: bytes,
    status: bytes = b"200 OK",
    version: bytes = b"HTTP/1.1",
    length: bool = True,
) -> bytes:
    """The bytes of a response; with its length unless told otherwise."""
    lines = [version + b" " + status, *headers]
    if length:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


JSON = b'{"ok": true}'
NOT_UTF_8 = b"\xff\xfe\x00\x80 broken \xc3\x28"
LARGE_BYTES = 5_000_000
HUGE_HEADER_BYTES = 60_000
ENDLESS = 4_000

_CHUNKED = b"transfer-encoding: chunked"
_CLOSES = b"connection: close"
_NORMAL = answer(JSON, b"content-type: application/json")
_CHUNKS = b'5\r\n{"ok"\r\n7;extension=1\r\n: true}\r\n'
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n"
_FLOOD = b"x-flood: " + b"f" * 8000 + b"\r\n"

SCRIPTS: dict[str, Script] = {
    # Unusual, and right.
    "/normal": Script((_NORMAL,)),
    "/binary-error": Script((answer(NOT_UTF_8, status=b"500 Internal Server Error"),)),
    "/empty": Script((answer(),)),
    "/no-content": Script((answer(status=b"204 No Content", length=False),)),
    # The length is that of the body which a 200 would have had.
    "/not-modified": Script(
        (answer(b"", b"content-length: 100", status=b"304 Not Modified", length=False),)
    ),
    "/no-reason": Script((answer(JSON, status=b"200"),)),
    "/odd-status": Script((answer(JSON, status=b"299 Odd"),)),
    "/chunked": Script((answer(_CHUNKS + b"0\r\n\r\n", _CHUNKED, length=False),)),
    "/trailers": Script((answer(_CHUNKS + b"0\r\nx-sum: 1\r\n\r\n", _CHUNKED, length=False),)),
    "/until-close": Script((answer(JSON, _CLOSES, length=False),), Then.CLOSE),
    "/until-dropped": Script((answer(JSON, _CLOSES, length=False),), Then.DROP),
    "/http-1.0": Script((answer(JSON, version=b"HTTP/1.0", length=False),), Then.CLOSE),
    "/http-1.0-length": Script((answer(JSON, version=b"HTTP/1.0"),), Then.CLOSE),
    "/last": Script((answer(JSON, _CLOSES),), Then.CLOSE),
    "/last-but-open": Script((answer(JSON, _CLOSES),), Then.HOLD),
    "/stale": Script((_NORMAL,), Then.CLOSE),  # as if it were kept
    "/gzip": Script((answer(gzip.compress(JSON, mtime=0), b"content-encoding: gzip"),)),
    "/large": Script((answer(b"x" * LARGE_BYTES),)),
    "/huge-head": Script((answer(JSON, b"x-huge: " + b"h" * HUGE_HEADER_BYTES),)),
    "/continue": Script((_CONTINUE, _NORMAL), pause_s=0.005),
    "/early-hints": Script((_HINTS + _NORMAL,)),
    "/dribble": Script(tuple(_NORMAL[at : at + 1] for at in range(len(_NORMAL))), pause_s=0.0002),
    # What comes after a response is no response to the next request.
    "/garbage-after": Script((_NORMAL + b"garbage",)),
    "/response-after": Script((_NORMAL + answer(b"stray", status=b"418 Stray"),)),
    # Not HTTP.
    "/malformed": Script((b"HTTP/9.x banana\r\n\r\n",), Then.HOLD),
    "/not-http": Script((b"SSH-2.0-OpenSSH_9.6\r\n",), Then.HOLD),
    "/bad-length": Script((answer(JSON, b"content-length: twelve", length=False),), Then.HOLD),
    "/two-lengths": Script((answer(JSON, b"content-length: 99"),), Then.HOLD),
    "/bad-chunk": Script((answer(b"zz\r\nhello\r\n", _CHUNKED, length=False),), Then.HOLD),
    # Ended by the server.
    "/close-first": Script((), Then.CLOSE),
    "/close-in-head": Script((_NORMAL[:25],), Then.CLOSE),
    "/close-in-body": Script((_NORMAL[:-4],), Then.CLOSE),
    "/close-in-chunks": Script((answer(_CHUNKS, _CHUNKED, length=False),), Then.CLOSE),
    "/close-after-continue": Script((_CONTINUE,), Then.CLOSE),
    "/reset-first": Script((), Then.RESET),
    "/reset-in-body": Script((_NORMAL[:-4],), Then.RESET),
    # Never ended.
    "/silent": Script((), Then.HOLD),
    "/hold-in-head": Script((_NORMAL[:25],), Then.HOLD),
    "/hold-in-body": Script((_NORMAL[:-4],), Then.HOLD),
    "/endless-head": Script(
        (b"HTTP/1.1 200 OK\r\n",), Then.HOLD, endless=b"x: y\r\n", pause_s=0.01
    ),
    "/endless-body": Script((answer(length=False),), Then.HOLD, endless=b"y", pause_s=0.01),
    "/flood-head": Script((b"HTTP/1.1 200 OK\r\n",), Then.HOLD, endless=_FLOOD),
    "/flood-body": Script((answer(length=False),), Then.HOLD, endless=_FLOOD),
    # Only after that does the server see that the client has left.
    "/unread": Script((), Then.HOLD, reads_body_after_s=1.0),
}
NOT_FOUND = Script((answer(b"no such script", status=b"404 Not Found"),))
