"""The event that every invocation gets: read once, checked, and sent byte for byte."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from core.aws.limits import SYNC_PAYLOAD_MAX_BYTES
from core.errors import InputError

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Payload:
    """A JSON event, as bytes."""

    content: bytes

    @property
    def sha256(self) -> str:
        """Identifies the payload in a result without showing it."""
        return hashlib.sha256(self.content).hexdigest()


def read_payload(*, file: str | None, text: str | None) -> Payload:
    """The payload from a file (`-` is stdin), or given as text; `{}` when neither is given.

    Raises:
        InputError: when both are given, or it cannot be read, is no JSON or is too large.
    """
    if file is not None and text is not None:
        raise InputError("--payload-json: give either --payload or --payload-json, not both")
    if text is not None:
        return _checked(text.encode(), "--payload-json")
    if file is None:
        return Payload(b"{}")
    if file == STDIN:
        return _checked(sys.stdin.buffer.read(), "stdin")
    try:
        return _checked(Path(file).read_bytes(), file)
    except OSError as error:
        raise InputError(f"--payload: {file}: could not read it: {error.strerror}") from error


def _checked(content: bytes, origin: str) -> Payload:
    if len(content) > SYNC_PAYLOAD_MAX_BYTES:
        raise InputError(
            f"{origin}: expected at most {SYNC_PAYLOAD_MAX_BYTES} bytes, "
            f"Lambda's limit for a synchronous call (got {len(content)})"
        )
    try:
        json.loads(content)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{origin}: expected a JSON payload in UTF-8 (byte {error.start}: {error.reason})"
        ) from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{origin}:{error.lineno}:{error.colno}: expected a JSON payload, got: {error.msg}"
        ) from error
    except RecursionError as error:
        raise InputError(f"{origin}: expected a JSON payload, got one nested too deep") from error
    return Payload(content)
