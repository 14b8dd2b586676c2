"""One request and its response over a connection."""

from __future__ import annotations

import ssl
from time import perf_counter_ns

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from loadgen.answer import Answer
from loadgen.outcome import Cause
from loadgen.wire.connection import Connection
from loadgen.wire.failure import WireFailure, cause_of_reading

_CHUNK_BYTES = 65_536
# No server takes a megabyte for a head. One that never ends would take the memory and the time.
_MOST_HEAD_BYTES = 1 << 20


def converse(
    connection: Connection,
    request: bytes,
    start_ns: int,
    connect_ns: int,
    tls_ns: int,
    dns_ns: int,
    *,
    is_head: bool,
) -> tuple[Answer, bool]:
    """Sends a request over a connection; what came, and whether another one may follow."""
    connection.reset()
    parser = connection.parser
    recv = connection.stream.recv
    pending = getattr(connection.stream, "pending", None)
    raw = head = b""
    headed = ahead = False
    first_byte_ns = bytes_in = came_ns = 0
    cause = Cause.NONE
    try:
        connection.send(request)
        while not connection.complete:
            if not ahead:
                connection.wait()
                came_ns = connection.pool.polled_ns
            try:
                data = recv(_CHUNK_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                ahead = False
                continue
            except ssl.SSLZeroReturnError:
                data = b""  # the other side ended TLS in order
            if not first_byte_ns and data:
                first_byte_ns = came_ns
            if not data:
                cause = _end_of_stream(connection, head, headed=headed)
                break
            bytes_in += len(data)
            if not headed:
                raw = raw + data if raw else data
                head, headed = _final_head(raw)
                if not headed and len(raw) > _MOST_HEAD_BYTES:
                    cause = Cause.MALFORMED
                    break
            parser.feed_data(data)
            if is_head and headed and not connection.complete:
                # llhttp waits for the body that the length announces and HEAD leaves out.
                connection.complete = True
                connection.keep_alive = parser.should_keep_alive()
                connection.parser = HttpResponseParser(connection)
            ahead = pending is not None and pending() > 0
    except HttpParserUpgrade:
        # 101, which nobody asked for: the answer is whole, the connection no longer speaks HTTP.
        connection.complete = True
        connection.begun += 1
    except HttpParserError:
        if not connection.complete:
            cause = Cause.MALFORMED
        connection.begun += 1
    except WireFailure as failure:
        cause = failure.cause
    except (OSError, ValueError) as error:
        cause = cause_of_reading(error)
    end_ns = came_ns if connection.complete and not cause else perf_counter_ns()
    parts = connection.body
    answer = Answer(
        connection.status or (parser.get_status_code() if headed else 0),
        head,
        parts[0] if len(parts) == 1 else b"".join(parts),
        cause,
        start_ns,
        first_byte_ns,
        end_ns,
        connect_ns,
        tls_ns,
        bytes_in,
        dns_ns,
        connection.number,
    )
    # More than one message begun means bytes that nobody asked for: they would be taken for the
    # answer to the next request.
    return answer, cause == 0 and connection.begun == 1 and connection.keep_alive


def _final_head(raw: bytes) -> tuple[bytes, bool]:
    """The head of the response in `raw` that is not an interim one (1xx), and if it is whole."""
    while True:
        end = raw.find(b"\r\n\r\n")
        if end < 0:
            return raw, False
        if raw[9:10] != b"1" or raw[9:12] == b"101":
            return raw[: end + 4], True
        raw = raw[end + 4 :]


def _end_of_stream(connection: Connection, head: bytes, *, headed: bool) -> Cause:
    """What the end of the connection means: without a length, it is the end of the body."""
    lower = head.lower()
    sized = b"\r\ncontent-length:" in lower or b"\r\ntransfer-encoding:" in lower
    connection.complete = headed and not sized
    connection.begun += 1  # there is nothing to use again
    return Cause.NONE if connection.complete else Cause.CLOSED_EARLY
