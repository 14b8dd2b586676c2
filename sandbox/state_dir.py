"""The directory that a sandbox keeps its files in: the user's, or a temporary one.

A lock file says that a running sandbox owns the directory. Temporary directories of sandboxes that
were killed have no owner any more, and the next sandbox removes them. A marker file tells them from
the user's directories, whatever those are called. It is made after the lock is held and read before
the lock is tried, so that a directory is never taken away from a sandbox that is just starting.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from core.errors import InputError
from sandbox.removal import remove_tree

_PREFIX = "lambda-sandbox-"
_LOCK = "lock"
_REGION = "region"
_MARKER = ".lambda-sandbox-temporary"


class StateDirectory:
    """A directory held by this process until `release`; a temporary one is removed then."""

    def __init__(self, path: Path | None) -> None:
        """Takes `path`, which is made where it does not exist, or a temporary directory.

        Raises:
            InputError: the directory cannot be written, or another sandbox holds it.
        """
        self.lasting = path is not None
        try:
            if path is None:
                remove_abandoned(Path(tempfile.gettempdir()))
                path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self.path = path.absolute()
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path)
            self._mark()
        except BlockingIOError as error:
            raise InputError(
                f"state directory {path}: another sandbox uses it",
                hint="stop that one, or give another --state directory",
            ) from error
        except OSError as error:
            raise InputError(
                f"state directory {path or tempfile.tempdir}: could not write there: "
                f"{error.strerror}",
                hint="give another --state directory",
            ) from error

    def _mark(self) -> None:
        """Says whether the directory may be removed when its owner is gone."""
        marker = self.path / _MARKER
        if self.lasting:
            # It was a killed sandbox's, and somebody keeps it from now on.
            marker.unlink(missing_ok=True)
        else:
            marker.touch()

    def keep_to(self, region: str) -> None:
        """Refuses another region than the one that a lasting directory was made in.

        What is saved there has ARNs, which would lead nowhere in another region.

        Raises:
            InputError: it is of another region, or cannot be written.
        """
        if not self.lasting:
            return
        file = self.path / _REGION
        try:
            found = file.read_text(encoding="utf-8").strip() if file.exists() else None
            if found is None:
                file.write_text(f"{region}\n", encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{file}: could not read or write the region of the state: {error}",
                hint="give another --state directory",
            ) from error
        if found not in (None, region):
            raise InputError(
                f"state directory {self.path}: is of the region {found} (got {region})",
                hint=f"start it with --region {found}, or give another --state directory",
            )

    def release(self) -> None:
        """Lets go of the directory."""
        if not self.lasting:
            remove_tree(self.path)
        os.close(self._lock)


def remove_abandoned(parent: Path) -> None:
    """Removes the temporary directories of sandboxes that ended without doing so."""
    for path in parent.glob(f"{_PREFIX}*"):
        try:
            _remove_if_abandoned(path)
        except OSError:
            continue  # it has an owner, or belongs to another user


def _remove_if_abandoned(path: Path) -> None:
    marker = path / _MARKER
    # Before the lock: a sandbox that has not made its marker yet may be about to lock.
    if not marker.exists():
        return
    lock = _lock(path, create=False)
    # And with it: the directory may have become somebody's own meanwhile.
    if marker.exists():
        remove_tree(path)
    os.close(lock)


def _lock(path: Path, *, create: bool = True) -> int:
    """A file descriptor that holds the lock of `path`.

    Raises:
        BlockingIOError: another process, or another sandbox of this one, holds it.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    descriptor = os.open(path / _LOCK, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
