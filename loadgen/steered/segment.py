"""What a steered load consists of: segments of arrivals, and what came of each.

The plan of such a load is a generator that yields a `Segment` and is sent the `Sent` of it before
it yields the next one; it returns its finding. It knows no clock, no process and no network, so
that the same plan runs against an API and, in tests, against a simulated one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from loadgen.records import RECORD, Records, response_us

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Stream:
    """Arrivals of one scenario at a constant rate, for a part of a segment.

    `from_s` and `to_s` count from the beginning of the segment; `scenario` is the number of the
    scenario in the profile. Uniform arrivals begin half a gap after `from_s`.
    """

    scenario: int
    rate_rps: float  # arrivals a second
    from_s: float
    to_s: float
    arrivals: Literal["uniform", "poisson"] = "uniform"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a segment stands while it goes on; counts are of requests that have ended, by step."""

    elapsed_s: float
    admitted: Mapping[int, int]  # by step: neither throttled nor a connection that did not come
    throttled: Mapping[int, int]
    failed: Mapping[int, int]  # errors, timeouts and failed checks; they are among the admitted
    p95_ms: float | None  # service time of all that was ok

    @property
    def ended(self) -> int:
        """All requests that have ended."""
        return sum(self.admitted.values()) + sum(self.throttled.values())


# Looks at a segment once a second; a reason ends the segment at once.
Watch = Callable[[Progress], str | None]


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a steered load.

    It begins `rest_s` after the last arrival of the one before, or as soon as everything of that
    has ended and been looked at, which takes some 0.1 s. `length_s` is at least the end of its
    streams; without streams it is a pause.
    """

    name: str
    streams: tuple[Stream, ...]
    length_s: float
    rest_s: float = 0.0
    measured: bool = True
    watch: Watch | None = None

    @property
    def expected(self) -> float:
        """The number of its arrivals."""
        return sum(one.rate_rps * (one.to_s - one.from_s) for one in self.streams)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a segment: a record for each request that ended, in the order of their starts.

    Times of `records` and `from_us`, `to_us` count from the beginning of the run; `to_us` is the
    planned end, or where the segment was cut. `connection` tells connections apart over all
    injectors. `stopped` has the reason when the watch or a guard ended it early.
    """

    records: Records
    from_us: int
    to_us: int
    connection: NDArray[np.int64]
    dropped: int = 0  # arrivals that found max_in_flight under way
    cut: int = 0  # requests that had not ended when the wait for them did
    stopped: str | None = None

    @property
    def outcome(self) -> NDArray[np.uint8]:
        """Numbers of `loadgen.outcome.Outcome`."""
        return np.asarray(self.records["kind"] >> 12, np.uint8)

    @property
    def send_s(self) -> NDArray[np.float64]:
        """Actual starts, seconds since the beginning of the run."""
        return np.asarray(self.records["start_us"] / _US, np.float64)

    @property
    def rtt_s(self) -> NDArray[np.float64]:
        """Service times without the time that a new connection took, in seconds."""
        made = self.records["connect_us"].astype(np.int64) + self.records["tls_us"]
        return np.asarray((self.records["service_us"] - made) / _US, np.float64)

    @property
    def response_s(self) -> NDArray[np.float64]:
        """Response times, from the intended start, in seconds."""
        return np.asarray(response_us(self.records) / _US, np.float64)

    @property
    def length_s(self) -> float:
        """How long arrivals came."""
        return (self.to_us - self.from_us) / _US

    def of_steps(self, steps: frozenset[int]) -> NDArray[np.bool_]:
        """Which requests are of one of `steps`."""
        return np.isin(self.records["step"], list(steps))


Found = TypeVar("Found")
# A plan: yields what to send next, is sent what came of it, returns what it found.
Plan = Generator[Segment, Sent, Found]

NOTHING = np.zeros(0, RECORD)
