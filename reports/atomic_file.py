"""Files that are either the old one or the new one, never half of each."""

from __future__ import annotations

import secrets
from pathlib import Path

from core.errors import InputError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes `content` to `path`, text as UTF-8, through a file beside it that takes its place.

    Raises:
        InputError: if the file cannot be written.
    """
    if isinstance(content, str):
        content = content.encode("utf-8")
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/stdout: there is nothing to replace.
            path.write_bytes(content)
            return
        _replace(path.resolve(), content)
    except OSError as error:
        raise InputError(f"could not write {path}: {error.strerror or error}") from error


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
