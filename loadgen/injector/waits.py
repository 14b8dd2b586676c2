"""Many waits on one alarm: whoever waits goes on when it is time, to a tenth of a millisecond.

gevent's own timers round up to whole milliseconds, which would be in the latency of whatever is
sent after a wait.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import perf_counter_ns

from gevent.hub import get_hub
from greenlet import getcurrent

from loadgen.injector.alarm import new_alarm

_NEVER_NS = 1 << 62


class Waits:
    """Wakes greenlets; those that were killed in the meantime are left alone."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._numbers = count()
        self._due: list[tuple[int, int]] = []
        self._sleepers: dict[int, Callable[[], object]] = {}
        self._alarm = new_alarm(self._ring)
        self._alarm.set(_NEVER_NS)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._sleepers)

    def until(self, at_ns: int) -> None:
        """Returns at `at_ns` on the clock of `perf_counter_ns`, or a little later."""
        number = next(self._numbers)
        self._sleepers[number] = getcurrent().switch
        heappush(self._due, (at_ns, number))
        if self._due[0][1] == number:
            self._alarm.set(at_ns)
        try:
            self._hub.switch()
        finally:
            self._sleepers.pop(number, None)

    def close(self) -> None:
        """Wakes nobody any more."""
        self._alarm.close()

    def _ring(self) -> None:
        now_ns = perf_counter_ns()
        while self._due and self._due[0][0] <= now_ns:
            _, number = heappop(self._due)
            wake = self._sleepers.pop(number, None)
            if wake is not None:
                # Not from here: who runs on may wait again, and set the alarm meanwhile.
                self._hub.loop.run_callback(wake)
        self._alarm.set(self._due[0][0] if self._due else _NEVER_NS)
