"""Workflow commands: lines of a job's log that its runner carries out; pure.

The form, its escapes and limits are GitHub's ("Workflow commands for GitHub Actions", and the
runner's own parser, 2026-10): https://docs.github.com/actions/reference/workflow-commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.text import no_commands

Kind = Literal["error", "warning", "notice"]

# GitHub shows ten of each kind for a step, and drops what comes after.
MOST_OF_A_KIND = 10
# Far below what runners take; nobody reads more beside a line of code.
_MOST_LETTERS = 2_000
_MOST_OF_TITLE = 200


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something to show beside a job or a line of a file."""

    kind: Kind
    title: str
    message: str
    file: str | None = None
    line: int | None = None

    def text(self) -> str:
        """The command as one line."""
        properties = {
            "file": self.file,
            "line": str(self.line) if self.file and self.line else None,
            "title": _cut(self.title, _MOST_OF_TITLE),
        }
        given = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
        head = f"::{self.kind} {given}" if given else f"::{self.kind}"
        return f"{head}::{_data(_cut(self.message, _MOST_LETTERS))}"


def few(annotations: Sequence[Annotation]) -> Iterator[Annotation]:
    """As many of each kind as are shown; the last of too many says how many more there are."""
    for kind in ("error", "warning", "notice"):
        found = [annotation for annotation in annotations if annotation.kind == kind]
        if len(found) <= MOST_OF_A_KIND:
            yield from found
            continue
        shown = MOST_OF_A_KIND - 1
        yield from found[:shown]
        more = f"{len(found) - shown} more are in the report"
        yield Annotation(kind, "Nightly performance", more)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def _data(text: str) -> str:
    """Lines stay lines; nothing of `text` begins a command of its own."""
    harmless = no_commands(text.replace("\r\n", "\n").replace("\r", "\n"))
    return harmless.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
