"""A proxy on loopback before a local AWS, which records every call and can let each one go wrong.

A call is looked at twice: before it is passed on, and after it was carried out but before its
answer goes back. Both moments can refuse it, drop the connection, or do anything else meanwhile,
such as ending the process that calls.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Moment = Literal["before", "after"]

# Calls that change a function, by what Lambda's API model says of their requests.
_ROUTES = (
    ("PUT", r"/2015-03-31/functions/([^/]+)/configuration", "UpdateFunctionConfiguration"),
    ("PUT", r"/2015-03-31/functions/([^/]+)/code", "UpdateFunctionCode"),
    ("POST", r"/2015-03-31/functions/([^/]+)/versions", "PublishVersion"),
    ("POST", r"/2015-03-31/functions/([^/]+)/invocations", "Invoke"),
    ("GET", r"/2015-03-31/functions/([^/]+)/versions", "ListVersionsByFunction"),
    ("GET", r"/2015-03-31/functions/([^/]+)", "GetFunction"),
    ("DELETE", r"/2015-03-31/functions/([^/]+)", "DeleteFunction"),
)
READS = frozenset({"Invoke", "ListVersionsByFunction", "GetFunction", "other"})
# Headers that are about one connection only.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@dataclass(slots=True)
class Call:
    """One request, with the status and the body of its answer once it has one.

    `changes` counts the state-changing calls of a run up to this one; it is None for others.
    """

    operation: str
    function: str
    qualifier: str | None
    changes: int | None
    status: int | None = None
    body: bytes = b""

    def answer(self) -> dict[str, Any]:
        """The answer of a call that was carried out."""
        shown: dict[str, Any] = json.loads(self.body or b"{}")
        return shown


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answers with an AWS error in the place of what was asked for."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Ends the connection after a share of the answer."""

    share: float = 0.0


Verdict = Refuse | Drop | None
Hook = Callable[[Call, Moment], Verdict]


def let_pass(call: Call, moment: Moment) -> Verdict:
    """Nothing goes wrong."""
    return None


@dataclass(slots=True)
class FaultProxy:
    """Passes calls on to `upstream`, an address of 127.0.0.1, while `hook` lets it."""

    upstream: tuple[str, int]
    hook: Hook = let_pass
    calls: list[Call] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None
    _port: int = 0

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is to be."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def listening(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    def listen(self) -> None:
        """Takes connections, at the same port as before."""
        server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        server.daemon_threads = True
        self._port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Refuses connections, and answers no more on those that are open."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def begin(self, method: str, target: str) -> Call:
        """Records a request."""
        path, _, query = target.partition("?")
        operation, function = _operation(method, path)
        qualifier = urllib.parse.parse_qs(query).get("Qualifier", [None])[0]
        with self._lock:
            changes = None
            if operation not in READS:
                changes = sum(call.changes is not None for call in self.calls)
            call = Call(operation, function, qualifier, changes)
            self.calls.append(call)
        return call


def _operation(method: str, path: str) -> tuple[str, str]:
    for known, pattern, operation in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match and known == method:
            name = urllib.parse.unquote(match[1]).split(":")
            return operation, name[6] if len(name) > 6 else name[0]
    return "other" if method in ("GET", "POST") else f"{method} {path}", ""


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer is written in two pieces, which must not wait for each other.
        disable_nagle_algorithm = True

        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if not proxy.listening:
                self._drop()
                return
            call = proxy.begin(self.command, self.path)
            verdict = proxy.hook(call, "before")
            if verdict is None:
                answer = self._ask(body)
                call.status, call.body = answer[0], answer[2]
                verdict = proxy.hook(call, "after")
                if verdict is None:
                    self._reply(*answer)
                    return
                if isinstance(verdict, Drop) and verdict.share:
                    self._reply(*answer, share=verdict.share)
            if isinstance(verdict, Refuse):
                self._refuse(verdict)
            else:
                self._drop()

        do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # http.server's names

        def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(*proxy.upstream, timeout=60)
            try:
                headers = dict(self.headers.items())
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            finally:
                connection.close()

        def _reply(
            self, status: int, headers: list[tuple[str, str]], body: bytes, *, share: float = 1.0
        ) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: int(len(body) * share)])
            if share < 1:
                self._drop()

        def _refuse(self, refusal: Refuse) -> None:
            body = json.dumps({"message": refusal.message, "Type": "User"}).encode()
            headers = [("x-amzn-ErrorType", refusal.code), ("Content-Type", "application/json")]
            self._reply(refusal.status, headers, body)

        def _drop(self) -> None:
            self.close_connection = True
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

        def handle(self) -> None:
            # The process at the other end may be killed at any moment.
            try:
                super().handle()
            except OSError:
                self.close_connection = True

    return Handler
