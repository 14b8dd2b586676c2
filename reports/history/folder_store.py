"""A history in a folder: each object is a file, which appears whole or not at all.

An object is written to a hidden file beside it, brought to the disk, and then linked to its name.
A link is not made where there is a file of that name, so of two writers one is told, and a process
that is killed leaves at most a hidden file. Such files are no objects; they are removed when they
are a day old.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import InputError, ToolError
from reports.history.encoding import MOST_BYTES
from reports.history.store import AlreadyThere, ObjectGone, ObjectUnreadable, StoredObject

_BESIDE = ".tmp"
# No write takes this long, on any disk or network.
_LEFT_BEHIND_S = 86_400
# What file systems without hard links answer: FAT, some network file systems, some containers.
_NO_LINKS = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
)


class FolderStore:
    """Objects below `folder`, which is made when the first is written."""

    at_once = 1

    def __init__(self, folder: Path, place: str = "") -> None:
        self.folder = folder
        self._place = place or str(folder)

    @property
    def place(self) -> str:
        """The folder, as the user wrote it."""
        return self._place

    def write(self, name: str, data: bytes) -> None:
        """Creates the file `name`, whole or not at all."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = written_beside(path, data)
            try:
                put_in_place(beside, path)
            finally:
                beside.unlink(missing_ok=True)
            _to_disk(path.parent)
            _remove_left_behind(path.parent, time.time() - _LEFT_BEHIND_S)
        except FileExistsError as error:
            if not path.parent.is_dir():
                reason = "a part of the path is a file"
                raise InputError(f"could not write {path}: {reason}") from error
            raise AlreadyThere(f"could not write {path}: it is there already") from error
        except OSError as error:
            raise ToolError(f"could not write {path}: {error.strerror or error}") from error

    def read(self, name: str) -> bytes:
        """The bytes of the file `name`."""
        path = self.folder / name
        try:
            with path.open("rb") as opened:
                data = opened.read(MOST_BYTES + 1)
        except FileNotFoundError as error:
            raise ObjectGone(f"could not read {path}: it is gone") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise ObjectUnreadable(f"could not read {path}: {reason}") from error
        if len(data) > MOST_BYTES:
            raise ObjectUnreadable(f"could not read {path}: it has more than {MOST_BYTES} bytes")
        return data

    def objects(self, prefix: str) -> Sequence[StoredObject]:
        """All files whose name begins with `prefix`, by name; hidden ones are none."""
        below = prefix[: prefix.rfind("/") + 1]
        try:
            found = [
                StoredObject(name, tag)
                for name, tag in _files(self.folder / below, below)
                if name.startswith(prefix)
            ]
        except OSError as error:
            raise ToolError(
                f"could not list the history {self._place}: {error.strerror or error}"
            ) from error
        return sorted(found, key=lambda entry: entry.name)

    def delete(self, name: str) -> None:
        """Removes the file `name`."""
        path = self.folder / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ToolError(f"could not delete {path}: {error.strerror or error}") from error


def written_beside(path: Path, data: bytes) -> Path:
    """A hidden file beside `path` with these bytes, which are on the disk when it returns."""
    beside = path.with_name(f".{secrets.token_hex(8)}{_BESIDE}")
    with beside.open("xb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    return beside


def put_in_place(beside: Path, path: Path) -> None:
    """Gives the file `beside` the name `path` as well, unless that is taken.

    Where a file system has no links, it is renamed after a look: two writers at the same moment
    could then replace each other, but names end with random ids, and no two writers share one.

    Raises:
        FileExistsError: when there is a file of that name.
    """
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        beside.rename(path)


def _to_disk(folder: Path) -> None:
    """Brings the names in `folder` to the disk, where the system can."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(opened)


def _remove_left_behind(folder: Path, before_unix_s: float) -> None:
    for path in folder.glob(f".*{_BESIDE}"):
        try:
            if path.stat().st_mtime < before_unix_s:
                path.unlink()
        except OSError:
            continue  # another process was first, or it is not ours to remove


def _files(folder: Path, below: str) -> Iterator[tuple[str, str]]:
    """Name and tag of each file below `folder` that is not hidden; links are not followed."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), f"{below}{entry.name}/")
            continue
        try:
            status = entry.stat()
        except FileNotFoundError:
            continue  # it was deleted meanwhile, or is a link that leads nowhere
        if stat.S_ISREG(status.st_mode):
            yield f"{below}{entry.name}", f"{status.st_size}-{status.st_mtime_ns}"
