"""The event that every invocation gets: read once, checked, and sent byte for byte."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from core.aws.limits import SYNC_PAYLOAD_MAX_BYTES
from core.errors import InputError

STDIN = "-"

# A string, so that a constant inside of one is passed over; or a constant that JSON does not have.
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)', re.DOTALL)


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
        # Bytes of the command line that are no UTF-8 come as surrogates: they are bytes again.
        return _checked(text.encode(errors="surrogateescape"), "--payload-json")
    if file is None:
        return Payload(b"{}")
    if not file:
        raise InputError("--payload: expected a JSON file, or - for stdin (got '')")
    if file == STDIN:
        return _checked(sys.stdin.buffer.read(), "stdin")
    try:
        return _checked(Path(file).read_bytes(), file)
    except OSError as error:
        raise InputError(f"--payload: {file}: could not read it: {error.strerror}") from error


def _checked(content: bytes, origin: str) -> Payload:
    """`content` as a payload, when Lambda takes it: JSON by RFC 8259, which is always UTF-8."""
    if len(content) > SYNC_PAYLOAD_MAX_BYTES:
        raise InputError(
            f"{origin}: expected at most {SYNC_PAYLOAD_MAX_BYTES} bytes, "
            f"Lambda's limit for a synchronous call (got {len(content)})"
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{origin}: expected a JSON payload in UTF-8 (byte {error.start}: {error.reason})"
        ) from error

    def refuse(constant: str) -> NoReturn:
        raise InputError(
            f"{origin}:{_place_of_constant(text)}: expected a JSON payload, "
            f"got {constant}, which JSON does not have"
        )

    try:
        # Numbers stay texts: Python would not read one of more than 4,300 digits.
        json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{origin}:{error.lineno}:{error.colno}: expected a JSON payload, got: {error.msg}"
        ) from error
    except RecursionError as error:
        raise InputError(f"{origin}: expected a JSON payload, got one nested too deep") from error
    return Payload(content)


def _place_of_constant(text: str) -> str:
    """Line and column of the first Infinity or NaN that stands outside of a string."""
    start = next(m.start(1) for m in _STRING_OR_CONSTANT.finditer(text) if m.group(1))
    line_start = text.rfind("\n", 0, start) + 1
    return f"{text.count(chr(10), 0, start) + 1}:{start - line_start + 1}"
