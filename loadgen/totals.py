"""The figures of a choice of requests, as tallies give them."""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.histogram import Histogram
from loadgen.outcome import Kind, Outcome


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of a choice of requests.

    `offered` and `dropped` count arrivals, `sent` requests. Of a single step only `sent` is known:
    those of it that have an outcome.
    """

    counts: dict[int, int]  # by kind code
    response: Histogram
    service: Histogram
    ok_response: Histogram
    first_byte: Histogram
    connect: Histogram
    tls: Histogram
    bytes_in: int
    offered: int
    dropped: int
    sent: int

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


@dataclass(slots=True)
class Arrivals:
    """How the arrivals of one second or phase fared, and the requests that they sent."""

    offered: int = 0
    dropped: int = 0
    sent: int = 0
