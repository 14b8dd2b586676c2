"""Where the objects of a history are: a folder, or a prefix of an S3 bucket.

A store knows names and bytes. Objects are created and never replaced, so that writers need no
lock: two nights at once add to the history, and neither takes anything from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import InputError, ToolError

if TYPE_CHECKING:
    from core.aws.session import AwsSession


class AlreadyThere(ToolError):
    """When an object is to be created under a name that has one; it stays as it is."""


class ObjectGone(ToolError):
    """When there is no object of that name any more."""


class ObjectUnreadable(ToolError):
    """When this one object cannot be read, whatever is the case with others."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in the listing of a store; `tag` differs when its bytes differ."""

    name: str
    tag: str


class Store(Protocol):
    """Named objects that are created once; names have `/` between their parts."""

    @property
    def place(self) -> str:
        """Where it is, as a user wrote it."""

    @property
    def at_once(self) -> int:
        """How many reads at the same time are faster than one by one."""

    def write(self, name: str, data: bytes) -> None:
        """Creates an object, whole or not at all.

        Raises:
            AlreadyThere: when there is one of this name.
            ToolError: when it cannot be written, with the reason.
        """

    def read(self, name: str) -> bytes:
        """The bytes of an object.

        Raises:
            ObjectGone: when it was deleted.
            ObjectUnreadable: when it cannot be read, with the reason.
            ToolError: when nothing can be read, with the reason.
        """

    def objects(self, prefix: str) -> Sequence[StoredObject]:
        """All objects whose name begins with `prefix`, by name.

        Raises:
            ToolError: when they cannot be listed, with the reason.
        """

    def delete(self, name: str) -> None:
        """Removes an object; one that is gone already is no fault.

        Raises:
            ToolError: when it cannot be removed, with the reason.
        """


def open_store(place: str, new_session: Callable[[], AwsSession]) -> Store:
    """The store at `place`: a folder, or s3://BUCKET/PREFIX, for which a session is made.

    Nothing is written or asked yet, and a folder need not exist.

    Raises:
        InputError: when `place` is neither.
    """
    if place.startswith("s3://"):
        from reports.history.s3_store import S3Store

        return S3Store(place, new_session)
    from reports.history.folder_store import FolderStore

    scheme, separator, _ = place.partition("://")
    if separator or not place.strip():
        what = f"{scheme}:// is not known; " if separator else ""
        raise InputError(f"history: {what}expected a folder or s3://BUCKET/PREFIX (got {place!r})")
    folder = Path(place).expanduser()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"history: expected a folder or s3://BUCKET/PREFIX ({place} is a file)")
    return FolderStore(folder, place)
