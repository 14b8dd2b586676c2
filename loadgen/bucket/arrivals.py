"""When requests arrived, as far as the client can tell, and what was admitted by bin.

The round trip of a refused request holds two one-way times and no work. Its deviation from the
mean, over the square root of two, has the spread of one way, and half of it is right. Admitted
requests get deviations drawn from those of refused ones: with the right spread, they load a
simulated bucket as the real arrivals did. A constant delay shifts everything and does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from loadgen.bucket.observation import Bools, Floats, Ints, Observation

_LEAST_REFUSED = 20  # fewer round trips tell nothing about their spread
_CLIP_PERCENT = 0.2  # stragglers at either end are not what the bulk of arrivals do
_BIN_S = 0.2
_BIN_REQUESTS = 15


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Estimated arrivals in ascending order, and admitted requests by bin.

    `phase_of_bin` has the number of the phase of each bin; bins do not span phases.
    """

    at_s: Floats
    bins: Ints
    admitted: Floats  # by bin, as observed
    sent: Floats  # by bin
    phase_of_bin: Ints
    jitter_s: float  # sd of one way
    one_way_s: Floats  # deviations of one way, to draw from

    @property
    def n_bins(self) -> int:
        """How many bins there are."""
        return len(self.admitted)


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of an observation: borders in start time and in arrival time."""

    by_start_s: Floats  # beginnings of bins
    by_arrival_s: Floats
    phase: Ints


def bins_of(observation: Observation, rate_rps: float) -> Bins:
    """Bins of 0.2 s, or of 15 requests at `rate_rps`, within phases.

    The first and the last bin of a phase reach into the pause beside it, where arrivals stray.
    """
    width = max(_BIN_S, _BIN_REQUESTS / rate_rps)
    start: list[Floats] = []
    arrival: list[Floats] = []
    numbers: list[int] = []
    last = -np.inf
    for number, phase in enumerate(observation.phases):
        n = max(1, ceil(phase.length_s / width - 0.5))
        begins = np.asarray(phase.from_s + np.arange(n) * (phase.length_s / n), np.float64)
        start.append(begins)
        early = begins.copy()
        early[0] -= min(1.0, (phase.from_s - last) / 2) if np.isfinite(last) else 1.0
        arrival.append(early)
        numbers += [number] * n
        last = phase.to_s
    return Bins(np.concatenate(start), np.concatenate(arrival), np.array(numbers, np.int64))


def arrivals_of(observation: Observation, bins: Bins, seed: int = 1) -> Arrivals:
    """Estimate arrivals; the deviations of admitted requests are drawn with `seed`."""
    send, admitted = observation.send_s, observation.admitted
    deviation = one_way_deviations(observation.rtt_s[~admitted])
    rng = np.random.default_rng(seed)
    at = send.copy()
    if len(deviation):
        at[~admitted] += deviation
        at[admitted] += rng.choice(deviation, int(admitted.sum()))
    return _binned(at, send, admitted, bins, deviation)


def one_way_deviations(refused_rtt_s: Floats) -> Floats:
    """Deviations of one way from its mean, one for each refused request; none: too few."""
    if len(refused_rtt_s) < _LEAST_REFUSED:
        return np.zeros(0)
    low, high = np.percentile(refused_rtt_s, [_CLIP_PERCENT, 100 - _CLIP_PERCENT])
    clipped = np.clip(refused_rtt_s, low, high)
    return np.asarray((clipped - clipped.mean()) / sqrt(2))


def _binned(at: Floats, send: Floats, admitted: Bools, bins: Bins, deviation: Floats) -> Arrivals:
    n = len(bins.phase)
    sent_bin = np.clip(np.searchsorted(bins.by_start_s, send, "right") - 1, 0, n - 1)
    order = np.argsort(at, kind="stable")
    at = at[order]
    arrived_bin = np.clip(np.searchsorted(bins.by_arrival_s, at, "right") - 1, 0, n - 1)
    return Arrivals(
        at_s=at,
        bins=arrived_bin.astype(np.int64),
        admitted=np.bincount(sent_bin[admitted], minlength=n).astype(np.float64),
        sent=np.bincount(sent_bin, minlength=n).astype(np.float64),
        phase_of_bin=bins.phase,
        jitter_s=float(deviation.std()) if len(deviation) else 0.0,
        one_way_s=deviation,
    )
