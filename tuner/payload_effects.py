"""What the payloads of a mix do to durations, and durations without it; pure.

Each payload is taken to change durations by the same factor at all sizes. Its logarithm is found
from all sizes together: log(duration) = level of the size + effect of the payload + noise, with
Student's noise (`tuner/noise.py`) and effects that are normal around zero, their spread learned
from them (empirical Bayes), so that effects which cannot be told from noise are small.

Calls are adjusted to a call of the mix by what the *other* sizes say of their payload: so a size
does not vouch for itself, and sizes that had different calls can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.noise import VARIANCE_FACTOR, usual_scale, weights
from tuner.payload_mix import shares
from tuner.sample import Sample

if TYPE_CHECKING:
    from tuner.estimate import Floats

_ROUNDS = 8
# What is expected of the spread of effects, as if so many payloads had shown it.
_USUAL_SPREAD, _SPREAD_WEIGHT = 0.3, 1.0
# The usual noise counts as so many calls.
_NOISE_WEIGHT = 3.0
# A call tells of its size where what is not known of its payload is at most so many times the
# variance of its noise.
_MOST_UNKNOWN = 4.0
_LEAST_MS, _LEAST_BILLED_MS = 0.01, 1.0


@dataclass(frozen=True, slots=True, eq=False)
class PayloadEffects:
    """Effects of the payloads that were called, as logarithms (K), with their covariance (K, K).

    `shares` (K) are those of the mix, without the payloads that were never called; `met` (K) the
    shares of the calls. `elsewhere` has, by size, the effects that all other sizes show, and what
    is not known of them, as a multiple of `noise_variance`, that of a call's logarithm.
    """

    names: tuple[str, ...]
    shares: Floats
    met: Floats
    effects: Floats
    covariance: Floats
    elsewhere: Mapping[int, tuple[Floats, Floats]]
    noise_variance: float
    uncalled: tuple[str, ...]
    uncalled_share: float

    @property
    def factors(self) -> Mapping[str, float]:
        """Durations with each payload that was called, relative to the mean over the mix."""
        return dict(zip(self.names, np.exp(self.effects - self._log_mean).tolist(), strict=True))

    @property
    def _log_mean(self) -> float:
        return float(np.log(self.shares @ np.exp(self.effects)))

    def knows(self, sample: Sample) -> bool:
        """Whether it is known what the payload of a call does to its duration."""
        return sample.payload in self.names

    def adjusted(self, samples: Sequence[Sample]) -> tuple[Sample, ...]:
        """The samples as if each call were one of the mix; Duration and billed time change.

        Where nothing else is known of a payload, its calls say nothing of their size and do not
        count, unless they are all that a size has.
        """
        known = [self._adjusted(sample) for sample in samples]
        kept = {sample.memory_mb for sample, tells in known if tells and sample.counts_as_warm}
        return tuple(
            sample if tells or sample.memory_mb not in kept else replace(sample, discarded=True)
            for sample, tells in known
        )

    def _adjusted(self, sample: Sample) -> tuple[Sample, bool]:
        """The sample, and whether enough is known of its payload."""
        if sample.duration_ms is None or sample.payload not in self.names:
            return sample, True
        index = self.names.index(sample.payload)
        effects, unknown = self.elsewhere.get(sample.memory_mb, (self.effects, None))
        duration_ms = sample.duration_ms * float(np.exp(self._log_mean - effects[index]))
        tells = unknown is None or bool(unknown[index] <= _MOST_UNKNOWN)
        if sample.billed_ms is None:
            return replace(sample, duration_ms=duration_ms), tells
        # INIT, where it is billed, and rounding are the same for all payloads.
        billed_ms = max(sample.billed_ms - sample.duration_ms + duration_ms, _LEAST_BILLED_MS)
        return replace(sample, duration_ms=duration_ms, billed_ms=billed_ms), tells

    def level_draws(self, rng: np.random.Generator, count: int) -> Floats:
        """By which factor durations of the mix may differ from what adjusted calls say (count).

        The effects are not known exactly. It is the same factor at all sizes, so that it widens
        what is known of costs and times, and leaves comparisons of sizes as they are.
        """
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        drawn = self.effects + rng.standard_normal((count, len(self.effects))) @ root.T
        factor = np.exp(drawn) @ self.shares * np.exp(-drawn @ self.met)
        return np.asarray(factor / factor.mean())


def payload_effects(
    samples: Sequence[Sample], payload_weights: Mapping[str, float]
) -> PayloadEffects | None:
    """The effects of the payloads of a mix; None without a mix, or without a call to tell them by.

    `payload_weights` are the weights of all payloads by name; empty where calls do not differ.
    """
    # A size has few cold calls, of which all have the same payload: they tell nothing of it.
    seen = [s for s in samples if s.counts_as_warm and s.payload in payload_weights]
    if not seen:
        return None
    called = {sample.payload for sample in seen}
    parts = dict(zip(payload_weights, shares(list(payload_weights.values())), strict=True))
    names = tuple(name for name in parts if name in called)
    of_called = np.array([parts[name] for name in names])
    found = _Observed.of(seen, names)
    fit = _fit(found)
    sizes = np.unique(found.memory_mb)
    elsewhere = {
        int(size): _left_out(found, fit, found.memory_mb != size)
        for size in sizes
        if len(sizes) > 1
    }
    return PayloadEffects(
        names=names,
        shares=of_called / of_called.sum(),
        met=np.bincount(found.payload, minlength=len(names)) / len(seen),
        effects=fit.effects,
        covariance=fit.covariance,
        elsewhere=elsewhere,
        noise_variance=fit.noise_variance,
        uncalled=tuple(name for name in parts if name not in called),
        uncalled_share=1.0 - float(of_called.sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """Warm calls (N): log-durations, size, payload, and the number of the size.

    `usual` (N) is the scale of noise that such calls usually have, `payloads` how many there are.
    """

    logs: Floats
    memory_mb: Floats
    payload: np.ndarray
    group: np.ndarray
    usual: Floats
    payloads: int

    @classmethod
    def of(cls, samples: Sequence[Sample], names: Sequence[str]) -> _Observed:
        durations = np.array([max(s.duration_ms or 0.0, _LEAST_MS) for s in samples])
        memory = np.array([s.memory_mb for s in samples], dtype=np.float64)
        return cls(
            logs=np.log(durations),
            memory_mb=memory,
            payload=np.array([names.index(s.payload or "") for s in samples]),
            group=np.unique(memory, return_inverse=True)[1],
            usual=usual_scale(memory, durations),
            payloads=len(names),
        )

    def kept(self, rows: np.ndarray) -> _Observed:
        """Some of the calls."""
        return _Observed(
            self.logs[rows],
            self.memory_mb[rows],
            self.payload[rows],
            self.group[rows],
            self.usual[rows],
            self.payloads,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Effects and their covariance, with what the fit went by: precisions (N) and the spread."""

    effects: Floats
    covariance: Floats
    precision: Floats
    spread_variance: float
    noise_variance: float


