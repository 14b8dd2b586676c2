"""A function that a file or a stack lists, before Lambda is asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_MOST_CHARS = 1_000
_MOST_PARTS = 300


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


@dataclass(slots=True)
class Effort:
    """What may be done to make one name: files that refer to themselves again and again are bombs.

    An ARN with an alias has some 330 characters; what one is made of is no longer.
    """

    parts: int = 0

    def take(self, text: str) -> str:
        """`text`, when it is not too long, nor one part too many.

        Raises:
            NotKnown: when it is.
        """
        self.parts += 1
        if self.parts > _MOST_PARTS or len(text) > _MOST_CHARS:
            raise NotKnown("its name is too long, or made of too many parts")
        return text
