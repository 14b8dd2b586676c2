"""The directory that a sandbox keeps its files in: the user's, or a temporary one.

A lock file says that a running sandbox owns the directory. Temporary directories of sandboxes that
were killed have no owner any more, and the next sandbox removes them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from core.errors import InputError

_PREFIX = "lambda-sandbox-"
_LOCK = "lock"


class StateDirectory:
    """A directory held by this process until `release`; a temporary one is removed then."""

    def __init__(self, path: Path | None) -> None:
        """Takes `path`, which is made where it does not exist, or a temporary directory.

        Raises:
            InputError: the directory cannot be written, or another sandbox holds it.
        """
        self.lasting = path is not None
        if path is None:
            remove_abandoned(Path(tempfile.gettempdir()))
            path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.path = path.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path)
        except BlockingIOError as error:
            raise InputError(
                f"state directory {path}: another sandbox uses it",
                hint="stop that one, or give another --state directory",
            ) from error
        except OSError as error:
            raise InputError(
                f"state directory {path}: could not write there: {error.strerror}",
                hint="give another --state directory",
            ) from error

    def release(self) -> None:
        """Lets go of the directory."""
        if not self.lasting:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def remove_abandoned(parent: Path) -> None:
    """Removes the temporary directories of sandboxes that ended without doing so."""
    for path in parent.glob(f"{_PREFIX}*"):
        # Without a lock file it may belong to a sandbox that is just starting.
        if not (path / _LOCK).exists():
            continue
        try:
            lock = _lock(path)
        except OSError:
            continue
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _lock(path: Path) -> int:
    """A file descriptor that holds the lock of `path`.

    Raises:
        BlockingIOError: another process, or another sandbox of this one, holds it.
    """
    descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
