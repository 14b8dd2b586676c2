"""One second of a run as the result document has it."""

from __future__ import annotations

from dataclasses import dataclass, field

from loadgen.histogram import Histogram
from loadgen.outcome import Kind, Outcome
from loadgen.totals import Totals
from reports.load_document import Second

_ERRORS = (
    Outcome.CLIENT_ERROR,
    Outcome.SERVER_ERROR,
    Outcome.TIMEOUT,
    Outcome.CONNECTION_ERROR,
    Outcome.CHECK_FAILED,
)


@dataclass(slots=True)
class SecondState:
    """What frames say about one second besides its requests."""

    start_lag: Histogram = field(default_factory=Histogram)
    in_flight: dict[int, int] = field(default_factory=dict)  # by injector, at the end
    cpu_share: float | None = None  # of the busiest injector


def row(second: int, phase: str, totals: Totals, state: SecondState) -> Second:
    """The row of a second; percentiles in ms, None where nothing was measured."""
    throttled: dict[str, int] = {}
    for code, count in totals.counts.items():
        kind = Kind.of(code)
        if kind.outcome is Outcome.THROTTLED:
            cause = kind.cause.name.lower()
            throttled[cause] = throttled.get(cause, 0) + count
    outcomes = totals.outcomes
    p50, p95, p99 = _ms(totals.response, 50, 95, 99)
    return Second(
        second=second,
        phase=phase,
        offered=totals.offered_requests,
        admitted=totals.admitted,
        throttled=throttled,
        errors={one.name.lower(): outcomes[one] for one in _ERRORS if outcomes[one]},
        dropped=totals.dropped,
        response_p50_ms=p50,
        response_p95_ms=p95,
        response_p99_ms=p99,
        service_p95_ms=_ms(totals.service, 95)[0],
        in_flight=sum(state.in_flight.values()),
        start_lag_p99_ms=_ms(state.start_lag, 99)[0],
        cpu_share=state.cpu_share,
    )


def _ms(histogram: Histogram, *percents: float) -> list[float | None]:
    if not histogram.n:
        return [None] * len(percents)
    return [value / 1000 for value in histogram.percentiles(percents)]
