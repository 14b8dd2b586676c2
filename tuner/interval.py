"""Intervals of replicates or draws; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tuner.estimate import Floats


def interval_of(
    replicates: Floats, tails: tuple[float, float] | None
) -> tuple[float, float] | None:
    """The 90 % interval of replicates between their `tails`; None where these are not known."""
    if tails is None:
        return None
    low, high = np.quantile(replicates, tails)
    return float(low), float(high)
