"""What the samples so far allow one to believe of the whole curve: joint draws of it; pure.

A posterior over curves: the prior of `tuner/curve_prior.py`, the noise of `tuner/noise.py`. For
each kind of residual all shapes share one covariance, so that the whole of it is a few small
matrices. The heavy tails of the noise enter twice: as weights of the observations, and by
drawing again with the ratio of the true likelihood to the normal one that stood in for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner import curve_prior
from tuner.curve_prior import shapes
from tuner.effort import USUAL_DRAWS
from tuner.noise import VARIANCE_FACTOR, log_likelihood, scales, usual_scale, weights

if TYPE_CHECKING:
    from tuner.estimate import Floats

_ROUNDS = 4
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


# The first call of an environment takes longer than those after it, INIT aside, by a factor that is
# the function's own and may change with memory. In logarithms: what is expected of the factor and
# how little is known of it and of its change with log(memory), and how far calls depart from it.
_FIRST_LONGER, _FIRST_UNSURE, _FIRST_SLOPE, _FIRST_SCATTER = 0.2, 0.5, 0.2, 0.15


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """The observations in groups, the warm and the cold calls of each tested size.

    `logs` (N) are log-durations, `owner` (N) the group of each. By group (T): `columns` in the
    grid, `memory_mb`, and `cold`, 1 or 0.
    """

    logs: Floats
    owner: np.ndarray
    columns: np.ndarray
    memory_mb: Floats
    cold: Floats

    @property
    def longer(self) -> Floats:
        """What is expected (T) on top of the curve."""
        return _FIRST_LONGER * self.cold

    @property
    def common(self) -> Floats:
        """The covariance (T, T) of what first calls have in common."""
        slope = _FIRST_SLOPE * self.cold * (np.log(self.memory_mb) - np.log(self.memory_mb).mean())
        return np.outer(self.cold, self.cold) * _FIRST_UNSURE**2 + np.outer(slope, slope)

    def mean(self, values: Floats, weight: Floats) -> Floats:
        """The weighted mean (T) of `values` in each group."""
        return np.asarray(self.total(values * weight) / self.total(weight))

    def total(self, values: Floats) -> Floats:
        """The sum (T) of `values` (N) in each group."""
        sums = np.bincount(self.owner, weights=values, minlength=len(self.columns))
        return np.asarray(sums, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Prior:
    """What is expected under one kind of residual, before any duration is looked at."""

    log_weight: float
    curves: Floats  # (G, G): the covariance of curves around their shape
    groups: Floats  # (T, T): of the means of the groups that were observed


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The posterior under one kind of residual: K normal components with one covariance.

    Given as what it says of the groups that were observed, without the noise, and what it takes
    to say it of whole curves. `solved` is the misfit of each shape times the `inverse` of the
    covariance of the groups' means.
    """

    log_evidence: Floats  # (K)
    group_means: Floats  # (K, T)
    group_variance: Floats  # (T)
    prior: Floats  # (G, G)
    inverse: Floats  # (T, T)
    solved: Floats  # (K, T)

    def means(self, chosen: np.ndarray, table: Floats, columns: np.ndarray) -> Floats:
        """The mean curves (N, G) of the components `chosen`."""
        return np.asarray(table[chosen] + self.solved[chosen] @ self.prior[columns])

    def covariance(self, columns: np.ndarray) -> Floats:
        """The covariance (G, G) of curves around their mean, in all components."""
        across = self.prior[columns]
        return np.asarray(self.prior - across.T @ self.inverse @ across)


def believe(
    durations_ms: Mapping[int, Sequence[float]],
    candidates_mb: Sequence[int],
    rng: np.random.Generator,
    draws: int = USUAL_DRAWS,
    *,
    cold_ms: Mapping[int, Sequence[float]] | None = None,
    scatter: float = 1.0,
) -> Beliefs:
    """Joint draws of the curve at `candidates_mb`, given durations by size.

    Sizes without durations may be left out or empty; sizes with some must be candidates, and at
    least one duration must be there. `cold_ms` are Durations of first calls, INIT aside: they say
    less of the curve, and something. `scatter` is how much more than warm calls the durations are
    expected to scatter.
    """
    sizes = tuple(candidates_mb)
    seen = _observed(durations_ms, cold_ms or {}, sizes)
    counts = seen.total(np.ones_like(seen.logs))
    weight = np.ones_like(seen.logs)
    centre = seen.mean(seen.logs, weight)
    variance = np.zeros(len(seen.columns))
    priors = _priors(sizes, seen)
    expected_of = shapes(sizes)[:, seen.columns] + seen.longer
    for _ in range(_ROUNDS):
        usual = scatter * usual_scale(seen.memory_mb, np.exp(centre - seen.longer))
        squares = seen.total(weight * (seen.logs - seen.mean(seen.logs, weight)[seen.owner]) ** 2)
        scale, factor = scales(usual, squares, counts)
        weight = weights(seen.logs - centre[seen.owner], variance[seen.owner], scale[seen.owner])
        mean = seen.mean(seen.logs, weight)
        error = VARIANCE_FACTOR * scale**2 / seen.total(weight) + seen.cold * _FIRST_SCATTER**2
        parts = [_part(prior, expected_of, mean, error) for prior in priors]
        shares = _shares(parts)
        centre, variance = _moments(parts, shares)
    curves = _draw(parts, shares, sizes, seen.columns, rng, draws)
    curves = curves[_drawn_again(curves, seen, scale, mean, error, rng)]
    typical = np.exp(np.median(curves, axis=0))
    expected = scatter * usual_scale(np.asarray(sizes, dtype=np.float64), typical)
    noise = expected * np.sqrt(factor)
    warm = seen.cold == 0
    noise[seen.columns[warm]] = scale[warm]
    return Beliefs(sizes, np.exp(curves), noise)


