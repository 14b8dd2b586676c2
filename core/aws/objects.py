"""Objects below a prefix of an S3 bucket: created, read, listed and deleted, never replaced.

S3 itself refuses to create an object under a name that has one (If-None-Match, since August 2024),
so two writers cannot take anything from each other. Stores that only resemble S3 may not know
that; for them it is looked first, which two writers of one name at the same moment could pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from botocore import exceptions as aws_exceptions

from core.aws.session import AwsSession, aws_call, error_code
from core.errors import AwsError, InputError

# Bucket names (S3 user guide, "General purpose bucket naming rules"), and ARNs of access points.
_PLACE = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|arn:[^/]+)(?:/(?P<prefix>.*))?", re.S
)
_TAKES = {
    "list": "it takes s3:ListBucket on the bucket",
    "read": "it takes s3:GetObject on the objects, and kms:Decrypt where a key encrypts them",
    "write": "it takes s3:PutObject on the objects, and kms:GenerateDataKey and kms:Decrypt where "
    "a key encrypts them",
    "delete": "it takes s3:DeleteObject on the objects",
}
_NO_BUCKET = "check the bucket's name, and that it is in this partition"
# A bare status, as HEAD requests and some gateways give it, in place of a code.
_CODES = {"403": "AccessDenied", "404": "NoSuchKey", "412": "PreconditionFailed"}
# What is said where there is an object of that name, and where one is being made at this moment.
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
# How stores answer that do not know the condition.
_NO_CONDITIONS = frozenset({"NotImplemented", "InvalidArgument", "501"})
_READS = 3
# These are said of one object; of others the answer may be another.
_OF_ONE = frozenset({"AccessDenied", "InvalidObjectState", "KMS.DisabledException"})


class ObjectTaken(AwsError):
    """When an object is to be created under a name that has one."""


class ObjectMissing(AwsError):
    """When there is no object of that name."""


class ObjectRefused(AwsError):
    """When S3 does not give this one object, whatever it does with others."""


class ObjectsClient(Protocol):
    """What of boto3's client for `s3` is used."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **more: str) -> Mapping[str, Any]:
        """boto3's PutObject."""
        ...

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """boto3's GetObject."""
        ...

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """boto3's HeadObject."""
        ...

    def delete_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """boto3's DeleteObject."""
        ...

    def get_paginator(self, name: str) -> Any:
        """boto3's pages of ListObjectsV2."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectPrefix:
    """A bucket and what the keys of its objects begin with; the prefix may be empty."""

    bucket: str
    prefix: str

    def key(self, name: str) -> str:
        """The key of the object that is called `name` below the prefix."""
        return f"{self.prefix}{name}"

    def url(self, name: str = "") -> str:
        """The object, or the prefix, as messages name it."""
        return f"s3://{self.bucket}/{self.key(name)}"


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object below a prefix; `tag` is its ETag, which differs when its bytes do."""

    name: str
    tag: str


def parse_prefix(url: str, option: str) -> ObjectPrefix:
    """The bucket and prefix of an s3:// URL; a prefix ends with `/`, written or not.

    Raises:
        InputError: naming `option`, the value and what was expected.
    """
    match = _PLACE.fullmatch(url)
    if match is None:
        raise InputError(
            f"{option}: expected s3://BUCKET/PREFIX, the bucket of 3 to 63 small letters, digits, "
            f"- and . (got {url!r})"
        )
    prefix = (match["prefix"] or "").strip("/")
    return ObjectPrefix(match["bucket"], f"{prefix}/" if prefix else "")


