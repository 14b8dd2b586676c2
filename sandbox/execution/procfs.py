"""What a process tree used: CPU, run-queue wait and resident memory, read from Linux's /proc.

CPU comes from the process's own CPU clock, which has nanoseconds and counts threads that have
ended; a reading of a single-threaded process takes some 15 µs. Descendants are followed through
`task/*/children`. CPU of descendants that ended between two readings is known in 10 ms ticks
only, and run-queue wait of threads that ended is known up to the last reading.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.execution.probe import Reading

_NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_BYTES_PER_MB = 1024 * 1024
_READ_BYTES = 4096


class LinuxProbe:
    """Reads one process and its descendants; holds a few open files until closed."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._task_dir = Path(f"/proc/{pid}/task")
        self._delay_ns_by_thread: dict[str, int] = {}
        self._delay_ns_of_ended_threads = 0
        self._files: dict[str, int] = {}
        self._descendants: tuple[int, ...] = ()

    def read(self) -> Reading | None:
        """The counters now, or None when the process is gone."""
        try:
            now_ns = time.monotonic_ns()
            cpu_ns = _process_cpu_ns(self._pid) + self._reaped_cpu_ns()
            self._note_threads()
        except (OSError, ValueError, IndexError):
            return None
        cpu_ns += sum(_process_cpu_ns_or_zero(pid) for pid in self._descendants)
        delay_ns = self._delay_ns_of_ended_threads + sum(self._delay_ns_by_thread.values())
        threads = len(self._delay_ns_by_thread) + len(self._descendants)
        return Reading(now_ns, cpu_ns, delay_ns, threads)

    def resident_mb(self) -> float:
        """Resident memory of the tree; pages that its processes share count for each of them."""
        try:
            own_mb = _resident_mb(self._text("statm"))
        except (OSError, IndexError):
            return 0.0
        return own_mb + sum(_resident_mb_or_zero(pid) for pid in self._descendants)

    def peak_resident_mb(self) -> float:
        """The most that the process itself ever had resident, as the kernel kept it."""
        try:
            status = self._text("status")
        except OSError:
            return 0.0
        _, found, rest = status.partition(b"VmHWM:")
        return int(rest.split(None, 1)[0]) / 1024 if found else 0.0

    def close(self) -> None:
        """Closes the files."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()

    def _text(self, name: str) -> bytes:
        descriptor = self._files.get(name)
        if descriptor is None:
            descriptor = os.open(f"/proc/{self._pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            self._files[name] = descriptor
        return os.pread(descriptor, _READ_BYTES, 0)

    def _reaped_cpu_ns(self) -> int:
        # The command's name may hold blanks and brackets: count fields from its last bracket.
        fields = self._text("stat").rpartition(b")")[2].split(None, 15)
        return (int(fields[13]) + int(fields[14])) * _NS_PER_TICK

    def _note_threads(self) -> None:
        # A directory's link count tells the number of threads without listing them.
        if self._task_dir.stat().st_nlink <= 3:
            main = str(self._pid)
            for thread in self._delay_ns_by_thread.keys() - {main}:
                self._delay_ns_of_ended_threads += self._delay_ns_by_thread.pop(thread)
            self._delay_ns_by_thread[main] = _run_delay_ns(self._text(f"task/{main}/schedstat"))
            children = self._text(f"task/{main}/children")
        else:
            children = b" ".join(self._note_each_thread())
        self._descendants = tuple(_family(children)) if children else ()

    def _note_each_thread(self) -> Iterator[bytes]:
        known, self._delay_ns_by_thread = self._delay_ns_by_thread, {}
        for path in self._task_dir.iterdir():
            try:
                self._delay_ns_by_thread[path.name] = _run_delay_ns(_read(f"{path}/schedstat"))
                yield _read(f"{path}/children")
            except OSError:
                continue  # the thread ended since it was listed
        ended = known.keys() - self._delay_ns_by_thread.keys()
        self._delay_ns_of_ended_threads += sum(known[thread] for thread in ended)


def available() -> bool:
    """Whether this host has what the probe reads."""
    return Path("/proc/self/schedstat").exists() and Path("/proc/self/statm").exists()


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _READ_BYTES)
    finally:
        os.close(descriptor)


def _process_cpu_ns(pid: int) -> int:
    # Linux's encoding of the CPU clock of another process (clock_getcpuclockid).
    return time.clock_gettime_ns((~pid << 3) | 2)


def _process_cpu_ns_or_zero(pid: int) -> int:
    try:
        return _process_cpu_ns(pid)
    except OSError:
        return 0


def _run_delay_ns(schedstat: bytes) -> int:
    return int(schedstat.split()[1])


def _resident_mb(statm: bytes) -> float:
    return int(statm.split(None, 2)[1]) * _PAGE_BYTES / _BYTES_PER_MB


def _resident_mb_or_zero(pid: int) -> float:
    try:
        return _resident_mb(_read(f"/proc/{pid}/statm"))
    except (OSError, IndexError):
        return 0.0


def _family(children: bytes) -> Iterator[int]:
    for child in children.split():
        yield int(child)
        try:
            grandchildren = _read(f"/proc/{int(child)}/task/{int(child)}/children")
        except OSError:
            continue
        yield from _family(grandchildren)
