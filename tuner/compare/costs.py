"""What calls at a size cost before and after, by how their duration changed; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuner.compare.levels import LevelPair
from tuner.worth import Worth

if TYPE_CHECKING:
    from tuner.estimate import Floats


@dataclass(frozen=True, slots=True)
class CostRatios:
    """The prices of both runs, and the durations at the sizes that both measured.

    Costs are linear in billed time, with a fee that is the same for every call: what a longer
    duration does to them depends on how long it was.
    """

    before: Worth
    after: Worth
    pairs: Sequence[LevelPair]

    def at(self, memory_mb: int, log_ratios: Floats) -> Floats:
        """Draws of the log-ratio of costs at a size, from those of durations."""
        was_ms = np.array([self._duration_ms(memory_mb)])
        was = _cost_usd(self.before, memory_mb, was_ms)
        became = _cost_usd(self.after, memory_mb, was_ms * np.exp(log_ratios))
        return np.asarray(np.log(became / was))

    def _duration_ms(self, memory_mb: int) -> float:
        """The typical duration before, at any size: between measured ones by their logarithms."""
        sizes = [math.log(pair.memory_mb) for pair in self.pairs]
        levels = [pair.before.log_ms for pair in self.pairs]
        return math.exp(float(np.interp(math.log(memory_mb), sizes, levels)))


def _cost_usd(worth: Worth, memory_mb: int, duration_ms: Floats) -> Floats:
    return worth.cost_usd([memory_mb], worth.billed_ms(duration_ms)[:, None])[:, 0]
