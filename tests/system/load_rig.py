"""What tests of `loadgen run` share: a server that counts, profiles for it, and books that balance.

What the server saw is the truth that a result is compared with.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from httptools import HttpRequestParser

from tests.system.conftest import Command, Finished


@dataclass(frozen=True)
class Seen:
    """A whole request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True)
class Reply:
    """What the server answers, and how long after the request; `closes` ends the connection."""

    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    closes: bool = False

    @property
    def wire(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Said", f"content-length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


Answer = Callable[[Seen], Reply]


def plain(seen: Seen) -> Reply:
    """`?ms=30` waits, `?status=500` says so."""
    query = seen.query
    return Reply(int(query.get("status", "200")), after_s=float(query.get("ms", "0")) / 1000)


class CountingServer:
    """A running server: all requests that it has read, and how many it had at once."""

    def __init__(self, answer: Answer) -> None:
        self.url = ""
        self.seen: list[Seen] = []
        self.most_at_once = 0
        self._at_once = 0
        self._answer = answer

    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(seen.path for seen in self.seen)

    def read(self, seen: Seen) -> Reply:
        """Books a request and decides about its answer."""
        self.seen.append(seen)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        return self._answer(seen)

    def done(self) -> None:
        """A request is answered, or its client has left."""
        self._at_once -= 1


@contextmanager
def counting_server(answer: Answer = plain) -> Iterator[CountingServer]:
    """A server on a free port of loopback, in a thread of its own, while the block runs."""
    server = CountingServer(answer)
    loop = asyncio.new_event_loop()
    listener = loop.run_until_complete(
        loop.create_server(lambda: _Connection(server, loop), "127.0.0.1", 0, backlog=512)
    )
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listener.close()
        loop.run_until_complete(_closed(loop))
        loop.close()


async def _closed(loop: asyncio.AbstractEventLoop) -> None:
    for connection in list(_Connection.open_ones):
        if connection.loop is loop:
            connection.transport.abort()
    await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """One connection; requests on it follow each other."""

    open_ones: set[_Connection] = set()  # noqa: RUF012 # of all servers of the process

    def __init__(self, server: CountingServer, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._server = server
        self._parser = HttpRequestParser(self)
        self._waiting: dict[asyncio.TimerHandle, None] = {}
        self._reset()

    def _reset(self) -> None:
        self._target, self._body = b"", b""
        self._headers: dict[str, str] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.open_ones.discard(self)
        for handle in self._waiting:
            handle.cancel()
            self._server.done()
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        reply = self._server.read(Seen(method, self._target.decode(), self._headers, self._body))
        self._reset()
        handle: asyncio.TimerHandle

        def send() -> None:
            del self._waiting[handle]
            self._server.done()
            self.transport.write(reply.wire)
            if reply.closes:
                self.transport.close()

        handle = self.loop.call_later(reply.after_s, send)
        self._waiting[handle] = None


# -- profiles and commands ------------------------------------------------------------------------


class LoadCommand(Command):
    """Runs `loadgen` in a folder of its own, without any AWS settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = dict(os.environ)

    def profile(self, url: str, **parts: Any) -> str:
        """Writes a profile for `url` and gives its name; JSON is YAML."""
        document = {
            "version": 1,
            "name": "try",
            "target": {"url": url},
            "load": {"phases": [{"name": "hold", "duration": "1s", "rate": 100}]},
            "scenarios": [{"name": "all", "flow": [{"get": "/x"}]}],
            # The machine may be busy.
            "validity": {"max_start_lag": "5s", "max_cpu": "100%"},
        }
        (self.folder / "profile.yaml").write_text(json.dumps(document | parts), encoding="utf-8")
        return "profile.yaml"

    def load(self, url: str, *arguments: str, **parts: Any) -> Finished:
        """`loadgen run --json` of such a profile, to its end."""
        return self.run("loadgen", "run", self.profile(url, **parts), "--json", *arguments)

    @property
    def result_folder(self) -> Path:
        """The only folder of a run."""
        (folder,) = (self.folder / "runs").iterdir()
        return folder


def open_load(rate: float = 100, duration: str = "1s", **more: Any) -> dict[str, Any]:
    """An open model with one phase."""
    return {"seed": 7, "phases": [{"name": "hold", "duration": duration, "rate": rate}], **more}


def flow(*steps: Mapping[str, Any], name: str = "all", **more: Any) -> dict[str, Any]:
    """A scenario of these steps."""
    return {"name": name, "flow": list(steps), **more}


def check_books(document: Any) -> None:
    """Every count of a result adds up, in the whole and in its parts."""
    for part in [document, *document["steps"], *document["phases"]]:
        requests = part["requests"]
        lost = requests.get("lost", 0)
        assert requests["sent"] == requests["completed"] + requests["cut"] + lost, part.get("name")
        assert requests["completed"] == sum(part["outcomes"].values())
        assert requests["offered"] >= requests["sent"]
        for name in ("throttled", "errors"):
            counts = sum(cause["count"] for cause in part[f"{name}_by_cause"])
            assert counts == (
                part["outcomes"]["throttled"]
                if name == "throttled"
                else requests["completed"] - part["outcomes"]["ok"] - part["outcomes"]["throttled"]
            )
        if part["response_ms"] is not None:
            assert part["response_ms"]["n"] == part["service_ms"]["n"] == requests["completed"]


def children_of(pid: int) -> list[int]:
    """The running child processes of `pid`."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def runs(pid: int) -> bool:
    """Whether a process still does something; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
