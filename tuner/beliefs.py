"""What the samples so far allow one to believe of the whole curve: joint draws of it; pure.

A posterior over curves: the prior of `tuner/curve_prior.py`, the noise of `tuner/noise.py`. For
each kind of residual all shapes share one covariance, so that the whole of it is four small
Cholesky factors. The heavy tails of the noise enter twice: as weights of the observations, and by
drawing again with the ratio of the true likelihood to the normal one that stood in for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner import curve_prior
from tuner.curve_prior import Residual, shapes
from tuner.noise import VARIANCE_FACTOR, log_likelihood, scales, usual_scale, weights

if TYPE_CHECKING:
    from tuner.estimate import Floats

DRAWS = 512
_ROUNDS = 4
_JITTER = 1e-8
# A duration of zero has no logarithm; REPORT prints hundredths of a millisecond.
_LEAST_MS = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """Equally likely curves of typical warm duration, and how durations scatter around them.

    `sizes_mb` (G) are the candidate sizes, ascending, measured or not. `duration_ms` has shape
    (S, G): each row is one whole curve, so that sizes are compared within rows. `noise` (G) is
    the scale of Student's t (2.5 degrees of freedom) of log-durations at each size.
    """

    sizes_mb: tuple[int, ...]
    duration_ms: Floats
    noise: Floats

    def at(self, memory_mb: int) -> Floats:
        """The draws (S) of the typical duration at one size, in ms."""
        column: Floats = self.duration_ms[:, self.sizes_mb.index(memory_mb)]
        return column

    def without(self, sizes_mb: Sequence[int]) -> Beliefs:
        """The same beliefs about all other sizes."""
        kept = [i for i, size in enumerate(self.sizes_mb) if size not in set(sizes_mb)]
        return Beliefs(
            tuple(self.sizes_mb[i] for i in kept), self.duration_ms[:, kept], self.noise[kept]
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """The observations in columns: (N) log-durations, and the column in the grid of each size."""

    logs: Floats
    owner: np.ndarray  # (N) index into `columns`
    columns: np.ndarray  # (T) index into the grid
    memory_mb: Floats  # (T)

    def mean(self, values: Floats, weight: Floats) -> Floats:
        """The weighted mean (T) of `values` at each size."""
        return np.asarray(self.total(values * weight) / self.total(weight))

    def total(self, values: Floats) -> Floats:
        """The sum (T) of `values` (N) at each size."""
        sums = np.bincount(self.owner, weights=values, minlength=len(self.columns))
        return np.asarray(sums, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The posterior under one kind of residual: K normal components with one covariance."""

    log_evidence: Floats  # (K)
    means: Floats  # (K, G)
    covariance: Floats  # (G, G)


def believe(
    durations_ms: Mapping[int, Sequence[float]],
    candidates_mb: Sequence[int],
    rng: np.random.Generator,
    draws: int = DRAWS,
    *,
    scatter: float = 1.0,
) -> Beliefs:
    """Joint draws of the curve at `candidates_mb`, given durations by size.

    Sizes without durations may be left out or empty; sizes with some must be candidates, and at
    least one duration must be there. `scatter` is how much more than warm calls these ones are
    expected to scatter.
    """
    sizes = tuple(candidates_mb)
    seen = _observed(durations_ms, sizes)
    counts = seen.total(np.ones_like(seen.logs))
    weight = np.ones_like(seen.logs)
    centre = seen.mean(seen.logs, weight)
    variance = np.zeros(len(seen.columns))
    for _ in range(_ROUNDS):
        usual = scatter * usual_scale(seen.memory_mb, np.exp(centre))
        squares = seen.total(weight * (seen.logs - seen.mean(seen.logs, weight)[seen.owner]) ** 2)
        scale, factor = scales(usual, squares, counts)
        weight = weights(seen.logs - centre[seen.owner], variance[seen.owner], scale[seen.owner])
        mean = seen.mean(seen.logs, weight)
        error = VARIANCE_FACTOR * scale**2 / seen.total(weight)
        parts = [
            _part(residual, sizes, seen.columns, mean, error) for residual in curve_prior.RESIDUALS
        ]
        shares = _shares(parts)
        centre, variance = _moments(parts, shares, seen.columns)
    curves = _draw(parts, shares, rng, draws)
    curves = curves[_drawn_again(curves, seen, scale, mean, error, rng)]
    typical = np.exp(np.median(curves, axis=0))
    expected = scatter * usual_scale(np.asarray(sizes, dtype=np.float64), typical)
    noise = expected * np.sqrt(factor)
    noise[seen.columns] = scale
    return Beliefs(sizes, np.exp(curves), noise)


