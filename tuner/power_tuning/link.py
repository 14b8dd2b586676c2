"""Links to lambda-power-tuning.show: three columns of figures in the part after `#`; pure.

What is after `#` stays in the browser: opening a link sends no figures. Form by
aws-lambda-power-tuning 4.4, `utils.js` (`buildVisualizationURL`): base64 of little-endian Int16
sizes in MB, Float32 milliseconds and Float32 prices, separated by `;`, sorted by size.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from reports.document import SizeResult

SITE = "https://lambda-power-tuning.show/"
# Int16: a larger size would come out negative.
LARGEST_MB = 32767
_CURRENCY = re.compile("[A-Z]{3}")
_COLUMNS = (("sizes", "h"), ("durations", "f"), ("costs", "f"))


@dataclass(frozen=True, slots=True)
class Point:
    """One size in such a chart: `cost` is that of one invocation, in the currency of the link."""

    memory_mb: int
    duration_ms: float
    cost: float


@dataclass(frozen=True, slots=True)
class Chart:
    """What a link shows, ascending by size; `currency` is USD where the link names none."""

    points: tuple[Point, ...]
    currency: str = "USD"


def encode_link(points: Sequence[Point]) -> str:
    """The link to a chart of `points`, whose costs are in USD.

    Raises:
        ValueError: for a size that the form has no room for, and where there is no point.
    """
    ordered = sorted(points, key=lambda point: point.memory_mb)
    if not ordered or not all(1 <= point.memory_mb <= LARGEST_MB for point in ordered):
        sizes = [point.memory_mb for point in ordered]
        raise ValueError(f"a link holds sizes from 1 to {LARGEST_MB} MB (got {sizes})")
    columns: tuple[Sequence[float], ...] = (
        [point.memory_mb for point in ordered],
        [point.duration_ms for point in ordered],
        [point.cost for point in ordered],
    )
    parts = [
        base64.b64encode(struct.pack(f"<{len(ordered)}{letter}", *values)).decode("ascii")
        for (_, letter), values in zip(_COLUMNS, columns, strict=True)
    ]
    return f"{SITE}#{';'.join(parts)}"


def decode_link(url: str) -> Chart:
    """What a link shows, whichever site it leads to; nothing is fetched.

    Raises:
        ValueError: saying what is wrong with it.
    """
    parts = urlsplit(url)
    # Chats and mail programs like to escape "=" and ";".
    pieces = unquote(parts.fragment).split(";")
    if len(pieces) != len(_COLUMNS):
        raise ValueError(
            f'expected sizes, durations and costs after "#", separated by ";" '
            f"(got {len(pieces) if parts.fragment else 0} of 3 parts; in a shell, quote the link)"
        )
    sizes, durations, costs = (
        _column(piece, name, letter) for piece, (name, letter) in zip(pieces, _COLUMNS, strict=True)
    )
    if not len(sizes) == len(durations) == len(costs):
        raise ValueError(
            f"expected as many sizes as durations and costs "
            f"(got {len(sizes)}, {len(durations)} and {len(costs)})"
        )
    points = [
        Point(int(size), duration, cost)
        for size, duration, cost in zip(sizes, durations, costs, strict=True)
    ]
    currency = parse_qs(parts.query).get("currency", ["USD"])[-1]
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"currency: expected a code such as USD (got {currency!r})")
    return Chart(tuple(sorted(points, key=lambda point: point.memory_mb)), currency)


def _column(piece: str, name: str, letter: str) -> tuple[float, ...]:
    try:
        content = base64.b64decode(piece, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{name}: expected base64: {error}") from error
    width = struct.calcsize(f"<{letter}")
    if not content or len(content) % width:
        raise ValueError(
            f"{name}: expected values of {width} bytes each (got {len(content)} bytes)"
        )
    values = struct.unpack(f"<{len(content) // width}{letter}", content)
    least = 1 if name == "sizes" else 0
    for value in values:
        if not (math.isfinite(value) and value >= least):
            raise ValueError(f"{name}: expected numbers from {least} up (got {value})")
    return values


def link_of(sizes: Iterable[SizeResult]) -> str | None:
    """The link to what was measured at `sizes`; None where nothing was.

    Median warm duration, and the cost of one warm invocation with its request fee, at each size
    that did not fail. Sizes that a link has no room for are left out.
    """
    points = [
        Point(size.memory_mb, size.duration_ms.p50, size.cost_usd_per_million / 1e6)
        for size in sizes
        if size.duration_ms is not None
        and size.cost_usd_per_million is not None
        and size.failure is None
        and size.memory_mb <= LARGEST_MB
    ]
    return encode_link(points) if points else None
