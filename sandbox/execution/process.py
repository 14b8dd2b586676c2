"""One operating-system process of a runtime: its start, its output, its end."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from sandbox.execution import descriptors, libproc, procfs
from sandbox.execution.output import Output, OutputTail
from sandbox.execution.probe import BlindProbe, Probe
from sandbox.execution.reaper import Reaper
from sandbox.execution.runtimes import Launch, NotRunnable

_REAP_PAUSE_S = 0.001
_REAP_TIMEOUT_S = 10.0
# A pipe that its writer enlarged holds 1 MB (pipe(7)).
_READS_PER_CALL = 4


class RuntimeProcess:
    """A running process with a group of its own; what it prints is gathered.

    Must be created on the event loop. Starting blocks the loop for the 1-2 ms that fork and exec
    take, as asyncio's own subprocesses do.
    """

    def __init__(self, launch: Launch, code_dir: Path, reaper: Reaper) -> None:
        """Starts the process.

        Raises:
            NotRunnable: the system refuses to run the command.
            OSError: there are no descriptors left.
        """
        self._reaper = reaper
        self._output = OutputTail()
        self._pipe: int | None = None
        self._readable = select.poll()
        self._end = select.poll()
        self._descriptor: int | None = None  # of the process itself, where Linux gives one
        self.probe: Probe = BlindProbe()
        with ExitStack() as undo:
            reading_end, writing_end = os.pipe()
            undo.callback(os.close, reading_end)
            try:
                self._popen = _start(launch, code_dir, writing_end)
            finally:
                os.close(writing_end)
            # Runs after the kill: until then the group is there to be watched.
            undo.callback(reaper.forget, self._popen.pid)
            undo.callback(self._kill_and_collect)
            descriptors.limit_to_lambdas(self._popen.pid)
            os.set_blocking(reading_end, False)
            reaper.watch(self._popen.pid, launch.mark)
            self.probe = _open_probe(self._popen.pid)
            asyncio.get_running_loop().add_reader(reading_end, self._gather)
            self._pipe = reading_end
            self._descriptor = _descriptor_of(self._popen.pid)
            if self._descriptor is not None:
                self._end.register(self._descriptor, select.POLLIN)
            self._readable.register(reading_end, select.POLLIN)
            undo.pop_all()

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self._popen.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended; costs less than `returncode`."""
        if self._descriptor is None:
            return self._popen.poll() is not None
        return bool(self._end.poll(0))

    def returncode(self) -> int | None:
        """How the process ended, as subprocess tells it; None while it runs."""
        return self._popen.poll()

    def take_output(self) -> Output:
        """The end of what was printed since the last call, to the moment of this one."""
        for _ in range(_READS_PER_CALL):
            # Asking first costs less than a read that finds nothing, as for most calls.
            if self._pipe is None or not self._readable.poll(0):
                break
            self._gather()
            if not self._output.is_behind:
                break
        return self._output.take()

    def kill(self) -> None:
        """Kills the process and all that it started, without waiting."""
        # Read before the kill: of a process that has ended, nobody tells the children.
        strays = self.probe.descendants() if self._popen.poll() is None else ()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        for pid in strays:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Kills the group, waits until the process has ended, and frees what it held."""
        self.kill()
        deadline_s = time.monotonic() + _REAP_TIMEOUT_S
        while self._popen.poll() is None and time.monotonic() < deadline_s:
            await asyncio.sleep(_REAP_PAUSE_S)
        self._reaper.forget(self._popen.pid)
        self.probe.close()
        self._close_pipe()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _gather(self) -> None:
        if self._pipe is not None and not self._output.read_some(self._pipe):
            self._close_pipe()

    def _kill_and_collect(self) -> None:
        self.kill()
        self._popen.wait()

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            asyncio.get_running_loop().remove_reader(self._pipe)
            os.close(self._pipe)
            self._pipe = None


def _start(launch: Launch, code_dir: Path, output: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            launch.command,
            cwd=code_dir,
            env=dict(launch.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and descriptors.are_used_up(error):
            raise
        # ValueError: a NUL byte in the command or in a variable.
        raise NotRunnable(
            "Runtime.InvalidEntrypoint", f"could not start {launch.command[0]}: {error}"
        ) from error


def _descriptor_of(pid: int) -> int | None:
    """A descriptor that is readable from the end of a process on (pidfd_open(2)), if there are."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not on macOS, nor in every container
        return None


def _open_probe(pid: int) -> Probe:
    if procfs.available():
        return procfs.LinuxProbe(pid)
    if libproc.available():
        return libproc.open_probe(pid)
    return BlindProbe()
