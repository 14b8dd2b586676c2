"""The time that a run may take: what waits in it waits no longer, nor beyond a request to stop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from core.interrupt import StopRequest


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Begins when it is made; without `max_seconds` only `stop` ends it."""

    stop: StopRequest
    max_seconds: float | None = None
    began_s: float = field(default_factory=time.monotonic)

    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began_s

    def is_over(self) -> bool:
        """Whether nothing more is to begin."""
        return self.stop.requested or self._left_s() <= 0

    def wait(self, seconds: float) -> bool:
        """Waits for `seconds`, or until it is over; True when it is."""
        return self.stop.wait(min(seconds, max(0.0, self._left_s()))) or self.is_over()

    def _left_s(self) -> float:
        return math.inf if self.max_seconds is None else self.max_seconds - self.elapsed_s()
