"""A run as it stands: what the live view shows, read from the books once a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from loadgen.outcome import Kind, Outcome
from loadgen.tally import Tally
from loadgen.thresholds import LAG_S, Rule, so_far
from reports.load_document import ThresholdResult

# Long enough for a p95 that does not jump, short enough to be about now.
LATENCY_WINDOW_S = 10


@dataclass(frozen=True, slots=True)
class Now:
    """The figures of the moment; phase and rates are of the last second that is known well.

    Counts by cause, dropped arrivals and completed requests are of the whole run so far.
    """

    elapsed_s: float
    total_s: float
    phase: str
    planned: str  # the phase in words
    offered_rps: int
    admitted_rps: int
    throttled_rps: int
    failed_rps: int
    completed: int
    throttled_by_cause: tuple[tuple[str, int], ...]  # the most frequent first
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    in_flight: int
    users: int
    dropped: int
    start_lag_p99_ms: float | None
    cpu_shares: tuple[float, ...]  # by injector
    thresholds: tuple[ThresholdResult, ...]


def now_of(tally: Tally, rules: Sequence[Rule], now_s: float, total_s: float) -> Now:
    """How a run stands `now_s` after its beginning."""
    everywhere = range(len(tally.phases))
    known_s = max(floor(now_s - LAG_S) - 1, 0)
    second = tally.totals(everywhere, seconds=range(known_s, known_s + 1))
    recent = tally.totals(
        everywhere, seconds=range(max(known_s + 1 - LATENCY_WINDOW_S, 0), known_s + 1)
    )
    whole = tally.totals(everywhere)
    outcomes = second.outcomes
    response = recent.response
    p50, p95, p99 = (
        [value / 1000 for value in response.percentiles((50, 95, 99))]
        if response.n
        else (None, None, None)
    )
    lag = tally.start_lag
    # A burst at the very end is due in a second that the schedule only begins.
    is_over = known_s >= floor(total_s) and now_s > total_s and not second.offered
    phase = tally.phase_of(known_s)
    return Now(
        elapsed_s=now_s,
        total_s=total_s,
        phase="drain" if is_over else phase.name if phase else "",
        planned="requests in flight end" if is_over else phase.words if phase else "",
        offered_rps=second.offered_requests,
        admitted_rps=second.admitted,
        throttled_rps=outcomes[Outcome.THROTTLED],
        failed_rps=second.admitted - outcomes[Outcome.OK],
        completed=whole.completed,
        throttled_by_cause=_by_cause(whole.counts),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        in_flight=tally.in_flight,
        users=tally.users,
        dropped=whole.dropped,
        start_lag_p99_ms=lag.percentile(99) / 1000 if lag.n else None,
        cpu_shares=tuple(
            samples[-1][1] for _, samples in sorted(tally.cpu_share.items()) if samples
        ),
        thresholds=tuple(so_far(rules, tally, now_s)),
    )


def _by_cause(counts: dict[int, int]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for code, count in counts.items():
        kind = Kind.of(code)
        if kind.outcome is Outcome.THROTTLED:
            cause = kind.cause.name.lower()
            found[cause] = found.get(cause, 0) + count
    return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))
