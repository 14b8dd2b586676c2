"""A step as a child process: started, waited for, and ended in order when its time is over.

The child's document goes from its stdout to a file, its words to a log. A keeper stands in between
(`reports/nightly/keeper.py`), so that the child is ended in order even if the night is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import InputError
from core.interrupt import StopRequest
from core.text import one_line

# How often a child is looked at. Where it sends load from this machine, that must cost nothing;
# one that ends at once is looked at more often in the beginning.
_LOOK_EVERY_S = 0.1
_FIRST_LOOK_S = 0.01
# Beyond the graces: from the last SIGKILL until the system has taken the processes away.
_BURIAL_S = 10.0
_MOST_WORDS_BYTES = 2_000
_KEEPER = Path(__file__).with_name("keeper.py")


@dataclass(frozen=True, slots=True)
class Graces:
    """How long a child may take to end: after SIGINT, and after SIGTERM before SIGKILL.

    A tuning deletes its versions one by one, and AWS may throttle that: a minute.
    """

    interrupt_s: float = 60.0
    terminate_s: float = 15.0

    @property
    def total_s(self) -> float:
        """The most that it takes until nothing is left."""
        return self.interrupt_s + self.terminate_s


GRACES = Graces()


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, where its document and its words go, and how long it may take.

    `held` are open files that count as open for as long as the child lives.
    """

    command: Sequence[str]
    answer: Path
    log: Path
    time_limit_s: float
    graces: Graces = GRACES
    held: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended; `code` is negative for a signal, `words` the last line of its log."""

    how: Literal["ended", "timed out", "stopped"]
    code: int
    seconds: float
    words: str

    @property
    def reason(self) -> str:
        """How it ended, in words."""
        said = f": {self.words}" if self.words else ""
        if self.code >= 0:
            return f"ended with code {self.code}{said}"
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-self.code).name}{said}"
        return f"was killed by signal {-self.code}{said}"


def run_child(
    order: Order, stop: StopRequest, on_look: Callable[[float], None] = lambda seconds: None
) -> Ending:
    """Runs a child to its end, to its time limit, or until a stop is requested.

    The limit goes by the monotonic clock: a wall clock that is set neither ends nor prolongs it.
    `on_look` is called with the seconds so far, several times a second.

    Raises:
        InputError: if the files of the child cannot be written.
    """
    began = time.monotonic()
    keeper = _start(order)
    how: Literal["ended", "timed out", "stopped"] = "ended"
    try:
        while keeper.poll() is None:
            seconds = time.monotonic() - began
            if seconds >= order.time_limit_s:
                how = "timed out"
                break
            if stop.wait(min(_LOOK_EVERY_S, max(_FIRST_LOOK_S, seconds / 10))):
                how = "stopped"
                break
            on_look(seconds)
    finally:
        code = _end(keeper, order.graces, cut=how != "ended")
    return Ending(how, code, time.monotonic() - began, last_words(order.log))


def _start(order: Order) -> subprocess.Popen[bytes]:
    graces = (str(order.graces.interrupt_s), str(order.graces.terminate_s))
    # By its path and without what is installed: it starts in some hundredths of a second.
    keeper = [sys.executable, "-I", "-S", str(_KEEPER), *graces, *order.command]
    try:
        with order.answer.open("wb") as answer, order.log.open("ab") as log:
            return subprocess.Popen(
                keeper,
                stdin=subprocess.PIPE,
                stdout=answer,
                stderr=log,
                start_new_session=True,
                pass_fds=order.held,
            )
    except OSError as error:
        raise InputError(f"could not start a step: {error.filename}: {error.strerror}") from error


def _end(keeper: subprocess.Popen[bytes], graces: Graces, *, cut: bool) -> int:
    """The exit code of a keeper that has ended, or, with `cut`, that ends its child now."""
    if keeper.stdin is not None:
        keeper.stdin.close()
    try:
        code = keeper.wait(graces.total_s + _BURIAL_S)
    except subprocess.TimeoutExpired:
        code = -signal.SIGKILL
    if code == -signal.SIGKILL:
        # Perhaps the keeper alone was killed: the child is of its group and must not go on.
        _end_group(keeper.pid, Graces(0.0, 0.0) if cut else graces)
        keeper.wait()
    return code


def _end_group(group: int, graces: Graces) -> None:
    for number, grace_s in (
        (signal.SIGINT, graces.interrupt_s),
        (signal.SIGTERM, graces.terminate_s),
        (signal.SIGKILL, 0.0),
    ):
        if not _signal_group(group, number):
            return
        until = time.monotonic() + grace_s
        while time.monotonic() < until:
            if not _signal_group(group, 0):
                return
            time.sleep(_LOOK_EVERY_S)


def _signal_group(group: int, number: int) -> bool:
    """Whether there is anything left in the process group."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # macOS answers the latter for a group of which only zombies are left.
        return False
    return True


def last_words(log: Path) -> str:
    """The last line of a log, where an error stands."""
    with contextlib.suppress(OSError), log.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - _MOST_WORDS_BYTES))
        lines = opened.read().decode(errors="replace").strip().splitlines()
        return one_line(lines[-1]) if lines else ""
    return ""
