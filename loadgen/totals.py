"""The figures of a choice of requests, as tallies give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loadgen.histogram import Histogram
from loadgen.outcome import Kind, Outcome

METRICS = ("response", "service", "first_byte", "connect", "tls")
RESPONSE, SERVICE, FIRST_BYTE, CONNECT, TLS = range(len(METRICS))


class Latencies:
    """The latencies of a choice of requests, each put together when it is first asked for.

    `source` gives that of a metric and of one outcome, or of all outcomes. Many windows are only
    asked for counts, or for one percentile.
    """

    __slots__ = ("_known", "_source")

    def __init__(self, source: Callable[[int, Outcome | None], Histogram]) -> None:
        self._source = source
        self._known: dict[tuple[int, Outcome | None], Histogram] = {}

    def of(self, metric: int, outcome: Outcome | None = None) -> Histogram:
        """The histogram of one metric; do not change it."""
        histogram = self._known.get((metric, outcome))
        if histogram is None:
            histogram = self._known[metric, outcome] = self._source(metric, outcome)
        return histogram


NO_LATENCIES = Latencies(lambda metric, outcome: Histogram())


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of a choice of requests.

    `offered` and `dropped` count arrivals, `sent` requests. Of a single step only `sent` is known:
    those of it that have an outcome.
    """

    counts: dict[int, int]  # by kind code
    latencies: Latencies
    bytes_in: int
    offered: int
    dropped: int
    sent: int

    @property
    def response(self) -> Histogram:
        """From the intended start to the last byte, of all completed requests."""
        return self.latencies.of(RESPONSE)

    @property
    def ok_response(self) -> Histogram:
        """Response times of those with outcome ok."""
        return self.latencies.of(RESPONSE, Outcome.OK)

    @property
    def service(self) -> Histogram:
        """From the actual start to the last byte, of all completed requests."""
        return self.latencies.of(SERVICE)

    @property
    def first_byte(self) -> Histogram:
        """From the actual start to the first byte, of those that were answered."""
        return self.latencies.of(FIRST_BYTE)

    @property
    def connect(self) -> Histogram:
        """How long connecting took, of those that had to."""
        return self.latencies.of(CONNECT)

    @property
    def tls(self) -> Histogram:
        """How long TLS handshakes took, of those that made one."""
        return self.latencies.of(TLS)

    @property
    def completed(self) -> int:
        """Requests with an outcome, whatever it was."""
        return sum(self.counts.values())

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Completed requests by outcome; every outcome is there."""
        found = dict.fromkeys(Outcome, 0)
        for code, count in self.counts.items():
            found[Kind.of(code).outcome] += count
        return found

    @property
    def admitted(self) -> int:
        """Completed requests that no limit refused."""
        return self.completed - self.outcomes[Outcome.THROTTLED]

    @property
    def offered_requests(self) -> int:
        """Requests that were due: those sent, and those that dropped arrivals would have sent.

        The latter are estimated from the arrivals that were begun; exact with one step a scenario.
        """
        begun = self.offered - self.dropped
        return self.sent + round(self.dropped * (self.sent / begun if begun and self.sent else 1))


@dataclass(frozen=True, slots=True)
class StepPart:
    """What became of the requests of a step in some phases and seconds."""

    outcomes: dict[Outcome, int] = field(default_factory=dict)
    ok_response: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class Arrivals:
    """How the arrivals of one second or phase fared, and the requests that they sent."""

    offered: int = 0
    dropped: int = 0
    sent: int = 0
