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
# probable each kind of luck is, and its standard deviation.
_HOSTS = ((0.55, 0.018), (0.25, 0.05), (0.20, 0.16))
# By how much sizes depart from the shift that they share: probability and standard deviation.
_OWN = ((0.35, 0.0), (0.25, 0.02), (0.2, 0.05), (0.12, 0.12), (0.08, 0.3))
_STEP = 0.002
_MARGIN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """Equally likely log-ratios of typical durations, after to before; rows (S) are joint.

    `common` (S) is what the sizes share, `sizes` (S, G) are those at `sizes_mb`, and `unseen` (S)
    is that of one more size, which not both runs measured.
    """

    sizes_mb: tuple[int, ...]
    common: Floats
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
    host_share, host_sd = np.array(_HOSTS).T
    own_share, own_sd = np.array(_OWN).T
    common = np.arange(seen.min() - _MARGIN, seen.max() + _MARGIN, _STEP)
    own = own_sd**2
    # (own, size, host): what a ratio scatters by around the common shift.
    around = own[:, None, None] + noise[None, :, None] + host_sd**2
    logs = np.log(own_share)[:, None] + np.stack(
        [
            _log_mixture((common[:, None] - seen)[:, :, None], of_own, host_share).sum(axis=1)
            for of_own in around
        ]
    )
    share = np.exp(logs - logs.max()).ravel()
    cell = rng.choice(len(share), size=draws, p=share / share.sum())
    kind, place = np.divmod(cell, len(common))
    level = common[place] + _STEP * (rng.random(draws) - 0.5)
    host = _drawn_hosts(seen - level[:, None], around[kind], host_share, rng)
    other = noise + (host_sd**2)[host]
    pull = own[kind][:, None] / (own[kind][:, None] + other)
    sizes = level[:, None] + pull * (seen - level[:, None])
    sizes += np.sqrt(pull * other) * rng.standard_normal(sizes.shape)
    unseen = level + own_sd[kind] * rng.standard_normal(draws)
    return Shift(tuple(pair.memory_mb for pair in pairs), level, sizes, unseen)


def _log_mixture(residual: Floats, variance: Floats, share: Floats) -> Floats:
    """The log density of residuals, up to a constant; the last axis is the kind of host."""
    logs = np.log(share) - 0.5 * np.log(variance) - 0.5 * residual**2 / variance
    most = logs.max(axis=-1, keepdims=True)
    return np.asarray(most[..., 0] + np.log(np.exp(logs - most).sum(axis=-1)))


def _drawn_hosts(
    residual: Floats, variance: Floats, share: Floats, rng: np.random.Generator
) -> np.ndarray:
    """Which kind of luck each size had in each draw (S, G), given its residual (S, G)."""
    logs = np.log(share) - 0.5 * np.log(variance) - 0.5 * residual[:, :, None] ** 2 / variance
    # The largest of Gumbel-perturbed logarithms is a draw by their weights.
    return np.asarray((logs - np.log(-np.log(rng.random(logs.shape)))).argmax(axis=-1))
