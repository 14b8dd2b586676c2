"""A server whose delays and freezes are known, and which notes when it got and answered what.

Run: python benchmarks/known_server.py --delay-ms 5 [--slow-ms 50 --slow-share 0.05]
     [--freeze-every-s 10 --freeze-for-s 1]

It answers `GET /?n=NUMBER` so long after it came; a share of the numbers, always the same ones, is
slow. While it is frozen it answers nothing; at the end of the freeze it answers all that is due,
oldest first. `GET /log` gives what it noted, on the monotonic clock that all processes of a machine
share. It keeps a core busy while requests wait: sleeping would make it a millisecond late.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
from heapq import heappop, heappush
from time import perf_counter_ns
from typing import Protocol

_BUSY_NS = 2_000_000  # waits that are shorter are spent looping
_END = b"\r\n\r\n"
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"


class Due(Protocol):
    """Says when a request is answered; it is asked once for each, in the order of coming."""

    def due_ns(self, number: int, came_ns: int) -> int:
        """When a request that came at some time is answered."""
        ...


class Behaviour:
    """When a request that came at some time is answered; all times in ns."""

    def __init__(self, options: argparse.Namespace, begin_ns: int) -> None:
        self._fast_ns = int(options.delay_ms * 1e6)
        self._slow_ns = int(options.slow_ms * 1e6)
        self._slow_share = options.slow_share
        self._every_ns = int(options.freeze_every_s * 1e9)
        self._for_ns = int(options.freeze_for_s * 1e9)
        self._begin_ns = begin_ns

    def due_ns(self, number: int, came_ns: int) -> int:
        """When it is answered: after its delay, and not in a freeze."""
        is_slow = number * 2_654_435_761 % 2**32 < self._slow_share * 2**32
        due_ns = came_ns + (self._slow_ns if is_slow else self._fast_ns)
        if not self._every_ns:
            return due_ns
        # Freezes stand in the middle of their periods.
        since_ns = (due_ns - self._begin_ns) % self._every_ns - self._every_ns // 2
        return due_ns + self._for_ns - since_ns if 0 <= since_ns < self._for_ns else due_ns


class Server:
    """Serves from one thread, all sockets unblocking."""

    def __init__(self, listener: socket.socket, behaviour: Due) -> None:
        self._listener = listener
        self._behaviour = behaviour
        self._poll = select.epoll()
        self._poll.register(listener.fileno(), select.EPOLLIN)
        self._connections: dict[int, socket.socket] = {}
        self._unread: dict[int, bytes] = {}
        self._waiting: list[tuple[int, int, int, socket.socket]] = []
        self._log: list[tuple[int, int, int]] = []  # number, came, answered

    def serve(self) -> None:
        """Until it is killed."""
        while True:
            wait_ns = self._waiting[0][0] - perf_counter_ns() if self._waiting else 10**9
            timeout_s = 0.0 if wait_ns < _BUSY_NS else (wait_ns - _BUSY_NS) / 1e9
            for descriptor, _ in self._poll.poll(timeout_s):
                if descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._read(descriptor)
            self._answer_due()

    def _answer_due(self) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= perf_counter_ns():
            _, number, came_ns, connection = heappop(waiting)
            # Before it is sent: after it, this process may have to wait for its core.
            answered_ns = perf_counter_ns()
            try:
                connection.send(_ANSWER)
            except OSError:
                continue  # the client has left
            self._log.append((number, came_ns, answered_ns))

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)  # noqa: FBT003 # the name of the method says it
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = connection
        self._unread[connection.fileno()] = b""
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, descriptor: int) -> None:
        connection = self._connections[descriptor]
        try:
            data = connection.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(descriptor)
            del self._connections[descriptor], self._unread[descriptor]
            connection.close()
            return
        came_ns = perf_counter_ns()
        *heads, self._unread[descriptor] = (self._unread[descriptor] + data).split(_END)
        for head in heads:
            target = head.split(b" ", 2)[1]
            if target == b"/log":
                self._send_log(connection)
            else:
                number = int(target.rpartition(b"=")[2])
                due_ns = self._behaviour.due_ns(number, came_ns)
                heappush(self._waiting, (due_ns, number, came_ns, connection))

    def _send_log(self, connection: socket.socket) -> None:
        body = json.dumps(self._log).encode()
        connection.setblocking(True)  # noqa: FBT003 # the name of the method says it
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


def parser() -> argparse.ArgumentParser:
    """The options that say how the server behaves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--delay-ms", type=float, required=True)
    parser.add_argument("--slow-ms", type=float, default=0.0)
    parser.add_argument("--slow-share", type=float, default=0.0)
    parser.add_argument("--freeze-every-s", type=float, default=0.0)
    parser.add_argument("--freeze-for-s", type=float, default=0.0)
    return parser


def main() -> None:
    options = parser().parse_args()
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        begin_ns = perf_counter_ns()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(json.dumps({"endpoint_url": url, "begin_ns": begin_ns}), flush=True)
        Server(listener, Behaviour(options, begin_ns)).serve()


if __name__ == "__main__":
    main()
