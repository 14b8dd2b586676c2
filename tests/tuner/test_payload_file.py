"""Files of several payloads: what is sent, and what is refused with its place and no content."""

from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tuner.payload_file import MOST_PAYLOADS, parse_payloads, read_payload_file

SECRET = "4111-1111"
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            '[{"payload": {"a": 1}, "weight": 3, "name": "x"}, {"payload": 0}]', id="list"
        ),
        pytest.param(
            '{"payload": {"a": 1}, "weight": 3, "name": "x"}\n{"payload": 0}\n', id="NDJSON"
        ),
        pytest.param(
            '\r\n{"name":"x","weight":3,\n"payload":{"a": 1}}{"payload":0}', id="one by one"
        ),
    ],
)
def test_a_list_and_lines_say_the_same(text: str) -> None:
    first, second = parse_payloads(text, "f")

    assert (first.payload.content, first.weight, first.name) == (b'{"a": 1}', 3, "x")
    assert (second.payload.content, second.weight, second.name) == (b"0", 1, "2")


def test_an_event_is_sent_byte_for_byte() -> None:
    event = '{ "big": 123456789012345678901234567890, "f": 1.50, "ä": "\\u00e4" }'

    (only,) = parse_payloads(f'[{{"payload": {event} }}]', "f")

    assert only.payload.content == event.encode()


@given(st.lists(json_values, min_size=1, max_size=5), st.booleans())
def test_any_events_come_through(events: list[Any], as_lines: bool) -> None:  # noqa: FBT001
    items = [json.dumps({"payload": event}) for event in events]
    text = "\n".join(items) if as_lines else f"[{','.join(items)}]"

    assert [json.loads(i.payload.content) for i in parse_payloads(text, "f")] == events


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InputError):
        assert parse_payloads(text, "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "f: expected at least one payload", id="empty"),
        pytest.param("[]", "f: expected at least one payload", id="empty list"),
        pytest.param("[1]", 'f:1:2: expected {"payload"', id="plain events"),
        pytest.param(
            '{"payload":1}\n{"payload":2,"weight":-1}',
            "f:2: item 2: weight: .*got -1",
            id="negative",
        ),
        pytest.param('[{"payload":1,"weight":0}]', "item 1: weight: .* above 0 .got 0", id="zero"),
        pytest.param('[{"payload":1,"weight":1e999}]', "weight: .*got 1e999", id="infinite"),
        pytest.param('[{"payload":1,"weight":"2"}]', 'weight: .*got "2"', id="a text"),
        pytest.param('[{"payload":1,"weight":true}]', "weight: .*got true", id="a truth"),
        pytest.param('[{"payload":1,"wieght":1}]', "item 1: .*the key 'wieght'", id="unknown key"),
        pytest.param('[{"weight":1}]', "item 1: payload: missing", id="no payload"),
        pytest.param('[{"payload":1,"payload":2}]', "each key once .*'payload' again", id="twice"),
        pytest.param('[{"payload":1,"name":""}]', "name: expected a text of 1 to 40", id="no name"),
        pytest.param(
            '[{"payload":1,"name":7}]', "name: expected a text of 1 to 40 .*got 7", id="a number"
        ),
        pytest.param(
            '[{"payload":1,"name":"a"},\n{"payload":2,"name":"a"}]',
            "f:2: item 2: name: .*item 1 has it",
            id="same name",
        ),
        pytest.param(
            '{"payload":1,"name":"2"}{"payload":5}',
            "item 2: name: .*got '2'",
            id="name of the next",
        ),
        pytest.param('[{"payload":NaN}]', "f:1:13: .*got NaN", id="NaN"),
        pytest.param('[{"payload":1},]', "f:1:16: expected", id="a comma too many"),
        pytest.param('[{"payload":1}] x', "f:1:17: expected the end", id="more after the list"),
        pytest.param('{"payload":1', "f:1:13: expected a comma or the end", id="cut"),
        pytest.param('[{"payload":' + "[" * 100_000, "nested too deep", id="deep"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_payloads(text, "f")


@pytest.mark.parametrize(
    "text",
    [
        '[{"payload": {"card": "%s" "x"}}]',
        '[{"payload": "%s", "weight": -1}]',
        '[{"payload": "%s", "wieght": 1}]',
        '[{"payload": "%s"},{"payload": "%s", "name": "1"}]',
        '{"payload": "%s"',
    ],
)
def test_no_error_shows_an_event(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_payloads(text.replace("%s", SECRET), "f")

    assert SECRET not in str(caught.value)


def test_more_payloads_than_may_be_are_refused() -> None:
    with pytest.raises(InputError, match="at most 1000 payloads"):
        parse_payloads('{"payload":1}\n' * (MOST_PAYLOADS + 1), "f")


def test_an_event_that_lambda_would_not_take_is_refused_with_its_place() -> None:
    with pytest.raises(InputError, match="f:1: item 1: payload: expected at most 6291456 bytes"):
        parse_payloads('[{"payload":"' + "a" * 6_291_456 + '"}]', "f")


def test_a_file_stdin_and_s3_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mix.json"
    path.write_text('[{"payload":1},{"payload":2}]')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"payload":3}')))

    assert read_payload_file(str(path), 7).contents == (b"1", b"2")
    assert read_payload_file("-", 7).contents == (b"3",)
    assert read_payload_file("s3://b/k", 7, lambda url, most: b'{"payload":4}').contents == (b"4",)
    with pytest.raises(InputError, match=r"none\.json: could not read it: No such file"):
        read_payload_file(str(tmp_path / "none.json"), 7)
