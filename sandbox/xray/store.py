"""The newest traces, in bounded memory."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Segment = dict[str, Any]

# A trace takes some 3 KB. X-Ray keeps traces for 30 days; a load test samples some ten a second.
MAX_TRACES = 10_000
# A caller may go on using one id; X-Ray limits a trace to 500 KB.
MAX_SEGMENTS = 50


@dataclass(slots=True)
class Trace:
    """The segments of one trace, in the order in which they were sent."""

    id: str
    segments: list[Segment] = field(default_factory=list)
    limit_exceeded: bool = False
    in_progress: int = 0

    @property
    def start_s(self) -> float:
        """When its first segment began, in seconds since the epoch."""
        return min(float(segment["start_time"]) for segment in self.segments)

    @property
    def end_s(self) -> float:
        """When its last segment ended."""
        return max(float(segment["end_time"]) for segment in self.segments)

    @property
    def root(self) -> Segment:
        """The segment that began it, as far as is known."""
        known = {segment["id"] for segment in self._all()}
        for segment in self.segments:
            if segment.get("parent_id") not in known:
                return segment
        return self.segments[0]

    @property
    def is_partial(self) -> bool:
        """Whether a segment is still to come."""
        return self.in_progress > 0

    def documents(self) -> list[dict[str, str]]:
        """The segments as X-Ray gives them."""
        return [{"Id": it["id"], "Document": json.dumps(it)} for it in self.segments]

    def _all(self) -> Iterator[Segment]:
        for segment in self.segments:
            yield segment
            yield from segment.get("subsegments", ())


class TraceStore:
    """All traces by their ids; the oldest go where there are too many."""

    def __init__(self, limit: int = MAX_TRACES) -> None:
        self._limit = limit
        self._traces: OrderedDict[str, Trace] = OrderedDict()

    def __len__(self) -> int:
        return len(self._traces)

    def open(self, trace_id: str) -> None:
        """A part of a trace begins, whose segment comes when it ends."""
        self._trace(trace_id).in_progress += 1

    def close(self, trace_id: str) -> None:
        """A part that began is over, and has sent its segment."""
        trace = self._traces.get(trace_id)
        if trace is not None and trace.in_progress:
            trace.in_progress -= 1

    def put(self, segment: Segment) -> None:
        """Adds a segment to its trace."""
        trace = self._trace(segment["trace_id"])
        if len(trace.segments) >= MAX_SEGMENTS:
            trace.limit_exceeded = True
        else:
            trace.segments.append(segment)

    def _trace(self, trace_id: str) -> Trace:
        trace = self._traces.get(trace_id)
        if trace is None:
            if len(self._traces) >= self._limit:
                self._traces.popitem(last=False)
            trace = self._traces[trace_id] = Trace(trace_id)
        return trace

    def get(self, trace_id: str) -> Trace | None:
        """The trace with this id, where any segment of it is there."""
        trace = self._traces.get(trace_id)
        return trace if trace is not None and trace.segments else None

    def between(self, start_s: float, end_s: float) -> list[Trace]:
        """The traces that began in this time, oldest first; seconds since the epoch."""
        known = (trace for trace in self._traces.values() if trace.segments)
        found = [trace for trace in known if start_s <= trace.start_s < end_s]
        return sorted(found, key=lambda trace: trace.start_s)
