"""Memory buys CPU: what a call would have taken with the CPU share of its memory size.

AWS gives a function one vCPU at 1,769 MB and a share in proportion elsewhere. The sandbox lets a
handler run at full speed, measures how much CPU it used, and computes from that the time it
would have taken: a *virtual* duration. Nothing is slowed down, so a busy host, which slows the
wall clock, hardly moves the figure.

This is a model. The handler's own clocks are not stretched, Init runs unthrottled as AWS's does
in the main, and ARM or newer processors are not told apart.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Literal, Protocol

CpuModel = Literal["linear", "cfs20", "off"]

# "At 1,769 MB, a function has the equivalent of one vCPU": AWS Lambda developer guide,
# configuration-memory, read 2026-09.
MB_PER_VCPU = 1769

# Linux hands out CPU quotas in periods; 20 ms is what short functions on AWS show.
CFS_PERIOD_MS = 20.0

# Linux credits the wait for a core when the thread gets it, up to a scheduler slice (some 4 ms)
# after it began. Whether threads wanted more than one core is therefore judged over windows
# several slices long, and only a clear surplus counts.
_WINDOW_MS = 20.0
_SURPLUS_SHARE = 0.3
_SURPLUS_MS = 1.0

# What the runtime client itself spends on a call here, received to answered: 0.5 to 0.8 ms. On AWS
# such a burst runs at full speed even at 128 MB, where the quota of a period is 1.4 ms; stretched
# like the handler's work it would make a function that only waits look 10 ms slower there.
RUNTIME_CLIENT_CPU_MS = 0.5

# Rounding of sums must neither cost a burst a whole pause nor keep the clock short of a refill.
_ROUNDING_MS = 1e-6


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
class Interval:
    """What a process and its descendants did in a stretch of time, all threads together.

    `wall_ms` passed; the threads ran for `cpu_ms` and were ready, but waiting for a core of the
    host, for `run_delay_ms`. `threads` is the most that there were.
    """

    wall_ms: float
    cpu_ms: float
    run_delay_ms: float = 0.0
    threads: int = 1

    def __add__(self, other: Interval) -> Interval:
        return Interval(
            self.wall_ms + other.wall_ms,
            self.cpu_ms + other.cpu_ms,
            self.run_delay_ms + other.run_delay_ms,
            max(self.threads, other.threads),
        )

    @property
    def parallelism(self) -> float:
        """Cores that the threads would have kept busy on a host with enough of them, at least 1.

        A single thread that waits for a core wants that one only, so its wait tells nothing.
        """
        wanted_ms = self.cpu_ms + (self.run_delay_ms if self.threads > 1 else 0.0)
        if wanted_ms <= self.wall_ms * (1 + _SURPLUS_SHARE) + _SURPLUS_MS or self.wall_ms <= 0:
            return 1.0
        return wanted_ms / self.wall_ms


NOTHING = Interval(0.0, 0.0)


def _sum(so_far: Interval, more: Interval) -> Interval:
    """Both together; most calls have one interval only, to which nothing needs to be added."""
    return more if so_far is NOTHING else so_far + more


class VirtualClock(Protocol):
    """Adds up intervals to the time that they would have taken."""

    def add(self, interval: Interval) -> None:
        """Accounts for one more interval; order matters to models with periods."""

    @property
    def virtual_ms(self) -> float:
        """The virtual time of all intervals so far."""


class WallTime:
    """The model "off": the virtual time is the real one."""

    def __init__(self) -> None:
        self._wall_ms = 0.0

    def add(self, interval: Interval) -> None:
        """Accounts for one more interval."""
        self._wall_ms += interval.wall_ms

    @property
    def virtual_ms(self) -> float:
        """The wall time so far."""
        return self._wall_ms


class LinearShare:
    """The model "linear": work on the CPU takes `1 / share` as long, waiting as long as it took.

    Time with one busy thread is pooled: `W - C - D + C / min(1, share)` of its totals (wall, CPU,
    run-queue delay), so what single readings have too much or too little cancels out. Windows in
    which threads wanted several cores are priced one by one, `C / min(p, share, cores)`, since
    that p cannot be seen from totals. The first `full_speed_ms` of serial CPU are not stretched.
    """

    def __init__(self, share: float, cores: int, full_speed_ms: float = 0.0) -> None:
        self._share = share
        self._full_speed_ms = full_speed_ms
        self._cores = cores
        self._serial = NOTHING
        self._parallel_ms = 0.0
        self._window = NOTHING

    def add(self, interval: Interval) -> None:
        """Accounts for one more interval."""
        self._window = _sum(self._window, interval)
        if self._window.wall_ms >= _WINDOW_MS:
            self._serial, self._parallel_ms = self._settled()
            self._window = NOTHING

    @property
    def virtual_ms(self) -> float:
        """The virtual time of all intervals so far."""
        serial, parallel_ms = self._settled()
        waiting_ms = max(0.0, serial.wall_ms - serial.cpu_ms - serial.run_delay_ms)
        unstretched_ms = min(serial.cpu_ms, self._full_speed_ms)
        stretched_ms = (serial.cpu_ms - unstretched_ms) / min(1.0, self._share)
        return waiting_ms + unstretched_ms + stretched_ms + parallel_ms

    def _settled(self) -> tuple[Interval, float]:
        """Serial time, and virtual time of parallel work, with the open window in them."""
        window = self._window
        if window.parallelism == 1.0:
            return _sum(self._serial, window), self._parallel_ms
        speed = min(window.parallelism, self._share, self._cores)
        return self._serial, self._parallel_ms + window.cpu_ms / speed


class QuotaPeriods:
    """The model "cfs20": a quota of `20 * share` ms of CPU in each 20 ms, then a forced pause.

    One burst of c ms takes `floor(c / quota) * 20 + rest`: a burst that fits into the quota runs
    at full speed, which is why short functions at small sizes show steps of 20 ms. A burst that
    ends with its quota does not wait for the next period.
    """

    def __init__(self, share: float, cores: int) -> None:
        self._quota_ms = CFS_PERIOD_MS * share
        self._cores = cores
        self._now_ms = 0.0
        self._period_end_ms = CFS_PERIOD_MS
        self._left_ms = self._quota_ms
        self._idle_ms = 0.0
        self._longest_idle_ms = 0.0

    def add(self, interval: Interval) -> None:
        """Accounts for one more interval, its CPU work before its waiting."""
        # Without the run-queue delay: it comes too late to be told from parallel work here.
        alone = replace(interval, run_delay_ms=0.0)
        self._work(interval.cpu_ms, min(alone.parallelism, self._cores))
        if alone.parallelism == 1.0:
            self._rest(interval.wall_ms - interval.cpu_ms - interval.run_delay_ms)

    @property
    def virtual_ms(self) -> float:
        """The virtual time of all intervals so far."""
        return self._now_ms

    def _work(self, cpu_ms: float, speed: float) -> None:
        while cpu_ms > _ROUNDING_MS:
            if self._left_ms <= _ROUNDING_MS:
                self._wait(self._period_end_ms - self._now_ms)
            until_refill_ms = (self._period_end_ms - self._now_ms) * speed
            done_ms = min(cpu_ms, self._left_ms, until_refill_ms)
            cpu_ms -= done_ms
            self._left_ms -= done_ms
            self._wait(done_ms / speed)

    def _rest(self, idle_ms: float) -> None:
        # A late credit of run-queue delay makes an interval's idle time negative, after an
        # earlier one had too much of it: only what exceeds all before is new.
        self._idle_ms += idle_ms
        new_ms = self._idle_ms - self._longest_idle_ms
        if new_ms > 0:
            self._longest_idle_ms = self._idle_ms
            self._wait(new_ms)

    def _wait(self, time_ms: float) -> None:
        self._now_ms += time_ms
        if self._now_ms >= self._period_end_ms - _ROUNDING_MS:
            periods = int((self._now_ms + _ROUNDING_MS) // CFS_PERIOD_MS)
            self._period_end_ms = (periods + 1) * CFS_PERIOD_MS
            self._left_ms = self._quota_ms


def cpu_share(memory_mb: int) -> float:
    """vCPUs at a memory size, without an upper bound."""
    return memory_mb / MB_PER_VCPU


def virtual_clock(model: CpuModel, share: float, cores: int) -> VirtualClock:
    """A clock at zero for work with `share` vCPUs on a host with `cores`."""
    if model == "linear":
        return LinearShare(share, cores, RUNTIME_CLIENT_CPU_MS)
    if model == "cfs20":
        return QuotaPeriods(share, cores)
    return WallTime()


def host_cpu_note(memory_mb: int, cores: int | None = None) -> str | None:
    """Why figures at this size are too slow for parallel code on this host, or None.

    `cores` are those of this host unless given.
    """
    share = cpu_share(memory_mb)
    cores = cores or os.cpu_count() or 1
    if share <= cores:
        return None
    return (
        f"{memory_mb} MB stand for {share:.1f} vCPU, and this host has {cores}: "
        f"code with more than {cores} busy threads would be faster on AWS"
    )
