"""How long the loop of an injector stood still: in such a time it serves nobody.

Of arrivals the start lag tells that. Users begin nothing late, because nothing of theirs is due:
whatever holds an injector up (a stopped process, a busy machine, code that does not let go) would
be taken for the API's latency.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

import gevent

_LOOK_S = 0.005


class StallWatch:
    """Looks at the clock every few milliseconds, and adds up what was far more than that."""

    def __init__(self, limit_s: float) -> None:
        self._limit_ns = int(limit_s * 1e9)
        self._greenlet: Any = None
        self.in_all_us = 0
        self.longest_us = 0

    def start(self) -> None:
        """Looks from now on."""
        self._greenlet = gevent.spawn(self._watch)

    def stop(self) -> None:
        """Looks no more."""
        if self._greenlet is not None:
            self._greenlet.kill(block=True)

    def _watch(self) -> None:
        due_ns = perf_counter_ns() + int(_LOOK_S * 1e9)
        while True:
            gevent.sleep(_LOOK_S)
            now_ns = perf_counter_ns()
            if now_ns - due_ns > self._limit_ns:
                self.in_all_us += (now_ns - due_ns) // 1000
                self.longest_us = max(self.longest_us, (now_ns - due_ns) // 1000)
            due_ns = now_ns + int(_LOOK_S * 1e9)
