"""What counts for rates where clients wait before they send: what was due while load came.

A client may send an operation's last attempt long after the phase that the operation belongs to.
It counts for that phase, but in a rate over the phase's length it would be more than there was.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from loadgen.tally import Tally
from loadgen.totals import NO_LATENCIES, Totals


def window_of(tally: Tally, phase: int) -> range:
    """The seconds of a phase, begun ones included; one second of a burst at once."""
    plan = tally.phases[phase]
    first = math.floor(plan.from_s)
    return range(first, max(math.ceil(plan.to_s), first + 1))


def timely_totals(tally: Tally, phases: Collection[int], step: int | None = None) -> Totals | None:
    """The counts of requests that were due within their phase, to the second.

    None where no clients are modelled: then all requests count. Latencies are not in it.
    """
    if not tally.retries:
        return None
    parts = [tally.totals((phase,), step, window_of(tally, phase)) for phase in phases]
    counts: dict[int, int] = {}
    for part in parts:
        for code, count in part.counts.items():
            counts[code] = counts.get(code, 0) + count
    return Totals(
        counts=counts,
        latencies=NO_LATENCIES,
        bytes_in=sum(part.bytes_in for part in parts),
        offered=sum(part.offered for part in parts),
        dropped=sum(part.dropped for part in parts),
        sent=sum(part.sent for part in parts),
    )
