"""90 % intervals, and how well a model may be expected to fit: the whole estimate, simulated again.

The fitted limit is simulated with the recorded starts and with one-way times drawn from those seen,
and what it admits is fitted in the same way, many times, each with a rate and a burst a little
beside the fitted ones. The errors of these fits give the bias and the spread of the estimate, and
their losses tell whether the loss of the real fit is that of a limit kept in this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from scipy.stats import t as student

from loadgen.bucket.arrivals import Arrivals, Bins, arrivals_of
from loadgen.bucket.finding import Range
from loadgen.bucket.fit import Fit, Mixture, Problem, fit_others
from loadgen.bucket.models import Limit, RandomShards, TokenBucket
from loadgen.bucket.observation import Floats, Observation, Phase

REPEATS = 24
_COVERAGE = 0.90
# Truths to simulate are drawn this far around the fit: enough that whole tokens do not line up.
_RATE_SPREAD, _BURST_SPREAD = 0.01, 0.03
# A fit this much worse than usual is still usual; beyond, intervals widen.
_USUAL_MISFIT = 1.6
_LEAST_LOSS = 1e-3
# Of the logarithm of the loss, of the gain, of the share: without noise they hardly vary.
_LEAST_SPREAD = np.array([0.15, 0.12, 0.015])
_OUTLIER = 3.5  # in robust standard deviations: a fit that went astray, of which few are expected
# Clocks and whole tokens leave this much, even if nothing else does.
_LEAST_RATE_SHARE, _LEAST_BURST = 2e-4, 0.3


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells a fit from that of its kind: the loss, and what a share of others would gain."""

    loss: float
    gain: float  # logarithm of the loss over that with a share of others
    other_share: float

    @property
    def row(self) -> list[float]:
        """Logarithm of the loss, gain, share."""
        return [log(max(self.loss, _LEAST_LOSS)), self.gain, self.other_share]


@dataclass(frozen=True, slots=True)
class Excess:
    """How far signs are above those of the repeats, in standard deviations."""

    loss: float
    gain: float
    other_share: float

    @property
    def of_bucket(self) -> float:
        """The length of what is above; one bucket stays below 3 in 98 of 100 simulations."""
        return float(np.hypot.reduce(np.maximum([self.loss, self.gain, self.other_share], 0.0)))

    @property
    def of_shards(self) -> float:
        """The same without the share: uneven shards look like others at any time."""
        return float(np.hypot.reduce(np.maximum([self.loss, self.gain], 0.0)))


@dataclass(frozen=True, slots=True)
class Repeats:
    """Errors of log rate and log burst, (repeats, 2), and rows of `Signs`, (repeats, 3)."""

    errors: Floats
    signs: Floats

    def excess(self, seen: Signs) -> Excess:
        """How far the signs are above those of the repeats."""
        spread = np.maximum(self.signs.std(axis=0, ddof=1), _LEAST_SPREAD)
        loss, gain, share = (np.array(seen.row) - self.signs.mean(axis=0)) / spread
        return Excess(float(loss), float(gain), float(share))

    def misfit(self, loss: float) -> float:
        """`loss` over what is usual; 1: as close as the noise allows."""
        return exp(log(max(loss, _LEAST_LOSS)) - float(self.signs[:, 0].mean()))


def signs_of(arrivals: Arrivals, fit: Fit) -> Signs:
    """The signs of a fit, against one bucket that others use too."""
    found = fit_others(arrivals, fit)
    gain = log(max(fit.loss, _LEAST_LOSS) / max(found.loss, _LEAST_LOSS))
    return Signs(fit.loss, gain, found.other_share)


def repeated(
    observation: Observation, arrivals: Arrivals, bins: Bins, fit: Fit, repeats: int
) -> Repeats:
    """Simulate and fit a limit like the fitted one again and again."""
    rng = np.random.default_rng(len(observation))
    errors, signs = [], []
    for _ in range(repeats):
        rate = fit.rate_rps * exp(_RATE_SPREAD * rng.standard_normal())
        burst = fit.burst * exp(_BURST_SPREAD * rng.standard_normal()) + rng.uniform(-0.5, 0.5)
        burst = max(float(fit.family.shards), burst)
        seen = _seen_again(observation, _limit(fit, rate, burst, rng), arrivals.one_way_s, rng)
        again = arrivals_of(seen, bins)
        problem = Problem(again, fit.family, fit.rate_rps, fit.burst, rng)
        found = problem.fit(fit.point)
        errors.append([log(found.rate_rps / rate), log(found.burst / burst)])
        signs.append(signs_of(again, found).row)
    return Repeats(np.array(errors), np.array(signs))


def intervals(mixed: Mixture, repeats: Repeats) -> tuple[Range, Range]:
    """Rate and burst, less their bias, with 90 % intervals; `repeats` are of the best fit."""
    wider = sqrt(max(1.0, repeats.misfit(mixed.best.loss) / _USUAL_MISFIT))
    factor = float(student.ppf(0.5 + _COVERAGE / 2, len(repeats.errors) - 1))
    found = []
    for value, between, errors, least in (
        (mixed.rate_rps, mixed.rate_spread, repeats.errors[:, 0], _LEAST_RATE_SHARE),
        (mixed.burst, mixed.burst_spread, repeats.errors[:, 1], _LEAST_BURST / mixed.burst),
    ):
        bias, spread = _bias_and_spread(errors)
        within = spread * sqrt(1 + 1 / len(errors)) * wider
        half = sqrt(least**2 + factor**2 * (within**2 + between**2))
        middle = log(value) - bias
        found.append(Range(exp(middle), exp(middle - half), exp(middle + half), calibrated=True))
    return found[0], found[1]


def _bias_and_spread(errors: Floats) -> tuple[float, float]:
    middle = float(np.median(errors))
    robust = 1.4826 * float(np.median(np.abs(errors - middle)))
    kept = errors[np.abs(errors - middle) <= _OUTLIER * max(robust, 1e-9)]
    if len(kept) < 3:
        return middle, robust
    return float(kept.mean()), max(robust, float(kept.std(ddof=1)))


def _limit(fit: Fit, rate_rps: float, burst: float, rng: np.random.Generator) -> Limit:
    if fit.family.shards > 1:
        return RandomShards(rate_rps, burst, fit.family.shards, rng)
    return TokenBucket(rate_rps, burst)


def _seen_again(
    observation: Observation, limit: Limit, one_way_s: Floats, rng: np.random.Generator
) -> Observation:
    """The same starts, met by `limit` behind a network like the one seen."""
    phases = []
    for phase in observation.phases:
        n = len(phase.send_s)
        there, back = np.zeros(n), np.zeros(n)
        if len(one_way_s):
            there, back = rng.choice(one_way_s, n), rng.choice(one_way_s, n)
        at = phase.send_s + there
        order = np.argsort(at, kind="stable")
        admitted = np.empty(n, np.bool_)
        admitted[order] = limit.admit(at[order])
        phases.append(
            Phase(
                phase.name,
                phase.from_s,
                phase.to_s,
                phase.send_s,
                there + back,
                admitted,
                phase.connection,
            )
        )
    return Observation(tuple(phases))
