"""Large answers in pieces, so that the event loop can do something else between them.

A page of 10,000 log events or of 100,800 data points takes a tenth of a second to write. A load
test that runs at the same time would see all of it as latency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sandbox.slices import Slices

# Values that are written at once; they take a fraction of a millisecond.
PIECE_VALUES = 500


# Of shapes whose values are all of the same size: that size, in values.
_sizes: WeakKeyDictionary[Shape, int | None] = WeakKeyDictionary()


def is_small(shape: Shape, value: Any) -> bool:
    """Whether `value` can be written at once."""
    return _weight(shape, value) <= PIECE_VALUES


def batches(shape: Shape, items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Consecutive `items` of one shape, in lists as large as can be written at once.

    What is too large by itself comes alone.
    """
    size = _size(shape)
    if size is not None:
        count = max(1, PIECE_VALUES // size)
        for first in range(0, len(items), count):
            yield items[first : first + count]
        return
    first, weight = 0, 0
    for number, item in enumerate(items):
        more = _weight(shape, item)
        if number > first and weight + more > PIECE_VALUES:
            yield items[first:number]
            first, weight = number, 0
        weight += more
    if first < len(items):
        yield items[first:]


def _size(shape: Shape) -> int | None:
    """How many values there are in each value of a shape, at most; None where they differ."""
    if shape not in _sizes:
        if isinstance(shape, StructureShape):
            is_flat = all(
                not isinstance(part, StructureShape | ListShape | MapShape)
                for part in shape.members.values()
            )
            _sizes[shape] = 1 + len(shape.members) if is_flat else None
        else:
            _sizes[shape] = None if isinstance(shape, ListShape | MapShape) else 1
    return _sizes[shape]


def _weight(shape: Shape, value: Any) -> int:
    """How many values there are in `value`; of more than a piece, not all are counted."""
    size = _size(shape)
    if size is not None:
        return size
    if isinstance(shape, ListShape):
        size = _size(shape.member)
        if size is not None:
            return 1 + size * len(value)
        return _sum_of_weights((shape.member, one) for one in value)
    if isinstance(shape, StructureShape):
        return _sum_of_weights(
            (shape.members[name], one) for name, one in value.items() if one is not None
        )
    if isinstance(shape, MapShape):
        return _sum_of_weights((shape.value, one) for one in value.values())
    return 1


def _sum_of_weights(parts: Iterable[tuple[Shape, Any]]) -> int:
    weight = 1
    for shape, value in parts:
        weight += _weight(shape, value)
        if weight > PIECE_VALUES:
            break
    return weight


async def joined(pieces: Iterable[bytes]) -> bytes:
    """All pieces in one; they are asked for one by one."""
    slices, found = Slices(), []
    for piece in pieces:
        found.append(piece)
        if slices.is_over:
            await slices.rest()
    return b"".join(found)
