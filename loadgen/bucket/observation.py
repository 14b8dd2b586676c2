"""What a probe of a limit saw: requests by phase, and whether each was admitted.

Phases are given in the order of time. Times count from any one beginning. The names of the phases
are for people: what is inferred depends on the times alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: the requests that began in it, in the order of their starts.

    `rtt_s` is from the actual start to the last byte, without the time that a new connection took.
    A request that failed in another way than by a throttle counts as admitted. `connection` tells
    connections apart over the whole observation.
    """

    name: str
    from_s: float
    to_s: float
    send_s: Floats
    rtt_s: Floats
    admitted: Bools
    connection: Ints

    def __post_init__(self) -> None:
        lengths = {len(self.send_s), len(self.rtt_s), len(self.admitted), len(self.connection)}
        if len(lengths) != 1:
            raise ValueError(f"phase {self.name}: columns of different lengths: {sorted(lengths)}")

    @property
    def length_s(self) -> float:
        """How long arrivals came."""
        return self.to_s - self.from_s

    @property
    def sent_rps(self) -> float:
        """Requests a second."""
        return len(self.send_s) / self.length_s if self.length_s > 0 else 0.0

    @property
    def admitted_rps(self) -> float:
        """Admitted requests a second."""
        return float(self.admitted.sum()) / self.length_s if self.length_s > 0 else 0.0

    @property
    def refused(self) -> int:
        """How many were refused."""
        return int((~self.admitted).sum())


@dataclass(frozen=True, slots=True)
class Observation:
    """All phases of a probe of one identity, one method and one stage.

    Whatever limit is met had rested before the first phase: a bucket is taken to be full there.
    Requests that share the bucket and are left out make it look as if others used it.
    """

    phases: tuple[Phase, ...]

    @property
    def send_s(self) -> Floats:
        """Starts of all requests."""
        return _joined([phase.send_s for phase in self.phases])

    @property
    def rtt_s(self) -> Floats:
        """Round trips of all requests."""
        return _joined([phase.rtt_s for phase in self.phases])

    @property
    def admitted(self) -> Bools:
        """Which of all requests were admitted."""
        return np.concatenate([np.zeros(0, np.bool_), *(one.admitted for one in self.phases)])

    @property
    def connection(self) -> Ints:
        """Connections of all requests."""
        return np.concatenate([np.zeros(0, np.int64), *(one.connection for one in self.phases)])

    @property
    def refused(self) -> int:
        """How many were refused."""
        return sum(phase.refused for phase in self.phases)

    def __len__(self) -> int:
        return sum(len(phase.send_s) for phase in self.phases)


def _joined(columns: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *columns])
