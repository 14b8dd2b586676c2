"""Records of the history as bytes and back: gzip of JSON lines.

The first line is the record without its long lists; each further line is an item of one of those
lists and says of which (`{"part": "points", ...}`). What was written by an older version of the
toolkit stays readable: there is a reader for each schema version. A newer version that only adds
optional fields keeps its number, so fields and parts that this version does not know are left out.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from core.errors import InputError
from core.text import one_line
from reports.history.record import SCHEMA_VERSION, EventRecord, NightRecord, Record, RunRecord

# The lists that become lines of their own, by type of record.
_PARTS: dict[str, tuple[str, ...]] = {
    "run": ("points", "blocks", "sizes"),
    "night": ("alarms",),
    "event": (),
}
# A run of a hundred endpoints with sixty blocks each has 30 MB. More than this is a mistake, or
# meant to fill the memory.
MOST_BYTES = 256 * 1024 * 1024
_LONGEST_SHOWN = 60

_record: TypeAdapter[Record] = TypeAdapter(Record)
_line = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode


class UnreadableRecord(ValueError):
    """When an object is no record that this version reads; the message is the reason alone."""


def encoded(record: Record) -> bytes:
    """`record` as an object of the history: the same bytes for the same record.

    Raises:
        InputError: when a figure is no finite number, so that JSON cannot say it.
    """
    values = record.model_dump()
    lists = {name: values.pop(name) for name in _PARTS[record.type]}
    try:
        lines = [_line(values)]
        for name, items in lists.items():
            lines += [_line({"part": name, **item}) for item in items]
    except ValueError as error:
        raise InputError(
            f"could not record {record.type} {record_id(record)}: a figure is infinite or no number"
        ) from error
    return gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)


def decoded(data: bytes) -> Record:
    """The record that an object holds.

    Raises:
        UnreadableRecord: with the reason.
    """
    return from_values(values_of(data))


def values_of(data: bytes) -> dict[str, Any]:
    """The values of a record as they were written, its lists put back into it."""
    first, *others = _lines(_inflated(data))
    kind = first.get("type")
    names = _PARTS.get(kind) if isinstance(kind, str) else None
    if names is None:
        wanted = ", ".join(sorted(_PARTS))
        raise UnreadableRecord(f"type: must be one of {wanted} (got {_shown(kind)})")
    for name in names:
        first.setdefault(name, [])
    for line in others:
        part = line.pop("part", None)
        if part in names:
            first[part].append(line)
    return first


def from_values(values: dict[str, Any]) -> Record:
    """The record with these values, by the reader of the version that wrote them."""
    version = values.get("schema_version")
    reader = READERS.get(version) if type(version) is int else None
    if reader is not None:
        return reader(values)
    if type(version) is int and version > SCHEMA_VERSION:
        raise UnreadableRecord(
            f"it was written by a newer version of the toolkit (schema_version {version}; this "
            f"one reads {_versions()})"
        )
    raise UnreadableRecord(f"schema_version: must be {_versions()} (got {_shown(version)})")


def _read_1(values: dict[str, Any]) -> Record:
    try:
        return _record.validate_python(values)
    except ValidationError as error:
        unknown = [fault["loc"] for fault in error.errors() if fault["type"] == "extra_forbidden"]
        if not unknown or len(unknown) < error.error_count():
            raise UnreadableRecord(_faults(error)) from error
    for location in unknown:
        _remove(values, location[1:])  # the first step is the type of the record
    try:
        return _record.validate_python(values)
    except ValidationError as error:
        raise UnreadableRecord(_faults(error)) from error


# The reader of each schema version; an older one gives what the current models say.
READERS: dict[int, Callable[[dict[str, Any]], Record]] = {1: _read_1}


def record_id(record: Record) -> str:
    """The id of a run, a night or an event."""
    if isinstance(record, RunRecord):
        return record.run_id
    return record.night_id if isinstance(record, NightRecord) else record.event_id


def recorded_utc(record: Record) -> str:
    """When it began or was decided, as ISO 8601 text."""
    return record.at_utc if isinstance(record, EventRecord) else record.started_utc


def _versions() -> str:
    return " and ".join(str(version) for version in sorted(READERS))


def _inflated(data: bytes) -> bytes:
    """The bytes inside one whole gzip member, and nothing behind it."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = stream.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise UnreadableRecord(f"it is no gzip, or damaged ({error})") from error
    if stream.unconsumed_tail:
        raise UnreadableRecord(f"it has more than {MOST_BYTES // 1024**2} MB of text")
    if not stream.eof:
        raise UnreadableRecord("it is cut: the end of the gzip is missing")
    if stream.unused_data:
        raise UnreadableRecord("something follows the gzip")
    return text


def _lines(text: bytes) -> list[dict[str, Any]]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            values = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise UnreadableRecord(f"line {number} is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise UnreadableRecord(f"line {number} must be a JSON object (got {_shown(values)})")
        found.append(values)
    if not found:
        raise UnreadableRecord("it is empty")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _remove(values: Any, location: tuple[int | str, ...]) -> None:
    *steps, last = location
    for step in steps:
        values = values[step]
    values.pop(last, None)


def _faults(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False)
    where = ".".join(str(step) for step in first["loc"][1:])
    got = "" if first["type"] == "missing" else f" (got {_shown(first['input'])})"
    more = f"; and {len(others)} more" if others else ""
    return one_line(f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}{got}{more}")


def _shown(value: object) -> str:
    text = one_line(json.dumps(value, default=str))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
