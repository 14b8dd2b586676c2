"""The objects of all buckets, in memory: they end with the sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.api_errors import ApiError

# The sandbox shares the machine with what it measures.
MOST_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The bytes of an object and what S3 says of them."""

    body: bytes
    content_type: str
    modified: datetime

    @property
    def etag(self) -> str:
        """The MD5 of the bytes, in quotes, as S3 gives it for objects put at once."""
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


@dataclass(slots=True)
class Bucket:
    """Objects by key."""

    created: datetime
    objects: dict[str, StoredObject] = field(default_factory=dict)

    def listed(
        self, prefix: str, delimiter: str, after: str
    ) -> Iterator[tuple[str, StoredObject | None]]:
        """Objects whose key begins with `prefix` and follows `after`, in the order of UTF-8.

        Keys with the delimiter behind the prefix are listed once, as their beginning, with None.
        """
        group = after if delimiter and after.endswith(delimiter) else None
        keys = (key for key in self.objects if key.startswith(prefix))
        for key in sorted(keys, key=str.encode):
            if key.encode() <= after.encode() or (group is not None and key.startswith(group)):
                continue
            rest, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            if not found:
                yield key, self.objects[key]
                continue
            group = f"{prefix}{rest}{delimiter}"
            yield group, None


class ObjectStore:
    """Buckets by name."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}
        self._bytes = 0

    def create_bucket(self, name: str) -> None:
        """Makes a bucket; one that is there stays as it is, as in us-east-1."""
        self.buckets.setdefault(name, Bucket(datetime.now(UTC)))

    def delete_bucket(self, name: str) -> None:
        """Removes an empty bucket."""
        if self.bucket(name).objects:
            raise ApiError(
                "BucketNotEmpty", "The bucket you tried to delete is not empty", status=409
            )
        del self.buckets[name]

    def bucket(self, name: str) -> Bucket:
        """The bucket of this name."""
        found = self.buckets.get(name)
        if found is None:
            raise ApiError("NoSuchBucket", "The specified bucket does not exist", status=404)
        return found

    def get(self, bucket: str, key: str) -> StoredObject:
        """The object of this key."""
        found = self.bucket(bucket).objects.get(key)
        if found is None:
            raise ApiError("NoSuchKey", "The specified key does not exist.", status=404)
        return found

    def put(self, bucket: str, key: str, made: StoredObject, *, only_new: bool) -> None:
        """Creates or replaces an object; with `only_new`, one that is there stays as it is."""
        objects = self.bucket(bucket).objects
        before = objects.get(key)
        if before is not None and only_new:
            raise ApiError(
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                status=412,
            )
        grown = len(made.body) - (len(before.body) if before else 0)
        if self._bytes + grown > MOST_BYTES:
            raise ApiError(
                "EntityTooLarge",
                f"the sandbox keeps at most {MOST_BYTES} bytes of all objects",
                status=400,
            )
        self._bytes += grown
        objects[key] = made

    def delete(self, bucket: str, key: str) -> None:
        """Removes an object; S3 says the same where there is none."""
        before = self.bucket(bucket).objects.pop(key, None)
        self._bytes -= len(before.body) if before else 0
