"""Asks a person before something that costs money or changes an account."""

from __future__ import annotations

import sys

from core.console import Console
from core.errors import Refused


def confirm(statement: str, question: str, console: Console) -> None:
    """Returns when the user agrees; never asks where nobody can answer.

    Raises:
        Refused: when the answer is not yes, or stdin is no terminal.
    """
    if not sys.stdin.isatty():
        raise Refused(f"{statement}: not confirmed", hint="--yes agrees to it")
    console.say(f"{statement}: {question} [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("not confirmed: nothing was changed")