class Objects:
    """The objects below a prefix; a session is made at the first request."""

    def __init__(self, place: ObjectPrefix, new_session: Callable[[], AwsSession]) -> None:
        self.place = place
        self._new_session = new_session

    @cached_property
    def _client(self) -> ObjectsClient:
        return self._new_session().objects()

    def create(self, name: str, data: bytes) -> None:
        """Creates an object, whole or not at all.

        Raises:
            ObjectTaken: when there is one of this name; it stays as it is.
            AwsError: when S3 does not take it.
        """
        try:
            self._put(name, data, IfNoneMatch="*")
        except AwsError as error:
            if error.code not in _NO_CONDITIONS:
                raise
            if self._exists(name):
                raise ObjectTaken(f"could not write {self.place.url(name)}: it is there") from error
            self._put(name, data)

    def read(self, name: str, most_bytes: int) -> bytes:
        """The bytes of an object of at most `most_bytes`.

        Raises:
            ObjectMissing: when there is none.
            ObjectRefused: when it is larger, or this one is not given.
            AwsError: when S3 gives none.
        """

        content: bytes = self._asked("read", name, lambda: self._whole(name, most_bytes + 1))
        if len(content) > most_bytes:
            url = self.place.url(name)
            raise ObjectRefused(f"could not read {url}: expected at most {most_bytes} bytes")
        return content

    def list(self, prefix: str) -> list[ListedObject]:
        """All objects whose name begins with `prefix`, by name.

        Raises:
            AwsError: when S3 does not list them.
        """

        def pages() -> Iterable[Mapping[str, Any]]:
            listing = self._client.get_paginator("list_objects_v2")
            return list(listing.paginate(Bucket=self.place.bucket, Prefix=self.place.key(prefix)))

        begin = len(self.place.prefix)
        found = [
            ListedObject(entry["Key"][begin:], f"{entry['Size']}-{entry.get('ETag', '')}")
            for page in self._asked("list", prefix, pages)
            for entry in page.get("Contents", ())
        ]
        return sorted(found, key=lambda entry: entry.name)

    def delete(self, name: str) -> None:
        """Removes an object; S3 says the same where there is none.

        Raises:
            AwsError: when S3 does not remove it.
        """
        place = {"Bucket": self.place.bucket, "Key": self.place.key(name)}
        self._asked("delete", name, lambda: self._client.delete_object(**place))

    def _whole(self, name: str, most_bytes: int) -> bytes:
        """The body of an object, asked for again where it breaks off: boto3 does not."""
        for attempt in range(1, _READS + 1):
            answer = self._client.get_object(Bucket=self.place.bucket, Key=self.place.key(name))
            try:
                content: bytes = answer["Body"].read(most_bytes)
                expected = min(answer.get("ContentLength", 0), most_bytes)
                if len(content) < expected:
                    raise aws_exceptions.IncompleteReadError(
                        actual_bytes=len(content), expected_bytes=expected
                    )
            except (aws_exceptions.HTTPClientError, aws_exceptions.IncompleteReadError):
                if attempt == _READS:
                    raise
            else:
                break
        return content

    def _put(self, name: str, data: bytes, **condition: str) -> None:
        place = {"Bucket": self.place.bucket, "Key": self.place.key(name)}
        self._asked("write", name, lambda: self._client.put_object(**place, Body=data, **condition))

    def _exists(self, name: str) -> bool:
        place = {"Bucket": self.place.bucket, "Key": self.place.key(name)}
        try:
            self._asked("read", name, lambda: self._client.head_object(**place))
        except ObjectMissing:
            return False
        return True

    def _asked(self, verb: str, name: str, ask: Callable[[], Any]) -> Any:
        what = f"{verb} {self.place.url(name)}"
        with aws_call(what):
            try:
                return ask()
            except aws_exceptions.ClientError as error:
                raise _refusal(verb, what, error) from error


def _refusal(verb: str, what: str, error: aws_exceptions.ClientError) -> Exception:
    """The error with what to do about it; as it is where there is nothing to add."""
    code = _CODES.get(error_code(error), error_code(error))
    message = error.response.get("Error", {}).get("Message") or "S3 gives no reason"
    text = f"could not {what}: {code}: {message}"
    if code in _TAKEN:
        return ObjectTaken(text, code=code)
    if code == "NoSuchKey":
        return ObjectMissing(text, code=code)
    if code == "NoSuchBucket":
        return AwsError(text, code=code, hint=_NO_BUCKET)
    hint = _TAKES[verb] if code == "AccessDenied" else None
    if verb == "read" and code in _OF_ONE:
        return ObjectRefused(text, code=code, hint=hint)
    return AwsError(text, code=code, hint=hint) if hint else error
