"""Directories that nobody is to write in, and how they are removed all the same."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

_WRITE_BITS = 0o222
_READ_ONLY_DIRECTORY = 0o555
_OWNED_DIRECTORY = 0o700


def make_read_only(directory: Path) -> None:
    """Takes the right to write from all that is in `directory`, and from itself.

    The superuser can write nevertheless. Symbolic links are left as they are.
    """
    for parent, _, names in os.walk(directory):
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~_WRITE_BITS)
        Path(parent).chmod(_READ_ONLY_DIRECTORY)


def remove_tree(directory: Path) -> None:
    """Removes a directory as far as that is possible, read-only ones inside of it too."""
    if directory.is_symlink():
        return  # what it points to is somebody else's
    for parent, names, _ in os.walk(directory):
        # Before the walk goes on into them, which it could not without the right to read.
        for path in (Path(parent), *(Path(parent, name) for name in names)):
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(_OWNED_DIRECTORY)
    shutil.rmtree(directory, ignore_errors=True)
