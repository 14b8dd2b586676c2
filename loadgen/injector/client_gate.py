"""The gate of a modelled client: what its rate limiter holds back goes one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import perf_counter_ns

from gevent.hub import get_hub
from greenlet import getcurrent

from loadgen.injector.waits import Waits
from loadgen.retry.client import ModelledClient

# The rate may have changed after so long, so the limiter is asked again.
_ASK_AGAIN_S = 0.1


class ClientGate:
    """A modelled client and those who wait in its line."""

    __slots__ = ("_hub", "_is_taken", "_line", "_waits", "client")

    def __init__(self, client: ModelledClient, waits: Waits) -> None:
        self.client = client
        self._waits = waits
        self._hub = get_hub()
        self._is_taken = False
        self._line: deque[Callable[[], object]] = deque()

    def passed(self, due_ns: int) -> int:
        """When a request may go that is due at `due_ns`; waits until then.

        `due_ns` itself where nothing holds it back, else the time at which its token came.
        """
        if not self._is_taken and not self.client.take(perf_counter_ns() / 1e9):
            return due_ns
        if self._is_taken:
            self._stand_in_line()
        self._is_taken = True
        try:
            while wait_s := self.client.take(perf_counter_ns() / 1e9):
                wait_ns = int(min(wait_s, _ASK_AGAIN_S) * 1e9) + 1
                self._waits.until(perf_counter_ns() + wait_ns)
            return perf_counter_ns()
        finally:
            self._next()

    def _stand_in_line(self) -> None:
        mine = getcurrent().switch
        self._line.append(mine)
        try:
            self._hub.switch()
        except BaseException:
            if mine in self._line:
                self._line.remove(mine)
            else:  # it was called, and does not come
                self._next()
            raise

    def _next(self) -> None:
        # The gate stays taken for who is called: nobody may get in between.
        self._is_taken = bool(self._line)
        if self._line:
            self._hub.loop.run_callback(self._line.popleft())
