"""Files that are either the old one or the new one, never half of each."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from core.errors import InputError

_STREAMS = {
    f"{folder}/{name}": number
    for number, word in ((1, "stdout"), (2, "stderr"))
    for folder, name in (("/dev", word), ("/dev/fd", number), ("/proc/self/fd", number))
}


def stream_of(path: Path) -> int | None:
    """1 where `path` is a name of stdout, 2 of stderr, None for any other file."""
    return _STREAMS.get(str(path))


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes `content` to `path`, text as UTF-8, through a file beside it that takes its place.

    What goes to stdout or stderr follows what is there: `>> summary.md` loses nothing.

    Raises:
        BrokenPipeError: if the reader of stdout went away.
        InputError: if the file cannot be written.
    """
    if isinstance(content, str):
        content = content.encode("utf-8")
    stream = stream_of(path)
    try:
        if stream is not None:
            _append(stream, content)
            return
        if path.exists() and not path.is_file():
            # A device or a pipe: there is nothing to replace.
            path.write_bytes(content)
            return
        _replace(path.resolve(), content)
    except OSError as error:
        if stream is not None and isinstance(error, BrokenPipeError):
            raise
        raise InputError(f"could not write {path}: {error.strerror or error}") from error


def _append(stream: int, content: bytes) -> None:
    for talk in (sys.stdout, sys.stderr):
        talk.flush()
    with open(stream, "wb", closefd=False) as opened:  # a number, not a path
        opened.write(content)


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
