"""A real server on the loopback interface that answers as AWS was recorded to, and counts calls."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from core.aws.session import LocalAccess

REQUEST_ID = "6d5f7a2e-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Request:
    """What a client sent; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class AwsServer:
    """The server's address, and the requests that came, in order."""

    access: LocalAccess
    requests: list[Request] = field(default_factory=list)


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """One HTTP answer with a request id."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        f"x-amzn-RequestId: {REQUEST_ID}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Listener(socketserver.ThreadingTCPServer):
    # A response that is held back does not hold back the end of the server.
    daemon_threads = True
    block_on_close = False


@contextmanager
def aws_server(respond: Callable[[Request], bytes]) -> Iterator[AwsServer]:
    """Answers each request with what `respond` gives, whole, and hangs up.

    `respond` may block: each request has a thread of its own.
    """

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            method, path, _ = self.rfile.readline().decode().split(" ")
            headers = {}
            while (line := self.rfile.readline().strip()) != b"":
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", 0)))
            request = Request(method, path, headers, body)
            server.requests.append(request)
            with suppress(OSError):  # the client may have hung up by then
                self.wfile.write(respond(request))

    with _Listener(("127.0.0.1", 0), Handler) as listener:
        url = f"http://127.0.0.1:{listener.server_address[1]}"
        server = AwsServer(LocalAccess(url, "us-east-1", "test", "test", host_cores=1))
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
