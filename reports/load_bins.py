"""The seconds of a run put together into few enough steps to draw.

Counts are summed and become rates over the time that a step really has. Percentiles are never
averaged: a step has those of its worst second.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.load_document import LoadDocument, Second

# About one step for each 5 pixels of a page's width, and two for a phone's.
MOST_BINS = 200
_WIDTHS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Bin:
    """Some seconds of a run: rates in requests a second, percentiles of the worst second in ms."""

    from_s: float
    to_s: float
    offered_rps: float
    ok_rps: float
    failed_rps: float
    throttled_rps: dict[str, float]
    dropped_rps: float
    response_p50_ms: float | None
    response_p95_ms: float | None
    response_p99_ms: float | None
    service_p95_ms: float | None

    @property
    def middle_s(self) -> float:
        """Where a point for all of it belongs."""
        return (self.from_s + self.to_s) / 2


def duration_of(document: LoadDocument) -> float:
    """The length of a run in seconds: until its last phase ends, or the last second it knows."""
    planned = max((phase.to_s for phase in document.phases), default=0.0)
    # A burst at the end takes no time, but its second is there.
    known = max((float(second.second) for second in document.seconds), default=-1.0)
    return planned if planned > known else known + 1


def bin_width(duration_s: float) -> int:
    """The length of a step in whole seconds that cuts a run in at most `MOST_BINS`."""
    for width in _WIDTHS_S:
        if duration_s <= width * MOST_BINS:
            return width
    hours = math.ceil(duration_s / MOST_BINS / 3600)
    return hours * 3600


def bins_of(document: LoadDocument) -> list[Bin]:
    """All steps of a run in order; seconds that the document does not have are idle."""
    if not document.seconds:
        return []
    edges = _edges(duration_of(document))
    width = bin_width(edges[-1])
    groups: list[list[Second]] = [[] for _ in edges[1:]]
    for second in document.seconds:
        index = min(max(second.second, 0) // width, len(groups) - 1)
        groups[index].append(second)
    return [
        _bin(start, end, seconds)
        for start, end, seconds in zip(edges, edges[1:], groups, strict=False)
    ]


def _edges(duration_s: float) -> list[float]:
    width = bin_width(duration_s)
    edges = [float(index * width) for index in range(math.ceil(duration_s / width))]
    # A rate over the last hundredth of a second would be noise: it joins the step before.
    if len(edges) > 1 and duration_s - edges[-1] < width / 2:
        edges.pop()
    return [*edges, duration_s]


def _bin(from_s: float, to_s: float, seconds: Sequence[Second]) -> Bin:
    length = to_s - from_s
    throttled: dict[str, float] = {}
    for second in seconds:
        for cause, count in second.throttled.items():
            throttled[cause] = throttled.get(cause, 0.0) + count / length
    failed = sum(sum(second.errors.values()) for second in seconds)
    admitted = sum(second.admitted for second in seconds)
    return Bin(
        from_s=from_s,
        to_s=to_s,
        offered_rps=sum(second.offered for second in seconds) / length,
        ok_rps=max(admitted - failed, 0) / length,
        failed_rps=failed / length,
        throttled_rps=throttled,
        dropped_rps=sum(second.dropped for second in seconds) / length,
        response_p50_ms=_worst(second.response_p50_ms for second in seconds),
        response_p95_ms=_worst(second.response_p95_ms for second in seconds),
        response_p99_ms=_worst(second.response_p99_ms for second in seconds),
        service_p95_ms=_worst(second.service_p95_ms for second in seconds),
    )


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
