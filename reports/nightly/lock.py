"""One night of a plan at a time for one history, on one machine.

Two locks of the system, which gives them back when a process ends however it ends. A night holds
the first. What runs its steps holds the second: where a night was killed, its last step may still
be putting an account back in order, and the next night waits for that.

Nights on two machines, or of two users, do not see each other's locks: both are recorded, under ids
of their own. So that none goes on with a night that lives, each has its own folder locked besides.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from core.errors import InputError, Refused
from reports.nightly.child import GRACES
from reports.run_folder import safe_name

# The step of a killed night has its graces, and the system some seconds to take it away.
_PATIENCE_S = GRACES.total_s + 15.0
_TRY_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class NightLock:
    """Both locks, held; `steps` is the open file that goes to what runs the steps."""

    path: Path
    steps: int
    _claimed: list[int] = field(default_factory=list)

    def claim(self, folder: Path) -> bool:
        """Takes the folder of a night for as long as this lock is held; False where a night has it.

        Where the file system knows no locks, the lock of the plan has to do.
        """
        try:
            opened = os.open(folder, os.O_RDONLY)
        except OSError:
            return True
        self._claimed.append(opened)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def end(self) -> None:
        """Gives back the folders."""
        while self._claimed:
            os.close(self._claimed.pop())


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where locks are: under `$XDG_STATE_HOME` or `~/.local/state`, as the XDG standard says.

    Raises:
        InputError: when there is neither that variable nor a home.
    """
    configured = environment.get("XDG_STATE_HOME", "")
    if Path(configured).is_absolute():
        return Path(configured) / "lambda-perf-toolkit" / "nightly"
    try:
        home = Path.home()
    except RuntimeError as error:
        raise InputError(
            "there is no home folder to keep the lock of a night in",
            hint="set XDG_STATE_HOME to a folder that you may write",
        ) from error
    return home / ".local" / "state" / "lambda-perf-toolkit" / "nightly"


def lock_name(plan: str, history: str) -> str:
    """The same for the same plan and the same place of its history, in plain letters."""
    key = hashlib.sha256(f"{history}\n{plan}".encode()).hexdigest()[:12]
    return f"{safe_name(plan)}-{key}"


@contextmanager
def night_lock(
    folder: Path,
    name: str,
    now: datetime,
    say: Callable[[str], None],
    patience_s: float = _PATIENCE_S,
) -> Iterator[NightLock]:
    """Holds the lock of a plan's nights.

    Raises:
        Refused: another night of the plan runs, or the last step of one does not end.
        InputError: the files of the locks cannot be written.
    """
    path = folder / f"{name}.lock"
    with _opened(path) as night, _opened(folder / f"{name}.steps.lock") as steps:
        if not _taken(night):
            raise Refused(f"another night of this plan runs: {_words(path)}", hint=f"lock: {path}")
        _write_holder(night, now)
        _await_steps(steps, path, say, patience_s)
        lock = NightLock(path, steps.fileno())
        try:
            yield lock
        finally:
            lock.end()


def _await_steps(steps: IO[str], path: Path, say: Callable[[str], None], patience_s: float) -> None:
    """Waits until nothing of a killed night is left."""
    until = time.monotonic() + patience_s
    told = False
    while not _taken(steps):
        if not told:
            say("a night of this plan was killed, and its last step still ends: waiting for it")
            told = True
        if time.monotonic() >= until:
            raise Refused(
                f"the last step of a killed night has not ended after {patience_s:.0f} s",
                hint=f"`fuser {path.with_suffix('.steps.lock')}` names its process",
            )
        time.sleep(_TRY_EVERY_S)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"could not open the lock {path}: {error.strerror or error}",
            hint="set XDG_STATE_HOME to a folder that you may write",
        ) from error
    with opened:
        yield opened


def _taken(opened: IO[str]) -> bool:
    """Whether the lock is ours now. It ends with the file, so nobody removes the file."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise InputError(f"could not lock {opened.name}: {error.strerror or error}") from error
    return True


def _write_holder(opened: IO[str], now: datetime) -> None:
    with contextlib.suppress(OSError):  # a full disk: the lock holds without words
        opened.seek(0)
        opened.truncate()
        since = now.isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since_utc": since}, opened)
        opened.flush()


def _words(path: Path) -> str:
    """Who holds the lock, as far as it is written down."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return f"process {facts['pid']} on {facts['host']}, since {facts['since_utc']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "who it is is not known"
