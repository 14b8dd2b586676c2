"""How a segment stands, from the records of the requests that have ended."""

from __future__ import annotations

import numpy as np

from loadgen.outcome import Outcome
from loadgen.records import Records
from loadgen.steered.segment import Progress


def progress_of(records: Records, elapsed_s: float) -> Progress:
    """What a watch is shown of `records` after `elapsed_s`."""
    outcome = records["kind"] >> 12
    throttled = outcome == Outcome.THROTTLED
    ok = outcome == Outcome.OK
    service_us = records["service_us"][ok]
    return Progress(
        elapsed_s=elapsed_s,
        admitted=_by_step(records[~throttled]),
        throttled=_by_step(records[throttled]),
        failed=_by_step(records[~throttled & ~ok]),
        p95_ms=float(np.percentile(service_us, 95)) / 1000 if len(service_us) else None,
    )


def _by_step(records: Records) -> dict[int, int]:
    steps, counts = np.unique(records["step"], return_counts=True)
    return dict(zip(steps.tolist(), counts.tolist(), strict=True))
