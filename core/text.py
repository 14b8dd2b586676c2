"""Text from outside - error messages, names, descriptions - made safe to show and to store."""

from __future__ import annotations

import re

_REPLACEMENT = "\ufffd"
# Control characters but for tab and newline, and those that turn the direction of writing.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def no_commands(text: str) -> str:
    """`text` in its lines, without what could command a terminal: that becomes U+FFFD."""
    return _COMMANDS.sub(_REPLACEMENT, text)


def one_line(text: str) -> str:
    """`text` as one line that every terminal, file and page can take.

    White space of any kind becomes single spaces. What cannot be printed becomes U+FFFD: control
    characters, which could command a terminal, and halves of surrogate pairs, which UTF-8 refuses.
    """
    words = " ".join(text.split())
    return "".join(letter if letter.isprintable() else _REPLACEMENT for letter in words)
