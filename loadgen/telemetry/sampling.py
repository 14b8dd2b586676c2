"""Which requests of a run are looked up in logs: all, or a sample that is spread over the run.

FilterLogEvents gives all lines of a time range, so a sample is some ranges: each tenth of the run
gives the requests that it begins with. The same run always has the same sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.records import Records

MOST_REQUESTS = 200_000
_SLICES = 10

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class LogSlice:
    """Rows of requests that follow each other; all that is logged of them is looked for."""

    rows: Rows

    def range_us(self, records: Records, rows: Rows | None = None) -> tuple[int, int]:
        """From the first start to the last end of its requests, or of `rows`, in us of the run."""
        chosen = self.rows if rows is None else rows
        start_us = records["start_us"][chosen]
        return int(start_us.min()), int((start_us + records["service_us"][chosen]).max())


def slices_of(records: Records, *, most: int = MOST_REQUESTS) -> list[LogSlice]:
    """Requests that the API gave an id, about `most` of them, in order of time."""
    rows = np.flatnonzero(records["request_id"] != b"")
    if not len(rows):
        return []
    rows = rows[np.argsort(records["start_us"][rows], kind="stable")]
    if len(rows) <= most:
        return [LogSlice(rows)]
    return [LogSlice(part[: most // _SLICES]) for part in np.array_split(rows, _SLICES)]


def sampled_share(records: Records, slices: list[LogSlice]) -> float:
    """How many of the requests with an id are in the slices."""
    whole = int((records["request_id"] != b"").sum())
    return sum(len(one.rows) for one in slices) / whole if whole else 1.0
