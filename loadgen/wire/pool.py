"""Connections to one origin, kept and handed out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import random
from time import perf_counter_ns

import gevent
from gevent.hub import get_hub
from greenlet import getcurrent

from loadgen.answer import Answer
from loadgen.wire.connection import NEVER_NS, Connection
from loadgen.wire.conversation import converse
from loadgen.wire.failure import WireFailure
from loadgen.wire.origin import Origin

# How exactly timeouts are kept: connections in use are looked at so often.
_SWEEP_S = 0.005


class Pool:
    """Kept connections to one origin, at most `max_connections`; who finds none waits in turn.

    The one that was used last serves the next request, so that there are as few as can be. With
    `spread`, so many are made first, and each request takes one of them at random: a limit that
    is kept by connection shows only then.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        max_connections: int,
        keep_body_bytes: int,
        keep_alive: bool = True,
        spread: int = 0,
    ) -> None:
        self.origin = origin
        self._spread = min(spread, max_connections)
        self.max_connections = max_connections
        self.keep_body_bytes = keep_body_bytes
        self.keep_alive = keep_alive
        self.hub = get_hub()
        self.opened = 0  # connections that were ever made
        self.waited = 0  # requests that found none free
        self._free: list[Connection] = []
        self._used: set[Connection] = set()
        self._count = 0
        self._queue: deque[Callable[[], object]] = deque()
        # When the loop last looked at its sockets. What was there to read then has come by then,
        # however long others have their turn before.
        self.polled_ns = perf_counter_ns()
        self._check = self.hub.loop.check(ref=False)
        self._check.start(self._polled)
        self._sweeper = gevent.spawn(self._sweep)

    @property
    def connections(self) -> int:
        """How many connections there are now."""
        return self._count

    def exchange(self, request: bytes, timeout_s: float, *, is_head: bool = False) -> Answer:
        """Sends `request`, a whole HTTP/1.1 request, and gives what came of it.

        `timeout_s` counts from the start, connecting included. Never raises for what a server or
        a network does.
        """
        while not self._free and self._count >= self.max_connections:
            self._wait_for_turn()
        start_ns = perf_counter_ns()
        connect_ns = tls_ns = dns_ns = 0
        if self._free and self._count >= self._spread:
            connection = self._taken()
        else:
            self._count += 1
            try:
                wrapped, connect_ns, tls_ns, dns_ns = self.origin.connect(timeout_s)
                self.opened += 1
                connection = Connection(self, wrapped, self.hub, self.opened)
            except WireFailure as failure:
                self._count -= 1
                self._next_turn()
                end_ns = perf_counter_ns()
                return Answer(0, b"", b"", failure.cause, start_ns, 0, end_ns, 0, 0, 0)
            except BaseException:
                self._count -= 1
                self._next_turn()
                raise
        self._used.add(connection)
        connection.deadline_ns = start_ns + int(timeout_s * 1e9)
        reusable = False
        try:
            answer, reusable = converse(
                connection, request, start_ns, connect_ns, tls_ns, dns_ns, is_head=is_head
            )
            return answer
        finally:
            connection.deadline_ns = NEVER_NS
            self._used.discard(connection)
            if reusable and self.keep_alive and not connection.dead:
                self._free.append(connection)
            else:
                self.forget(connection)
            if self._queue:
                self._next_turn()

    def _taken(self) -> Connection:
        free = self._free
        if self._spread:
            chosen = int(random() * len(free))
            free[chosen], free[-1] = free[-1], free[chosen]
        return free.pop()

    def forget(self, connection: Connection) -> None:
        """Closes a connection that will not be used again."""
        if connection.dead:
            return
        connection.close()
        self._count -= 1
        if connection in self._free:
            self._free.remove(connection)

    def _polled(self) -> None:
        self.polled_ns = perf_counter_ns()

    def close(self) -> None:
        """Closes what is idle; connections in use are closed by those who use them."""
        self._sweeper.kill(block=False)
        self._check.close()
        for connection in list(self._free):
            self.forget(connection)

    def _wait_for_turn(self) -> None:
        self.waited += 1
        self._queue.append(getcurrent().switch)
        mine = self._queue[-1]
        try:
            self.hub.switch()
        except BaseException:
            if mine in self._queue:
                self._queue.remove(mine)
            raise

    def _next_turn(self) -> None:
        if self._queue:
            self.hub.loop.run_callback(self._queue.popleft())

    def _sweep(self) -> None:
        while True:
            gevent.sleep(_SWEEP_S)
            now = perf_counter_ns()
            for connection in [used for used in self._used if used.deadline_ns <= now]:
                connection.expire()
