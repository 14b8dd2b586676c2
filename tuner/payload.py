"""The events that invocations get: read once, checked, and sent byte for byte."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from core.aws.limits import SYNC_PAYLOAD_MAX_BYTES
from core.errors import InputError

STDIN = "-"
S3_SCHEME = "s3://"

# Reads what is behind an s3:// URL, at most so many bytes of it.
Fetch = Callable[[str, int], bytes]

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


def read_payload(*, file: str | None, text: str | None, fetch: Fetch | None = None) -> Payload:
    """The payload from a file (`-` is stdin) or s3:// URL, or given as text; else `{}`.

    Raises:
        InputError: when both are given, or it cannot be read, is no JSON or is too large.
        AwsError: when S3 cannot be read.
    """
    if file is not None and text is not None:
        raise InputError("--payload-json: give either --payload or --payload-json, not both")
    if text is not None:
        # Bytes of the command line that are no UTF-8 come as surrogates: they are bytes again.
        return checked(text.encode(errors="surrogateescape"), "--payload-json")
    if file is None:
        return Payload(b"{}")
    if not file:
        raise InputError("--payload: expected a JSON file, or - for stdin (got '')")
    content = read_source(file, "--payload", SYNC_PAYLOAD_MAX_BYTES, fetch)
    return checked(content, "stdin" if file == STDIN else file)


def read_source(source: str, option: str, most_bytes: int, fetch: Fetch | None) -> bytes:
    """The bytes of a file, of stdin, or of an object in S3; no more than one beyond the limit.

    Raises:
        InputError: naming `option`, the source and why it cannot be read.
        AwsError: when S3 cannot be read.
    """
    if source.startswith(S3_SCHEME):
        if fetch is None:
            raise InputError(f"{option}: expected a file, not s3:// (got {source!r})")
        return fetch(source, most_bytes)
    if source == STDIN:
        # One more than may be: what is too long, or never ends, is found to be so.
        return sys.stdin.buffer.read(most_bytes + 1)
    try:
        with Path(source).open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        raise InputError(f"{option}: {source}: could not read it: {error.strerror}") from error
    except ValueError as error:  # a zero byte in the name
        raise InputError(f"{option}: could not read {source!r}: {error}") from error


def checked(content: bytes, origin: str) -> Payload:
    """`content` as a payload, when Lambda takes it: JSON by RFC 8259, which is always UTF-8.

    Raises:
        InputError: naming `origin` and what is wrong, with the place but without the content.
    """
    check_size(content, origin)
    text = decoded(content, origin)
    try:
        # Numbers stay texts: Python would not read one of more than 4,300 digits.
        json.loads(
            text, parse_constant=refusing_constants(text, origin), parse_int=str, parse_float=str
        )
    except json.JSONDecodeError as error:
        raise InputError(
            f"{origin}:{error.lineno}:{error.colno}: expected a JSON payload, got: {error.msg}"
        ) from error
    except RecursionError as error:
        raise InputError(f"{origin}: expected a JSON payload, got one nested too deep") from error
    return Payload(content)


def check_size(content: bytes, origin: str) -> None:
    """Refuses what Lambda would not take.

    Raises:
        InputError: with the limit.
    """
    if len(content) > SYNC_PAYLOAD_MAX_BYTES:
        raise InputError(
            f"{origin}: expected at most {SYNC_PAYLOAD_MAX_BYTES} bytes, "
            f"Lambda's limit for a synchronous call (got more)"
        )


def decoded(content: bytes, origin: str) -> str:
    """The text of JSON, which is always UTF-8.

    Raises:
        InputError: naming the first byte that is not.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{origin}: expected a JSON payload in UTF-8 (byte {error.start}: {error.reason})"
        ) from error


def refusing_constants(text: str, origin: str) -> Callable[[str], NoReturn]:
    """What `json` is to call for Infinity and NaN, which Python reads and JSON does not have."""

    def refuse(constant: str) -> NoReturn:
        raise InputError(
            f"{origin}:{_place_of_constant(text)}: expected a JSON payload, "
            f"got {constant}, which JSON does not have"
        )

    return refuse


def _place_of_constant(text: str) -> str:
    """Line and column of the first Infinity or NaN that stands outside of a string."""
    start = next(m.start(1) for m in _STRING_OR_CONSTANT.finditer(text) if m.group(1))
    line_start = text.rfind("\n", 0, start) + 1
    return f"{text.count(chr(10), 0, start) + 1}:{start - line_start + 1}"
