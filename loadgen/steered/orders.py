"""A segment as injectors get it, and the arrivals that each of them makes of it.

As with schedules, every injector makes all arrivals and keeps each n-th one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.schedule import Chunk
from loadgen.steered.segment import Segment, Stream

_US = 1_000_000
_MOST_POISSON_SIGMAS = 8.0


def order_of(segment: Segment, *, phase: int, from_us: int, seed: int) -> dict[str, Any]:
    """What injectors are told of a segment that begins at `from_us` of the run."""
    return {
        "phase": phase,
        "from_us": from_us,
        "to_us": from_us + round(segment.length_s * _US),
        "seed": seed,
        "streams": [
            [one.scenario, one.rate_rps, one.from_s, one.to_s, one.arrivals]
            for one in segment.streams
        ],
    }


def arrivals_of(order: dict[str, Any], injector: int, injectors: int) -> Chunk:
    """The arrivals of one of `injectors` in order of time.

    Raises:
        ValueError, TypeError, KeyError: `order` is none that `order_of` made.
    """
    streams = [Stream(*row) for row in order["streams"]]
    phase, seed, from_us = int(order["phase"]), int(order["seed"]), int(order["from_us"])
    times = [_times_s(one, (seed, phase, number)) for number, one in enumerate(streams)]
    at_us = from_us + np.rint(np.concatenate([*times, np.zeros(0)]) * _US).astype(np.int64)
    scenario = np.repeat(
        np.array([one.scenario for one in streams], np.uint16), [len(one) for one in times]
    )
    turn = np.argsort(at_us, kind="stable")[injector::injectors]
    return Chunk(at_us[turn], np.full(len(turn), phase, np.uint16), scenario[turn])


def planned_arrivals(order: dict[str, Any]) -> int:
    """How many arrivals all injectors together make of an order."""
    return len(arrivals_of(order, 0, 1).at_us)


def _times_s(stream: Stream, seed: tuple[int, int, int]) -> NDArray[np.float64]:
    """When the arrivals of a stream are, in seconds of its segment."""
    length_s = stream.to_s - stream.from_s
    mean = stream.rate_rps * length_s
    if stream.arrivals == "uniform":
        # Half a gap in: a whole number of arrivals, none of them on the border.
        count = int(np.floor(mean + 0.5))
        return np.asarray(stream.from_s + (np.arange(count) + 0.5) / stream.rate_rps, np.float64)
    # A Poisson process; so many gaps are enough but for one time in 10^15.
    most = int(mean + _MOST_POISSON_SIGMAS * np.sqrt(mean) + _MOST_POISSON_SIGMAS**2)
    gaps = np.random.default_rng(seed).standard_exponential(most) / stream.rate_rps
    times = np.cumsum(gaps)
    return np.asarray(stream.from_s + times[times < length_s], np.float64)
