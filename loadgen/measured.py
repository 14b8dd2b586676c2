"""What a run shows of its generator, read from its books for the judgement of validity."""

from __future__ import annotations

from loadgen.injector_notes import says_used_up, says_waited
from loadgen.outcome import Cause, Kind
from loadgen.tally import Tally
from loadgen.validity import Books, Measured

_MS = 1000.0
_US = 1e6


def measured_of(tally: Tally) -> Measured:
    """The facts that `loadgen.validity.judge` judges by."""
    everywhere = range(len(tally.phases))
    whole, counted = tally.totals(everywhere), tally.totals()
    lag = tally.start_lag
    peak = max(
        (tally.arrivals(everywhere, range(second, second + 1)).offered for second in tally.seconds),
        default=None,
    )
    return Measured(
        books=Books(whole.offered, whole.dropped, whole.sent, whole.completed),
        offered=counted.offered,
        dropped=counted.dropped,
        completed=counted.completed,
        start_lag_p50_ms=lag.percentile(50) / _MS if lag.n else None,
        start_lag_p99_ms=lag.percentile(99) / _MS if lag.n else None,
        cpu={
            injector: [(at_us / _US, share) for at_us, share in samples]
            for injector, samples in tally.cpu_share.items()
        },
        frames_missing=sum(len(numbers) for numbers in tally.frames_missing().values()),
        no_free_connection=sum(
            count
            for code, count in whole.counts.items()
            if Kind.of(code).cause is Cause.NO_CONNECTION
        ),
        mean_response_s=whole.response.mean_us / _US if whole.response.n else None,
        peak_rps=None if peak is None else float(peak),
        waited_for_connection=says_waited(tally.notes),
        data_used_up=says_used_up(tally.notes),
    )
