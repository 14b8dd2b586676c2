"""Files that are either the old one or the new one, never half of each."""

from __future__ import annotations

import secrets
from pathlib import Path

from core.errors import InputError


def write_atomically(path: Path, text: str) -> None:
    """Writes `text` to `path` as UTF-8, through a file beside it that takes its place.

    Raises:
        InputError: if the file cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/stdout: there is nothing to replace.
            path.write_text(text, encoding="utf-8")
            return
        _replace(path.resolve(), text)
    except OSError as error:
        raise InputError(f"could not write {path}: {error.strerror or error}") from error


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
