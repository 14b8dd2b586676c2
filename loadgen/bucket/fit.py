"""Rate and burst whose bucket admits what was admitted, in all phases together.

What a simulated bucket admits up to the end of each bin of a phase is compared with what was
admitted. A bucket corrects itself, so these cumulative differences do not wander: they are noise of
about one token, and of the arrivals that jitter moves across the end of a bin. Their Huber loss is
minimised, from a grid, by Gauss-Newton steps on log rate and log burst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from loadgen.bucket import forward
from loadgen.bucket.arrivals import Arrivals
from loadgen.bucket.forward import Split
from loadgen.bucket.observation import Floats

_HUBER = 4.0  # in standard deviations of the noise
_RATES = np.array([0.8, 0.88, 0.94, 0.97, 0.985, 1.0, 1.015, 1.03, 1.06, 1.12, 1.2, 1.35])
_BURSTS = np.array([0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0, 1.05, 1.15, 1.4, 2.0])
_STEPS = np.array([1e-3, 1e-2, 1e-2])  # to differentiate by log rate, log burst, other share
_LENGTHS = np.array([1.0, 0.6, 0.3, 0.1, 0.03])  # tried of each Gauss-Newton step
_MOST_ITERATIONS = 12
_CLOSE = 5e-5  # a step this small ends the search
_MOST_OTHER = 0.9
_SHARES = np.array([0.02, 0.08, 0.2, 0.4])
_SHARD_RATES = np.array([0.75, 0.9, 1.0, 1.1])
_SHARD_BURSTS = np.array([1.2, 1.7, 2.5, 4.0])  # for each shard
# Numbers of shards weigh by their loss to this power, halved: some four independent differences
# tell them apart. Lower, and the burst is that of the middle of the numbers tried; higher, and it
# jumps between them (simulations: 2 to 16 differ little).
_TELLING = 4.0
# The mean over the numbers is nearer to the truth than they are to each other (simulations).
_SPREAD_SHARE = 0.7
_MOST_DRAWN = 40_000  # arrivals to assign to shards, over all draws
# Ticks refill a third of a token, or 0.4 % of a large bucket: finer than what is asked for.
_TICK_TOKENS = 0.3
_TICK_SHARE = 0.004


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of model: equal buckets that requests meet at random, or one that others use too."""

    shards: int = 1
    others: bool = False

    @property
    def parameters(self) -> int:
        """How many are fitted."""
        return 3 if self.others else 2


@dataclass(frozen=True, slots=True)
class Fit:
    """The best parameters of a family; `loss` is the mean Huber loss, `z` the differences."""

    family: Family
    rate_rps: float
    burst: float
    other_share: float
    loss: float
    z: Floats

    @property
    def point(self) -> Floats:
        """Log rate, log burst and, if fitted, the share of others."""
        every = np.array([log(self.rate_rps), log(self.burst), self.other_share])
        return every[: self.family.parameters]