def _fit(seen: _Observed) -> _Fit:
    spread, factor = _USUAL_SPREAD**2, 1.0
    weight = np.ones_like(seen.logs)
    groups = len(np.unique(seen.group))
    for _ in range(_ROUNDS):
        scale = seen.usual * np.sqrt(factor)
        precision = weight / (VARIANCE_FACTOR * scale**2)
        effects, covariance = _solved(seen, precision, spread)
        level = _group_means(seen, seen.logs - effects[seen.payload], precision)
        residuals = seen.logs - effects[seen.payload] - level[seen.group]
        variance = np.diag(covariance)
        used = float(np.clip(1 - variance / spread, 0, 1).sum())
        spread = (_SPREAD_WEIGHT * _USUAL_SPREAD**2 + float((effects**2 + variance).sum())) / (
            _SPREAD_WEIGHT + seen.payloads
        )
        free = max(0.0, len(seen.logs) - groups - used)
        squares = float((weight * residuals**2 / seen.usual**2).sum())
        factor = (_NOISE_WEIGHT + squares) / (_NOISE_WEIGHT + free)
        weight = weights(residuals, np.zeros_like(residuals), seen.usual * np.sqrt(factor))
    noise = VARIANCE_FACTOR * float(np.median(seen.usual)) ** 2 * factor
    return _Fit(effects, covariance, precision, spread, noise)


def _left_out(seen: _Observed, fit: _Fit, rows: np.ndarray) -> tuple[Floats, Floats]:
    """Effects by some of the calls, and what is not known of them in units of a call's noise.

    Levels are free, so that only differences of effects are known. They are counted from the mean
    over these calls, which is put where all calls have it: else payloads that these lack would
    move all others.
    """
    precision = fit.precision[rows]
    effects, covariance = _solved(seen.kept(rows), precision, fit.spread_variance)
    met = np.bincount(seen.payload[rows], precision, seen.payloads) / precision.sum()
    called = met > 0
    moved = np.where(called, effects + met @ (fit.effects - effects), 0.0)
    from_mean = np.eye(seen.payloads) - met
    unknown = np.einsum("ij,jk,ik->i", from_mean, covariance, from_mean)
    return moved, np.asarray(unknown / fit.noise_variance)


def _solved(seen: _Observed, precision: Floats, spread_variance: float) -> tuple[Floats, Floats]:
    """Mean and covariance of the effects, when nothing is known of the levels of the groups."""
    count = int(seen.group.max()) + 1
    cross = np.zeros((count, seen.payloads))
    np.add.at(cross, (seen.group, seen.payload), precision)
    total = np.maximum(cross.sum(axis=1), 1e-300)
    own = np.diag(cross.sum(axis=0)) - cross.T @ (cross / total[:, None])
    by_payload = np.bincount(seen.payload, precision * seen.logs, seen.payloads)
    by_group = np.bincount(seen.group, precision * seen.logs, count)
    covariance = np.linalg.inv(own + np.eye(seen.payloads) / spread_variance)
    return covariance @ (by_payload - cross.T @ (by_group / total)), covariance


def _group_means(seen: _Observed, values: Floats, precision: Floats) -> Floats:
    total = np.maximum(np.bincount(seen.group, precision), 1e-300)
    return np.asarray(np.bincount(seen.group, precision * values) / total)
