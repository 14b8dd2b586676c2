"""The summary that GitHub shows of a job, within its limit.

A summary of more than 1 MiB is not shown at all, and everything that a step writes counts
("Adding a job summary", GitHub docs, 2026-10).
"""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import InputError

MOST_BYTES = 1024 * 1024
# The last line has to fit as well, and runners before have counted the limit in another way.
_SPARE = 4_096
_OPENS = re.compile(r"<details\b", re.IGNORECASE)
_CLOSES = re.compile(r"</details>", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


def append_summary(path: Path, markdown: str) -> str | None:
    """Adds `markdown` to a summary file; a note where it had to be cut, None otherwise.

    Raises:
        InputError: the file could not be written.
    """
    try:
        before = path.read_bytes() if path.exists() else b""
        between = "\n" if before and not before.endswith(b"\n") else ""
        room = MOST_BYTES - _SPARE - len(before)
        text = within(markdown, room)
        if len(before) + _SPARE // 2 > MOST_BYTES:
            return "the summary of the job is full: nothing was added"
        with path.open("ab") as file:
            file.write(f"{between}{text}".encode("utf-8", errors="replace"))
    except OSError as error:
        raise InputError(f"could not write {path}: {error.strerror or error}") from error
    return None if text == markdown else "the summary of the job is full: it was cut"


def within(markdown: str, most_bytes: int) -> str:
    """The first whole parts of `markdown` in `most_bytes`, and a line that says what is missing.

    The line comes on top of `most_bytes`. A part is a paragraph, a table, a list, or what stands
    between a pair of fences or in `<details>`: none of them would be shown well by half.
    """
    if len(markdown.encode("utf-8", errors="replace")) <= most_bytes:
        return markdown
    kept, length = list[str](), 0
    parts = _parts(markdown)
    for part in parts:
        length += len(f"{part}\n\n".encode("utf-8", errors="replace"))
        if length > most_bytes:
            break
        kept.append(part)
    missing = len(parts) - len(kept)
    kept.append(f"_Cut here: {missing} of {len(parts)} parts are too much for a summary._")
    return "\n\n".join(kept) + "\n"


def _parts(markdown: str) -> list[str]:
    """What blank lines divide, but in fences and in `<details>`."""
    parts, lines = list[str](), list[str]()
    fence: str | None = None
    depth = 0
    for line in markdown.split("\n"):
        found = _FENCE.match(line)
        if found and fence in (None, found[1]):
            fence = None if fence else found[1]
        if fence is None:
            depth = max(0, depth + len(_OPENS.findall(line)) - len(_CLOSES.findall(line)))
        if line.strip() or fence or depth:
            lines.append(line)
        elif lines:
            parts.append("\n".join(lines))
            lines = []
    return [*parts, "\n".join(lines)] if lines else parts
