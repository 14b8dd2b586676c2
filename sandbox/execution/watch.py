"""One timer that looks at all busy environments every 5 ms.

Memory limits, timeouts and exits are seen by it, and parallel work is split into its intervals.
When looking takes longer than a tenth of the time, as with many busy environments, the timer
slows down rather than take the CPU from what it measures. Counting the memory of one large function
is not part of that: it is rare by itself (counting.py), and must not make all others wait.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

INTERVAL_S = 0.005
_LARGEST_SHARE = 0.1


class Watched(Protocol):
    """Something to look at now and then."""

    def look(self) -> float:
        """Checks what has to be checked; gives the seconds of it that have a limit of their own."""


class Watch:
    """Calls `look` on everything that was added, until it is removed."""

    def __init__(self) -> None:
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watched: Watched) -> None:
        """Looks at `watched` from now on."""
        self._watched.add(watched)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL_S, self._look_at_all)

    def remove(self, watched: Watched) -> None:
        """Looks at `watched` no more."""
        self._watched.discard(watched)

    def close(self) -> None:
        """Stops the timer."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at_all(self) -> None:
        self._timer = None
        if not self._watched:
            return
        started_s = time.monotonic()
        limited_s = sum(watched.look() for watched in tuple(self._watched))
        spent_s = time.monotonic() - started_s - limited_s
        pause_s = max(INTERVAL_S, spent_s / _LARGEST_SHARE)
        self._timer = asyncio.get_running_loop().call_later(pause_s, self._look_at_all)
