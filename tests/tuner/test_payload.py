"""Payloads: what is sent, and what is refused before anything is spent."""

import io
import sys
from pathlib import Path

import pytest

from core.errors import InputError
from tuner.payload import read_payload


def test_nothing_given_is_an_empty_event() -> None:
    assert read_payload(file=None, text=None).content == b"{}"


def test_a_file_is_sent_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(b'{ "a" : 1 }\n')

    assert read_payload(file=str(path), text=None).content == b'{ "a" : 1 }\n'


def test_a_dash_reads_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[1]")))

    assert read_payload(file="-", text=None).content == b"[1]"


@pytest.mark.parametrize("text", ["null", "0", '""', "false", "[]", '{"ä": 1}', "1" * 5000])
def test_every_json_value_is_an_event(text: str) -> None:
    assert read_payload(file=None, text=text).content == text.encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "--payload-json:1:2: expected a JSON payload", id="cut"),
        pytest.param("", "--payload-json:1:1: expected a JSON payload", id="empty"),
        pytest.param('{\n "a": x}', "--payload-json:2:7: expected", id="line and column"),
        pytest.param("NaN", "--payload-json:1:1: expected .*, got NaN", id="no number"),
        pytest.param(
            '{"a": "NaN \\" -Infinity",\n  "b": [1, -Infinity]}',
            "--payload-json:2:12: expected .*, got -Infinity",
            id="infinity, not the one in a string",
        ),
        pytest.param("\udcff", r"--payload-json: .* in UTF-8 \(byte 0:", id="bytes, no UTF-8"),
        pytest.param("[" * 100_000, "--payload-json: .* nested too deep", id="deep"),
        pytest.param('"' + "a" * 6_291_456 + '"', "at most 6291456 bytes.*got more", id="large"),
    ],
)
def test_what_is_no_payload_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_payload(file=None, text=text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1"])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "event.json"
    path.write_bytes('{"name": "Zoë"}'.encode(encoding))

    with pytest.raises(InputError, match=r"event\.json:.* expected a JSON payload"):
        read_payload(file=str(path), text=None)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "event.bin"
    binary.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InputError, match=r"event\.bin: expected a JSON payload in UTF-8"):
        read_payload(file=str(binary), text=None)
    with pytest.raises(InputError, match=r"no-such\.json: could not read it: No such file"):
        read_payload(file=str(tmp_path / "no-such.json"), text=None)
    with pytest.raises(InputError, match=r"--payload: expected a JSON file.*got ''"):
        read_payload(file="", text=None)
    with pytest.raises(InputError, match="Is a directory"):
        read_payload(file=str(tmp_path), text=None)
    with pytest.raises(InputError, match="not both"):
        read_payload(file=str(binary), text="{}")


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(InputError, match="/dev/zero: expected at most 6291456 bytes"):
        read_payload(file="/dev/zero", text=None)
