"""Which requests were looked up in logs at all: parts and shares are of these alone.

The logs of a very long run are read for some ranges of it. Requests outside of them are not
unmatched, and timeouts inside belong to the sample as much as answers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from loadgen.records import Records
from loadgen.telemetry.sampling import MOST_REQUESTS, slices_of
from loadgen.telemetry.traces import TIMES, Traces
from loadgen.waterfall.split import Bools

# Of fewer traces, a median and a slowest hundredth say nothing.
_FEWEST_TRACES = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """The requests that count, what tells of them, and what a reader should know of that."""

    rows: Bools
    source: Literal["logs", "xray", "client"]
    note: str | None = None


def sample_of(records: Records, traces: Traces, *, most: int = MOST_REQUESTS) -> Sample:
    """All requests, those in ranges that were read, or those that X-Ray sampled."""
    timed = ~np.isnan(traces["latency_ms"]) | ~np.isnan(traces["duration_ms"])
    everything = np.ones(len(records), np.bool_)
    if np.any(timed & ~traces["has_xray"]):
        rows = _in_ranges(records, most)
        if rows.all():
            return Sample(everything, "logs")
        note = f"of a sample: logs were read for {int(rows.sum()):,} of {len(rows):,} requests"
        return Sample(rows, "logs", note)
    traced: Bools = timed & traces["has_xray"]
    n = int(traced.sum())
    if n >= _FEWEST_TRACES:
        return Sample(traced, "xray", f"of the {n:,} requests that X-Ray sampled")
    few = f"X-Ray sampled {n:,} requests, too few for a median" if n else None
    return Sample(everything, "client", few)


def of_logs(records: Records, traces: Traces) -> Traces:
    """`traces` without the times that no log tells, and X-Ray only of the few that it sampled.

    Requests of one group would else be split in different ways; and where a log never has the time
    of an integration, those without one would look as if they had asked none.
    """
    kept, told_by_log = traces.copy(), ~traces["has_xray"]
    _forget(kept, told_by_log, np.ones(len(traces), np.bool_))
    for step in np.unique(records["step"]).tolist():
        # The functions of some steps have no REPORT lines.
        _forget(kept, told_by_log, records["step"] == step)
    return kept


def _forget(kept: Traces, told_by_log: Bools, chosen: Bools) -> None:
    """Takes away times that, of the `chosen`, none has that the log alone tells of."""
    logged = chosen & told_by_log
    for name in TIMES if logged.any() else ():
        if np.isnan(kept[name][logged]).all():
            kept[name][chosen] = np.nan


def _in_ranges(records: Records, most: int) -> Bools:
    slices = slices_of(records, most=most)
    if len(slices) < 2:
        return np.ones(len(records), np.bool_)
    start_us = records["start_us"]
    rows = np.zeros(len(records), np.bool_)
    for part in slices:
        of_part = start_us[part.rows]
        rows |= (start_us >= of_part.min()) & (start_us <= of_part.max())
    return rows
