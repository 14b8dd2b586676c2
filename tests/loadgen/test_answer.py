"""Answers: headers read from the raw head, bodies as the application wrote them."""

from __future__ import annotations

import gzip
import zlib

import pytest

from loadgen.answer import MAX_UNPACKED_BYTES, Answer


def answer(head: bytes = b"", body: bytes = b"", status: int = 200) -> Answer:
    return Answer(status, head, body, 0, 1, 2, 3, 0, 0, len(head) + len(body))


HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Odd:   a: b \r\nset-cookie: a=1\r\n"
    b"Set-Cookie: b=2\r\nX-Empty:\r\nX-Long: one\r\n  two\r\nX-Last: \xe9nd\r\n\r\n"
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-type", "text/plain"),
        ("CONTENT-TYPE", "text/plain"),
        ("x-odd", "a: b"),
        ("x-empty", ""),
        ("x-long", "one two"),
        ("x-last", "énd"),
        ("set-cookie", "a=1, b=2"),
        ("x-absent", None),
        ("type", None),
        ("HTTP/1.1 200 OK", None),
    ],
)
@pytest.mark.parametrize("head", [HEAD, HEAD.partition(b"\r\n")[2], HEAD.rstrip()])
def test_headers_are_found_whatever_their_case(head: bytes, name: str, value: str | None) -> None:
    assert answer(head).header(name) == value


def test_all_headers_come_in_their_order() -> None:
    assert answer(HEAD).headers()[:4] == [
        ("Content-Type", "text/plain"),
        ("X-Odd", "a: b"),
        ("set-cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    ]


def test_without_a_head_there_are_no_headers() -> None:
    assert answer().headers() == []
    assert answer().header("x") is None


def test_json_is_parsed_once() -> None:
    one = answer(body=b'{"a": [1]}')
    assert one.json() == {"a": [1]}
    assert one.json() is one.json()


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": 1', b"\xff"], ids=repr)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        answer(body=body).json()


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"[1, 2]", mtime=0)),
        ("GZIP", gzip.compress(b"[1, 2]", mtime=0)),
        ("deflate", zlib.compress(b"[1, 2]")),
        ("deflate", _raw_deflate(b"[1, 2]")),
        ("identity", b"[1, 2]"),
    ],
)
def test_compressed_bodies_are_unpacked(coding: str, packed: bytes) -> None:
    one = answer(b"Content-Encoding: %b\r\n" % coding.encode(), packed)
    assert one.json() == [1, 2]
    assert one.text() == "[1, 2]"
    assert one.body == packed


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_body_that_cannot_be_unpacked_stays_as_it_is(coding: str) -> None:
    one = answer(b"Content-Encoding: %b\r\n" % coding.encode(), b"plain \xff")
    assert one.text() == "plain �"


def test_a_body_that_was_cut_is_unpacked_as_far_as_it_goes() -> None:
    packed = gzip.compress(bytes(range(256)) * 400)
    part = answer(b"Content-Encoding: gzip\r\n", packed[: len(packed) // 2]).content()
    assert part
    assert (bytes(range(256)) * 400).startswith(part)


def test_a_small_body_does_not_unpack_to_gigabytes() -> None:
    packed = gzip.compress(bytes(3 * MAX_UNPACKED_BYTES), compresslevel=1)
    assert len(answer(b"Content-Encoding: gzip\r\n", packed).content()) == MAX_UNPACKED_BYTES
