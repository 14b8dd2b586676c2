"""Outputs as JSON text, in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from sandbox.rest_json.answers import to_json
from sandbox.rpc.pieces import batches, is_small


def json_pieces(shape: Shape, value: Any) -> Iterator[bytes]:
    """`value` by its shape, as `json.dumps` writes it."""
    if isinstance(shape, StructureShape) and not is_small(shape, value):
        separator = b"{"
        for name, member in value.items():
            if member is None:
                continue
            part = shape.members[name]
            key = json.dumps(str(part.serialization.get("name", name)))
            yield b"%b%b: " % (separator, key.encode())
            yield from json_pieces(part, member)
            separator = b", "
        yield b"{}" if separator == b"{" else b"}"
    elif isinstance(shape, ListShape) and not is_small(shape, value):
        separator = b"["
        for items in batches(shape.member, value):
            yield separator
            if len(items) == 1:
                yield from json_pieces(shape.member, items[0])
            else:
                yield json.dumps(to_json(shape, items))[1:-1].encode()
            separator = b", "
        yield b"]"
    else:
        yield json.dumps(to_json(shape, value)).encode()
