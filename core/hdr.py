"""The layout and the encoding of HdrHistogram for 1 us to 1 hour with 3 significant digits.

Whole microseconds have slots of their own below 2,048 us; above that, the width of a slot is at
most 1/1024 of its lowest value. Both layout and encoding are those of HdrHistogram, written here
with numpy because HdrHistogram for Python needs an array of all slots and a call for each value,
and an injector makes and sends hundreds of small histograms each second. Source: HdrHistogram,
AbstractHistogram.java and ZigZagEncoding.java (encodeIntoCompressedByteBuffer, V2).
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
DIGITS = 3
SLOTS = 23_552  # counts_len of HdrHistogram with the three numbers above
HALF_BITS = 10  # 1,024 slots an octave

_LINEAR = 2_048  # values below this have slots of their own
_COOKIE = 0x1C849303 | 0x10
_COMPRESSED_COOKIE = 0x1C849304 | 0x10
_HEADER = struct.Struct(">iiiiqqd")  # cookie, length, offset, digits, lowest, highest, ratio
_OUTER = struct.Struct(">ii")  # cookie, length
_PAYLOAD_MOST = _HEADER.size + 9 * SLOTS


def slots_of(values_us: Ints) -> Ints:
    """The slot of each value, which must lie within 0 and HIGHEST_US."""
    # The exponent of a float is the bit length: exact far beyond an hour in microseconds.
    exponents = (values_us | (_LINEAR - 1)).astype(np.float64).view(np.int64) >> 52
    octaves = exponents - (1023 + HALF_BITS)
    return (octaves << HALF_BITS) + (values_us >> octaves)


def lowest_us(slots: Ints) -> Ints:
    """The lowest value of each slot."""
    octaves = np.maximum((slots >> HALF_BITS) - 1, 0)
    lowest: Ints = (slots - (octaves << HALF_BITS)) << octaves
    return lowest


def highest_us(slots: Ints) -> Ints:
    """The highest value that shares each slot."""
    octaves = np.maximum((slots >> HALF_BITS) - 1, 0)
    highest: Ints = ((slots - (octaves << HALF_BITS) + 1) << octaves) - 1
    return highest


def encoded(slots: Ints, counts: Ints, *, level: int = 1) -> str:
    """`counts` of `slots`, which ascend, in HdrHistogram's V2 compressed form as base64.

    `level` is that of zlib: 1 is made for the many histograms of a run, 9 for a few that are kept.
    """
    stream = _varints(_runs(slots, counts))
    header = _HEADER.pack(_COOKIE, len(stream), 0, DIGITS, LOWEST_US, HIGHEST_US, 1.0)
    packed = zlib.compress(header + stream, level)
    return base64.b64encode(_OUTER.pack(_COMPRESSED_COOKIE, len(packed)) + packed).decode()


def decoded(text: str) -> tuple[Ints, Ints]:
    """The slots in use and their counts of what `encoded`, or another HdrHistogram, wrote.

    Raises:
        ValueError: it is damaged, or made for other values.
    """
    try:
        return _slots_of_payload(_payload(text))
    except (struct.error, zlib.error, binascii.Error) as error:
        raise ValueError(str(error)) from error


def _runs(slots: Ints, counts: Ints) -> Ints:
    """Counts from slot 0 on, zigzag-coded; runs of two zeros and more as their negative length."""
    gaps = np.diff(slots, prepend=-1) - 1
    pairs = np.empty((len(slots), 2), np.int64)
    pairs[:, 0] = np.where(gaps > 1, 2 * gaps - 1, 0)
    pairs[:, 1] = 2 * counts
    present = np.ones((len(slots), 2), np.bool_)
    present[:, 0] = gaps > 0
    return pairs[present]


def _varints(values: Ints) -> bytes:
    """LEB128: seven bits a byte, lowest first."""
    greatest = int(values.max())
    if greatest < 0x80:
        return values.astype(np.uint8).tobytes()
    width = (greatest.bit_length() + 6) // 7
    digits = values[:, None] >> (7 * np.arange(width))
    present = digits > 0
    present[:, 0] = True
    more = np.zeros_like(present)
    more[:, :-1] = present[:, 1:]
    return ((digits & 0x7F) | (more * np.int64(0x80)))[present].astype(np.uint8).tobytes()


def _payload(text: str) -> bytes:
    packed = base64.b64decode(text, validate=True)
    cookie, length = _OUTER.unpack_from(packed)
    if cookie != _COMPRESSED_COOKIE or length != len(packed) - _OUTER.size:
        raise ValueError("no compressed HDR histogram (V2), or cut short")
    return zlib.decompressobj().decompress(packed[_OUTER.size :], _PAYLOAD_MOST)


def _slots_of_payload(payload: bytes) -> tuple[Ints, Ints]:
    cookie, length, offset, digits, lowest, highest, _ = _HEADER.unpack_from(payload)
    if cookie != _COOKIE or length != len(payload) - _HEADER.size or offset:
        raise ValueError("no HDR histogram (V2), or cut short")
    if (digits, lowest, highest) != (DIGITS, LOWEST_US, HIGHEST_US):
        raise ValueError(f"made for {lowest} to {highest} with {digits} digits")
    zigzag = _from_varints(np.frombuffer(payload, np.uint8, offset=_HEADER.size))
    values = (zigzag >> 1) ^ -(zigzag & 1)
    lengths = np.where(values < 0, -values, 1)
    ends = np.cumsum(lengths)
    if len(ends) and (lengths.max() > SLOTS or ends[-1] > SLOTS):
        raise ValueError("more counts than there are slots")
    used = values > 0
    return ends[used] - 1, values[used]


def _from_varints(data: NDArray[np.uint8]) -> Ints:
    last = data < 0x80
    if last.all():
        return data.astype(np.int64)
    if not last[-1]:
        raise ValueError("the last count is cut short")
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    width = int(lengths.max())
    if width > 8:  # 2**56 values of one latency: no histogram of requests
        raise ValueError("a count beyond all bounds")
    values = np.zeros(len(ends), np.int64)
    for place in range(width):
        longer = np.flatnonzero(lengths > place)
        digit = data[starts[longer] + place].astype(np.int64) & 0x7F
        values[longer] |= digit << (7 * place)
    return values
