"""Text from outside - error messages, names, descriptions - made safe to show and to store."""

from __future__ import annotations

_REPLACEMENT = "\ufffd"


def one_line(text: str) -> str:
    """`text` as one line that every terminal, file and page can take.

    White space of any kind becomes single spaces. What cannot be printed becomes U+FFFD: control
    characters, which could command a terminal, and halves of surrogate pairs, which UTF-8 refuses.
    """
    words = " ".join(text.split())
    return "".join(letter if letter.isprintable() else _REPLACEMENT for letter in words)
