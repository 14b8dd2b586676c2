"""Calls at a given time, to a tenth of a millisecond.

gevent's own timers round up to whole milliseconds. On Linux a timerfd, watched by gevent's loop
like a socket, does not; elsewhere the last millisecond is spent in short turns of the loop.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Protocol

from gevent.hub import get_hub
from greenlet import getcurrent

_READ = 1
_CLOCK_MONOTONIC = 1  # that of perf_counter_ns on Linux
_TFD_TIMER_ABSTIME = 1
_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_SPIN_NS = 1_500_000


class Alarm(Protocol):
    """Calls back, in the loop, at times on the clock of `perf_counter_ns`."""

    def set(self, at_ns: int) -> None:
        """Calls once at `at_ns` or a little later, and not at what was set before."""

    def close(self) -> None:
        """Calls no more, and gives back what it holds."""


def new_alarm(ring: Callable[[], object]) -> Alarm:
    """The most exact alarm that the machine has; `ring` has to set it again, or to close it."""
    if sys.platform == "linux":
        try:
            return TimerAlarm(ring)
        except OSError:
            pass
    return LoopAlarm(ring)


class Sleeper:
    """Waits for times instead of being called."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._waiting: Callable[[], object] | None = None
        self._alarm = new_alarm(self._ring)

    def wait_until(self, at_ns: int) -> None:
        """Returns at `at_ns` or a little later; at once where that is over."""
        if at_ns <= perf_counter_ns():
            return
        self._waiting = getcurrent().switch
        self._alarm.set(at_ns)
        try:
            self._hub.switch()
        finally:
            self._waiting = None

    def _ring(self) -> None:
        # Far away: nothing rings until the next wait sets it.
        self._alarm.set(perf_counter_ns() + 10**18)
        if self._waiting is not None:
            self._waiting()

    def close(self) -> None:
        """Gives back what it holds."""
        self._alarm.close()


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Interval(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class TimerAlarm:
    """A timerfd in gevent's loop.

    It is never read: setting it again is what makes it silent.

    Raises:
        OSError: the system has none.
    """

    def __init__(self, ring: Callable[[], object]) -> None:
        # The standard library has timerfd from Python 3.13 on.
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._settime = libc.timerfd_settime
        self._setting = _Interval()
        self._reference = ctypes.byref(self._setting)
        self._watcher: Any = get_hub().loop.io(self._fd, _READ)
        self._watcher.start(ring)

    def set(self, at_ns: int) -> None:
        """Calls once at `at_ns` or a little later, and not at what was set before."""
        value = self._setting.value
        value.seconds, value.nanoseconds = divmod(at_ns, 1_000_000_000)
        self._settime(self._fd, _TFD_TIMER_ABSTIME, self._reference, None)

    def close(self) -> None:
        """Gives back the descriptor."""
        self._watcher.close()
        os.close(self._fd)


class LoopAlarm:
    """gevent's timer, and turns of the loop for the last millisecond and a half."""

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._at_ns = 0
        self._timer: Any = None

    def set(self, at_ns: int) -> None:
        """Calls once at `at_ns` or a little later, and not at what was set before."""
        self._at_ns = at_ns
        self._wait()

    def close(self) -> None:
        """Calls no more."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _wait(self) -> None:
        self.close()
        ahead_ns = self._at_ns - perf_counter_ns()
        self._timer = get_hub().loop.timer(max(0.0, (ahead_ns - _SPIN_NS) / 1e9))
        self._timer.start(self._look)

    def _look(self) -> None:
        if perf_counter_ns() < self._at_ns:
            self._wait()
        else:
            self.close()
            self._ring()