def _observed(
    warm_ms: Mapping[int, Sequence[float]],
    cold_ms: Mapping[int, Sequence[float]],
    sizes: tuple[int, ...],
) -> _Observed:
    groups = [
        (size, cold, np.log(np.maximum(found, _LEAST_MS)))
        for cold, durations_ms in enumerate((warm_ms, cold_ms))
        for size in sizes
        if len(found := durations_ms.get(size, ()))
    ]
    return _Observed(
        logs=np.concatenate([logs for _, _, logs in groups]),
        owner=np.repeat(np.arange(len(groups)), [len(logs) for _, _, logs in groups]),
        columns=np.array([sizes.index(size) for size, _, _ in groups]),
        memory_mb=np.array([size for size, _, _ in groups], dtype=np.float64),
        cold=np.array([cold for _, cold, _ in groups], dtype=np.float64),
    )


def _priors(sizes: tuple[int, ...], seen: _Observed) -> list[_Prior]:
    """The priors by kind of residual."""
    common, groups = seen.common, np.ix_(seen.columns, seen.columns)
    return [
        _Prior(np.log(residual.weight), curves, curves[groups] + common)
        for residual, curves in zip(
            curve_prior.RESIDUALS, curve_prior.covariances(sizes), strict=True
        )
    ]


def _part(prior: _Prior, expected: Floats, mean: Floats, error: Floats) -> _Part:
    """Gaussian conditioning on the means of the groups, for all shapes at once.

    `expected` (K, T) is what each shape says of the groups.
    """
    groups = prior.groups
    inverse = np.asarray(np.linalg.inv(groups + np.diag(error)), dtype=np.float64)
    _, log_precision = np.linalg.slogdet(inverse)
    misfit = mean - expected
    solved = misfit @ inverse
    return _Part(
        log_evidence=prior.log_weight - 0.5 * (misfit * solved).sum(axis=1) + 0.5 * log_precision,
        group_means=expected + solved @ groups,
        group_variance=np.diag(groups - groups @ inverse @ groups),
        prior=prior.curves,
        inverse=inverse,
        solved=solved,
    )


def _shares(parts: Sequence[_Part]) -> Floats:
    """How probable each component is (Q, K)."""
    logs = np.stack([part.log_evidence for part in parts])
    shares = np.exp(logs - logs.max())
    return np.asarray(shares / shares.sum())


def _moments(parts: Sequence[_Part], shares: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of what is observed in each group, over all components."""
    means = np.stack([part.group_means for part in parts])
    own = np.stack([part.group_variance for part in parts])
    mean = np.einsum("qk,qkt->t", shares, means)
    spread = np.einsum("qk,qkt->t", shares, (means - mean) ** 2)
    return mean, np.maximum(spread + shares.sum(axis=1) @ own, 0.0)


def _draw(
    parts: Sequence[_Part],
    shares: Floats,
    sizes: tuple[int, ...],
    columns: np.ndarray,
    rng: np.random.Generator,
    draws: int,
) -> Floats:
    """`draws` curves of log-durations (S, G) from the mixture."""
    counts = rng.multinomial(draws, shares.ravel()).reshape(shares.shape)
    curves = []
    for part, of_shape in zip(parts, counts, strict=True):
        chosen = np.repeat(np.arange(len(of_shape)), of_shape)
        if not len(chosen):
            continue
        # Not by Cholesky: where nearly all is known, rounding leaves eigenvalues below zero.
        values, vectors = np.linalg.eigh(part.covariance(columns))
        factor = vectors * np.sqrt(np.maximum(values, 0.0))
        normal = rng.standard_normal((len(chosen), len(factor)))
        curves.append(part.means(chosen, shapes(sizes), columns) + normal @ factor.T)
    return np.concatenate(curves)


def _drawn_again(
    curves: Floats,
    seen: _Observed,
    scale: Floats,
    mean: Floats,
    error: Floats,
    rng: np.random.Generator,
) -> np.ndarray:
    """Which draws to keep, some more than once: by Student's likelihood over the normal one.

    By warm calls only: how much longer first calls take is not in a draw.
    """
    tested = curves[:, seen.columns]
    exact = log_likelihood((seen.logs - tested[:, seen.owner]) / scale[seen.owner])
    stand_in = -0.5 * (tested - mean) ** 2 / error
    warm = seen.cold == 0
    exact_sum, stand_in_sum = exact[:, warm[seen.owner]].sum(axis=1), stand_in[:, warm].sum(axis=1)
    ratio = exact_sum - stand_in_sum
    share = np.exp(ratio - ratio.max())
    # Systematic resampling: one random offset, so that equal weights keep every draw once.
    positions = (np.arange(len(curves)) + rng.random()) / len(curves)
    cumulative = np.cumsum(share / share.sum())
    return np.minimum(np.searchsorted(cumulative, positions), len(curves) - 1)
