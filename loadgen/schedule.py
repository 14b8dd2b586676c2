"""When requests are due: phases become arrival times, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase with its place in the run; times are seconds since the beginning.

    `expected` is the expected number of arrivals (0 for pauses and users), `peak_rps` the highest
    arrival rate; both count scenarios, not requests.
    """

    index: int
    name: str
    kind: Literal["rate", "burst", "pause", "users"]
    from_s: float
    to_s: float
    measured: bool
    expected: float
    peak_rps: float
    words: str  # `50 to 300 requests/s`, `20 users`
