"""The injector processes of a run: started, spoken to over pipes, and never silently missed.

Locust and gevent live in these processes only. They have a session of their own, so that Ctrl-C
reaches only the command that has to write the result; they end when their stdin closes, which it
does even if the command is killed.
"""

from __future__ import annotations

import contextlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from core.errors import InputError, ToolError
from core.text import one_line
from loadgen.messages import Assignment, Control, Message, Ready, from_line, to_line

# Importing Locust takes a second on an idle machine.
_READY_TIMEOUT_S = 60.0
# From "go" to the first arrival: every injector has read the order by then.
_LEAD_S = 0.15
_END_TIMEOUT_S = 10.0
_MOST_STDERR = 2_000


@dataclass(frozen=True, slots=True)
class Ended:
    """An injector's process has ended; `code` is negative for a signal."""

    injector: int
    code: int
    words: str  # what it said last on stderr, one line

    @property
    def reason(self) -> str:
        """How it ended, in words."""
        if self.code < 0:
            with contextlib.suppress(ValueError):
                return f"was killed by {signal.Signals(-self.code).name}"
            return f"was killed by signal {-self.code}"
        said = f": {self.words}" if self.words else ""
        return f"ended with code {self.code}{said}"


Event = tuple[int, Message | Ended]


class Injectors:
    """The processes; use it as a context manager, which ends them whatever happens.

    Raises:
        InputError: an injector cannot begin with what the profile says.
        ToolError: one did not come up.
    """

    def __init__(self, assignments: Sequence[Assignment]) -> None:
        self._assignments = assignments
        self._children: list[subprocess.Popen[bytes]] = []
        self._talk: list[IO[bytes]] = []
        self._readers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        try:
            for assignment in self._assignments:
                self._start(assignment)
            self._await_ready()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def pids(self) -> list[int]:
        """Their process ids, by the number of the injector."""
        return [child.pid for child in self._children]

    def begin(self) -> float:
        """Starts the run; the time of its beginning in seconds since the epoch."""
        at_s = time.time() + _LEAD_S
        self._tell(Control("start", at_unix_ns=int(at_s * 1e9)))
        return at_s

    def stop(self) -> None:
        """Nothing more begins; what runs may end within the drain."""
        self._tell(Control("stop"))

    def abort(self) -> None:
        """Nothing more begins, and what runs is cut."""
        self._tell(Control("abort"))

    def send_segment(self, order: dict[str, Any]) -> None:
        """The next arrivals of a steered load."""
        self._tell(Control("segment", segment=order))

    def skip(self) -> None:
        """The rest of the arrivals of the segment is left out."""
        self._tell(Control("skip"))

    def end_segments(self) -> None:
        """No more segments come."""
        self._tell(Control("end"))

    def update(self, credentials: dict[str, Any]) -> None:
        """New credentials for the requests to come."""
        self._tell(Control("credentials", credentials=credentials))

    def end(self) -> None:
        """Ends all processes; those that do not are killed."""
        for child in self._children:
            if child.stdin is not None:
                with contextlib.suppress(OSError):
                    child.stdin.close()
        deadline = time.monotonic() + _END_TIMEOUT_S
        for child in self._children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for reader in self._readers:
            reader.join(timeout=_END_TIMEOUT_S)
        for child in self._children:
            if child.stdout is not None:
                child.stdout.close()
        for talk in self._talk:
            talk.close()

    def _start(self, assignment: Assignment) -> None:
        talk = tempfile.TemporaryFile()  # noqa: SIM115 # closed in `end`
        self._talk.append(talk)
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "loadgen.injector"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=talk,
            start_new_session=True,
        )
        self._children.append(child)
        reader = threading.Thread(
            target=self._read, args=(assignment.injector, child, talk), daemon=True
        )
        self._readers.append(reader)
        reader.start()
        self._write(child, to_line(assignment))

    def _read(self, injector: int, child: subprocess.Popen[bytes], talk: IO[bytes]) -> None:
        """Takes what an injector says until it ends, in a thread of its own."""
        words = ""
        try:
            for line in child.stdout or ():
                self.events.put((injector, from_line(line)))
        except ValueError as error:
            words = str(error)
            child.kill()
        code = child.wait()
        self.events.put((injector, Ended(injector, code, words or _last_words(talk))))

    def _await_ready(self) -> None:
        waiting = {assignment.injector for assignment in self._assignments}
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while waiting:
            try:
                injector, event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise ToolError(
                    f"{len(waiting)} injector(s) were not ready after {_READY_TIMEOUT_S:g} s",
                    hint="is the machine busy?",
                ) from None
            if isinstance(event, Ended):
                raise ToolError(f"injector {injector} did not start: it {event.reason}")
            if isinstance(event, Ready):
                if event.error:
                    raise InputError(event.error)
                waiting.discard(injector)

    def _tell(self, order: Control) -> None:
        line = to_line(order)
        with self._lock:
            for child in self._children:
                self._write(child, line)

    def _write(self, child: subprocess.Popen[bytes], line: bytes) -> None:
        # One that has ended says so as an event: there is nobody to tell.
        with contextlib.suppress(OSError, ValueError):
            if child.stdin is not None:
                child.stdin.write(line)
                child.stdin.flush()


def _last_words(talk: IO[bytes]) -> str:
    """The last line of stderr, where an error stands."""
    with contextlib.suppress(OSError, ValueError):
        talk.seek(0, 2)
        talk.seek(max(0, talk.tell() - _MOST_STDERR))
        lines = talk.read().decode(errors="replace").strip().splitlines()
        return one_line(lines[-1]) if lines else ""
    return ""
