"""Objects of a bucket: created once, read whole, and what is said where S3 refuses."""

from __future__ import annotations

import pytest

from core.aws.objects import (
    ObjectMissing,
    ObjectPrefix,
    ObjectRefused,
    Objects,
    ObjectTaken,
    parse_prefix,
)
from core.aws.session import AwsSession
from core.errors import AwsError, InputError
from tests.core.aws_server import AwsServer, Request, answer, aws_server
from tests.core.test_s3 import refused

PLACE = ObjectPrefix("nights", "perf/")


def objects(server: AwsServer) -> Objects:
    return Objects(PLACE, lambda: AwsSession(local=server.access))


def test_an_object_is_created_with_a_condition() -> None:
    with aws_server(lambda request: answer(b"")) as server:
        objects(server).create("a b", b"data")

    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("PUT", "/nights/perf/a%20b", b"data")
    assert request.headers["if-none-match"] == "*"


@pytest.mark.parametrize(
    "response",
    [refused("412 Precondition Failed", "PreconditionFailed"),
     refused("409 Conflict", "ConditionalRequestConflict")],
    ids=["there", "being made"],
)  # fmt: skip
def test_an_object_that_is_there_stays(response: bytes) -> None:
    with aws_server(lambda request: response) as server, pytest.raises(ObjectTaken):
        objects(server).create("x", b"")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_store_that_knows_no_conditions_is_looked_at_first(is_there: bool) -> None:  # noqa: FBT001
    def respond(request: Request) -> bytes:
        if "if-none-match" in request.headers:
            return refused("501 Not Implemented", "NotImplemented")
        if request.method == "HEAD":
            return answer(b"", status="200 OK" if is_there else "404 Not Found")
        return answer(b"")

    with aws_server(respond) as server:
        if is_there:
            with pytest.raises(ObjectTaken):
                objects(server).create("x", b"")
        else:
            objects(server).create("x", b"")

    methods = [request.method for request in server.requests]
    assert methods == (["PUT", "HEAD"] if is_there else ["PUT", "HEAD", "PUT"])


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    whole, cut = answer(b"whole"), answer(b"whole")[:-2]
    with aws_server(lambda request: whole if len(server.requests) == 3 else cut) as server:
        assert objects(server).read("x", 10) == b"whole"
    with (
        aws_server(lambda request: cut) as server,
        pytest.raises(AwsError, match=r"could not read s3://nights/perf/x: "),
    ):
        objects(server).read("x", 10)


def test_an_object_that_is_too_large_is_not_read() -> None:
    with (
        aws_server(lambda request: answer(b"x" * 11)) as server,
        pytest.raises(ObjectRefused, match="expected at most 10 bytes"),
    ):
        objects(server).read("x", 10)


DENIED = refused("403 Forbidden", "AccessDenied")


@pytest.mark.parametrize(
    ("response", "ask", "kind", "message"),
    [
        pytest.param(DENIED, lambda one: one.create("x", b""), AwsError,
                     r"could not write s3://nights/perf/x: .*takes s3:PutObject", id="write"),
        pytest.param(DENIED, lambda one: one.read("x", 9), ObjectRefused,
                     r"could not read .* \(it takes s3:GetObject", id="read"),
        pytest.param(DENIED, lambda one: one.list("runs/"), AwsError,
                     r"could not list s3://nights/perf/runs/: .*takes s3:ListBucket", id="list"),
        pytest.param(DENIED, lambda one: one.delete("x"), AwsError,
                     r"could not delete .*takes s3:DeleteObject", id="delete"),
        pytest.param(refused("404 Not Found", "NoSuchKey"), lambda one: one.read("x", 9),
                     ObjectMissing, "NoSuchKey", id="no object"),
        pytest.param(refused("404 Not Found", "NoSuchBucket"), lambda one: one.read("x", 9),
                     AwsError, "NoSuchBucket: no .check the bucket's name", id="no bucket"),
        pytest.param(refused("403 Forbidden", "InvalidObjectState"), lambda one: one.read("x", 9),
                     ObjectRefused, "InvalidObjectState", id="archived"),
        pytest.param(refused("400 Bad", "Odd"), lambda one: one.list(""), AwsError,
                     "could not list s3://nights/perf/: Odd: no", id="another"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(response, ask, kind, message):
    with aws_server(lambda request: response) as server, pytest.raises(kind, match=message):
        ask(objects(server))


@pytest.mark.parametrize(
    ("url", "prefix"),
    [("s3://nights", ""), ("s3://nights/", ""), ("s3://nights/perf", "perf/"),
     ("s3://nights/a b/c//", "a b/c/")],
)  # fmt: skip
def test_a_prefix_ends_with_a_slash_written_or_not(url: str, prefix: str) -> None:
    assert parse_prefix(url, "history") == ObjectPrefix("nights", prefix)


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "s3://Nights/x", "s3://a/x", "nights/x"])
def test_what_is_no_bucket_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"history: expected s3://BUCKET/PREFIX, .*\(got '"):
        parse_prefix(url, "history")
