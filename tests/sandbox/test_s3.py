"""S3 as boto3 meets it: buckets and objects, lists in pages, and what is refused by name."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.api_errors import ApiError
from sandbox.s3_api import store as s3_store
from sandbox.s3_api.store import ObjectStore, StoredObject

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def s3(sandbox: Any, connect: Any) -> Any:
    return connect(sandbox, "s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket that has `a`, `n/1`, `n/2`, `n/x/1` and a key with odd letters."""
    name = f"bucket-{next(_NUMBERS)}"
    s3.create_bucket(Bucket=name)
    for key in ("n/x/1", "a", "n/2", "n/1", "o d&d/ü+%.txt"):
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def listed(s3: Any, bucket: str, page: int = 1000, **more: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": page}, **more
    )
    return [
        entry.get("Key") or entry["Prefix"]
        for page in pages
        for entry in (*page.get("CommonPrefixes", ()), *page.get("Contents", ()))
    ]


def test_an_object_is_put_read_and_deleted(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="x", Body=b"one", ContentType="text/plain")
    answer = s3.get_object(Bucket=bucket, Key="x")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"one", "text/plain")
    assert answer["LastModified"] <= datetime.now(UTC)
    head = s3.head_object(Bucket=bucket, Key="x")
    assert (head["ContentLength"], head["ETag"]) == (3, answer["ETag"])
    s3.put_object(Bucket=bucket, Key="x", Body=b"two")
    assert s3.head_object(Bucket=bucket, Key="x")["ETag"] != head["ETag"]
    s3.delete_object(Bucket=bucket, Key="x")
    s3.delete_object(Bucket=bucket, Key="x")
    assert "x" not in listed(s3, bucket)


def test_an_object_is_created_once_where_that_is_asked_for(
    s3: Any, bucket: str, refused: Any
) -> None:
    s3.put_object(Bucket=bucket, Key="x", Body=b"one", IfNoneMatch="*")
    code, status, _ = refused(s3.put_object, Bucket=bucket, Key="x", Body=b"2", IfNoneMatch="*")
    assert (code, status) == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"one"


@pytest.mark.parametrize("page", [1, 2, 1000])
@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        pytest.param({}, ["a", "n/1", "n/2", "n/x/1", "o d&d/ü+%.txt"], id="all"),
        pytest.param({"Prefix": "n/"}, ["n/1", "n/2", "n/x/1"], id="a prefix"),
        pytest.param({"Prefix": "o d&"}, ["o d&d/ü+%.txt"], id="odd letters"),
        pytest.param({"StartAfter": "n/1"}, ["n/2", "n/x/1", "o d&d/ü+%.txt"], id="after a key"),
        pytest.param({"Delimiter": "/"}, ["a", "n/", "o d&d/"], id="folders"),
        pytest.param(
            {"Delimiter": "/", "Prefix": "n/"}, ["n/1", "n/2", "n/x/"], id="a folder and below"
        ),
        pytest.param({"Prefix": "z"}, [], id="none"),
    ],
)
def test_lists_come_in_pages_in_the_order_of_keys(
    s3: Any, bucket: str, page: int, asked: dict[str, str], keys: list[str]
) -> None:
    assert sorted(listed(s3, bucket, page, **asked)) == keys


def test_buckets_are_made_once_and_deleted_when_empty(s3: Any, refused: Any) -> None:
    name = f"bucket-{next(_NUMBERS)}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="x", Body=b"")
    s3.create_bucket(Bucket=name)
    assert name in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=name)
    assert refused(s3.delete_bucket, Bucket=name)[:2] == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=name, Key="x")
    s3.delete_bucket(Bucket=name)
    assert refused(s3.head_bucket, Bucket=name)[1] == 404


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        pytest.param("get_object", {"Key": "nope"}, "NoSuchKey", id="no key"),
        pytest.param("get_object", {"Bucket": "nope", "Key": "a"}, "NoSuchBucket", id="no bucket"),
        pytest.param("list_objects_v2", {"Bucket": "nope"}, "NoSuchBucket", id="list of none"),
        pytest.param("list_objects", {}, "NotImplemented", id="the older list"),
        pytest.param("get_object_acl", {"Key": "a"}, "NotImplemented", id="ACL"),
        pytest.param("get_bucket_versioning", {}, "NotImplemented", id="versions"),
        pytest.param("get_object", {"Key": "a", "Range": "bytes=0-1"}, "NotImplemented", id="part"),
        pytest.param("create_multipart_upload", {"Key": "x"}, "NotImplemented", id="parts"),
        pytest.param(
            "put_object", {"Key": "x", "Body": b"", "Tagging": "a=b"}, "NotImplemented", id="tags"
        ),
    ],
)
def test_what_is_not_there_or_not_served_is_said(
    s3: Any, bucket: str, refused: Any, operation: str, arguments: dict[str, Any], code: str
) -> None:
    assert refused(getattr(s3, operation), **{"Bucket": bucket, **arguments})[0] == code


def test_the_memory_of_the_machine_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_store, "MOST_BYTES", 10)
    store = ObjectStore()
    store.create_bucket("b")

    def put(key: str, size: int) -> None:
        store.put("b", key, StoredObject(bytes(size), "", datetime.now(UTC)), only_new=False)

    put("x", 8)
    put("x", 10)
    with pytest.raises(ApiError, match="at most 10 bytes"):
        put("y", 1)
    store.delete("b", "x")
    put("y", 10)
