"""Records as bytes and back: nothing is lost, and what is no record says why."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from reports.history.encoding import READERS, UnreadableRecord, decoded, encoded
from reports.history.names import object_name, second_name
from reports.history.record import SCHEMA_VERSION, EventRecord, SeriesPoint
from tests.reports import history_records as made

RECORDS = [
    pytest.param(made.run(3), id="run"),
    pytest.param(made.night(3, made.alarm(2), made.alarm(3, "suspect")), id="night"),
    pytest.param(made.event(3), id="event"),
]


def lines_of(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


def packed(*lines: object) -> bytes:
    return gzip.compress("\n".join(json.dumps(line) for line in lines).encode())


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_read_as_it_was_written(record):
    assert decoded(encoded(record)) == record


@pytest.mark.parametrize("record", RECORDS)
def test_the_same_record_is_always_the_same_bytes(record):
    assert encoded(record) == encoded(record.model_copy(deep=True))
    assert encoded(record)[4:8] == b"\0\0\0\0"  # the time in gzip's header


def test_the_first_line_is_the_record_without_its_lists():
    first, *others = lines_of(encoded(made.run(1)))

    assert (first["schema_version"], first["type"], first["run_id"]) == (1, "run", "orders0001")
    assert not {"points", "blocks", "sizes"} & set(first)
    assert [line["part"] for line in others] == ["points", "points", "blocks", "sizes"]


numbers = st.floats(allow_nan=False, allow_infinity=False)
points = st.builds(
    SeriesPoint,
    scope=st.text(),
    metric=st.text(),
    unit=st.sampled_from(["ms", "usd_per_million"]),
    value=numbers,
    error_ln=st.none() | numbers,
    n=st.integers(0, 2**62),
)


@given(st.lists(points, max_size=5), st.text(), st.integers(0, 2**62))
def test_any_figures_and_texts_survive(found, text, sequence):
    record = made.run(1).model_copy(
        update={"points": found, "verdict": text, "sequence": sequence, "asked": {text: text}}
    )

    assert decoded(encoded(record)) == record


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_json_cannot_say_is_refused_before_anything_is_written(value):
    with pytest.raises(InputError, match="could not record run orders0001: a figure is infinite"):
        encoded(made.run(1, value=value))


def test_what_is_optional_may_be_missing():
    first, *_ = lines_of(encoded(made.event(1)))
    kept = ("schema_version", "type", "event_id", "plan", "at_utc", "sequence", "action", "reason")

    assert decoded(packed({key: first[key] for key in kept})) == made.event(
        1, alarm_id=None, series=None, from_sequence=None
    )


def test_fields_and_parts_that_a_later_version_added_are_left_out():
    first, *others = lines_of(encoded(made.run(1)))
    key = {**first["key"], "later": 1}
    lines = [{**first, "later": [1], "key": key}, *({**line, "later": 2} for line in others)]

    assert decoded(packed(*lines, {"part": "later", "x": 1})) == made.run(1)


def test_each_schema_version_up_to_this_one_has_a_reader():
    assert sorted(READERS) == list(range(1, SCHEMA_VERSION + 1))


def changed(**values: object) -> bytes:
    first, *others = lines_of(encoded(made.run(1)))
    first.update(values)
    return packed(first, *others)


WHOLE = encoded(made.run(1))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "it is cut", id="no bytes"),
        pytest.param(b"PK\x03\x04 not ours", "it is no gzip, or damaged", id="another format"),
        pytest.param(WHOLE[: len(WHOLE) // 2], "it is cut: the end", id="cut in the middle"),
        pytest.param(WHOLE[:-1], "it is cut: the end", id="cut by one byte"),
        pytest.param(WHOLE[:-8] + b"\0" * 8, "damaged .*check", id="checksum"),
        pytest.param(WHOLE + b"more", "something follows the gzip", id="more behind it"),
        pytest.param(WHOLE + WHOLE, "something follows the gzip", id="twice"),
        pytest.param(gzip.compress(b""), "it is empty", id="nothing inside"),
        pytest.param(gzip.compress(b"{'a': 1}"), "line 1 is not JSON", id="not JSON"),
        pytest.param(gzip.compress(b'{"a": NaN}'), "NaN is not a number", id="no number"),
        pytest.param(gzip.compress(b"[" * 99999), "line 1 is not JSON", id="too deep"),
        pytest.param(packed([1]), r"must be a JSON object \(got \[1\]\)", id="a list"),
        pytest.param(packed({"type": "tune"}), "type: must be one of event, night", id="type"),
        pytest.param(packed({"type": ["run"]}), "type: must be one of event, night", id="odd"),
        pytest.param(
            changed(schema_version=2),
            r"by a newer version of the toolkit \(schema_version 2; this one reads 1\)",
            id="newer",
        ),
        pytest.param(changed(schema_version=True), "schema_version: must be 1", id="odd version"),
        pytest.param(changed(schema_version=0), r"schema_version: must be 1 \(got 0", id="none"),
        pytest.param(changed(sequence="x"), r"sequence: .*\(got \"x\"\)", id="a wrong value"),
        pytest.param(changed(key=None), "key: ", id="no key"),
        pytest.param(packed({"type": "run", "schema_version": 1}), "and 1. more", id="bare"),
    ],
)  # fmt: skip
def test_what_is_no_record_says_why(data, reason):
    with pytest.raises(UnreadableRecord, match=reason):
        decoded(data)


def test_an_object_that_would_fill_the_memory_is_not_read(monkeypatch):
    monkeypatch.setattr("reports.history.encoding.MOST_BYTES", 1000)

    with pytest.raises(UnreadableRecord, match="more than"):
        decoded(zlib.compress(b" " * 100_000, wbits=31))


def test_names_have_type_plan_month_time_and_id():
    assert object_name(made.run(40)) == "runs/shop/2026/09/20260909T030000Z-orders0040.ndjson.gz"
    assert object_name(made.night(1)) == "nights/shop/2026/08/20260801T030000Z-n0001.ndjson.gz"
    assert object_name(made.event(1)) == "events/shop/2026/08/20260801T090000Z-e0001.ndjson.gz"


@pytest.mark.parametrize(
    ("time", "name"),
    [
        pytest.param("2026-08-01T01:30:00+05:30", "07/20260731T200000Z", id="another zone"),
        pytest.param("2026-08-01T01:30:00", "08/20260801T013000Z", id="no zone is UTC"),
        pytest.param("2026-08-01T01:30:00.123Z", "08/20260801T013000Z", id="milliseconds"),
    ],
)
def test_the_time_in_a_name_is_utc(time, name):
    event: EventRecord = made.event(1, at_utc=time, plan="../a b", event_id="x/..")

    assert object_name(event) == f"events/a-b/2026/{name}-x.ndjson.gz"


def test_a_record_without_a_time_is_refused():
    with pytest.raises(InputError, match="could not record event e0001: 'soon' is no ISO 8601"):
        object_name(made.event(1, at_utc="soon"))


def test_another_record_of_the_same_id_has_a_name_beside_it():
    name = object_name(made.night(1))

    assert second_name(name, b"a") == second_name(name, b"a") != second_name(name, b"b")
    assert second_name(name, b"a").startswith(name.removesuffix(".ndjson.gz") + "-")
