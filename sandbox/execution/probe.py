"""What a reading of a process holds, and the way to read one on this host."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
class Reading:
    """Counters of a process tree since it began, at the instant `at_ns` of the monotonic clock.

    `threads` is how many there are now, in all its processes.
    """

    at_ns: int
    cpu_ns: int
    run_delay_ns: int
    threads: int = 1


class Probe(Protocol):
    """Reads what a process used so far."""

    @property
    def counting_s(self) -> float:
        """Seconds spent so far on what takes long and has a limit of its own."""

    def read(self) -> Reading | None:
        """The counters now, or None when the process is gone."""

    def begin(self) -> Reading | None:
        """As `read`, for the start of a stretch soon after the last one, and cheaper.

        What an idle process seldom does may be told as of the last reading: that it started
        threads or processes, and that processes ended.
        """

    def resident_mb(self, known_mb: float = 0.0, limit_mb: float = math.inf) -> float:
        """Memory that is resident now; 0 when the process is gone.

        It may be told roughly: rather too high where it is not above `known_mb`, and too low for a
        while unless it has come to be above `limit_mb`.
        """

    def descendants(self) -> tuple[int, ...]:
        """The processes that it and its descendants started, as far as the system tells."""

    def peak_resident_mb(self) -> float:
        """The most that was ever resident, as far as the system tells; else 0.

        What `resident_mb` told too low is told exactly.
        """

    def close(self) -> None:
        """Frees what the probe holds open."""


class BlindProbe:
    """For hosts that tell nothing about other processes: virtual time is then the real one."""

    counting_s = 0.0

    def read(self) -> Reading | None:
        """The time, and no usage."""
        return Reading(time.monotonic_ns(), 0, 0)

    def begin(self) -> Reading | None:
        """As `read`."""
        return self.read()

    def resident_mb(self, known_mb: float = 0.0, limit_mb: float = math.inf) -> float:
        """Unknown, hence 0."""
        return 0.0

    def descendants(self) -> tuple[int, ...]:
        """Unknown, hence none."""
        return ()

    def peak_resident_mb(self) -> float:
        """Unknown, hence 0."""
        return 0.0

    def close(self) -> None:
        """Nothing to free."""
