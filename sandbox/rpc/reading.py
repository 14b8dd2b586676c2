"""Decoded bodies of RPC requests as parameters: numbers in their range, times as datetimes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape, StructureShape

from sandbox.rest_json.parsing import DocumentReader, serialization_error

# Bits of a signed whole number, by the kind that the models know.
_INTEGER_BITS = {"integer": 32, "long": 64}


class RpcReader(DocumentReader):
    """Reads documents whose times are numbers of seconds or ISO 8601 text (aws-json)."""

    def scalar(self, shape: Shape, value: object, path: str) -> object:
        """A scalar, with the range of its kind checked."""
        kind = shape.type_name
        if kind == "timestamp":
            return to_time(value, path)
        if kind in _INTEGER_BITS and isinstance(value, int):
            return _in_range(value, _INTEGER_BITS[kind], path)
        if kind in ("float", "double") and isinstance(value, int):
            return _to_float(value, path)
        return super().scalar(shape, value, path)


def read_structure(
    reader: DocumentReader, shape: Shape | None, document: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters in the body of an operation with the input `shape`."""
    if not isinstance(shape, StructureShape):
        return {}
    return reader.structure(shape.members, document, "")


def to_time(value: object, path: str) -> datetime:
    """The time that a number of seconds since the epoch, or a text, stands for; in UTC.

    Raises:
        ApiError: it stands for none.
    """
    try:
        match value:
            case datetime():
                return value.astimezone(UTC)
            case int() | float():
                return datetime.fromtimestamp(value, UTC)
            case str():
                return _parse_time(value)
    except (ValueError, OverflowError, OSError) as error:
        raise serialization_error(f"{path}: expected a timestamp (got {value})") from error
    raise serialization_error(f"{path}: expected a timestamp (got {value})")


def _parse_time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    # AWS reads a time without a zone as UTC.
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _in_range(value: int, bits: int, path: str) -> int:
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise serialization_error(f"{path}: expected a whole number of {bits} bits (got {value})")
    return value


def _to_float(value: int, path: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise serialization_error(f"{path}: expected a number below 1.8e308") from error
