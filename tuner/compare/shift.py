"""How durations at all sizes changed, from what was seen at each; pure.

The log-ratio seen at a size is a shift that all sizes share, what the change does to this size
alone, the luck of two hosts, and the noise of the calls. The first is what a deploy usually
does. The third is there without any change: a size is measured in one environment a run, and
another environment may be on a faster host. So one size that jumps while the others stay says
little, and all that move together say much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tuner.compare.levels import LevelPair
    from tuner.estimate import Floats

DRAWS = 4000
# By how much the log-ratio of two environments of one size departs, without any change: how
# probable each kind of luck is, and its standard deviation. About what 17 functions show that were
# measured twice, in November and December 2025 (cebert/aws-lambda-performance-benchmarks, MIT).
_HOSTS = ((0.55, 0.018), (0.25, 0.05), (0.20, 0.16))
# By how much sizes depart from the shift that they share: probability and standard deviation.
_OWN = ((0.35, 0.0), (0.25, 0.02), (0.2, 0.05), (0.12, 0.12), (0.08, 0.3))
# How probable it is that a change hits one size alone, as where memory runs short, and by how much.
_ALONE_SHARE, _ALONE_SD = 0.1, 0.16
_STEP = 0.002
_MARGIN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Luck:
    """What may happen at one size (L): how probable, and the variances it adds.

    `hosts` is nothing but luck, `alone` a change that is there.
    """

    share: Floats
    hosts: Floats
    alone: Floats


def _all_luck() -> _Luck:
    """Each kind of host luck, with a change of this size alone and without."""
    host_share, host_sd = np.array(_HOSTS).T
    alone_share = np.array([1 - _ALONE_SHARE, _ALONE_SHARE])
    alone_sd = np.array([0.0, _ALONE_SD])
    return _Luck(
        share=np.outer(host_share, alone_share).ravel(),
        hosts=np.repeat(host_sd**2, 2),
        alone=np.tile(alone_sd**2, len(host_sd)),
    )


_LUCK = _all_luck()


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """Equally likely log-ratios of typical durations, after to before; rows (S) are joint.

    `sizes` (S, G) are those at `sizes_mb`, and `unseen` (S) is that of one more size, which not
    both runs measured.
    """

    sizes_mb: tuple[int, ...]
    sizes: Floats
    unseen: Floats

    def at(self, memory_mb: int) -> Floats:
        """The draws (S) at one size, measured by both runs or not."""
        if memory_mb not in self.sizes_mb:
            return self.unseen
        column: Floats = self.sizes[:, self.sizes_mb.index(memory_mb)]
        return column

    @property
    def mean(self) -> Floats:
        """The draws (S) of the mean over all sizes that both runs measured."""
        return np.asarray(self.sizes.mean(axis=1))


def believe_shift(
    pairs: Sequence[LevelPair], rng: np.random.Generator, draws: int = DRAWS
) -> Shift:
    """Joint draws of the log-ratios at the sizes of `pairs`; at least one is needed.

    Given the common shift and how far sizes depart from it, sizes are independent: both are on a
    grid, and the rest is normal.
    """
    seen = np.array([pair.log_ratio for pair in pairs])
    noise = np.array([pair.variance for pair in pairs])
    level, own = _draw_common(seen, noise, rng, draws)
    luck = _draw_luck(seen - level, own, noise, rng)
    real, other = own + _LUCK.alone[luck], noise + _LUCK.hosts[luck]
    pull = real / (real + other)
    sizes = level + pull * (seen - level)
    sizes += np.sqrt(pull * other) * rng.standard_normal(sizes.shape)
    alone = _LUCK.alone[rng.choice(len(_LUCK.share), (draws, 1), p=_LUCK.share)]
    unseen = level + np.sqrt(own + alone) * rng.standard_normal((draws, 1))
    return Shift(tuple(pair.memory_mb for pair in pairs), sizes, unseen[:, 0])


def _draw_common(
    seen: Floats, noise: Floats, rng: np.random.Generator, draws: int
) -> tuple[Floats, Floats]:
    """Draws (S, 1) of the common shift, and of the variance of sizes around it."""
    share, spread = np.array(_OWN).T
    levels = np.arange(seen.min() - _MARGIN, seen.max() + _MARGIN, _STEP)
    residual = (levels[:, None] - seen)[:, :, None]
    logs = np.stack(
        [
            np.log(s) + _log_density(residual, sd**2, noise)
            for s, sd in zip(share, spread, strict=True)
        ]
    )
    weight = np.exp(logs - logs.max()).ravel()
    kind, place = np.divmod(rng.choice(weight.size, draws, p=weight / weight.sum()), levels.size)
    # Anywhere in the cell of the grid.
    level = levels[place] + _STEP * (rng.random(draws) - 0.5)
    return level[:, None], spread[kind][:, None] ** 2


def _log_density(residual: Floats, own: float, noise: Floats) -> Floats:
    """The log density of all sizes together, by the common shift; up to a constant."""
    logs = _log_luck(residual, own, noise)
    most = logs.max(axis=-1, keepdims=True)
    each = most[..., 0] + np.log(np.exp(logs - most).sum(axis=-1))
    return np.asarray(each.sum(axis=1))


def _log_luck(residual: Floats, own: Floats | float, noise: Floats) -> Floats:
    """The log density of each size with each luck, (..., G, L); up to a constant."""
    variance = own + noise[:, None] + _LUCK.hosts + _LUCK.alone
    return np.asarray(np.log(_LUCK.share) - 0.5 * np.log(variance) - 0.5 * residual**2 / variance)


def _draw_luck(
    residual: Floats, own: Floats, noise: Floats, rng: np.random.Generator
) -> np.ndarray:
    """Which luck each size had in each draw (S, G), given its residual (S, G)."""
    logs = _log_luck(residual[:, :, None], own[:, :, None], noise)
    # The largest of logarithms with Gumbel noise is a draw by their weights.
    return np.asarray((logs + rng.gumbel(size=logs.shape)).argmax(axis=-1))
