"""Bearer tokens from a text, a file or a command, and what a JWT says of itself."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import InputError, ToolError
from loadgen.profile.model import BearerAuth

_COMMAND_TIMEOUT_S = 30.0
_LOOK_S = 0.1  # how soon a command that runs learns that nobody needs its token any more
_MOST_STDERR_CHARS = 200
# Servers take 8 to 16 KB of headers in all; what is longer is some other file.
_MOST_TOKEN_BYTES = 16_384

ReadToken = Callable[[], str]


def token_reader(auth: BearerAuth, base_dir: Path, stopping: threading.Event) -> ReadToken:
    """What reads the token of `auth`, each time anew.

    It raises an InputError where there is none. Setting `stopping` ends a command that runs.
    """
    if auth.command is not None:
        command = auth.command
        return lambda: _from_command(command, base_dir, stopping)
    if auth.file is not None:
        path = base_dir / auth.file
        return lambda: _from_file(path)
    value = auth.value or ""
    return lambda: value


def jwt_claims(token: str) -> Mapping[str, Any]:
    """What a JWT claims; empty for any other token. Nothing is verified."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        text = base64.b64decode(parts[1] + "=" * (-len(parts[1]) % 4), altchars="-_", validate=True)
        claims = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def jwt_expiry_s(token: str) -> float | None:
    """When a JWT ends, in seconds since the epoch; None where it does not say."""
    expiry = jwt_claims(token).get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        return None
    try:
        seconds = float(expiry)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_TOKEN_BYTES + 1)
    except OSError as error:
        raise InputError(f"could not read {path}: {error.strerror}") from error
    return _token_in(text, str(path))


def _from_command(command: tuple[str, ...], base_dir: Path, stopping: threading.Event) -> str:
    # Arguments may hold a password: messages name the program only.
    program = command[0]
    try:
        process = subprocess.Popen(
            command,
            cwd=base_dir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"could not run '{program}': {reason}") from error
    with process:
        try:
            output, talk = _communicate(process, program, stopping)
        except BaseException:
            _kill(process)
            raise
    if process.returncode != 0:
        raise InputError(
            f"'{program}' ended with exit code {process.returncode}: {_last_line(talk)}"
        )
    return _token_in(output, f"the output of '{program}'")


def _communicate(
    process: subprocess.Popen[bytes], program: str, stopping: threading.Event
) -> tuple[bytes, bytes]:
    deadline = time.monotonic() + _COMMAND_TIMEOUT_S
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            if stopping.is_set():
                raise ToolError(f"'{program}' was stopped with the run") from None
            if time.monotonic() >= deadline:
                raise InputError(
                    f"'{program}' did not end within {_COMMAND_TIMEOUT_S:.0f} s"
                ) from None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the command with all that it started: any of them could keep its pipes open."""
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.killpg(process.pid, signal.SIGKILL)


def _token_in(text: bytes, where: str) -> str:
    if len(text) > _MOST_TOKEN_BYTES:
        raise InputError(f"{where} is no token: it has more than {_MOST_TOKEN_BYTES:,} bytes")
    try:
        token = text.decode().strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is no token: it is no text") from error
    if not token:
        raise InputError(f"{where} is empty; it should be a token")
    return token


def _last_line(talk: bytes) -> str:
    lines = talk.decode(errors="replace").strip().splitlines()
    return lines[-1].strip()[-_MOST_STDERR_CHARS:] if lines else "it said nothing on stderr"
