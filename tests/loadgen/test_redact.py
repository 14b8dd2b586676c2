"""Secrets are hidden in each form in which a file or an answer may hold them."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loadgen.redact import Secrets, check_no_secret, names_a_secret

SECRET = 'tök en/+"=&<\\secret>'

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON, not ASCII only": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON with slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "repr": repr,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded path": quote,
    "form": quote_plus,
    "lower-case digits": lambda text: re.sub("%..", lambda it: it[0].lower(), quote(text, safe="")),
    "HTML": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_hidden_however_it_is_written(form: Callable[[str], str]) -> None:
    secrets = Secrets([SECRET, "other"])
    hidden = secrets.hide(f"before {form(SECRET)} after, {form(SECRET)}")

    assert hidden.startswith("before ")
    assert hidden.count("<hidden>") == 2
    assert "secret" not in hidden
    assert not secrets.in_bytes(hidden.encode())


@given(st.text(min_size=4), st.sampled_from(sorted(FORMS)), st.text(), st.text())
def test_no_secret_is_too_strange(secret: str, form: str, before: str, after: str) -> None:
    # A secret that is a part of the mark itself cannot be hidden by it.
    assume(secret not in "<hidden>")
    written = before + FORMS[form](secret) + after
    assert "<hidden>" in Secrets([secret]).hide(written)


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("Authorization", True),
        ("x-api-key", True),
        ("$.user.accessToken", True),
        ("set-cookie", True),
        ("id", False),
        ("$.items[0].name", False),
    ],
)
def test_names_tell_what_nobody_should_read(name: str, *, is_secret: bool) -> None:
    assert names_a_secret(name) is is_secret


def test_a_secret_that_no_file_can_hold_breaks_nothing() -> None:
    secrets = Secrets(["odd-\udcff"])  # as the environment gives bytes that are no UTF-8
    assert secrets.hide("odd-\udcff") == "<hidden>"
    assert not secrets.in_bytes(b"odd")


@given(st.binary(max_size=12), st.binary(min_size=12, max_size=40), st.binary(max_size=12))
def test_the_base64_of_a_text_around_it_is_hidden_too(
    before: bytes, secret: bytes, after: bytes
) -> None:
    value = secret.hex()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(before + value.encode() + after).decode()
        assert "<hidden>" in Secrets([value]).hide(f"Basic {whole}")


def test_of_two_secrets_the_longer_one_goes_first() -> None:
    assert Secrets(["token", "token-and-more"]).hide("token-and-more token") == "<hidden> <hidden>"


def test_a_very_short_secret_is_hidden_only_as_a_word() -> None:
    secrets = Secrets(["pw", ""])
    assert secrets.hide('{"password": "pw", "of": "pwned"}') == (
        '{"password": "<hidden>", "of": "pwned"}'
    )
    assert secrets.in_bytes(b"a pw")
    assert not secrets.in_bytes(b"apw")


def test_secrets_of_later_are_hidden_as_well() -> None:
    secrets = Secrets(["first-token"])
    secrets.add(["second-token", "first-token"])
    assert secrets.hide("first-token second-token") == "<hidden> <hidden>"


def test_json_keeps_its_shape() -> None:
    document = {"a": ["key-1234", 5, None, True, 1.5], "of key-1234": {"b": "x key-1234 y"}}
    assert Secrets(["key-1234"]).hide_in(document) == {
        "a": ["<hidden>", 5, None, True, 1.5],
        "of <hidden>": {"b": "x <hidden> y"},
    }


# Excerpts of answers


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        pytest.param(b"", "", id="empty"),
        pytest.param(b'{"message": "Forbidden"}', '{"message": "Forbidden"}', id="short"),
        pytest.param(b"one\r\n  two\tthree\x1b[0m\n", "one two three [0m", id="one line"),
        pytest.param(b"x" * 121, "x" * 119 + "…", id="120 characters"),
        pytest.param("ä".encode() * 9_000, "ä" * 119 + "…", id="long and not ASCII"),
        pytest.param(b"\x89PNG\0\0", "<binary, 6 bytes>", id="binary"),
        pytest.param(b"\xff\xfe\xfd" * 1_000, "<binary, 3,000 bytes>", id="no text"),
        pytest.param(b"no known-key here", "no <hidden> here", id="a known secret"),
        pytest.param(b"cut off known-k", "cut off <hidden>", id="the beginning of one"),
        pytest.param(b"cut off kno", "cut off kno", id="a few letters tell nothing"),
        pytest.param(
            b'{"access_token": "abc", "n": 1}', '{"access_token": "<hidden>", "n": 1}', id="field"
        ),
        pytest.param(b'{"Password":"a\\"b', '{"Password":"<hidden>"', id="a cut field"),
        pytest.param(b"token=abc&x=1", "token=<hidden>&x=1", id="form"),
        pytest.param(b"got eyJhbGciOiJIUzI1NiJ9.e30.abc_-", "got <hidden>", id="JWT"),
        pytest.param(b"got eyJ" + b"a1_" * 2_000, "got <hidden>…", id="a long JWT"),
        pytest.param(b" " * 3_000 + b"x\n", "x", id="blanks"),
        pytest.param(b"got eyJhbGciOiJIUzI1NiJ9.e", "got <hidden>", id="a cut JWT"),
        pytest.param(b"sent Bearer abc12345=", "sent Bearer <hidden>", id="header"),
        pytest.param(b"Basic authentication needed", "Basic authentication needed", id="words"),
        pytest.param(
            b"AWS4-HMAC-SHA256 Credential=AKIA/2026/x, SignedHeaders=host, Signature=0a1b",
            "AWS4-HMAC-SHA256 Credential=<hidden>, SignedHeaders=host, Signature=<hidden>",
            id="signature",
        ),
        pytest.param(
            b'{"message":"Too Many Requests"}', '{"message":"Too Many Requests"}', id="a refusal"
        ),
    ],
)
def test_an_excerpt_is_short_and_shows_no_secret(body: bytes, excerpt: str) -> None:
    assert Secrets(["known-key"]).safe_excerpt(body) == excerpt


@given(st.binary(max_size=300), st.integers(0, 40), st.integers(0, 9_000))
def test_wherever_an_answer_is_cut_no_secret_begins(rest: bytes, cut: int, before: int) -> None:
    token = "Zq7" * 20
    body = b" " * before + token.encode()[: 60 - cut] + (rest if cut == 0 else b"")
    assert "Zq7Zq7" not in Secrets([token]).safe_excerpt(body)


# Files


def compressed(content: bytes) -> bytes:
    return gzip.compress(b"first member") + gzip.compress(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a/result.json", b'{"key": "known-key"}', id="plain"),
        pytest.param("frames.gz", compressed(b"x known-key"), id="in a second gzip member"),
        pytest.param("cut.gz", gzip.compress(b"known-key" + bytes(99))[:-9], id="in a cut gzip"),
        pytest.param("known-key.txt", b"", id="in a name"),
        pytest.param("data.bin", b"\xff" + base64.b64encode(b"my known-key!"), id="base64"),
    ],
)
def test_a_file_with_a_secret_is_found(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "fine.json").write_text("{}")
    check_no_secret(tmp_path, ["known-key"])
    (tmp_path / name).write_bytes(content)

    with pytest.raises(AssertionError, match="secrets are in: ") as raised:
        check_no_secret(tmp_path, ["unused", "known-key"])
    assert "known-key" not in str(raised.value)
    assert "fine.json" not in str(raised.value)


def test_archives_are_looked_into(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.gz", gzip.compress(b"known-key"))

    with pytest.raises(AssertionError, match=r"secrets are in: a\.zip"):
        check_no_secret(tmp_path, ["known-key"])
