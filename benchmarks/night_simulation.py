"""Simulated nights with known truth: figures of several endpoints that move together in part.

The noise is that of research on public logs and of shared test machines: nights differ by 3 %, one
night in twenty is bad by 15 % in the mean, either for all endpoints or for one, levels drift, and a
rerun shares half of what is particular about its night.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

METRICS = ("p50", "p95", "p99")
# Standard error of ln(quantile) times sqrt(n) for log-normal latencies with sigma 0.4.
SAMPLING = {"p50": 0.50, "p95": 0.85, "p99": 1.49}


@dataclass(frozen=True)
class Noise:
    """How nights differ; standard deviations are of ln(value)."""

    night: float = 0.03
    common_part: float = 0.16  # of the variance between nights: all endpoints together
    endpoint_part: float = 0.44  # all figures of an endpoint together
    rerun_part: float = 0.5  # of the variance between nights, what a rerun shares with its night
    bad_nights: float = 0.05
    bad_mean: float = 0.15
    bad_for_all: float = 0.5  # of bad nights; the others are bad for one endpoint
    bad_lasts: float = 0.5  # how often a bad night is still bad when something is run again
    walk: float = 0.0  # a step of each endpoint's level from night to night
    trend: float = 0.0  # a night, of one endpoint
    requests: int = 7000
    autocorrelation: float = 0.2


@dataclass
class Nights:
    """`y[night, endpoint, metric]` in ln(ms), and the parts that reruns share."""

    y: Floats
    level: Floats
    shared: Floats
    bad: Floats
    noise: Noise
    rng: np.random.Generator
    sampling: Floats = field(init=False)

    def __post_init__(self) -> None:
        n = self.noise.requests
        self.sampling = np.array([SAMPLING[metric] for metric in METRICS]) / np.sqrt(n)

    def rerun(self, night: int) -> Floats:
        """All figures measured again in the same night."""
        noise = self.noise
        lasts = self.rng.random() < noise.bad_lasts
        fresh = parts(noise, self.rng, 1, self.y.shape[1])[0] * np.sqrt(1 - noise.rerun_part)
        sampled = self.rng.normal(size=self.y.shape[1:]) * self.sampling
        return self.level[night] + self.shared[night] + fresh + lasts * self.bad[night] + sampled


def parts(noise: Noise, rng: np.random.Generator, nights: int, endpoints: int) -> Floats:
    """What is particular about each night, as [night, endpoint, metric]."""
    own_part = 1 - noise.common_part - noise.endpoint_part
    common = rng.normal(size=(nights, 1, 1)) * np.sqrt(noise.common_part)
    endpoint = rng.normal(size=(nights, endpoints, 1)) * np.sqrt(noise.endpoint_part)
    own = rng.normal(size=(nights, endpoints, len(METRICS))) * np.sqrt(own_part)
    found: Floats = noise.night * (common + endpoint + own)
    return found


def simulate(noise: Noise, rng: np.random.Generator, nights: int, endpoints: int = 8) -> Nights:
    """Nights without any change of the code."""
    base = rng.normal(3.0, 0.5, size=(1, endpoints, 1)) + np.array([0.0, 0.7, 1.1])
    level = base + _drift(noise, rng, nights, endpoints)
    shared = parts(noise, rng, nights, endpoints) * np.sqrt(noise.rerun_part)
    for night in range(1, nights):  # what is alike from one night to the next
        rho = noise.autocorrelation
        shared[night] = rho * shared[night - 1] + np.sqrt(1 - rho**2) * shared[night]
    fresh = parts(noise, rng, nights, endpoints) * np.sqrt(1 - noise.rerun_part)
    bad = _bad(noise, rng, nights, endpoints)
    made = Nights(np.zeros(level.shape), level, shared, bad, noise, rng)
    sampled = rng.normal(size=level.shape) * made.sampling
    made.y = level + shared + fresh + bad + sampled
    return made


def _drift(noise: Noise, rng: np.random.Generator, nights: int, endpoints: int) -> Floats:
    walk = np.cumsum(rng.normal(size=(nights, endpoints, 1)) * noise.walk, axis=0)
    walk[:, 0, 0] += noise.trend * np.arange(nights)
    found: Floats = np.repeat(walk, len(METRICS), axis=2)
    return found


def _bad(noise: Noise, rng: np.random.Generator, nights: int, endpoints: int) -> Floats:
    size = rng.gamma(4.0, noise.bad_mean / 4, size=(nights, 1, 1))
    is_bad = rng.random((nights, 1, 1)) < noise.bad_nights
    for_all = rng.random((nights, 1, 1)) < noise.bad_for_all
    chosen = rng.integers(0, endpoints, size=(nights, 1, 1)) == np.arange(endpoints)[None, :, None]
    found: Floats = np.repeat(size * is_bad * (for_all | chosen), len(METRICS), axis=2)
    return found
