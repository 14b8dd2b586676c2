"""A child in a process group of its own: spoken to within a time, and ended with its group."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

# How soon a stop, a limit or the end of a child that left its pipes to others is seen.
_GLANCE_S = 0.05
# What a child gets to tidy up in, after it was asked to end.
_GRACE_S = 2.0
_CHUNK_BYTES = 65_536
# More than a pipe holds.
_MOST_CHUNKS = 32


class ChildError(Exception):
    """When a program does not do what was asked of it.

    `complaint` is what it printed, of which the last line tells; `whole` is a message instead.
    """

    def __init__(self, problem: str, complaint: bytes = b"", *, whole: str = "") -> None:
        super().__init__(problem)
        self.complaint = complaint
        self.whole = whole


class ChildStopped(Exception):
    """When somebody asked to stop meanwhile."""


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long an answer is waited for; `stopped` ends that at once."""

    limit_s: float
    stopped: Callable[[], bool]
    began_s: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raises when it is over."""
        if self.stopped():
            raise ChildStopped
        if time.monotonic() - self.began_s > self.limit_s:
            raise ChildError(f"took longer than {self.limit_s:g} s")


@dataclass(frozen=True, slots=True)
class ProcessGroups:
    """The groups of the children that run; for the moment in which there is no time to wait."""

    running: set[int] = field(default_factory=set)

    def kill(self) -> None:
        """Ends them all at once. Safe in a signal handler: it takes no lock."""
        for group in tuple(self.running):
            _signal(group, signal.SIGKILL)


class Child:
    """A program that runs in a group of its own, with pipes at its three streams.

    Of what it prints `most_bytes` are kept: the beginning of stdout, the end of stderr.

    Raises:
        ChildError: when it cannot be started.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        groups: ProcessGroups,
        *,
        most_bytes: int,
    ) -> None:
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                # Not reached by Ctrl-C at the terminal, which only this process answers to.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise ChildError(f"could not be started: {why}") from error
        groups.running.add(self._process.pid)
        self._groups, self._most_bytes = groups, most_bytes
        self._said, self._complained = bytearray(), bytearray()
        for stream in self._streams():
            os.set_blocking(stream.fileno(), False)

    def finish(self, request: bytes, patience: Patience) -> bytes:
        """Gives it `request` as the whole of its stdin; gives its stdout when it has ended.

        What it leaves running in its group ends with it.

        Raises:
            ChildError: when it ends with another code than 0, or not in time.
            ChildStopped: when somebody asked to stop meanwhile.
        """
        self._exchange(request, patience, self._has_ended, close_stdin=True)
        _signal(self._process.pid, signal.SIGKILL)
        self._drain()
        if code := self._process.wait():
            raise ChildError(_ending(code), bytes(self._complained or self._said))
        return bytes(self._said)

    def ask(self, request: bytes, patience: Patience) -> bytes:
        """Sends `request` and gives the line that it answers with.

        Raises:
            ChildError: when it ends instead, or does not answer in time.
            ChildStopped: when somebody asked to stop meanwhile.
        """
        self._said.clear()
        self._complained.clear()
        self._exchange(
            request,
            patience,
            lambda: self._has_answered() or self._has_ended(),
            close_stdin=False,
        )
        self._drain()
        if self._said.endswith(b"\n"):
            return bytes(self._said)
        if len(self._said) > self._most_bytes:
            raise ChildError(f"answered more than {self._most_bytes} bytes")
        raise ChildError(_ending(self._process.wait()), bytes(self._complained))

    def end(self) -> None:
        """Ends the child and all that is left of its group; asks first, unless it has ended."""
        group = self._process.pid
        if not self._has_ended():
            _signal(group, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
        _signal(group, signal.SIGKILL)
        self._process.wait()
        self._groups.running.discard(group)
        for stream in self._streams():
            # What could not be written to a child that has ended is of no use to anybody.
            with contextlib.suppress(OSError):
                stream.close()

    def _streams(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        into, out, err = self._process.stdin, self._process.stdout, self._process.stderr
        if into is None or out is None or err is None:
            raise ValueError("a child has pipes at its three streams")
        return into, out, err

    def _has_ended(self) -> bool:
        return self._process.poll() is not None

    def _has_answered(self) -> bool:
        return self._said.endswith(b"\n") or len(self._said) > self._most_bytes

    def _exchange(
        self,
        request: bytes,
        patience: Patience,
        is_over: Callable[[], bool],
        *,
        close_stdin: bool,
    ) -> None:
        """Writes and reads, whichever is possible, until `is_over`."""
        into, out, err = self._streams()
        waiting = memoryview(request)
        with selectors.DefaultSelector() as selector:
            selector.register(into, selectors.EVENT_WRITE)
            selector.register(out, selectors.EVENT_READ)
            selector.register(err, selectors.EVENT_READ)
            while not is_over():
                patience.check()
                if not selector.get_map():
                    # It has closed its pipes: its end is seen sooner than at the next glance.
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(_GLANCE_S)
                    continue
                for key, _ in selector.select(_GLANCE_S):
                    if key.fileobj is not into:
                        if self._take(key.fd) == b"":
                            selector.unregister(key.fileobj)
                        continue
                    waiting = _written(key.fd, waiting)
                    if not waiting:
                        selector.unregister(into)
                        if close_stdin:
                            with contextlib.suppress(OSError):
                                into.close()

    def _drain(self) -> None:
        """Takes what the pipes hold, which is bounded; others may write to them for ever."""
        _, out, err = self._streams()
        for stream in (out, err):
            for _ in range(_MOST_CHUNKS):
                if not self._take(stream.fileno()):
                    break

    def _take(self, descriptor: int) -> bytes | None:
        """What has come: None when nothing has, empty when nothing will."""
        try:
            chunk = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return None
        if descriptor != self._streams()[1].fileno():
            self._complained += chunk
            del self._complained[: -self._most_bytes]
        elif len(self._said) <= self._most_bytes:
            self._said += chunk
        return chunk


def _written(descriptor: int, waiting: memoryview) -> memoryview:
    """What is left to write; nothing when nobody reads any more."""
    try:
        return waiting[os.write(descriptor, waiting[:_CHUNK_BYTES]) :]
    except BlockingIOError:
        return waiting
    except BrokenPipeError:
        return waiting[:0]


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _signal(group: int, number: signal.Signals) -> None:
    # On macOS a group of which only zombies are left may not be signalled.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
