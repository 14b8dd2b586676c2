"""What a process used, on macOS: CPU and resident memory from libproc's proc_pid_rusage.

macOS tells neither run-queue wait nor, cheaply, descendants: a busy host counts as waiting, and
children of a handler are not seen.
"""

from __future__ import annotations

import ctypes
import math
import sys
import time
from collections.abc import Callable

from sandbox.execution.probe import Reading

_BYTES_PER_MB = 1024 * 1024
_RUSAGE_INFO_V0 = 0


class RusageInfo(ctypes.Structure):
    """`struct rusage_info_v0` of <sys/resource.h>; times are in Mach ticks."""

    _fields_ = (
        ("ri_uuid", ctypes.c_uint8 * 16),
        ("ri_user_time", ctypes.c_uint64),
        ("ri_system_time", ctypes.c_uint64),
        ("ri_pkg_idle_wkups", ctypes.c_uint64),
        ("ri_interrupt_wkups", ctypes.c_uint64),
        ("ri_pageins", ctypes.c_uint64),
        ("ri_wired_size", ctypes.c_uint64),
        ("ri_resident_size", ctypes.c_uint64),
        ("ri_phys_footprint", ctypes.c_uint64),
        ("ri_proc_start_abstime", ctypes.c_uint64),
        ("ri_proc_exit_abstime", ctypes.c_uint64),
    )


class _Timebase(ctypes.Structure):
    """`struct mach_timebase_info`: nanoseconds = ticks * numer / denom."""

    _fields_ = (("numer", ctypes.c_uint32), ("denom", ctypes.c_uint32))


# Fills the structure for a process id; gives 0 on success, as the C function does.
ReadUsage = Callable[[int, RusageInfo], int]


class MacProbe:
    """Reads one process through `read_usage`."""

    counting_s = 0.0

    def __init__(self, pid: int, read_usage: ReadUsage, ns_per_tick: float) -> None:
        self._pid = pid
        self._read_usage = read_usage
        self._ns_per_tick = ns_per_tick

    def read(self) -> Reading | None:
        """The counters now, or None when the process is gone."""
        usage = RusageInfo()
        now_ns = time.monotonic_ns()
        if self._read_usage(self._pid, usage) != 0:
            return None
        ticks = usage.ri_user_time + usage.ri_system_time
        return Reading(now_ns, int(ticks * self._ns_per_tick), 0)

    def begin(self) -> Reading | None:
        """As `read`."""
        return self.read()

    def resident_mb(self, known_mb: float = 0.0, limit_mb: float = math.inf) -> float:
        """Resident memory now."""
        usage = RusageInfo()
        if self._read_usage(self._pid, usage) != 0:
            return 0.0
        return float(usage.ri_resident_size) / _BYTES_PER_MB

    def descendants(self) -> tuple[int, ...]:
        """Not cheaply told, hence none."""
        return ()

    def peak_resident_mb(self) -> float:
        """macOS keeps no peak that another process may read, hence 0."""
        return 0.0

    def close(self) -> None:
        """Nothing to free."""


def available() -> bool:
    """Whether this is macOS."""
    return sys.platform.startswith("darwin")


def open_probe(pid: int) -> MacProbe:
    """A probe for a process, through the system's library."""
    library = ctypes.CDLL(None)
    timebase = _Timebase()
    library.mach_timebase_info(ctypes.byref(timebase))

    def read_usage(process: int, usage: RusageInfo) -> int:
        return int(library.proc_pid_rusage(process, _RUSAGE_INFO_V0, ctypes.byref(usage)))

    return MacProbe(pid, read_usage, timebase.numer / timebase.denom)
