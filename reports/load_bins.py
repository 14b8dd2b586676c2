"""The seconds of a run put together into few enough steps to draw.

Counts are summed and become rates over the time that a step really has. What a mean would hide is
kept beside it: the lowest and the highest second of a step. Percentiles are never averaged: a step
has those of its worst second.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.load_document import LoadDocument
from reports.load_seconds import SecondColumns, columns_of, highest, summed

# Runs of five minutes are drawn by the second, with about 4 pixels of a page's width for each.
MOST_BINS = 300
_WIDTHS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Bin:
    """Some seconds of a run: rates in requests a second, percentiles of the worst second in ms.

    `lowest` and `highest` are of its single seconds, those without a request too.
    """

    from_s: float
    to_s: float
    offered_rps: float
    lowest_offered_rps: float
    highest_offered_rps: float
    ok_rps: float
    failed_rps: float
    highest_failed_rps: float
    throttled_rps: dict[str, float]
    highest_throttled_rps: float
    dropped_rps: float
    highest_dropped_rps: float
    response_p50_ms: float | None
    response_p95_ms: float | None
    response_p99_ms: float | None
    service_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Peak:
    """The second of a run that has most of something; the first of several that are alike."""

    at_s: int
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run in steps, and its highest seconds: None where no second has any."""

    bins: list[Bin]
    offered: Peak | None
    failed: Peak | None
    throttled: Peak | None

    @property
    def edges_s(self) -> list[float]:
        """The bounds of the steps, one more than there are."""
        return [self.bins[0].from_s, *(entry.to_s for entry in self.bins)]

    @property
    def step_s(self) -> int:
        """How many seconds a step stands for; the last may have more or fewer."""
        return bin_width(self.bins[-1].to_s) if self.bins else 1


def duration_of(document: LoadDocument) -> float:
    """The length of a run in seconds: until its last phase ends, or the last second it knows."""
    return _duration(document, max([second.second for second in document.seconds], default=-1))


def _duration(document: LoadDocument, last_second: int) -> float:
    planned = max((phase.to_s for phase in document.phases), default=0.0)
    # A burst at the end takes no time, but its second is there.
    return planned if planned > last_second else last_second + 1.0


def bin_width(duration_s: float) -> int:
    """The length of a step in whole seconds that cuts a run in at most `MOST_BINS`."""
    for width in _WIDTHS_S:
        if duration_s <= width * MOST_BINS:
            return width
    hours = math.ceil(duration_s / MOST_BINS / 3600)
    return hours * 3600


def timeline_of(document: LoadDocument) -> Timeline:
    """All steps of a run in order; seconds that the document does not have are idle."""
    if not document.seconds:
        return Timeline([], None, None, None)
    found = columns_of(document.seconds)
    edges = _edges(_duration(document, found.second[-1]))
    # The last step has all that is left, the first what is before the start of the run.
    cuts = [0, *(bisect_left(found.second, edge) for edge in edges[1:-1]), len(found.second)]
    return Timeline(
        bins=[
            _bin(start, end, found.cut(first, last))
            for (start, end), (first, last) in zip(pairwise(edges), pairwise(cuts), strict=True)
        ],
        offered=_peak(found.second, found.offered),
        failed=_peak(found.second, found.failed),
        throttled=_peak(found.second, found.throttled),
    )


def _peak(seconds: Sequence[int], counts: Sequence[int]) -> Peak | None:
    most = max(counts)
    return Peak(seconds[counts.index(most)], most) if most > 0 else None


def _edges(duration_s: float) -> list[float]:
    width = bin_width(duration_s)
    edges = [float(index * width) for index in range(math.ceil(duration_s / width))]
    # A rate over the last hundredth of a second would be noise: it joins the step before.
    if len(edges) > 1 and duration_s - edges[-1] < width / 2:
        edges.pop()
    return [*edges, duration_s]


def _bin(from_s: float, to_s: float, found: SecondColumns) -> Bin:
    length = to_s - from_s
    failed = sum(found.failed)
    by_cause = summed(found.throttled_by_cause)
    return Bin(
        from_s=from_s,
        to_s=to_s,
        offered_rps=sum(found.offered) / length,
        lowest_offered_rps=_lowest_rps(from_s, to_s, found),
        highest_offered_rps=_highest_rps(found.offered, length),
        ok_rps=max(sum(found.admitted) - failed, 0) / length,
        failed_rps=failed / length,
        highest_failed_rps=_highest_rps(found.failed, length),
        throttled_rps={cause: count / length for cause, count in by_cause.items()},
        highest_throttled_rps=_highest_rps(found.throttled, length),
        dropped_rps=sum(found.dropped) / length,
        highest_dropped_rps=_highest_rps(found.dropped, length),
        response_p50_ms=highest(found.response_p50_ms),
        response_p95_ms=highest(found.response_p95_ms),
        response_p99_ms=highest(found.response_p99_ms),
        service_p95_ms=highest(found.service_p95_ms),
    )


def _highest_rps(counts: Sequence[int], length: float) -> float:
    # The last second of a run may be a part of one, with a higher rate than its count.
    return max(float(max(counts, default=0)), sum(counts) / length)


def _lowest_rps(from_s: float, to_s: float, found: SecondColumns) -> float:
    """The fewest offered in a whole second; one that has no row has none."""
    mean = sum(found.offered) / (to_s - from_s)
    whole = range(math.ceil(from_s), math.floor(to_s))
    if not whole:
        return mean
    first, end = (bisect_left(found.second, bound) for bound in (whole.start, whole.stop))
    if end - first < len(whole):
        return 0.0
    return min(float(min(found.offered[first:end])), mean)
