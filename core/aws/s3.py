"""Reading one object from S3, up to a limit; the only thing that is asked of S3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore import exceptions as aws_exceptions

from core.aws.session import AwsSession, aws_call, error_code
from core.errors import AwsError, InputError

# Bucket names (S3 user guide, "General purpose bucket naming rules"), and ARNs of access points.
_PLACE = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|arn:[^/]+)/(?P<key>.+)", re.S
)
_HINTS = {
    "AccessDenied": "it takes s3:GetObject on the object, kms:Decrypt where it is encrypted by a "
    "key, and s3:ListBucket to tell a missing object from a forbidden one",
    "NoSuchBucket": "check the bucket's name, and that it is in this partition",
    "NoSuchKey": "check the key; it is the whole path after the bucket's name",
}
# A bare status, as HEAD requests and some gateways give it, in place of a code.
_CODES = {"403": "AccessDenied", "404": "NoSuchKey"}


class S3Client(Protocol):
    """What of boto3's client for `s3` is used."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """boto3's GetObject."""
        ...


@dataclass(frozen=True, slots=True)
class S3Place:
    """One object."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def parse_s3_url(url: str, option: str) -> S3Place:
    """The object that an s3:// URL names.

    Raises:
        InputError: naming `option`, the value and what was expected.
    """
    match = _PLACE.fullmatch(url)
    if match is None:
        raise InputError(
            f"{option}: expected s3://BUCKET/KEY, the bucket of 3 to 63 small letters, digits, - "
            f"and . (got {url!r})"
        )
    return S3Place(match["bucket"], match["key"])


def read_object(session: AwsSession, place: S3Place, most_bytes: int) -> bytes:
    """The bytes of an object of at most `most_bytes`.

    Raises:
        InputError: when it is larger.
        AwsError: when S3 does not give it.
    """
    what = f"read {place}"
    with aws_call(what):
        try:
            answer = session.s3().get_object(Bucket=place.bucket, Key=place.key)
            size = answer.get("ContentLength")
            if size is None or size <= most_bytes:
                content: bytes = answer["Body"].read(most_bytes + 1)
                size = len(content)
        except aws_exceptions.ClientError as error:
            raise _refusal(what, error) from error
    if size > most_bytes:
        raise InputError(f"{place}: expected at most {most_bytes} bytes (got {size} or more)")
    return content


def _refusal(what: str, error: aws_exceptions.ClientError) -> Exception:
    """The error with what to do about it; as it is where there is nothing to add."""
    code = _CODES.get(error_code(error), error_code(error))
    if code not in _HINTS:
        return error
    message = error.response.get("Error", {}).get("Message") or "S3 gives no reason"
    return AwsError(f"could not {what}: {code}: {message}", code=code, hint=_HINTS[code])