class Problem:
    """The demand, as one family sees it, and what was admitted of it."""

    def __init__(
        self,
        arrivals: Arrivals,
        family: Family,
        rate_rps: float,
        burst: float,
        rng: np.random.Generator,
    ) -> None:
        """`rate_rps` and `burst` are roughly those expected: they set the ticks and the noise.

        Which shard a request met is not known: several assignments are drawn and averaged.
        """
        shards = family.shards
        tick_s = max(_TICK_TOKENS * shards, _TICK_SHARE * burst) / rate_rps
        n = len(arrivals.at_s)
        draws = int(np.clip(_MOST_DRAWN // max(1, n), 2, 8)) if shards > 1 else 1
        self._family = family
        self._demand = forward.demand(
            np.tile(arrivals.at_s, draws),
            np.tile(arrivals.bins, draws),
            arrivals.n_bins,
            tick_s,
            rng.integers(shards, size=n * draws) + shards * np.repeat(np.arange(draws), n),
            Split(shards, draws),
        )
        self._admitted = arrivals.admitted
        self._phase = arrivals.phase_of_bin
        self._sd = float(np.sqrt(0.5 + rate_rps * arrivals.jitter_s))

    def differences(self, points: Floats) -> Floats:
        """Cumulative differences in standard deviations, (bins, points)."""
        rate, burst = np.exp(points[:, 0]), np.exp(points[:, 1])
        other = points[:, 2] if self._family.others else None
        model = forward.admitted(self._demand, rate, burst, other)
        total = np.cumsum(self._admitted[:, None] - model, axis=0)
        before = np.concatenate([np.zeros((1, total.shape[1])), total[:-1]])
        begins = np.flatnonzero(np.diff(self._phase, prepend=-1))
        which = np.searchsorted(begins, np.arange(len(total)), "right") - 1
        return np.asarray((total - before[begins][which]) / self._sd)

    def best_of(self, points: Floats) -> tuple[Floats, float]:
        """The point of least loss, and that."""
        losses = huber(self.differences(points))
        best = int(losses.argmin())
        return points[best], float(losses[best])

    def fit(self, start: Floats) -> Fit:
        """Gauss-Newton from `start`."""
        point = start[: self._family.parameters]
        z = self.differences(point[None])[:, 0]
        loss = float(huber(z[:, None])[0])
        for _ in range(_MOST_ITERATIONS):
            step = self._step(point, z)
            tried = self._within(point + _LENGTHS[:, None] * step)
            every = self.differences(tried)
            losses = huber(every)
            best = int(losses.argmin())
            if losses[best] >= loss:
                break
            moved = float(np.abs(tried[best] - point).max())
            point, loss, z = tried[best], float(losses[best]), every[:, best]
            if moved < _CLOSE:
                break
        other = float(point[2]) if self._family.others else 0.0
        return Fit(self._family, float(np.exp(point[0])), float(np.exp(point[1])), other, loss, z)

    def _step(self, point: Floats, z: Floats) -> Floats:
        size = len(point)
        moves = np.diag(_STEPS[:size])
        both = self.differences(np.concatenate([point + moves, point - moves]))
        slope = (both[:, :size] - both[:, size:]) / (2 * _STEPS[:size])
        weight = np.sqrt(np.minimum(1.0, _HUBER / np.maximum(np.abs(z), 1e-9)))
        # A little damping, where the data say nothing about a parameter.
        ridge = np.diag(np.full(size, 1e-3))
        left = np.concatenate([slope * weight[:, None], ridge])
        right = np.concatenate([-z * weight, np.zeros(size)])
        step: Floats = np.linalg.lstsq(left, right, rcond=None)[0]
        return np.asarray(np.clip(step, -0.7, 0.7))

    def _within(self, points: Floats) -> Floats:
        points[:, 1] = np.maximum(points[:, 1], 0.0)
        if self._family.others:
            points[:, 2] = np.clip(points[:, 2], 0.0, _MOST_OTHER)
        return points


def huber(z: Floats) -> Floats:
    """Mean Huber loss of each column; 1 for noise of one standard deviation."""
    size = np.abs(z)
    return np.asarray(np.where(size < _HUBER, size**2, _HUBER * (2 * size - _HUBER)).mean(axis=0))


def grid(rate_rps: float, burst: float) -> Floats:
    """Points around a rough rate and burst."""
    rates, bursts = np.log(rate_rps * _RATES), np.log(np.maximum(burst * _BURSTS, 1.0))
    return np.stack([one.ravel() for one in np.meshgrid(rates, bursts)], axis=1)


def fit_bucket(arrivals: Arrivals, rough: Sequence[tuple[float, float]]) -> Fit:
    """One bucket, from rough rates, each with its burst; what they lead to is compared."""
    rng = np.random.default_rng(0)
    rate, burst = rough[0]
    problem = Problem(arrivals, Family(), rate, burst, rng)
    start, _ = problem.best_of(np.concatenate([grid(*one) for one in rough]))
    found = problem.fit(start)
    # Once more with ticks and noise for what was found.
    again = Problem(arrivals, Family(), found.rate_rps, found.burst, rng)
    return again.fit(found.point)


def fit_shards(arrivals: Arrivals, plain: Fit, shards: Sequence[int]) -> list[Fit]:
    """Buckets that requests meet at random, for each number of them."""
    # Uneven draining looks like a lower rate and a smaller burst.
    moves = [[np.log(r), np.log(b)] for r in (0.99, 1.01, 1.04, 1.1) for b in (0.9, 1.0, 1.1, 1.3)]
    starts = plain.point + np.array(moves)
    rates = plain.rate_rps * _SHARD_RATES
    found = []
    for number in shards:
        rng = np.random.default_rng(number)
        family = Family(number)
        few = np.meshgrid(np.log(rates), np.log(number * _SHARD_BURSTS))
        # One bucket that refuses as much as shards of few tokens has hardly any burst of its own.
        every = np.concatenate([starts, np.stack([one.ravel() for one in few], axis=1)])
        problem = Problem(arrivals, family, plain.rate_rps, max(plain.burst, number), rng)
        start, _ = problem.best_of(every)
        found.append(problem.fit(start))
    return found


@dataclass(frozen=True, slots=True)
class Mixture:
    """The mean over numbers of shards, weighted by how well they fit; spreads are of logarithms."""

    best: Fit
    rate_rps: float
    burst: float
    rate_spread: float
    burst_spread: float


def mixture(fits: Sequence[Fit]) -> Mixture:
    """Average fits that differ in the number of shards: it cannot be told exactly."""
    best = min(fits, key=lambda one: one.loss)
    losses = np.array([max(one.loss, 1e-9) for one in fits])
    weights = (losses / losses.min()) ** (-_TELLING / 2)
    weights /= weights.sum()
    points = np.array([one.point[:2] for one in fits])
    middle = weights @ points
    spread = _SPREAD_SHARE * np.sqrt(weights @ (points - middle) ** 2)
    rate, burst = np.exp(middle)
    return Mixture(best, float(rate), float(burst), float(spread[0]), float(spread[1]))


def fit_others(arrivals: Arrivals, plain: Fit) -> Fit:
    """A bucket that others use too, beginning near the plain one."""
    rng = np.random.default_rng(0)
    problem = Problem(arrivals, Family(others=True), plain.rate_rps, plain.burst, rng)
    moves = [[np.log1p(share / 2), 0.0] for share in _SHARES]
    starts = np.column_stack([plain.point[:2] + np.array(moves), _SHARES])
    start, _ = problem.best_of(starts)
    return problem.fit(start)
