"""A function that a file or a stack lists, before Lambda is asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    """A function by its name in the template, and by the one that it has, if that is known.

    `unknown` says why the file does not tell the name, `place` where it is, as file:line:column.
    """

    key: str
    name: str | None
    place: str
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """All functions of one file or stack; `notes` say what a user should know of it."""

    functions: tuple[Listed, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What names may have in them that no file says; the account is asked for when it is needed."""

    region: str
    account: Callable[[], str | None]
    stage: str | None = None


class NotKnown(Exception):
    """When a file does not tell a name; the message says why."""
