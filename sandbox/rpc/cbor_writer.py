"""Outputs as CBOR (RFC 8949), in pieces.

cbor2 has no types for what a shape says, such as times as numbers: making them first takes several
times as long as writing the bytes here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sandbox.rpc.pieces import batches, is_small

Writer = Callable[[Any], bytes]

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_DOUBLE = struct.Struct(">Bd")  # 0xFB and the number
_TIME = struct.Struct(">BBd")  # tag 1 before it: seconds since the epoch

_writers: WeakKeyDictionary[Shape, Writer] = WeakKeyDictionary()


def cbor_pieces(shape: Shape, value: Any) -> Iterator[bytes]:
    """`value` by its shape; structures are without the members that are None."""
    if isinstance(shape, StructureShape) and not is_small(shape, value):
        given = {name: member for name, member in value.items() if member is not None}
        yield _head(_MAP, len(given))
        for name, member in given.items():
            yield _text(name)
            yield from cbor_pieces(shape.members[name], member)
    elif isinstance(shape, ListShape) and not is_small(shape, value):
        yield _head(_ARRAY, len(value))
        write = _writer(shape.member)
        for items in batches(shape.member, value):
            if len(items) == 1:
                yield from cbor_pieces(shape.member, items[0])
            else:
                yield b"".join([write(item) for item in items])
    else:
        yield _writer(shape)(value)


def _head(kind: int, number: int) -> bytes:
    """The first bytes of a value: its kind, and its length or the number itself."""
    kind <<= 5
    if number < 24:
        return bytes((kind | number,))
    if number < 1 << 8:
        return bytes((kind | 24, number))
    if number < 1 << 16:
        return struct.pack(">BH", kind | 25, number)
    if number < 1 << 32:
        return struct.pack(">BI", kind | 26, number)
    return struct.pack(">BQ", kind | 27, number)


def _text(value: str) -> bytes:
    data = value.encode()
    return _head(_TEXT, len(data)) + data


def _integer(value: int) -> bytes:
    return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)


_SCALARS: dict[str, Writer] = {
    "string": _text,
    "blob": lambda value: _head(_BYTES, len(value)) + value,
    "boolean": lambda value: b"\xf5" if value else b"\xf4",
    "integer": _integer,
    "long": _integer,
    "float": lambda value: _DOUBLE.pack(0xFB, value),
    "double": lambda value: _DOUBLE.pack(0xFB, value),
    "timestamp": lambda value: _TIME.pack(0xC1, 0xFB, value.timestamp()),
}


def _writer(shape: Shape) -> Writer:
    writer = _writers.get(shape)
    if writer is None:
        # For shapes within themselves; replaced at once.
        _writers[shape] = lambda value: _writer(shape)(value)
        writer = _writers[shape] = _make_writer(shape)
    return writer


def _make_writer(shape: Shape) -> Writer:
    match shape:
        case StructureShape():
            return _structure_writer(shape)
        case ListShape():
            item = _writer(shape.member)
            return lambda value: _head(_ARRAY, len(value)) + b"".join([item(one) for one in value])
        case MapShape():
            part = _writer(shape.value)
            return lambda value: (
                _head(_MAP, len(value))
                + b"".join([_text(key) + part(one) for key, one in value.items()])
            )
    return _SCALARS[shape.type_name]


def _structure_writer(shape: StructureShape) -> Writer:
    parts = {name: (_text(name), _writer(member)) for name, member in shape.members.items()}

    def write(value: Any) -> bytes:
        found = []
        for name, member in value.items():
            if member is not None:
                key, part = parts[name]
                found.append(key + part(member))
        return _head(_MAP, len(found)) + b"".join(found)

    return write
