"""A history below a prefix of an S3 bucket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.aws.objects import ObjectMissing, ObjectRefused, Objects, ObjectTaken, parse_prefix
from core.aws.session import OBJECTS_AT_ONCE
from reports.history.encoding import MOST_BYTES
from reports.history.store import AlreadyThere, ObjectGone, ObjectUnreadable, StoredObject

if TYPE_CHECKING:
    from core.aws.session import AwsSession


class S3Store:
    """Objects below s3://BUCKET/PREFIX.

    Raises:
        InputError: when `url` is no such thing.
    """

    at_once = OBJECTS_AT_ONCE

    def __init__(self, url: str, new_session: Callable[[], AwsSession]) -> None:
        self._objects = Objects(parse_prefix(url, "history"), new_session)
        self._place = url

    @property
    def place(self) -> str:
        """The URL, as the user wrote it."""
        return self._place

    def write(self, name: str, data: bytes) -> None:
        """Creates the object `name`, whole or not at all."""
        try:
            self._objects.create(name, data)
        except ObjectTaken as error:
            raise AlreadyThere(str(error)) from error

    def read(self, name: str) -> bytes:
        """The bytes of the object `name`."""
        try:
            return self._objects.read(name, MOST_BYTES)
        except ObjectMissing as error:
            raise ObjectGone(str(error)) from error
        except ObjectRefused as error:
            raise ObjectUnreadable(str(error)) from error

    def objects(self, prefix: str) -> Sequence[StoredObject]:
        """All objects whose name begins with `prefix`, by name."""
        return [StoredObject(entry.name, entry.tag) for entry in self._objects.list(prefix)]

    def delete(self, name: str) -> None:
        """Removes the object `name`."""
        self._objects.delete(name)
