"""How far a percentile of durations is from a typical one, as a logarithm; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tuner.estimate import student_quantile, student_share
from tuner.noise import DEGREES_OF_FREEDOM

if TYPE_CHECKING:
    from tuner.estimate import Floats
    from tuner.payload_effects import PayloadEffects

# Halves the range so often: to a billionth of it.
_HALVINGS = 30


def reach_of(noise: Floats, share: float, effects: PayloadEffects | None = None) -> Floats:
    """The logarithm of percentile over typical duration at each size, of noise `noise` (G).

    With several payloads the typical duration is the mean over them, and the percentile that of
    all their calls together: the value that `share` of the mixture is below.
    """
    quantile = noise * student_quantile(share, DEGREES_OF_FREEDOM)
    if effects is None:
        return np.asarray(quantile)
    logs = np.log(np.array(list(effects.factors.values())))
    low, high = quantile + logs.min(), quantile + logs.max()
    scale = np.maximum(noise, 1e-9)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = student_share((middle[:, None] - logs) / scale[:, None], DEGREES_OF_FREEDOM)
        is_low = below @ effects.shares < share
        low, high = np.where(is_low, middle, low), np.where(is_low, high, middle)
    return np.asarray((low + high) / 2)
