"""Waking up at a given time, to a tenth of a millisecond.

gevent's own timers round up to whole milliseconds. On Linux a timerfd, watched by gevent's loop
like a socket, does not; elsewhere the last millisecond is spent yielding.
"""

from __future__ import annotations

import ctypes
import os
import sys
from time import perf_counter_ns
from typing import Any, Protocol

import gevent
from gevent.hub import get_hub
from greenlet import getcurrent

_READ = 1
_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_SPIN_NS = 1_500_000


class Alarm(Protocol):
    """Waits for times on the clock of `perf_counter_ns`."""

    def wait_until(self, at_ns: int) -> None:
        """Returns at `at_ns` or a little later; at once where that is over."""

    def close(self) -> None:
        """Gives back what it holds."""


def new_alarm() -> Alarm:
    """The most exact alarm that the machine has."""
    if sys.platform == "linux":
        try:
            return TimerAlarm()
        except OSError:
            pass
    return SleepAlarm()


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Interval(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class TimerAlarm:
    """A timerfd in gevent's loop.

    Raises:
        OSError: the system has none.
    """

    def __init__(self) -> None:
        # The standard library has timerfd from Python 3.13 on.
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._hub = get_hub()
        self._watcher: Any = self._hub.loop.io(self._fd, _READ)
        self._setting = _Interval()

    def wait_until(self, at_ns: int) -> None:
        """Returns at `at_ns` or a little later; at once where that is over."""
        ahead_ns = at_ns - perf_counter_ns()
        if ahead_ns <= 0:
            return
        self._setting.value.seconds, self._setting.value.nanoseconds = divmod(ahead_ns, 10**9)
        self._libc.timerfd_settime(self._fd, 0, ctypes.byref(self._setting), None)
        self._watcher.start(getcurrent().switch)
        try:
            self._hub.switch()
        finally:
            self._watcher.stop()
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Gives back the descriptor."""
        self._watcher.close()
        os.close(self._fd)


class SleepAlarm:
    """Sleeps, and yields for the last millisecond and a half."""

    def wait_until(self, at_ns: int) -> None:
        """Returns at `at_ns` or a little later; at once where that is over."""
        while (ahead_ns := at_ns - perf_counter_ns()) > 0:
            gevent.sleep((ahead_ns - _SPIN_NS) / 1e9 if ahead_ns > _SPIN_NS else 0)

    def close(self) -> None:
        """Nothing is held."""
