"""stdout and stderr, made such that no text and no state of theirs can break a command.

A stream may be closed, or of an encoding that lacks what is said: a terminal of LANG=C takes ASCII.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys

_HANDLER = "lpt-plain"
# What an answer may have beyond ASCII, as near as ASCII comes.
_PLAIN = {
    "\N{NO-BREAK SPACE}": " ",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{PLUS-MINUS SIGN}": "+-",
    "\N{MICRO SIGN}": "u",
    "\N{GREEK SMALL LETTER MU}": "u",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{RIGHTWARDS ARROW}": "->",
}
_SURROGATES = re.compile("[\ud800-\udfff]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def prepare_streams() -> None:
    """Opens what is closed to nowhere, and lets both streams take every text."""
    codecs.register_error(_HANDLER, _plain)
    if sys.stdout is None:
        sys.stdout = _nowhere(1)
    if sys.stderr is None:
        sys.stderr = _nowhere(2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def discard_stdout() -> None:
    """What is still to be written to stdout goes nowhere: it failed once, and would at the end."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return  # no file of the system
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def json_for(encoding: str | None, text: str) -> str:
    """JSON that is UTF-8 whatever the encoding of the stream: what would not be is escaped."""
    is_utf8 = (encoding or "utf-8").lower().replace("_", "-") in ("utf-8", "utf8")
    beyond = _SURROGATES if is_utf8 else _BEYOND_ASCII
    return beyond.sub(lambda found: json.dumps(found[0])[1:-1], text)


def _nowhere(number: int) -> io.TextIOWrapper:
    """A stream that leads nowhere and holds the number, so that no other file gets it."""
    handle = os.open(os.devnull, os.O_WRONLY)
    if handle != number:
        os.dup2(handle, number)
        os.close(handle)
    return io.TextIOWrapper(io.FileIO(number, "w", closefd=False), encoding="utf-8")


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """The nearest that the encoding has; a byte of a file name that was no text is that byte."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    end = error.start + 1
    if "\udc80" <= letter <= "\udcff":
        return bytes([ord(letter) - 0xDC00]), end
    return _PLAIN.get(letter, "?"), end
