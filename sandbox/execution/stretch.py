"""A measured stretch of a process's life: its Init, or one invocation."""

from __future__ import annotations

import time

from sandbox.execution.cpu import Interval, VirtualClock
from sandbox.execution.probe import Probe, Reading

_NS_PER_MS = 1_000_000


class Stretch:
    """Adds what a probe reads to a virtual clock, from `start` on."""

    def __init__(self, probe: Probe, clock: VirtualClock, start: Reading) -> None:
        self._probe = probe
        self._clock = clock
        self._start = start
        self._last = start

    def advance(self) -> None:
        """Accounts for the time since the last call."""
        now = self._probe.read()
        if now is None:
            # The process is gone: time passed, and what it used of it is not known any more.
            now = Reading(time.monotonic_ns(), self._last.cpu_ns, self._last.run_delay_ns)
        last, self._last = self._last, now
        self._clock.add(
            Interval(
                wall_ms=(now.at_ns - last.at_ns) / _NS_PER_MS,
                cpu_ms=max(0, now.cpu_ns - last.cpu_ns) / _NS_PER_MS,
                run_delay_ms=max(0, now.run_delay_ns - last.run_delay_ns) / _NS_PER_MS,
                threads=max(now.threads, last.threads),
            )
        )

    @property
    def wall_ms(self) -> float:
        """Real time from the start to the last `advance`."""
        return (self._last.at_ns - self._start.at_ns) / _NS_PER_MS

    @property
    def virtual_ms(self) -> float:
        """Virtual time from the start to the last `advance`."""
        return self._clock.virtual_ms

    @property
    def age_s(self) -> float:
        """Seconds since the start."""
        return (time.monotonic_ns() - self._start.at_ns) / 1e9

    def remaining_s(self, total_ms: float) -> float:
        """Seconds from now until `total_ms` after the start; negative when past."""
        return (self._start.at_ns + total_ms * _NS_PER_MS - time.monotonic_ns()) / 1e9
