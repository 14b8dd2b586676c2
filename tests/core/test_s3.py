"""Reading one object from S3: what comes, and what is said where it does not."""

from __future__ import annotations

import pytest

from core.aws.s3 import S3Place, parse_s3_url, read_object
from core.aws.session import AwsSession
from core.errors import AwsError, InputError
from tests.core.aws_server import answer, aws_server

PLACE = S3Place("events", "orders/a b.json")


def refused(status: str, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
    return answer(body.encode(), "Content-Type: application/xml", status=status)


def test_an_object_is_read_whole() -> None:
    with aws_server(lambda request: answer(b'{"a": 1}')) as server:
        content = read_object(AwsSession(local=server.access), PLACE, 8)

    assert content == b'{"a": 1}'
    assert server.requests[0].path.startswith("/events/orders/a%20b.json")


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(
            refused("403 Forbidden", "AccessDenied"),
            r"read s3://events/orders/a b\.json: AccessDenied: no \(it takes s3:GetObject",
            id="forbidden",
        ),
        pytest.param(
            refused("404 Not Found", "NoSuchKey"), "NoSuchKey: no .check the key", id="no key"
        ),
        pytest.param(
            refused("404 Not Found", "NoSuchBucket"),
            "NoSuchBucket: no .check the bucket",
            id="no bucket",
        ),
        pytest.param(refused("400 Bad", "Odd"), "could not read s3://.*: Odd: no", id="another"),
    ],
)
def test_a_refusal_says_what_to_do(response: bytes, message: str) -> None:
    with aws_server(lambda request: response) as server, pytest.raises(AwsError, match=message):
        read_object(AwsSession(local=server.access), PLACE, 100)


def test_an_object_that_is_too_large_is_not_read() -> None:
    with (
        aws_server(lambda request: answer(b"x" * 101)) as server,
        pytest.raises(InputError, match=r"s3://events/.*: expected at most 100 bytes \(got 101"),
    ):
        read_object(AwsSession(local=server.access), PLACE, 100)


@pytest.mark.parametrize("url", ["s3://bucket/key", "s3://a.b-c/x/y.json", "s3://bucket//odd"])
def test_a_url_names_bucket_and_key(url: str) -> None:
    assert str(parse_s3_url(url, "--payload")) == url


@pytest.mark.parametrize("url", ["s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://B/k"])
def test_a_url_without_bucket_or_key_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"--payload: expected s3://BUCKET/KEY, .*\(got 's3:"):
        parse_s3_url(url, "--payload")
