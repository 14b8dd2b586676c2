"""Latencies as HDR histograms: numpy counts that merge exactly.

The layout is that of HdrHistogram for 1 us to 1 hour with 3 significant digits: whole microseconds
below 2,048 us, and above that slots whose width is at most 1/1024 of their lowest value. Every
percentile is therefore within 0.1 % above the measured value, and never above the maximum, which
is kept exactly, as are minimum and sum.

The encoded form is HdrHistogram's V2 compressed base64 followed by `;min;max;sum` in microseconds;
what stands before the first semicolon is readable by other tools. It is written and read here,
vectorised, because HdrHistogram for Python needs an array of all slots for each histogram, and an
injector sends hundreds each second. Format: HdrHistogram, AbstractHistogram.java and
ZigZagEncoding.java, encodeIntoCompressedByteBuffer (V2).
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

LOWEST_US = 1
HIGHEST_US = 3_600_000_000
DIGITS = 3
SLOTS = 23_552  # counts_len of HdrHistogram with the three numbers above

_HALF_BITS = 10  # 1,024 slots an octave
_LINEAR = 2_048  # values below this have slots of their own
_SPARSE_MOST = 512  # more slots than this in use: an array over the octaves in use
_COOKIE = 0x1C849303 | 0x10
_COMPRESSED_COOKIE = 0x1C849304 | 0x10
_HEADER = struct.Struct(">iiiiqqd")  # cookie, length, offset, digits, lowest, highest, ratio
_OUTER = struct.Struct(">ii")
_EMPTY: Ints = np.zeros(0, np.int64)
_EMPTY.flags.writeable = False


def slots_of(values_us: Ints) -> Ints:
    """The slot of each value, which must lie within 0 and HIGHEST_US."""
    # The exponent of a float is the bit length: exact far beyond an hour in microseconds.
    exponents = (values_us | (_LINEAR - 1)).astype(np.float64).view(np.int64) >> 52
    octaves = exponents - (1023 + _HALF_BITS)
    return (octaves << _HALF_BITS) + (values_us >> octaves)


def lowest_us(slots: Ints) -> Ints:
    """The lowest value of each slot."""
    octaves = np.maximum((slots >> _HALF_BITS) - 1, 0)
    lowest: Ints = (slots - (octaves << _HALF_BITS)) << octaves
    return lowest


def highest_us(slots: Ints) -> Ints:
    """The highest value that shares each slot."""
    octaves = np.maximum((slots >> _HALF_BITS) - 1, 0)
    highest: Ints = ((slots - (octaves << _HALF_BITS) + 1) << octaves) - 1
    return highest


class Histogram:
    """Counts of latencies in microseconds; thousands of small ones are cheap to hold."""

    __slots__ = ("_base", "_counts", "_dense", "_max_us", "_min_us", "_n", "_slots", "_sum_us")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._slots = _EMPTY  # in use, ascending, while there are few
        self._counts = _EMPTY
        self._dense: Ints | None = None  # later: the counts of the slots from _base on
        self._base = 0
        self._n = 0
        self._sum_us = 0
        self._min_us = 0
        self._max_us = 0

    @classmethod
    def of(cls, values_us: Ints | Sequence[int]) -> Histogram:
        """The histogram of `values_us`."""
        histogram = cls()
        histogram.add(values_us)
        return histogram

    @classmethod
    def merged(cls, histograms: Iterable[Histogram]) -> Histogram:
        """All of `histograms` in one."""
        whole = cls()
        for histogram in histograms:
            whole.merge(histogram)
        return whole

    @classmethod
    def from_slots(
        cls, slots: Ints, counts: Ints, *, min_us: int, max_us: int, sum_us: int
    ) -> Histogram:
        """The histogram with `counts` in `slots`, which ascend and are all different."""
        histogram = cls()
        n = int(counts.sum())
        if n:
            histogram._take(slots, counts)
            histogram._n, histogram._sum_us = n, sum_us
            histogram._min_us, histogram._max_us = min_us, max_us
        return histogram

    # -- what is in it ---------------------------------------------------------------------------

    @property
    def n(self) -> int:
        """The number of values."""
        return self._n

    @property
    def min_us(self) -> int:
        """The smallest value, exactly; 0 of an empty histogram."""
        return self._min_us

    @property
    def max_us(self) -> int:
        """The greatest value, exactly; 0 of an empty histogram."""
        return self._max_us

    @property
    def sum_us(self) -> int:
        """The sum of all values, exactly."""
        return self._sum_us

    @property
    def mean_us(self) -> float:
        """The arithmetic mean, exactly; 0 of an empty histogram."""
        return self._sum_us / self._n if self._n else 0.0

    def slots_and_counts(self) -> tuple[Ints, Ints]:
        """The slots in use, ascending, and their counts."""
        if self._dense is None:
            return self._slots, self._counts
        used = np.flatnonzero(self._dense)
        return used + self._base, self._dense[used]

    def percentile(self, q: float) -> int:
        """The value in us at or below which `q` percent of the values lie; 0 when empty.

        The value at rank ceil(q/100 * n), as HdrHistogram for Java (2.1.11 and later) counts
        ranks: the highest value of its slot, at most the maximum. At most 0.1 % above the
        measured value of that rank, never below it.
        """
        return self.percentiles((q,))[0]

    def percentiles(self, qs: Sequence[float]) -> list[int]:
        """`percentile` of several `qs` (0 to 100) in one pass."""
        if not self._n:
            return [0] * len(qs)
        slots, counts = self.slots_and_counts()
        # 99.9 / 100 * 1000 must not become rank 1000 by the last bit of a float.
        ranks = [min(max(math.ceil(round(q * self._n / 100, 6)), 1), self._n) for q in qs]
        at = np.searchsorted(np.cumsum(counts), ranks)
        return [min(int(value), self._max_us) for value in highest_us(slots[at])]

    def count_at_most(self, us: int) -> int:
        """How many values are at most `us`, to the resolution of the slots."""
        if us < 0:
            return 0
        if us >= self._max_us:
            return self._n
        slots, counts = self.slots_and_counts()
        last = int(slots_of(np.array([min(us, HIGHEST_US)], np.int64))[0])
        return int(counts[: np.searchsorted(slots, last, side="right")].sum())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        mine, theirs = self.slots_and_counts(), other.slots_and_counts()
        same = all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
        return same and self._extent() == other._extent()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Histogram(n={self._n}, min_us={self._min_us}, max_us={self._max_us})"

    def _extent(self) -> tuple[int, int, int, int]:
        return self._n, self._min_us, self._max_us, self._sum_us

    # -- changes ---------------------------------------------------------------------------------

    def add(self, values_us: Ints | Sequence[int]) -> None:
        """Count `values_us`: values above an hour count in its slot, negative ones as 0."""
        values = np.maximum(np.asarray(values_us, np.int64), 0)
        if not values.size:
            return
        slots = slots_of(np.minimum(values, HIGHEST_US))
        slots.sort()
        starts = _starts(slots)
        self._take(slots[starts], np.diff(starts, append=len(slots)))
        self._grow(values.size, int(values.sum()), int(values.min()), int(values.max()))

    def merge(self, other: Histogram) -> None:
        """Count all that `other` has as well."""
        if other._n:
            self._take(*other.slots_and_counts())
            self._grow(other._n, other._sum_us, other._min_us, other._max_us)

    def subtract(self, other: Histogram) -> None:
        """Take out what `other` has; minimum and maximum stay, unless nothing remains.

        Raises:
            ValueError: `other` has values that are not here.
        """
        if not other._n:
            return
        slots, taken = other.slots_and_counts()
        dense = self._dense_over(slots)
        if (dense[slots - self._base] < taken).any():
            raise ValueError("cannot take values out of a histogram that does not have them")
        dense[slots - self._base] -= taken
        self._n -= other._n
        self._sum_us -= other._sum_us
        if not self._n:
            self._clear()

    def _grow(self, n: int, sum_us: int, min_us: int, max_us: int) -> None:
        self._min_us = min(self._min_us, min_us) if self._n else min_us
        self._max_us = max(self._max_us, max_us)
        self._n += n
        self._sum_us += sum_us

    def _take(self, slots: Ints, counts: Ints) -> None:
        """Add `counts` to `slots`, which ascend and are all different."""
        if self._dense is not None or len(self._slots) + len(slots) > _SPARSE_MOST:
            dense = self._dense_over(slots)
            dense[slots - self._base] += counts
        elif not len(self._slots):
            self._slots, self._counts = slots, counts
        else:
            self._slots, self._counts = combined(
                np.concatenate((self._slots, slots)), np.concatenate((self._counts, counts))
            )

    def _dense_over(self, slots: Ints) -> Ints:
        """The array of counts, made or widened so that it has `slots`; whole octaves."""
        used = self._slots if self._dense is None else _EMPTY
        first = min(int(a[0]) >> _HALF_BITS << _HALF_BITS for a in (slots, used) if len(a))
        end = max((int(a[-1]) >> _HALF_BITS) + 1 << _HALF_BITS for a in (slots, used) if len(a))
        old = self._dense
        if old is not None:
            if first >= self._base and end <= self._base + len(old):
                return old
            first, end = min(first, self._base), max(end, self._base + len(old))
        dense = np.zeros(end - first, np.int64)
        if old is not None:
            dense[self._base - first : self._base - first + len(old)] = old
        else:
            dense[self._slots - first] = self._counts
            self._slots = self._counts = _EMPTY
        self._base, self._dense = first, dense
        return dense

    # -- as text ---------------------------------------------------------------------------------

    def encode(self) -> str:
        """The histogram as text: `BASE64;min;max;sum`, or nothing at all when it is empty."""
        if not self._n:
            return ""
        slots, counts = self.slots_and_counts()
        stream = _varints(_runs(slots, counts))
        header = _HEADER.pack(_COOKIE, len(stream), 0, DIGITS, LOWEST_US, HIGHEST_US, 1.0)
        packed = zlib.compress(header + stream, 1)
        outer = _OUTER.pack(_COMPRESSED_COOKIE, len(packed))
        text = base64.b64encode(outer + packed).decode()
        return f"{text};{self._min_us};{self._max_us};{self._sum_us}"

    @classmethod
    def decode(cls, text: str) -> Histogram:
        """The histogram that `encode` made `text` of.

        Raises:
            ValueError: `text` is damaged, or its histogram has another layout.
        """
        if not text:
            return cls()
        try:
            packed, min_us, max_us, sum_us = text.split(";")
            slots, counts = _slots_of_payload(_payload(packed))
            return cls.from_slots(
                slots, counts, min_us=int(min_us), max_us=int(max_us), sum_us=int(sum_us)
            )
        except (ValueError, struct.error, zlib.error) as error:
            raise ValueError(f"not an encoded histogram: {error}") from error


def combined(slots: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """`slots` ascending, each once, with the sum of its `counts`."""
    if not len(slots):
        return _EMPTY, _EMPTY
    order = slots.argsort(kind="stable")
    slots = slots[order]
    starts = _starts(slots)
    return slots[starts], np.add.reduceat(counts[order], starts, dtype=np.int64)


def _starts(ascending: Ints) -> Ints:
    """Where each different value begins."""
    fresh = np.empty(len(ascending), np.bool_)
    fresh[0] = True
    np.not_equal(ascending[1:], ascending[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)


# -- the V2 encoding of HdrHistogram --------------------------------------------------------------


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
    try:
        packed = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error
    cookie, length = _OUTER.unpack_from(packed)
    if cookie != _COMPRESSED_COOKIE or length != len(packed) - _OUTER.size:
        raise ValueError("no compressed HDR histogram (V2), or cut short")
    return zlib.decompress(packed[_OUTER.size :])


def _slots_of_payload(payload: bytes) -> tuple[Ints, Ints]:
    cookie, length, offset, digits, lowest, highest, _ = _HEADER.unpack_from(payload)
    if cookie != _COOKIE or length != len(payload) - _HEADER.size or offset:
        raise ValueError("no HDR histogram (V2), or cut short")
    if (digits, lowest, highest) != (DIGITS, LOWEST_US, HIGHEST_US):
        raise ValueError(f"made for {lowest} to {highest} with {digits} digits")
    zigzag = _from_varints(np.frombuffer(payload, np.uint8, offset=_HEADER.size))
    values = (zigzag >> 1) ^ -(zigzag & 1)
    ends = np.cumsum(np.where(values < 0, -values, 1))
    if len(ends) and ends[-1] > SLOTS:
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