def _observed(durations_ms: Mapping[int, Sequence[float]], sizes: tuple[int, ...]) -> _Observed:
    tested = [size for size in sizes if len(durations_ms.get(size, ()))]
    logs = [np.log(np.maximum(durations_ms[size], _LEAST_MS)) for size in tested]
    return _Observed(
        logs=np.concatenate(logs),
        owner=np.repeat(np.arange(len(tested)), [len(column) for column in logs]),
        columns=np.array([sizes.index(size) for size in tested]),
        memory_mb=np.asarray(tested, dtype=np.float64),
    )


def _part(
    residual: Residual, sizes: tuple[int, ...], columns: np.ndarray, mean: Floats, error: Floats
) -> _Part:
    """Gaussian conditioning on the means at the tested sizes, for all shapes at once."""
    prior = residual.covariance(sizes)
    table = shapes(sizes)
    seen = prior[np.ix_(columns, columns)] + np.diag(error)
    inverse = np.linalg.inv(seen)
    gain = prior[:, columns] @ inverse
    misfit = mean - table[:, columns]
    solved = misfit @ inverse
    _, log_determinant = np.linalg.slogdet(seen)
    return _Part(
        log_evidence=np.log(residual.weight)
        - 0.5 * (misfit * solved).sum(axis=1)
        - 0.5 * log_determinant,
        means=table + misfit @ gain.T,
        covariance=prior - gain @ prior[columns, :],
    )


def _shares(parts: Sequence[_Part]) -> Floats:
    """How probable each component is (Q, K)."""
    logs = np.stack([part.log_evidence for part in parts])
    shares = np.exp(logs - logs.max())
    return np.asarray(shares / shares.sum())


def _moments(parts: Sequence[_Part], shares: Floats, columns: np.ndarray) -> tuple[Floats, Floats]:
    """Mean and variance of the curve at the tested sizes, over all components."""
    means = np.stack([part.means[:, columns] for part in parts])
    own = np.stack([np.diag(part.covariance)[columns] for part in parts])
    mean = np.einsum("qk,qkt->t", shares, means)
    spread = np.einsum("qk,qkt->t", shares, (means - mean) ** 2)
    return mean, np.maximum(spread + shares.sum(axis=1) @ own, 0.0)


def _draw(parts: Sequence[_Part], shares: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """`draws` curves of log-durations (S, G) from the mixture."""
    counts = rng.multinomial(draws, shares.ravel()).reshape(shares.shape)
    curves = []
    for part, of_shape in zip(parts, counts, strict=True):
        chosen = np.repeat(np.arange(len(of_shape)), of_shape)
        if not len(chosen):
            continue
        jitter = _JITTER * np.eye(len(part.covariance))
        factor = np.linalg.cholesky(part.covariance + jitter)
        normal = rng.standard_normal((len(chosen), len(factor)))
        curves.append(part.means[chosen] + normal @ factor.T)
    return np.concatenate(curves)


def _drawn_again(
    curves: Floats,
    seen: _Observed,
    scale: Floats,
    mean: Floats,
    error: Floats,
    rng: np.random.Generator,
) -> np.ndarray:
    """Which draws to keep, some more than once: by Student's likelihood over the normal one."""
    tested = curves[:, seen.columns]
    exact = log_likelihood((seen.logs - tested[:, seen.owner]) / scale[seen.owner]).sum(axis=1)
    stand_in = (-0.5 * (tested - mean) ** 2 / error).sum(axis=1)
    ratio = exact - stand_in
    share = np.exp(ratio - ratio.max())
    # Systematic resampling: one random offset, so that equal weights keep every draw once.
    positions = (np.arange(len(curves)) + rng.random()) / len(curves)
    cumulative = np.cumsum(share / share.sum())
    return np.minimum(np.searchsorted(cumulative, positions), len(curves) - 1)
