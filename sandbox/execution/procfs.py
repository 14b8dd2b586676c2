"""What a process tree used: CPU, run-queue wait and resident memory, read from Linux's /proc.

CPU comes from the process's own CPU clock, which has nanoseconds and counts threads that have
ended; a reading of a single-threaded process takes some 15 µs. Descendants are followed through
`task/*/children`. CPU of descendants that ended between two readings is known in 10 ms ticks
only, and run-queue wait of threads that ended is known up to the last reading.

Memory of a descendant counts when two looks in a row saw it, and not while it still runs in its
parent's memory, between vfork and exec. Pages that a forked process shares are counted once where
the sum would make a difference: that reading (smaps_rollup) takes a millisecond for some 100 MB,
and is done as often as `CountSchedule` says.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from sandbox.execution.counting import CountSchedule
from sandbox.execution.probe import Reading

_NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_BYTES_PER_MB = 1024 * 1024
_READ_BYTES = 4096
_NO_MEMORY = b"0 0"


class LinuxProbe:
    """Reads one process and its descendants; holds a few open files until closed.

    Raises:
        OSError: there are no descriptors left for them.
    """

    def __init__(self, pid: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._pid = pid
        self._clock = clock
        self._schedule = CountSchedule()
        self._main = str(pid)
        self._task_dir = Path(f"/proc/{pid}/task")
        self._schedstat = f"task/{pid}/schedstat"
        self._own_children = f"task/{pid}/children"
        self._delay_ns_by_thread: dict[str, int] = {}
        self._delay_ns_of_ended_threads = 0
        self._reaped_ns = 0  # CPU of children that ended, at the last reading
        self._files: dict[str, int] = {}
        self._faults: tuple[bytes, bytes] | None = None  # minor and major ones, at the last reading
        self._peak_mb = 0.0
        self._faults_at_peak: tuple[bytes, bytes] | None = None
        self._parents: dict[int, int] = {}  # of each descendant
        self._seen: frozenset[int] = frozenset()  # descendants, at the last look at memory
        self._lasting: frozenset[int] = frozenset()  # those of them seen at the one before, too
        names = ("stat", "statm", "status", self._schedstat, self._own_children)
        try:
            for name in names:
                with suppress(FileNotFoundError, ProcessLookupError):
                    self._opened(name)
        except OSError:
            self.close()
            raise

    def read(self) -> Reading | None:
        """The counters now, or None when the process is gone."""
        try:
            now_ns = time.monotonic_ns()
            stat = self._stat()
            self._reaped_ns = (int(stat[13]) + int(stat[14])) * _NS_PER_TICK
            cpu_ns = _process_cpu_ns(self._pid) + self._reaped_ns
            self._faults = stat[7], stat[9]
            self._note_threads(int(stat[17]))
        except (OSError, ValueError, IndexError):
            self._faults = None
            return None
        if self._parents:
            cpu_ns += sum(map(_process_cpu_ns_or_zero, self._parents))
        delay_ns = self._delay_ns_of_ended_threads + sum(self._delay_ns_by_thread.values())
        threads = len(self._delay_ns_by_thread) + len(self._parents)
        return Reading(now_ns, cpu_ns, delay_ns, threads)

    def begin(self) -> Reading | None:
        """As `read`; of a process that was alone with one thread, only what has to be read."""
        delays_ns = self._delay_ns_by_thread
        if self._parents or len(delays_ns) != 1:
            return self.read()
        try:
            now_ns = time.monotonic_ns()
            cpu_ns = _process_cpu_ns(self._pid) + self._reaped_ns
            delays_ns[self._main] = _run_delay_ns(self._text(self._schedstat))
        except (OSError, ValueError, IndexError):
            return None
        return Reading(now_ns, cpu_ns, self._delay_ns_of_ended_threads + delays_ns[self._main], 1)

    @property
    def counting_s(self) -> float:
        """Seconds spent so far on counting the pages that processes share."""
        return self._schedule.spent_s

    def resident_mb(self, known_mb: float = 0.0, limit_mb: float = math.inf) -> float:
        """Resident memory of the tree as of the last reading; 0 when the process is gone.

        What is not above `known_mb` may have shared pages counted more than once. While a count of
        them is not due it is that of the process alone; it is due when the tree may have come to
        be above `limit_mb`.
        """
        if self._parents or self._seen:
            self._lasting = self._seen.intersection(self._parents)
            self._seen = frozenset(self._parents)
        statms = self._statms()
        sum_mb = sum(map(_resident_mb, statms.values()))
        self._schedule.is_owed = False
        if len(statms) <= 1 or sum_mb <= known_mb:
            return sum_mb
        if self._schedule.is_due(sum_mb, limit_mb, self._clock()):
            return self._counted_mb(statms)
        return _resident_mb(statms[self._pid])

    def _statms(self) -> dict[int, bytes]:
        """The memory figures of the tree; none when the process is gone."""
        try:
            own = self._text("statm")
        except OSError:
            return {}
        if not own:
            return {}
        statms = {self._pid: own}
        for pid in self._lasting:
            if (parent := self._parents.get(pid)) is not None:
                statm = _statm_of_its_own(pid, parent)
                if statm != _NO_MEMORY:
                    statms[pid] = statm
        return statms

    def _counted_mb(self, statms: dict[int, bytes]) -> float:
        """Resident memory of processes, pages that they share counted once."""
        began_s = self._clock()
        proportional_mb = sum(_proportional_mb(*entry) for entry in statms.items())
        counted_mb = max(_resident_mb(statms[self._pid]), proportional_mb)
        sum_mb = sum(map(_resident_mb, statms.values()))
        self._schedule.note(sum_mb, counted_mb, began_s, self._clock())
        return counted_mb

    def descendants(self) -> tuple[int, ...]:
        """The processes that this one and its descendants have started, as of now."""
        return tuple(pid for pid, _ in _family(self._pid, _children(self._pid)))

    def peak_resident_mb(self) -> float:
        """The most that the process itself ever had resident, as the kernel kept it.

        Or what its tree has now, where a count of that was put off. Memory grows by page faults
        only, so without any since the last look the kernel's figure, whose text takes it a long
        time, is the same.
        """
        if self._faults is None or self._faults != self._faults_at_peak:
            self._peak_mb = self._own_peak_mb()
            self._faults_at_peak = self._faults
        statms = self._statms() if self._schedule.is_owed else {}
        return max(self._peak_mb, self._counted_mb(statms)) if len(statms) > 1 else self._peak_mb

    def _own_peak_mb(self) -> float:
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
        return os.pread(self._opened(name), _READ_BYTES, 0)

    def _opened(self, name: str) -> int:
        descriptor = self._files.get(name)
        if descriptor is None:
            descriptor = os.open(f"/proc/{self._pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            self._files[name] = descriptor
        return descriptor

    def _stat(self) -> list[bytes]:
        """The fields of /proc/PID/stat (proc(5)), counted from 0 for the state.

        7 and 9 are page faults, 13 and 14 the CPU ticks of children that ended, 17 the threads.
        """
        # The command's name may hold blanks and brackets: the fields begin after its last bracket.
        return self._text("stat").rpartition(b")")[2].split(None, 18)

    def _note_threads(self, count: int) -> None:
        if count <= 1:
            delays_ns = self._delay_ns_by_thread
            if len(delays_ns) > 1:
                for thread in delays_ns.keys() - {self._main}:
                    self._delay_ns_of_ended_threads += delays_ns.pop(thread)
            delays_ns[self._main] = _run_delay_ns(self._text(self._schedstat))
            children = _whole(self._opened(self._own_children))
        else:
            children = b" ".join(self._note_each_thread())
        self._parents = dict(_family(self._pid, children)) if children else {}

    def _note_each_thread(self) -> Iterator[bytes]:
        known, self._delay_ns_by_thread = self._delay_ns_by_thread, {}
        for path in self._task_dir.iterdir():
            try:
                self._delay_ns_by_thread[path.name] = _run_delay_ns(_read(f"{path}/schedstat"))
                yield _read_list(f"{path}/children")
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


def _read_list(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _whole(descriptor)
    finally:
        os.close(descriptor)


def _whole(descriptor: int) -> bytes:
    """All of a list, which the kernel gives a page at a time, perhaps ending within a number."""
    whole = b""
    while chunk := os.pread(descriptor, _READ_BYTES, len(whole)):
        whole += chunk
    return whole


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


def _statm_of_its_own(pid: int, parent: int) -> bytes:
    """The memory figures of a process; all 0 when it is gone, or runs in its parent's memory.

    Between vfork and exec all its figures are the parent's. A forked process has others: it does
    not map the files of its parent's memory until it uses them.
    """
    before, statm, after = map(_statm, (parent, pid, parent))
    return _NO_MEMORY if statm in (before, after) else statm


def _statm(pid: int) -> bytes:
    try:
        return _read(f"/proc/{pid}/statm")
    except OSError:
        return _NO_MEMORY  # it has ended


def _proportional_mb(pid: int, statm: bytes) -> float:
    """Resident memory, each page divided by the number of processes that share it.

    Not readable for a process of another user, hence its resident memory then.
    """
    try:
        _, found, rest = _read(f"/proc/{pid}/smaps_rollup").partition(b"\nPss:")
    except OSError:
        return _resident_mb(statm)
    return int(rest.split(None, 1)[0]) / 1024 if found else _resident_mb(statm)


def _family(parent: int, children: bytes) -> Iterator[tuple[int, int]]:
    """Each descendant with its parent; `children` are the first generation."""
    for child in map(int, children.split()):
        yield child, parent
        yield from _family(child, _children(child))


def _children(pid: int) -> bytes:
    """The process ids of the children of all its threads; none when it is gone."""
    task_dir = Path(f"/proc/{pid}/task")
    try:
        # A directory's link count tells the number of threads without listing them.
        alone = task_dir.stat().st_nlink <= 3
        threads = [str(pid)] if alone else [path.name for path in task_dir.iterdir()]
    except OSError:
        return b""
    return b" ".join(_read_list_or_none(f"{task_dir}/{thread}/children") for thread in threads)


def _read_list_or_none(path: str) -> bytes:
    try:
        return _read_list(path)
    except OSError:
        return b""  # the thread has ended
