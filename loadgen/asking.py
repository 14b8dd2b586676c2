"""Asks AWS for what a run can do without: what may not be read is unknown, and a note says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from core.aws.gateway import DENIED
from core.errors import AwsError

_T = TypeVar("_T")


@dataclass(slots=True)
class Asking:
    """Questions to AWS, and `notes` about those that have no answer."""

    notes: list[str] = field(default_factory=list)

    def ask(self, what: str, call: Callable[[], _T], permission: str) -> _T | None:
        """What `call` gives; None where AWS does not answer, or the caller lacks `permission`."""
        answer = self.ask_whether(what, call, permission)
        return None if answer is None else answer[0]

    def ask_whether(self, what: str, call: Callable[[], _T], permission: str) -> tuple[_T] | None:
        """As `ask`, where `call` may give None: what it gives is in a tuple."""
        try:
            return (call(),)
        except AwsError as error:
            self.notes.append(unknown_words(what, error, permission))
            return None


def unknown_words(what: str, error: AwsError, permission: str) -> str:
    """That something could not be read, and why: the permission, where that is missing."""
    if error.code in DENIED:
        return f"unknown: {what} (the permission {permission} is missing)"
    return f"unknown: {what} ({error})"
